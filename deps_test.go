package exobench_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// imports lists, for each package, which of the others it may import. A new
// arrow is a decision: it belongs in ARCHITECTURE.md too.
var imports = map[string]string{
	"":                   "",
	"alarm":              ". internal/panics",
	"internal/jsonscan":  "",
	"journal":            ". internal/jsonscan internal/panics",
	"wire":               ". internal/jsonscan internal/panics",
	"load":               ". alarm internal/panics",
	"driver":             ". catalogue internal/textfile nearest wire",
	"driver/api":         ". internal/panics",
	"driver/marks":       "",
	"driver/exo":         ". catalogue driver driver/api driver/local driver/marks nearest resource wire",
	"driver/exolegacy":   ". catalogue driver driver/api driver/local internal/panics wire",
	"driver/llamacpp":    ". catalogue child driver driver/api driver/local gguf internal/panics resource synth wire",
	"driver/ollama":      ". catalogue driver driver/api driver/local driver/marks internal/panics wire",
	"driver/openai":      ". catalogue driver driver/api driver/local internal/panics prompt wire",
	"driver/embedded":    ". catalogue child driver driver/exo driver/local embedded/decoder internal/panics",
	"run":                ". driver internal/panics load precision prompt",
	"precision":          ". metric stat",
	"prompt":             ". internal/textfile",
	"planfile":           ". internal/textfile",
	"catalogue":          "internal/textfile shape",
	"shape":              "",
	"child":              "internal/panics",
	"ceiling":            ". catalogue gguf internal/panics shape",
	"synth":              ". catalogue gguf",
	"resource":           ". internal/histogram internal/panics",
	"gpu":                ". child internal/panics",
	"terminal":           ". internal/panics summary",
	"gguf":               "internal/panics shape",
	"reference":          ". alarm internal/histogram internal/loopback internal/panics",
	"calibrate":          ". driver internal/panics journal load metric reference resource run stat wire",
	"machine":            ". internal/panics",
	"power":              ". internal/panics",
	"peers":              ". metric stat summary",
	"embedded":           "embedded/decoder internal/loopback internal/panics shape",
	"embedded/decoder":   "internal/panics shape",
	"metric":             ". stat",
	"stat":               "",
	"summary":            ". internal/histogram metric stat timeline",
	"plot":               "",
	"report":             ". compare history metric plot stat summary",
	"compare":            ". metric stat summary",
	"history":            ". compare metric stat summary",
	"internal/histogram": "",
	"internal/loopback":  "",
	"secret":             "",
	"nearest":            "",
	"driver/local":       ". driver resource",
	"driver/drivertest":  ". catalogue driver wire",
	"timeline":           ".",
	"internal/textfile":  "",
	"internal/faults":    ".",
	"internal/panics":    "",
	"internal/pty":       "",
	"internal/rawserver": "",
	"internal/soak":      ". internal/faults journal",
}

const module = "exobench"

func TestPackagesImportOnlyWhatTheArchitectureAllows(t *testing.T) {
	out, err := exec.Command("go", "list", "-f", `{{.ImportPath}} {{join .Imports " "}}`, "./...").Output()
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(out)) {
		fields := strings.Fields(line)
		name := strings.TrimPrefix(strings.TrimPrefix(fields[0], module), "/")
		if strings.HasPrefix(name, "cmd/") {
			continue // wires everything
		}
		allowed, known := imports[name]
		if !known {
			t.Errorf("package %s is not in the list", name)
			continue
		}
		for _, path := range fields[1:] {
			if path != module && !strings.HasPrefix(path, module+"/") {
				continue
			}
			short := strings.TrimPrefix(strings.TrimPrefix(path, module), "/")
			if short == "" {
				short = "."
			}
			if !slices.Contains(strings.Fields(allowed), short) {
				t.Errorf("%s imports %s, which the list does not allow", name, short)
			}
		}
	}
}

func TestEveryPackageSaysWhatItIsFor(t *testing.T) {
	out, err := exec.Command("go", "list", "-f", "{{.ImportPath}}\t{{.Doc}}", "./...").Output()
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(out)) {
		name, doc, _ := strings.Cut(strings.TrimSpace(line), "\t")
		if doc == "" {
			t.Errorf("package %s has no package doc", name)
		}
	}
}

// testOnly are packages that no part of the program imports.
var testOnly = []string{"internal/faults", "internal/pty", "internal/rawserver", "internal/soak", "driver/drivertest"}

// A panic that nobody catches takes the process down: models stay loaded, and the
// journal has no end.
func TestThePanicOfEveryGoroutineIsCaught(t *testing.T) {
	out, err := exec.Command("go", "list", "-f", `{{$dir := .Dir}}{{$path := .ImportPath}}{{range .GoFiles}}{{$path}} {{$dir}}/{{.}}{{"\n"}}{{end}}`, "./...").Output()
	if err != nil {
		t.Fatal(err)
	}
	begun := 0
	for line := range strings.Lines(string(out)) {
		fields := strings.Fields(line)
		if len(fields) < 2 || slices.Contains(testOnly, strings.TrimPrefix(fields[0], module+"/")) || fields[0] == module+"/internal/panics" {
			continue
		}
		files := token.NewFileSet()
		file, err := parser.ParseFile(files, fields[1], nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			what := begins(n)
			if what == nil {
				return true
			}
			begun++
			if !catches(what) {
				t.Errorf("%s: a goroutine begins without panics.Caught: a panic in it would leave models loaded and the journal without an end", files.Position(n.Pos()))
			}
			return true
		})
	}
	if begun < 40 {
		t.Errorf("%d goroutines were found", begun)
	}
}

// begins returns the function that a node makes a goroutine run, if any.
func begins(n ast.Node) ast.Expr {
	switch n := n.(type) {
	case *ast.GoStmt:
		return n.Call.Fun
	case *ast.CallExpr:
		name, ok := n.Fun.(*ast.SelectorExpr)
		if ok && (name.Sel.Name == "Go" && len(n.Args) == 1 || name.Sel.Name == "AfterFunc") {
			return n.Args[len(n.Args)-1]
		}
	}
	return nil
}

// catches reports whether a function is one of package panics, or begins by
// deferring the rescue of a run.
func catches(f ast.Expr) bool {
	switch f := f.(type) {
	case *ast.CallExpr:
		name, ok := f.Fun.(*ast.SelectorExpr)
		if !ok {
			return false
		}
		of, ok := name.X.(*ast.Ident)
		return ok && of.Name == "panics"
	case *ast.FuncLit:
		first, ok := f.Body.List[0].(*ast.DeferStmt)
		if !ok {
			return false
		}
		name, ok := first.Call.Fun.(*ast.SelectorExpr)
		return ok && name.Sel.Name == "rescue"
	}
	return false
}
