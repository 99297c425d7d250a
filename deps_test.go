package exobench_test

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// imports lists, for each package, which of the others it may import. A new
// arrow is a decision: it belongs in ARCHITECTURE.md too.
var imports = map[string]string{
	"":                  "",
	"alarm":             "",
	"journal":           ".",
	"wire":              ".",
	"load":              ". alarm",
	"driver":            ". catalogue wire",
	"driver/api":        "",
	"driver/drivertest": ". catalogue driver wire",
	"driver/exo":        ". catalogue driver driver/api resource wire",
	"driver/exolegacy":  ". driver driver/api driver/local wire",
	"driver/local":      ". driver resource",
	"driver/embedded":   ". catalogue child decoder driver driver/exo driver/local",
	"driver/llamacpp":   ". child driver driver/api driver/local resource synth wire",
	"driver/ollama":     ". driver driver/api driver/local wire",
	"driver/openai":     ". driver driver/api driver/local wire",
	"run":               ". driver load",
	"prompt":            ".",
	"catalogue":         "",
	"child":             "",
	"resource":          ".",
	"terminal":          ". metric stat",
	"gguf":              "",
	"synth":             ". catalogue gguf",
	"reference":         "alarm",
	"calibrate":         ". load metric reference stat wire",
	"peers":             ". metric stat",
	"decoder":           "",
	"engine":            "decoder",
	"metric":            ". stat",
	"stat":              "",
	"summary":           ". metric stat",
	"plot":              "",
	"report":            ". metric plot stat summary",
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
