package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"exobench/compare"
	"exobench/driver"
	"exobench/history"
	"exobench/journal"
	"exobench/plot"
	"exobench/report"
)

func historyCommand(env environment) *cobra.Command {
	var f compareFlags
	var picture string
	var asJSON, asMarkdown bool
	var last int
	cmd := &cobra.Command{
		Use:   "history FOLDER...",
		Short: "Say when figures changed over many runs, and what else changed then",
		Long: `Set the runs of one machine and workload in order of time, find where the level of a figure changes,
and say what else changed there: the version of the engine or of exobench, the system, flags, the plan.

Folders are result folders, or hold such at any depth. Runs of other machines, prompts or lengths of
answers are series of their own. With --fail-on, the newest change of each series counts.`,
		Example: `  exobench history results
  exobench history results --plot history.png
  exobench history results --last 50 --metric tokens_per_second,ttft --markdown
  exobench history results --fail-on 'tokens_per_second<-5%'`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return driver.UsageError{Err: errors.New("history takes result folders, or folders that hold some, such as results")}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			o, limits, err := f.options()
			if err != nil {
				return err
			}
			switch {
			case last < 0:
				return driver.UsageError{Err: fmt.Errorf("--last is %d: it must be 0 (all) or more", last)}
			case picture != "" && !strings.EqualFold(filepath.Ext(picture), ".png"):
				return driver.UsageError{Err: fmt.Errorf("--plot %s: it draws a PNG, so the name must end with .png", picture)}
			}
			var found *history.Result
			var left []string
			err = untilInterrupt(cmd.Context(), func() (err error) {
				var runs []history.Run
				if runs, left, err = readHistory(args); err != nil {
					return err
				}
				if found, err = history.Look(runs, history.Options{MinEffect: o.MinEffect, Metrics: o.Metrics, Last: last}); err != nil {
					return driver.UsageError{Err: err}
				}
				return nil
			})
			if err != nil {
				return err
			}
			for _, text := range left {
				fmt.Fprintln(env.Stderr, "exobench: "+env.shown(text))
			}
			return showHistory(env, found, limits, formOf(asJSON, asMarkdown), picture)
		},
	}
	flags := cmd.Flags()
	f.register(flags)
	flags.StringSliceVar(&f.metrics, "metric", nil, "metrics to look at, by their columns with or without the unit (default "+strings.Join(compare.Metrics, ", ")+")")
	flags.IntVar(&last, "last", 0, "look at the last so many runs only; 0 is all")
	flags.BoolVar(&asMarkdown, "markdown", false, "write Markdown, as for a pull request")
	flags.BoolVar(&asJSON, "json", false, "write JSON")
	flags.StringVar(&picture, "plot", "", "draw the series with their changes into this PNG file")
	return cmd
}

// readHistory reads what is kept of the runs in folders, each once. Left says which
// were left out and why: those that nobody named, and copies.
func readHistory(args []string) (runs []history.Run, left []string, err error) {
	var folders []string
	named := map[string]bool{}
	for _, arg := range args {
		path := filepath.Clean(arg)
		if filepath.Base(path) == journal.Name {
			path = filepath.Dir(path)
		}
		some, err := resultFolders(path)
		if err != nil {
			return nil, nil, err
		}
		if len(some) == 1 && some[0] == path {
			named[path] = true
		}
		folders = append(folders, some...)
	}
	for i, folder := range folders {
		if slices.Contains(folders[:i], folder) {
			continue
		}
		err := checkJournal(folder)
		var run history.Run
		if err == nil {
			run, err = keepRun(folder, nameOf(folder, folders))
		}
		switch {
		case err != nil && named[folder]:
			return nil, nil, fmt.Errorf("%s: %w", folder, err)
		case err != nil:
			left = append(left, fmt.Sprintf("%s is left out: %v", folder, err))
			continue
		}
		if other := slices.IndexFunc(runs, run.Same); other >= 0 {
			left = append(left, fmt.Sprintf("%s is left out: it is the same run as %s", folder, runs[other].Name))
			continue
		}
		runs = append(runs, run)
	}
	if len(runs) == 0 {
		return nil, nil, fmt.Errorf("no run could be read: %s", strings.Join(left, "; "))
	}
	return runs, left, nil
}

// keepRun reads a run, of which little stays in memory.
func keepRun(folder, name string) (history.Run, error) {
	run, err := readRun(folder)
	if err != nil {
		return history.Run{}, err
	}
	return history.Keep(name, run), nil
}

// resultFolders returns the folder if it is a result folder, else those in it, in
// the order of their names. Links such as results/latest are not followed.
func resultFolders(path string) ([]string, error) {
	err := checkJournal(path)
	if err == nil || !isFolder(path) {
		return []string{path}, err
	}
	if resolved, err := filepath.EvalSymlinks(path); err == nil && resolved != path {
		return resultFolders(resolved)
	}
	var found []string
	err = filepath.WalkDir(path, func(at string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil && at == path:
			return err
		case err != nil:
			return nil // what may not be read holds no run of ours
		case entry.Name() == journal.Name && !entry.IsDir():
			found = append(found, filepath.Dir(at))
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if len(found) == 0 {
		return nil, driver.UsageError{Err: fmt.Errorf("%s is no result folder and holds none: there is no %s in it", path, journal.Name)}
	}
	return found, nil
}

// showHistory writes a history, draws it, and says with the exit code whether a
// newest change is beyond a limit.
func showHistory(env environment, r *history.Result, limits []compare.Limit, as form, picture string) error {
	breaches := r.Breaches(limits)
	if err := writeHistory(env.Stdout, r, breaches, as); err != nil {
		return fmt.Errorf("the history could not be printed in full: %w", err)
	}
	if picture != "" {
		if err := drawHistory(picture, r); err != nil {
			return err
		}
	}
	return beyond(env, breaches)
}

func writeHistory(w io.Writer, r *history.Result, breaches []compare.Breach, as form) error {
	return writeAs(w, as, struct {
		*history.Result
		Breaches []compare.Breach `json:"breaches"`
	}{r, breaches}, report.History(r, breaches))
}

func drawHistory(path string, r *history.Result) error {
	h, ok := report.HistoryPlot(r)
	if !ok {
		return errors.New("there is nothing to draw: no run has a figure of these metrics")
	}
	file, err := os.Create(path)
	if err != nil {
		return fmt.Errorf("draw the history: %w", err)
	}
	return errors.Join(plot.WriteHistory(file, h), file.Close())
}
