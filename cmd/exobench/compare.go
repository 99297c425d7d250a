package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"golang.org/x/term"

	"exobench/compare"
	"exobench/driver"
	"exobench/journal"
	"exobench/report"
)

// compareFlags say how runs are compared, and when that fails a build.
type compareFlags struct {
	minEffect, failOn string
	metrics           []string
	force             bool
}

func (f *compareFlags) register(flags *pflag.FlagSet) {
	flags.StringVar(&f.minEffect, "min-effect", "2%", "least change that matters")
	flags.StringVar(&f.failOn, "fail-on", "", `end with exit code 3 where a change is beyond a limit with its whole interval, such as "tokens_per_second<-5%,ttft>+10%"`)
}

// options returns how to compare, and the limits.
func (f *compareFlags) options() (compare.Options, []compare.Limit, error) {
	o := compare.Options{Metrics: f.metrics, Force: f.force}
	number, percent := strings.CutSuffix(strings.TrimSpace(f.minEffect), "%")
	least, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
	if err != nil || !percent || !(least > 0 && least < 100) {
		return o, nil, driver.UsageError{Err: fmt.Errorf("--min-effect is %q: it must be a share above 0, such as 2%%", f.minEffect)}
	}
	o.MinEffect = least / 100
	if f.failOn == "" {
		return o, nil, nil
	}
	limits, err := compare.ParseLimits(f.failOn)
	if err != nil {
		return o, nil, driver.UsageError{Err: fmt.Errorf("--fail-on: %w", err)}
	}
	if len(o.Metrics) == 0 {
		o.Metrics = compare.MetricsOf(limits)
	}
	return o, limits, nil
}

func compareCommand(env environment) *cobra.Command {
	var f compareFlags
	var asJSON, asMarkdown bool
	cmd := &cobra.Command{
		Use:   "compare FOLDER FOLDER...",
		Short: "Say what changed between runs, and how sure that is",
		Long: `Set runs beside the first one, cell by cell: the change with its interval, a test, and a verdict:
better, worse, equal, no evidence, or too little data and how much would be needed.

What is unlike between the runs stands first and can forbid a comparison. Of one folder, the
engines and variants of its run are compared with each other.`,
		Example: `  exobench compare results/before results/after
  exobench compare results/before results/after --markdown
  exobench compare results/before results/after --fail-on 'tokens_per_second<-5%,ttft>+10%'
  exobench compare results/ab`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return driver.UsageError{Err: errors.New("compare takes the result folders of two runs or more, such as results/before results/after, or one of a run with several engines")}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			o, limits, err := f.options()
			if err != nil {
				return err
			}
			var result *compare.Result
			err = untilInterrupt(cmd.Context(), func() (err error) {
				result, err = compareFolders(args, o)
				return err
			})
			if err != nil {
				return err
			}
			return showComparison(env, result, limits, formOf(asJSON, asMarkdown))
		},
	}
	flags := cmd.Flags()
	f.register(flags)
	flags.StringSliceVar(&f.metrics, "metric", nil, "metrics to compare, by their columns with or without the unit (default "+strings.Join(compare.Metrics, ", ")+")")
	flags.BoolVar(&f.force, "force", false, "compare what is unlike in a way that forbids it")
	flags.BoolVar(&asMarkdown, "markdown", false, "write Markdown, as for a pull request")
	flags.BoolVar(&asJSON, "json", false, "write JSON")
	return cmd
}

// compareFolders compares the runs of folders, or the engines of one.
func compareFolders(folders []string, o compare.Options) (*compare.Result, error) {
	var runs []compare.Run
	for _, folder := range folders {
		path, name := folder, nameOf(folder, folders)
		if filepath.Base(folder) == journal.Name {
			path = filepath.Dir(folder)
		}
		if err := checkJournal(path); err != nil {
			return nil, err
		}
		run, err := readRun(path)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", folder, err)
		}
		runs = append(runs, compare.Run{Name: name, Summary: run})
	}
	var result *compare.Result
	var err error
	if len(runs) == 1 {
		result, err = compare.Variants(runs[0].Summary, o)
	} else {
		result, err = compare.Compare(runs, o)
	}
	if err != nil {
		return nil, driver.UsageError{Err: err}
	}
	return result, nil
}

// nameOf returns the last part of a folder's path where that tells it from the
// others, else the whole.
func nameOf(folder string, all []string) string {
	name := filepath.Base(filepath.Clean(folder))
	for _, other := range all {
		if other != folder && filepath.Base(filepath.Clean(other)) == name {
			return filepath.Clean(folder)
		}
	}
	return name
}

// form is how a comparison is written.
type form int

const (
	formText form = iota
	formMarkdown
	formJSON
)

// formOf returns the form that flags ask for.
func formOf(asJSON, asMarkdown bool) form {
	switch {
	case asJSON:
		return formJSON
	case asMarkdown:
		return formMarkdown
	}
	return formText
}

// showComparison writes a comparison, and says with the exit code whether a limit
// was passed. That two runs cannot be compared is an error of usage.
func showComparison(env environment, r *compare.Result, limits []compare.Limit, as form) error {
	breaches, unsure := r.Breaches(limits)
	if err := writeComparison(env.Stdout, r, breaches, as); err != nil {
		return fmt.Errorf("the comparison could not be printed in full: %w", err)
	}
	for _, p := range r.Pairs {
		if p.Forbidden() {
			return driver.UsageError{Err: fmt.Errorf("%s and %s are of different things: nothing is compared (--force does it all the same)", p.A, p.B)}
		}
	}
	if unsure > 0 {
		fmt.Fprintf(env.Stderr, "exobench: %d comparisons that --fail-on asks for cannot tell: they fail nothing\n", unsure)
	}
	return beyond(env, breaches)
}

// beyond says what is beyond a limit, and ends with the exit code for that where
// anything is.
func beyond(env environment, breaches []compare.Breach) error {
	if len(breaches) == 0 {
		return nil
	}
	for _, b := range breaches {
		fmt.Fprintf(env.Stderr, "exobench: beyond the limit %s\n", env.shown(b.String()))
	}
	return exitError(exitBeyond)
}

func writeComparison(w io.Writer, r *compare.Result, breaches []compare.Breach, as form) error {
	return writeAs(w, as, struct {
		*compare.Result
		Breaches []compare.Breach `json:"breaches"`
	}{r, breaches}, report.Comparison(r, breaches))
}

// writeAs writes a document, or the value that it is of as JSON.
func writeAs(w io.Writer, as form, value any, d *report.Document) error {
	switch as {
	case formJSON:
		encoder := json.NewEncoder(w)
		encoder.SetIndent("", "  ")
		return encoder.Encode(value)
	case formMarkdown:
		return report.Markdown(w, d)
	}
	return report.Plain(w, d, widthOf(w, defaultWidth))
}

// widthOf returns how many columns the terminal has that w goes to, and otherwise
// where it goes to none.
func widthOf(w io.Writer, otherwise int) int {
	if f, ok := w.(*os.File); ok {
		if columns, _, err := term.GetSize(int(f.Fd())); err == nil && columns > 0 {
			return columns
		}
	}
	return otherwise
}
