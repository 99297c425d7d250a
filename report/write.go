package report

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"

	"exobench"
	"exobench/plot"
	"exobench/summary"
)

// file is one report: its name in the result folder and what writes it.
type file struct {
	name  string
	write func(w io.Writer, run *summary.Run, entries iter.Seq[exobench.Entry]) error
}

// files lists the reports in the order in which they are written.
var files = []file{
	{"benchmark_results.csv", writeResults},
	{"summary.csv", ofRun(writeSummaryCSV)},
	{"summary.json", ofRun(JSON)},
	{"report.md", ofRun(func(w io.Writer, run *summary.Run) error { return Markdown(w, Full(run)) })},
	{latencyFile, ofChart(latencyChart)},
	{memoryFile, ofChart(memoryChart)},
	{rateFile, ofChart(rateChart)},
}

func ofRun(write func(io.Writer, *summary.Run) error) func(io.Writer, *summary.Run, iter.Seq[exobench.Entry]) error {
	return func(w io.Writer, run *summary.Run, _ iter.Seq[exobench.Entry]) error { return write(w, run) }
}

func ofChart(chart func(*summary.Run) plot.Figure) func(io.Writer, *summary.Run, iter.Seq[exobench.Entry]) error {
	return ofRun(func(w io.Writer, run *summary.Run) error { return plot.Bars(w, chart(run)) })
}

// Files returns the names of the files that Write makes.
func Files() []string {
	var names []string
	for _, f := range files {
		names = append(names, f.name)
	}
	return names
}

// Write makes every report of a run in a folder, which it creates where it is
// missing. It goes over the entries once; they must be those that the run was
// built from. Files of the same names are replaced. One that fails does not keep
// the others from being written; the error is that of all.
func Write(dir string, run *summary.Run, entries iter.Seq[exobench.Entry]) error {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return err
	}
	var failed []error
	for _, f := range files {
		err := replace(filepath.Join(dir, f.name), func(w io.Writer) error { return f.write(w, run, entries) })
		if err != nil {
			failed = append(failed, fmt.Errorf("write %s: %w", f.name, err))
		}
	}
	return errors.Join(failed...)
}

// replace writes a file beside its place and moves it there when it is whole
// and on the disk.
func replace(path string, write func(io.Writer) error) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*.tmp")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			f.Close()
			os.Remove(f.Name())
		}
	}()
	buffered := bufio.NewWriterSize(f, 64<<10)
	if err := write(buffered); err != nil {
		return err
	}
	if err := buffered.Flush(); err != nil {
		return err
	}
	// CreateTemp gives 0600; a report is as readable as other files.
	if err := f.Chmod(0o644); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}
