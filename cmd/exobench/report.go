package main

import (
	"context"
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
	"syscall"

	"github.com/spf13/cobra"

	"exobench"
	"exobench/driver"
	"exobench/internal/panics"
	"exobench/journal"
	"exobench/peers"
	"exobench/report"
	"exobench/summary"
)

func reportCommand(env environment) *cobra.Command {
	var asJSON bool
	var as string
	var g gate
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
		RunE: func(cmd *cobra.Command, args []string) error {
			allowed, err := g.share()
			if err != nil {
				return err
			}
			// Nothing is begun here that would have to be ended in order.
			err = untilInterrupt(cmd.Context(), func() error { return reportOn(env, args[0], as, asJSON, allowed) })
			if cmd.Context().Err() != nil {
				report.Discard(args[0])
			}
			return err
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print summary.json in place of the table")
	cmd.Flags().StringVar(&as, "as", "", "print what another tool would have reported, by its own definitions: "+peerNames())
	g.register(cmd.Flags())
	return cmd
}

// untilInterrupt does something that may be left in the middle, and returns once
// it is done or the context is.
func untilInterrupt(ctx context.Context, do func() error) error {
	done := make(chan error, 1)
	go panics.Caught(func() {
		var err error
		panics.Into(&err, func() { err = do() })()
		done <- err
	})()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// reportOn makes and shows the reports of a folder, or what another tool would
// have reported.
func reportOn(env environment, path, as string, asJSON bool, allowed float64) error {
	if err := checkJournal(path); err != nil {
		return err
	}
	if as != "" {
		return showAs(env.Stdout, path, as, asJSON)
	}
	results, err := makeReports(path)
	if results.run == nil {
		return err
	}
	written := err == nil
	if !written {
		err = fmt.Errorf("not all reports could be written: %w", first(err))
	}
	if err := errors.Join(show(env.Stdout, results, asJSON, written), err); err != nil {
		return err
	}
	return results.pass(env, allowed)
}

// checkJournal makes sure that a folder has a journal that can be read to its
// end, which a pipe may never come to.
func checkJournal(folder string) error {
	path := filepath.Join(folder, journal.Name)
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ENOTDIR):
		return driver.UsageError{Err: fmt.Errorf("%s is no result folder: it has no %s", folder, journal.Name)}
	case err != nil:
		// A loop of links, a name that is too long, a folder that is not to be looked into.
		return driver.UsageError{Err: fmt.Errorf("the journal of a run cannot be read: %w", err)}
	case !info.Mode().IsRegular():
		return driver.UsageError{Err: fmt.Errorf("%s is no regular file, so no journal of a run", path)}
	}
	return nil
}

// results are the reports of one folder.
type results struct {
	path string
	run  *summary.Run
}

// makeReports writes all reports of a folder from its journal. Where the journal
// can be read but reports cannot be written, the results have the run and the
// error says why.
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
			noteDamage(run, r)
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

// pass returns nil if all that was to be measured was, but for the failures that
// are allowed; else it says what was not.
func (r results) pass(env environment, allowed float64) error {
	why := verdict(r.run, allowed)
	if why == "" {
		return nil
	}
	fmt.Fprintln(env.Stderr, "exobench: "+env.shown(why))
	return exitError(exitFailed)
}

// defaultWidth is the table's width where it does not go to a terminal.
const defaultWidth = 100

// write prints the table, or the summary as JSON.
func (r results) write(w io.Writer, asJSON bool) error {
	if asJSON {
		return report.JSON(w, r.run)
	}
	return report.Plain(w, report.Brief(r.run), widthOf(w, defaultWidth))
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
// folder's requests; or, of the one whose own file is known, that file.
func showAs(w io.Writer, path, tool string, asJSON bool) error {
	if _, known := peers.ByName(tool); !known {
		return driver.UsageError{Err: fmt.Errorf("--as %s is not known: it must be one of %s", tool, peerNames())}
	}
	if asJSON && tool != peers.ExoBench {
		return driver.UsageError{Err: fmt.Errorf("--json with --as is for %s, whose file exobench can write, and not for %s", peers.ExoBench, tool)}
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
	if asJSON {
		return peers.WriteExoBench(w, run, func(cell int) []*exobench.Record { return records[cell] })
	}
	return showCells(w, run, tool, records)
}

// showCells prints what the tool would have reported of each cell.
func showCells(w io.Writer, run *summary.Run, tool string, records map[int][]*exobench.Record) error {
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
		_, err := fmt.Fprintln(w, "The run has no measured request.")
		return err
	}
	return nil
}
