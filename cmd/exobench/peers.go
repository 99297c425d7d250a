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
	type cell struct {
		name    string
		records []*exobench.Record
	}
	var cells []*cell
	byKey := map[summary.Key]*cell{}
	err := readJournal(path, func(r *journal.Reader) error {
		for e := range r.All() {
			record, ok := e.(*exobench.Record)
			if !ok || record.Phase != exobench.Measured {
				continue
			}
			key := summary.KeyOf(record)
			if byKey[key] == nil {
				name := fmt.Sprintf("%s on %s, concurrency %d", record.Model, strings.TrimSpace(record.Engine+" "+record.Placement), record.Concurrency)
				byKey[key] = &cell{name: name}
				cells = append(cells, byKey[key])
			}
			byKey[key].records = append(byKey[key].records, record)
		}
		return nil
	})
	if err != nil {
		return err
	}
	for i, c := range cells {
		report, err := peers.Derive(tool, slices.Values(c.records))
		if err != nil {
			return fmt.Errorf("%s: %w", c.name, err)
		}
		if i > 0 {
			fmt.Fprintln(w)
		}
		fmt.Fprintf(w, "%s\n\n", c.name)
		if err := report.Text(w); err != nil {
			return err
		}
	}
	if len(cells) == 0 {
		_, err = fmt.Fprintln(w, "The run has no measured request.")
	}
	return err
}
