package resource

import (
	"bytes"
	"fmt"
	"os"
	"strconv"

	"golang.org/x/sys/unix"

	"exobench"
)

// procRoot is where the proc file system is mounted.
type procRoot string

// of returns the path of a process's file.
func (r procRoot) of(pid int, file string) string {
	return string(r) + "/" + strconv.Itoa(pid) + file
}

// parent reads the parent and the state of a process from its stat file.
func (r procRoot) parent(pid int) (parent int, state byte, err error) {
	var page page
	data, err := page.read(r.of(pid, "/stat"))
	if err != nil {
		return 0, 0, err
	}
	// The name of the program, in brackets, may hold blanks and brackets.
	fields := bytes.Fields(data[bytes.LastIndexByte(data, ')')+1:])
	if len(fields) < 2 {
		return 0, 0, fmt.Errorf("process %d: stat is %q", pid, data)
	}
	parent, err = strconv.Atoi(string(fields[1]))
	return parent, fields[0][0], err
}

// page holds what matters of a file of the proc file system.
type page [4096]byte

// read reads a file into the page and returns what it holds.
//
// Note: os.ReadFile costs half as much again here: it asks for the size, offers the
// file to the poller, reads once more for the end of the file, and allocates. A
// reading may open hundreds of files, many times a second.
func (p *page) read(path string) ([]byte, error) {
	fd, err := retry(func() (int, error) { return unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC, 0) })
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: path, Err: err}
	}
	defer unix.Close(fd)
	n, err := retry(func() (int, error) { return unix.Read(fd, p[:]) })
	if err != nil {
		return nil, &os.PathError{Op: "read", Path: path, Err: err}
	}
	return p[:n], nil
}

// retry calls do again while a signal interrupts it.
func retry(do func() (int, error)) (int, error) {
	for {
		n, err := do()
		if err != unix.EINTR {
			return n, err
		}
	}
}

// kibibytes finds the line "key:  123 kB" and returns its size.
func kibibytes(data []byte, key string) (exobench.Bytes, bool) {
	for line := range bytes.Lines(data) {
		name, value, ok := bytes.Cut(line, []byte(":"))
		if !ok || string(name) != key {
			continue
		}
		fields := bytes.Fields(value)
		if len(fields) != 2 || string(fields[1]) != "kB" {
			return 0, false
		}
		n, err := strconv.ParseInt(string(fields[0]), 10, 64)
		return exobench.Bytes(n) << 10, err == nil
	}
	return 0, false
}

// numbers reads decimal numbers between blanks.
func numbers(data []byte) []int {
	var all []int
	for field := range bytes.FieldsSeq(data) {
		if n, err := strconv.Atoi(string(field)); err == nil {
			all = append(all, n)
		}
	}
	return all
}
