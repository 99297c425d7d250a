package power

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// text returns what a small file of sysfs says, "" where it cannot be read.
func text(parts ...string) string {
	data, err := os.ReadFile(filepath.Join(parts...))
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(data))
}

// number returns the whole number that a small file of sysfs holds.
func number(parts ...string) (int64, error) {
	data, err := os.ReadFile(filepath.Join(parts...))
	if err != nil {
		return 0, err
	}
	return parse(data)
}

func parse(data []byte) (int64, error) {
	n, err := strconv.ParseInt(string(bytes.TrimSpace(data)), 10, 64)
	if err != nil {
		return 0, fmt.Errorf("%q is no whole number", bytes.TrimSpace(data))
	}
	return n, nil
}

// attribute is a file of sysfs that is kept open: reading it from its beginning
// makes the kernel write it anew, and costs one system call.
type attribute struct {
	file  *os.File
	space [32]byte
}

func openAttribute(parts ...string) (*attribute, error) {
	file, err := os.Open(filepath.Join(parts...))
	if err != nil {
		return nil, err
	}
	return &attribute{file: file}, nil
}

func (a *attribute) read() (int64, error) {
	n, err := a.file.ReadAt(a.space[:], 0)
	if err != nil && err != io.EOF {
		return 0, err
	}
	return parse(a.space[:n])
}

func (a *attribute) close() error { return a.file.Close() }
