package main

import (
	"encoding/json"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// The licences that exobench's own, Apache 2.0, goes together with in one program.
var allowed = []string{"Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "CC-BY-4.0", "FTL", "ISC", "MIT"}

func TestTheLicenceOfEachModuleIsKnownAndAllowed(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", "-f", "{{with .Module}}{{if not .Main}}{{.Path}}{{end}}{{end}}", ".").Output()
	if err != nil {
		t.Fatal(err)
	}
	built := map[string]bool{}
	for _, module := range strings.Fields(string(out)) {
		built[module] = true
	}
	known := licences()
	for module := range built {
		if known[module] == "" {
			t.Errorf("licences.txt does not tell the licence of %s", module)
		}
	}
	for module, licence := range known {
		if !slices.Contains(allowed, licence) {
			t.Errorf("%s has the licence %s, which is not among the allowed ones", module, licence)
		}
		// The other systems need modules that this one does not.
		if !built[module] && !otherSystems[module] {
			t.Errorf("licences.txt tells the licence of %s, which is not in the program", module)
		}
	}
}

// otherSystems are modules of programs for other systems than this one.
var otherSystems = map[string]bool{
	"github.com/ebitengine/purego":       true, // macOS
	"github.com/lufia/plan9stats":        true,
	"github.com/power-devops/perfstat":   true,
	"github.com/charmbracelet/x/windows": true,
	"github.com/prometheus/procfs":       true,
	"github.com/tklauser/go-sysconf":     true,
	"github.com/tklauser/numcpus":        true,
}

func TestTheBillOfMaterialsIsCycloneDX(t *testing.T) {
	got := inProcess(t, "version", "--sbom")
	var doc bom
	if err := json.Unmarshal([]byte(got.stdout), &doc); err != nil || got.code != exitOK {
		t.Fatalf("%v, exit code %d: %s", err, got.code, got.stderr)
	}
	if doc.Format != "CycloneDX" || doc.Metadata.Component.Name != "exobench" || len(doc.Components) == 0 {
		t.Errorf("document %+v", doc)
	}
	if again := inProcess(t, "version", "--sbom"); again.stdout != got.stdout {
		t.Error("the document is not the same when it is made again")
	}
	for _, c := range doc.Components {
		if c.Version == "" || !strings.HasPrefix(c.PURL, "pkg:golang/"+c.Name+"@") {
			t.Errorf("component %+v", c)
		}
	}
}
