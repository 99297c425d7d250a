//go:build unix

package gpu

import (
	"bytes"
	"context"
	"encoding/csv"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"exobench"
)

// dialectVariable makes the test binary play nvidia-smi as the files of a folder
// have it:
//
//	help-query-gpu.txt  what --help-query-gpu writes; a driver without it fails
//	L.txt               what -L writes
//	devices.csv         the fields of each device, all that the driver knows
//	processes.csv       those of each process that computes; PID is the test's
//	                    process, and without the file there are none
//	failure.txt         what it writes to fail, whatever it is asked
//
// What it writes once for each of its periods has the time of the machine.
const dialectVariable = "EXOBENCH_TEST_SMI"

func TestMain(m *testing.M) {
	if folder := os.Getenv(dialectVariable); folder != "" {
		os.Exit(playSMI(folder, os.Args[1:]))
	}
	os.Exit(m.Run())
}

func playSMI(folder string, args []string) int {
	has := func(name string) bool { _, err := os.Stat(filepath.Join(folder, name)); return err == nil }
	show := func(name string) int {
		text, err := os.ReadFile(filepath.Join(folder, name))
		if err != nil {
			fmt.Println("Invalid combination of input arguments. Please run 'nvidia-smi -h' for help.")
			return 2
		}
		os.Stdout.Write(text)
		return 0
	}
	if has("failure.txt") {
		show("failure.txt")
		return 9
	}
	kind, query, _ := strings.Cut(args[0], "=")
	var period time.Duration
	for i, arg := range args {
		if arg == "-lms" {
			ms, _ := strconv.Atoi(args[i+1])
			period = time.Duration(ms) * time.Millisecond
		}
	}
	switch kind {
	case "--help-query-gpu", "-L":
		return show(strings.TrimLeft(kind, "-") + ".txt")
	case "--query-gpu":
		return playQuery(folder, "devices.csv", query, period)
	case "--query-compute-apps":
		return playQuery(folder, "processes.csv", query, period)
	}
	return 2
}

// playQuery writes the fields asked for. The files are read anew each time, so that
// a test can change them.
func playQuery(folder, name, query string, period time.Duration) int {
	for {
		text, _ := os.ReadFile(filepath.Join(folder, name))
		text = bytes.ReplaceAll(text, []byte("PID"), []byte(os.Getenv("EXOBENCH_TEST_PID")))
		in := csv.NewReader(bytes.NewReader(text))
		in.TrimLeadingSpace, in.FieldsPerRecord, in.LazyQuotes = true, -1, true
		rows, err := in.ReadAll()
		if err != nil {
			fmt.Println(err)
			return 1
		}
		var out strings.Builder
		for r, row := range rows {
			if r == 0 {
				continue
			}
			if len(row) == 1 { // garbage, written as it is
				fmt.Fprintln(&out, row[0])
				continue
			}
			var cells []string
			for _, field := range strings.Split(query, ",") {
				cell, known := cellOf(rows[0], row, field)
				if !known {
					fmt.Printf("Field %q is not a valid field to query.\n\n", field)
					return 2
				}
				cells = append(cells, cell)
			}
			fmt.Fprintln(&out, strings.Join(cells, ", "))
		}
		os.Stdout.WriteString(out.String())
		if period == 0 {
			return 0
		}
		time.Sleep(period)
	}
}

// cellOf returns a field of a row; headings name it, all its names with a slash
// between them, and have its unit after it as those of nvidia-smi do.
func cellOf(headings, row []string, field string) (string, bool) {
	if field == "timestamp" {
		return time.Now().Format("2006/01/02 15:04:05.000"), true
	}
	for i, heading := range headings {
		name, _, _ := strings.Cut(heading, " [")
		for _, name := range strings.Split(name, "/") {
			if name == field && i < len(row) {
				return row[i], true
			}
		}
	}
	return "", false
}

// dialect copies a folder of testdata to where the test may change it, and returns
// it with the path of an nvidia-smi that speaks so.
func dialect(t testing.TB, name string) (folder, path string) {
	t.Helper()
	folder = t.TempDir()
	if err := os.CopyFS(folder, os.DirFS(filepath.Join("testdata", name))); err != nil {
		t.Fatal(err)
	}
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	path = filepath.Join(t.TempDir(), "nvidia-smi")
	script := fmt.Sprintf("#!/bin/sh\n%s='%s' EXOBENCH_TEST_PID=%d exec '%s' \"$@\"\n", dialectVariable, folder, os.Getpid(), program)
	if err := os.WriteFile(path, []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	return folder, path
}

func write(t testing.TB, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	// What reads it meanwhile finds one or the other, never half of it.
	if err := os.WriteFile(path+".new", []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		t.Fatal(err)
	}
}

// openDialect opens a source that speaks a dialect on an otherwise empty machine,
// with a sensor of this process.
func openDialect(t testing.TB, name string) (folder string, source *Source, sensor *Sensor) {
	t.Helper()
	folder, path := dialect(t, name)
	empty := t.TempDir()
	source = Open(t.Context(), Config{Clock: exobench.NewClock(), Path: path, Proc: empty, Sys: empty, Dev: empty})
	t.Cleanup(func() { source.Close() })
	return folder, source, source.Sensor(func(context.Context) ([]int, error) { return []int{os.Getpid()}, nil })
}

// readAt reads a sensor, and returns the values of each device.
func readAt(t testing.TB, s *Sensor, m exobench.Moment) map[string]exobench.Values {
	t.Helper()
	samples, err := s.Read(t.Context(), m)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]exobench.Values{}
	for _, sample := range samples {
		if !sample.At.Reached() || sample.Sensor != "gpu" {
			t.Errorf("the sample %+v has no instant or another sensor", sample)
		}
		all[sample.Of] = sample.Values
	}
	return all
}
