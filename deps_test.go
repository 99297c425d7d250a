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
	"":                   "",
	"alarm":              ".",
	"internal/jsonscan":  "",
	"journal":            ". internal/jsonscan",
	"wire":               ". internal/jsonscan",
	"load":               ". alarm",
	"driver":             ". catalogue nearest wire",
	"driver/api":         ".",
	"driver/exo":         ". catalogue driver driver/api driver/local nearest resource wire",
	"driver/exolegacy":   ". catalogue driver driver/api driver/local wire",
	"driver/llamacpp":    ". catalogue child driver driver/api driver/local resource synth wire",
	"driver/ollama":      ". catalogue driver driver/api driver/local wire",
	"driver/openai":      ". catalogue driver driver/api driver/local prompt wire",
	"driver/embedded":    ". catalogue child driver driver/exo driver/local embedded/decoder",
	"run":                ". driver load prompt",
	"prompt":             ". internal/textfile",
	"planfile":           ". internal/textfile",
	"catalogue":          "internal/textfile shape",
	"shape":              "",
	"child":              "",
	"synth":              ". catalogue gguf",
	"resource":           ". internal/histogram",
	"gpu":                ". child",
	"power":              ".",
	"terminal":           ". summary",
	"gguf":               "shape",
	"reference":          ". alarm internal/histogram internal/loopback",
	"calibrate":          ". driver journal load metric reference resource run stat wire",
	"peers":              ". metric stat summary",
	"embedded":           "embedded/decoder internal/loopback shape",
	"embedded/decoder":   "shape",
	"metric":             ". stat",
	"stat":               "",
	"summary":            ". internal/histogram metric stat timeline",
	"plot":               "",
	"report":             ". compare metric plot stat summary",
	"compare":            ". metric stat summary",
	"internal/histogram": "",
	"internal/loopback":  "",
	"secret":             "",
	"nearest":            "",
	"driver/local":       ". driver resource",
	"driver/drivertest":  ". catalogue driver wire",
	"timeline":           ".",
	"internal/textfile":  "",
	"internal/faults":    ".",
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
