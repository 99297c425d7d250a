// Package marks remembers what runs of exobench made on engines, so that what one
// that was killed has left is known for exobench's own.
package marks

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"

	"golang.org/x/sys/unix"
)

// Marks are those of one server, in the user's cache. A mark is a file of the name
// that the server has for what was made there, which the run that made it keeps
// locked: the system lets go of the lock when the run ends in whatever way. Where
// marks cannot be written there are none, nothing is taken for exobench's own, and
// Notices says so. They may be used by several goroutines.
type Marks struct {
	folder string // empty: no marks

	mu   sync.Mutex
	held map[string]*os.File // by name
	// failed is why the latest mark could not be written.
	failed error
}

// extension is that of a mark's file.
const extension = ".lock"

// State says what a mark tells.
type State int

// The states.
const (
	None      State = iota // somebody else's, as far as is known
	Held                   // of a run that is under way
	Abandoned              // of a run that has ended
)

// Folder returns where the marks of a kind are kept, such as "exo-instances", or
// "" where the user has no cache.
func Folder(getenv func(string) string, kind string) string {
	cache, home := getenv("XDG_CACHE_HOME"), getenv("HOME")
	switch {
	case runtime.GOOS == "darwin" && home != "":
		cache = filepath.Join(home, "Library", "Caches")
	case cache == "" && home != "":
		cache = filepath.Join(home, ".cache")
	}
	if cache == "" {
		return ""
	}
	return filepath.Join(cache, "exobench", kind)
}

// New returns the marks in the folder of the server at the address, a host and a
// port. The names of this machine are one.
func New(folder, address string) *Marks {
	m := &Marks{held: map[string]*os.File{}}
	if folder == "" {
		return m
	}
	host, port, err := net.SplitHostPort(address)
	if ip, bad := netip.ParseAddr(host); err == nil && (host == "localhost" || bad == nil && ip.IsLoopback()) {
		address = net.JoinHostPort("localhost", port)
	}
	m.folder = filepath.Join(folder, url.PathEscape(address))
	return m
}

func (m *Marks) path(name string) string {
	return filepath.Join(m.folder, url.PathEscape(name)+extension)
}

// URLs returns those of the servers that have marks in the folder.
func URLs(folder string) []string {
	var urls []string
	for _, name := range entries(folder) {
		if address, err := url.PathUnescape(name); err == nil {
			scheme := "http://"
			if strings.HasSuffix(address, ":443") {
				scheme = "https://" // marks do not tell it
			}
			urls = append(urls, scheme+address)
		}
	}
	return urls
}

// Names lists what is marked.
func (m *Marks) Names() []string {
	var all []string
	for _, name := range entries(m.folder) {
		if name, is := strings.CutSuffix(name, extension); is {
			if id, err := url.PathUnescape(name); err == nil {
				all = append(all, id)
			}
		}
	}
	return all
}

// entries lists the names in a folder, none where it cannot be read.
func entries(folder string) []string {
	if folder == "" {
		return nil
	}
	var names []string
	all, _ := os.ReadDir(folder)
	for _, e := range all {
		names = append(names, e.Name())
	}
	return names
}

// Set marks what is about to be made, or takes over the mark of what a run that
// has ended left. It reports whether no other run holds it.
func (m *Marks) Set(name string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case m.held[name] != nil:
		return true
	case m.folder == "":
		m.failed = errors.New("neither HOME nor XDG_CACHE_HOME is set")
		return true
	}
	for range tries {
		f, err := m.open(name)
		switch {
		case errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrExist):
			continue // whoever took the last mark away took the folder with it
		case err != nil:
			m.failed = err
			return true
		case !lock(f):
			f.Close()
			return false
		case m.isThere(name, f):
			m.held[name] = f
			return true
		}
		f.Close() // it was taken away before it was locked
	}
	return true
}

// Notices says what the user must know of marks that could not be written: that
// what a run leaves which is killed will be known for nobody's.
func (m *Marks) Notices() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.failed == nil {
		return nil
	}
	return []string{fmt.Sprintf("what this run loads could not be marked as its own (%v): should exobench be killed, the model stays on the engine, and exobench clean does not know it", m.failed)}
}

// tries bounds how often a mark is made anew that others take away meanwhile.
const tries = 1000

// open opens the mark's file, which it makes where there is none.
func (m *Marks) open(name string) (*os.File, error) {
	if err := os.MkdirAll(m.folder, 0o700); err != nil {
		return nil, err
	}
	return os.OpenFile(m.path(name), os.O_RDWR|os.O_CREATE, 0o600)
}

// isThere reports whether the file is the one of that name still.
func (m *Marks) isThere(name string, f *os.File) bool {
	locked, err := f.Stat()
	if err != nil {
		return true // which nobody can tell
	}
	named, err := os.Stat(m.path(name))
	return err == nil && os.SameFile(locked, named)
}

// Clear takes the mark off what is gone, or what is to stay.
func (m *Marks) Clear(name string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.folder != "" {
		os.Remove(m.path(name)) // it may never have been there
		os.Remove(m.folder)     // where it was the last
	}
	if f := m.held[name]; f != nil {
		f.Close()
		delete(m.held, name)
	}
}

// Of says whose that of the name is.
func (m *Marks) Of(name string) State {
	if m.folder == "" {
		return None
	}
	f, err := os.Open(m.path(name))
	if err != nil {
		return None
	}
	defer f.Close() // which lets go of the lock
	m.mu.Lock()
	mine := m.held[name] != nil
	m.mu.Unlock()
	if mine || !lock(f) {
		return Held
	}
	return Abandoned
}

// Prune removes the marks of what the server no longer has: it has been started
// anew since. Those of a run under way stay: what it makes may be on its way.
func (m *Marks) Prune(there []string) {
	if m.folder == "" {
		return
	}
	keep := map[string]bool{}
	for _, name := range there {
		keep[m.path(name)] = true
	}
	for _, name := range entries(m.folder) {
		if !strings.HasSuffix(name, extension) {
			continue
		}
		file := filepath.Join(m.folder, name)
		if f, err := os.Open(file); err == nil {
			if !keep[file] && lock(f) {
				os.Remove(file)
			}
			f.Close()
		}
	}
}

// Close lets go of the marks that are left, so that what they mark is known for
// a leftover.
func (m *Marks) Close() {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, f := range m.held {
		f.Close()
	}
	clear(m.held)
}

// lock takes the file's lock, and reports whether nobody else has it.
func lock(f *os.File) bool { return unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB) == nil }
