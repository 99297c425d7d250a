package resource

import (
	"bytes"
	"fmt"
	"math"
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

// sizes finds lines of the form "key:  123 kB" and puts each size where its key
// says. It reports how many were found, each key counted once.
//
// Note: a line at a time, without a slice for its fields: a reading of a tree has
// more of these lines than of anything else.
func sizes(data []byte, wanted []wantedSize) (found int) {
	for len(data) > 0 && found < len(wanted) {
		line := data
		if end := bytes.IndexByte(data, '\n'); end >= 0 {
			line, data = data[:end], data[end+1:]
		} else {
			data = nil
		}
		colon := bytes.IndexByte(line, ':')
		if colon < 0 {
			continue
		}
		for i := range wanted {
			if w := &wanted[i]; !w.known && string(line[:colon]) == w.key {
				if w.size, w.known = kibibytes(line[colon+1:]); w.known {
					found++
				}
				break
			}
		}
	}
	return found
}

// wantedSize is a size that is looked for by its key.
type wantedSize struct {
	key   string
	size  exobench.Bytes
	known bool
}

// kibibytes reads "  123 kB".
func kibibytes(text []byte) (exobench.Bytes, bool) {
	number, isKB := bytes.CutSuffix(bytes.TrimSpace(text), []byte("kB"))
	number = bytes.TrimSpace(number)
	var n int64
	for _, digit := range number {
		if digit < '0' || digit > '9' || n > math.MaxInt64>>14 {
			return 0, false
		}
		n = 10*n + int64(digit-'0')
	}
	if !isKB || len(number) == 0 {
		return 0, false
	}
	return exobench.Bytes(n) << 10, true
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
