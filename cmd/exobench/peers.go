package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"exobench"
	"exobench/journal"
	"exobench/peers"
	"exobench/summary"
)

// peerNames lists the tools that report --as takes.
func peerNames() string {
	var names []string
	for _, tool := range peers.Tools {
		names = append(names, tool.Name)
	}
	return strings.Join(names, ", ")
}

// showAs prints, cell by cell, what another tool would have reported of a
// folder's requests.
func showAs(w io.Writer, path, tool string) error {
	if _, known := peers.ByName(tool); !known {
		return usageError{fmt.Errorf("--as %s is not known: it must be one of %s", tool, peerNames())}
	}
	var keys []summary.Key
	cells := map[summary.Key][]*exobench.Record{}
	err := readJournal(path, func(r *journal.Reader) error {
		for e := range r.All() {
			record, ok := e.(*exobench.Record)
			if !ok || record.Phase != exobench.Measured {
				continue
			}
			key := summary.KeyOf(record)
			if cells[key] == nil {
				keys = append(keys, key)
			}
			cells[key] = append(cells[key], record.Clone())
		}
		return nil
	})
	if err != nil {
		return err
	}
	for i, key := range keys {
		if i > 0 {
			fmt.Fprintln(w)
		}
		report, err := peers.Derive(tool, slices.Values(cells[key]))
		if err != nil {
			fmt.Fprintf(w, "%s on %s, load %v: %v\n", key.Model, key.Engine, key.Load, err)
			continue
		}
		if err := report.Text(w); err != nil {
			return err
		}
	}
	if len(keys) == 0 {
		_, err = fmt.Fprintln(w, "The run has no measured request.")
	}
	return err
}
