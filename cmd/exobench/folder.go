package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"exobench/driver"
	"exobench/journal"
)

// resultsFolder is where runs go that name no --out.
const resultsFolder = "results"

// folder is where one run's files go.
type folder struct {
	path  string
	runID string
	// byDefault is set where the path was not chosen by the user.
	byDefault bool
}

func (f folder) journal() string { return filepath.Join(f.path, journal.Name) }

// taken is the error of a folder that another run has.
func (f folder) taken() error {
	return driver.UsageError{Err: fmt.Errorf("--out %s already holds a run: name another folder", f.path)}
}

// abandon takes away what there is of a run that could not begin.
func (f folder) abandon() {
	_ = os.Remove(f.journal())
	if f.byDefault {
		_ = os.Remove(f.path)
	}
}

// trouble says what became of a run that came to a bad end, or whose reports
// could not all be written, and what is to be had of it.
func (f folder) trouble(runErr, reportErr error) error {
	const kept = "what was measured is kept in %s, exobench report %[3]s makes the reports of it, and exobench run --resume %[3]s goes on from there"
	reportErr = first(reportErr)
	var lost *journal.LostError
	switch {
	case runErr == nil && reportErr == nil:
		return nil
	case errors.As(runErr, &lost):
		return runErr
	case runErr == nil:
		return fmt.Errorf("not all reports could be written: %w: what was measured is kept in %s, and exobench report %s makes the reports of it", reportErr, f.journal(), typed(f.path))
	case reportErr == nil:
		return fmt.Errorf("%w: the run ends early; "+kept, runErr, f.journal(), typed(f.path))
	}
	return fmt.Errorf("%w: the run ends early, and its reports could not all be written; "+kept, runErr, f.journal(), typed(f.path))
}

// first returns the first of errors that were joined: that all files of a folder
// cannot be written has one cause.
func first(err error) error {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		return joined.Unwrap()[0]
	}
	return err
}

// makeFolder makes the folder of a run that starts now: out, or one named by
// the time. It must be writable and hold no other run.
func makeFolder(out string, now time.Time) (folder, error) {
	id := now.UTC().Format("20060102T150405Z")
	if out != "" {
		f := folder{path: out, runID: id}
		return f, f.make()
	}
	for n := 1; ; n++ {
		f := folder{runID: id, byDefault: true}
		if n > 1 {
			f.runID = fmt.Sprintf("%s-%d", id, n)
		}
		f.path = filepath.Join(resultsFolder, f.runID)
		err := os.MkdirAll(resultsFolder, 0o755)
		if err == nil {
			err = os.Mkdir(f.path, 0o755)
		}
		if errors.Is(err, fs.ErrExist) && isFolder(f.path) {
			continue
		}
		if err != nil {
			return f, fmt.Errorf("the results cannot be written: %w: name another folder with --out", err)
		}
		return f, nil
	}
}

func isFolder(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

func (f folder) make() error {
	if err := os.MkdirAll(f.path, 0o755); err != nil {
		return fmt.Errorf("the results cannot be written: %w: name another folder with --out", err)
	}
	if _, err := os.Lstat(f.journal()); err == nil {
		return f.taken()
	}
	probe, err := os.CreateTemp(f.path, ".writable-*")
	if err != nil {
		return fmt.Errorf("the results cannot be written: %w: name another folder with --out", err)
	}
	return errors.Join(probe.Close(), os.Remove(probe.Name()))
}

// linkLatest points results/latest at the run. A file system without links, or
// something else of that name, is no reason to fail.
func (f folder) linkLatest() {
	if !f.byDefault {
		return
	}
	link := filepath.Join(resultsFolder, "latest")
	if info, err := os.Lstat(link); err == nil && info.Mode()&fs.ModeSymlink == 0 {
		return
	}
	fresh := link + ".new"
	_ = os.Remove(fresh)
	// The id of a run that is resumed is what its journal says.
	if os.Symlink(filepath.Base(f.path), fresh) == nil {
		_ = os.Rename(fresh, link)
	}
}
