package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"exobench"
	"exobench/driver"
	"exobench/journal"
	"exobench/peers"
	"exobench/report"
	"exobench/summary"
)

func reportCommand(env environment) *cobra.Command {
	var asJSON bool
	var as string
	cmd := &cobra.Command{
		Use:   "report FOLDER",
		Short: "Make every report of a result folder again, from its journal",
		Long: `Make every report of a result folder again, from its journal alone. The same journal gives
the same files. It works on runs that were interrupted or killed, and says so.`,
		Example: "  exobench report results/latest\n  exobench report results/latest --as vllm",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return driver.UsageError{Err: errors.New("report takes one result folder, such as results/latest")}
			}
			return nil
		},
		RunE: func(_ *cobra.Command, args []string) error {
			if _, err := os.Stat(filepath.Join(args[0], journal.Name)); errors.Is(err, fs.ErrNotExist) {
				return driver.UsageError{Err: fmt.Errorf("%s is no result folder: it has no %s", args[0], journal.Name)}
			}
			if as != "" {
				return showAs(env.Stdout, args[0], as)
			}
			results, err := makeReports(args[0])
			if err != nil {
				return err
			}
			return show(env.Stdout, results, args[0], asJSON)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print summary.json in place of the table")
	cmd.Flags().StringVar(&as, "as", "", "print what another tool would have reported, by its own definitions: "+peerNames())
	return cmd
}

// results are the reports of one folder.
type results struct {
	path string
	run  *summary.Run
}

// makeReports writes all reports of a folder from its journal.
func makeReports(path string) (results, error) {
	// Of a long journal nearly all memory is columns of numbers, which are kept to
	// the end and which the collector need not scan: to collect often is cheap, and
	// garbage does not come to as much again.
	defer debug.SetGCPercent(debug.SetGCPercent(10))
	run, err := readRun(path)
	if err != nil {
		return results{}, err
	}
	err = report.Write(path, run, func(yield func(exobench.Entry) bool) {
		// The first reading found no error, and the file is only appended to.
		_ = readJournal(path, func(r *journal.Reader) error { return passOn(r.All(), yield) })
	})
	return results{path: path, run: run}, err
}

// readRun summarises a folder's journal.
func readRun(path string) (*summary.Run, error) {
	var run *summary.Run
	err := readJournal(path, func(r *journal.Reader) (err error) {
		if run, err = summary.Build(r.All()); err == nil {
			run.Damaged = len(r.Damaged())
		}
		return err
	})
	return run, err
}

func passOn(entries iter.Seq[exobench.Entry], yield func(exobench.Entry) bool) error {
	for e := range entries {
		if !yield(e) {
			return nil
		}
	}
	return nil
}

// readJournal opens a folder's journal for read and reports what was wrong
// with it.
func readJournal(path string, read func(*journal.Reader) error) error {
	file, err := os.Open(filepath.Join(path, journal.Name))
	if err != nil {
		return err
	}
	defer file.Close()
	r := journal.NewReader(file)
	err = read(r)
	if r.Err() != nil {
		return r.Err()
	}
	return err
}

// failed reports whether something that was to be measured has no result.
func (r results) failed() bool {
	for _, step := range r.run.Steps {
		if step.State == summary.Failed {
			return true
		}
	}
	for _, cell := range r.run.Cells {
		if cell.State.Begun() && cell.N == 0 {
			return true
		}
	}
	return false
}

// defaultWidth is the table's width where it does not go to a terminal.
const defaultWidth = 100

func (r results) writeTable(w io.Writer) error {
	width := defaultWidth
	if f, ok := w.(*os.File); ok {
		if columns, _, err := term.GetSize(int(f.Fd())); err == nil && columns > 0 {
			width = columns
		}
	}
	return report.Plain(w, report.Brief(r.run), width)
}

func (r results) writeJSON(w io.Writer) error {
	text, err := os.ReadFile(filepath.Join(r.path, "summary.json"))
	if err != nil {
		return err
	}
	_, err = w.Write(text)
	return err
}

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
		return driver.UsageError{Err: fmt.Errorf("--as %s is not known: it must be one of %s", tool, peerNames())}
	}
	run, err := readRun(path)
	if err != nil {
		return err
	}
	records := map[int][]*exobench.Record{} // by cell
	err = readJournal(path, func(r *journal.Reader) error {
		return run.Rows(r.All(), func(row summary.Row) error {
			records[row.Cell.ID] = append(records[row.Cell.ID], row.Record.Clone())
			return nil
		})
	})
	if err != nil {
		return err
	}
	shown := 0
	for _, cell := range run.Cells {
		if len(records[cell.ID]) == 0 {
			continue
		}
		if shown++; shown > 1 {
			fmt.Fprintln(w)
		}
		report, err := peers.Derive(tool, &cell, slices.Values(records[cell.ID]))
		if err != nil {
			fmt.Fprintf(w, "%s on %s, load %v: %v\n", cell.Model, cell.Engine, cell.Traffic, err)
			continue
		}
		if err := report.Text(w); err != nil {
			return err
		}
	}
	if shown == 0 {
		_, err = fmt.Fprintln(w, "The run has no measured request.")
	}
	return err
}
