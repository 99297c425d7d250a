package report

import (
	"bufio"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"exobench"
	"exobench/plot"
	"exobench/summary"
)

// file is one report: its name in the result folder and what writes it.
type file struct {
	name  string
	write func(io.Writer, *source) error
}

// source is what reports are made from.
type source struct {
	run      *summary.Run
	document *Document
	entries  iter.Seq[exobench.Entry]
}

// files lists the reports in the order in which they are written.
var files = []file{
	{"benchmark_results.csv", func(w io.Writer, s *source) error { return writeResults(w, s.run, s.entries) }},
	{"summary.csv", func(w io.Writer, s *source) error { return writeSummaryCSV(w, s.run) }},
	{"summary.json", func(w io.Writer, s *source) error { return JSON(w, s.run) }},
	{"report.md", func(w io.Writer, s *source) error { return Markdown(w, s.document) }},
	picture(latencyFile),
	picture(memoryFile),
	picture(rateFile),
	{timelineFile, func(w io.Writer, s *source) error { return writeTimeline(w, s.run) }},
}

// picture is the file of a figure of the document.
func picture(name string) file {
	return file{name, func(w io.Writer, s *source) error {
		figure, ok := s.document.figure(name)
		if !ok {
			return errors.New("the document has no such figure")
		}
		return plot.Bars(w, drawable(figure.Chart))
	}}
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
	sweep(dir)
	s := &source{run: run, document: Full(run), entries: entries}
	var failed []error
	for _, f := range files {
		err := replace(filepath.Join(dir, f.name), func(w io.Writer) error { return f.write(w, s) })
		if err != nil {
			failed = append(failed, fmt.Errorf("write %s: %w", f.name, err))
		}
	}
	return errors.Join(failed...)
}

// sweep takes away the unfinished files of processes that were killed while they
// wrote reports. Their names tell the process; those of one that lives are left.
func sweep(dir string) { discard(dir, func(pid int) bool { return !lives(pid) }) }

// Discard takes away the unfinished files of a Write of this process that is left
// in the middle.
func Discard(dir string) { discard(dir, func(pid int) bool { return pid == os.Getpid() }) }

// discard takes away the unfinished files in a folder of the processes that are
// meant; names that tell no process count as of one that is gone.
func discard(dir string, meant func(pid int) bool) {
	for _, f := range files {
		left, _ := filepath.Glob(filepath.Join(escaped(dir), "."+f.name+".*.tmp"))
		for _, path := range left {
			pid, _, _ := strings.Cut(strings.TrimPrefix(filepath.Base(path), "."+f.name+"."), "-")
			if n, err := strconv.Atoi(pid); err != nil || meant(n) {
				_ = os.Remove(path)
			}
		}
	}
}

// escaped has a folder's name stand for itself in a pattern.
func escaped(dir string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(dir)
}

// lives reports whether there is a process of that id.
func lives(pid int) bool { return !errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) }

// replace writes a file beside its place and moves it there when it is whole
// and on the disk.
func replace(path string, write func(io.Writer) error) (err error) {
	// As readable as the user's mask has it, which CreateTemp's files are not.
	name := filepath.Join(filepath.Dir(path), fmt.Sprintf(".%s.%d-%s.tmp", filepath.Base(path), os.Getpid(), rand.Text()))
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o666)
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
	if err := f.Sync(); err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}
