// Vulnindex lays the Go vulnerability database out as govulncheck reads it:
//
//	go run .ci/vulnindex.go OSV DATABASE
//
// OSV is the folder of its entries, a file each, such as data/osv of the module
// golang.org/x/vulndb.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// entry is as much of one as the index needs.
type entry struct {
	ID       string    `json:"id"`
	Modified time.Time `json:"modified"`
	Affected []struct {
		Package struct {
			Name string `json:"name"`
		} `json:"package"`
	} `json:"affected"`
}

// reference is an entry in the list of a module.
type reference struct {
	ID       string    `json:"id"`
	Modified time.Time `json:"modified"`
}

// module is one with its entries. The version that mends them is left out:
// govulncheck then reads the entries.
type module struct {
	Path  string      `json:"path"`
	Vulns []reference `json:"vulns"`
}

func main() {
	if err := build(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, "vulnindex:", err)
		os.Exit(1)
	}
}

func build(osv, database string) error {
	for _, folder := range []string{"index", "ID"} {
		if err := os.MkdirAll(filepath.Join(database, folder), 0o755); err != nil {
			return err
		}
	}
	files, err := filepath.Glob(filepath.Join(osv, "GO-*.json"))
	if err != nil || len(files) == 0 {
		return fmt.Errorf("no entries in %s: %v", osv, err)
	}
	modules := map[string]*module{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		var e entry
		if err := json.Unmarshal(text, &e); err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
		if err := os.WriteFile(filepath.Join(database, "ID", e.ID+".json"), text, 0o644); err != nil {
			return err
		}
		seen := map[string]bool{}
		for _, a := range e.Affected {
			if path := a.Package.Name; !seen[path] {
				seen[path] = true
				if modules[path] == nil {
					modules[path] = &module{Path: path}
				}
				modules[path].Vulns = append(modules[path].Vulns, reference{e.ID, e.Modified})
			}
		}
	}
	all := make([]*module, 0, len(modules))
	for _, m := range modules {
		all = append(all, m)
	}
	return index(database, all)
}

func index(database string, modules []*module) error {
	for name, value := range map[string]any{"modules": modules, "db": map[string]time.Time{"modified": time.Now().UTC()}} {
		text, err := json.Marshal(value)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(database, "index", name+".json"), text, 0o644); err != nil {
			return err
		}
	}
	return nil
}
