package exo

import (
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

// marks remember in the user's cache which instances exobench has made on one
// exo, so that what a run that was killed has left is known for exobench's own.
// A mark is a file of the instance's name, which the run that made it keeps
// locked: the system lets go of the lock when the run ends in whatever way. Where
// marks cannot be written there are none, and nothing is taken for exobench's
// own.
type marks struct {
	folder string // empty: no marks

	mu   sync.Mutex
	held map[string]*os.File // by instance
}

// extension is that of a mark's file.
const extension = ".lock"

// whose says what a mark tells of an instance.
type whose int

const (
	unmarked  whose = iota // somebody else's, as far as is known
	held                   // of a run that is under way
	abandoned              // of a run that has ended
)

// marksFolder returns where the marks are kept by default.
func marksFolder(getenv func(string) string) string {
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
	return filepath.Join(cache, "exobench", "exo-instances")
}

// newMarks returns the marks of the exo at the address.
func newMarks(folder, address string) *marks {
	m := &marks{held: map[string]*os.File{}}
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

func (m *marks) path(instance string) string {
	return filepath.Join(m.folder, url.PathEscape(instance)+extension)
}

// addresses lists those for which there are marks in the folder.
func addresses(folder string) []string {
	var all []string
	for _, name := range entries(folder) {
		if address, err := url.PathUnescape(name); err == nil {
			all = append(all, address)
		}
	}
	return all
}

// instances lists what is marked.
func (m *marks) instances() []string {
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

// set marks an instance that is about to be made.
func (m *marks) set(instance string) {
	if m.folder == "" || os.MkdirAll(m.folder, 0o700) != nil {
		return
	}
	f, err := os.OpenFile(m.path(instance), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return
	}
	if !lock(f) {
		f.Close()
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if before := m.held[instance]; before != nil {
		before.Close()
	}
	m.held[instance] = f
}

// clear takes the mark off an instance that is gone, or that is to stay.
func (m *marks) clear(instance string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.folder != "" {
		os.Remove(m.path(instance)) // it may never have been there
		os.Remove(m.folder)         // where it was the last
	}
	if f := m.held[instance]; f != nil {
		f.Close()
		delete(m.held, instance)
	}
}

// of says whose an instance is.
func (m *marks) of(instance string) whose {
	if m.folder == "" {
		return unmarked
	}
	f, err := os.Open(m.path(instance))
	if err != nil {
		return unmarked
	}
	defer f.Close() // which lets go of the lock
	m.mu.Lock()
	mine := m.held[instance] != nil
	m.mu.Unlock()
	if mine || !lock(f) {
		return held
	}
	return abandoned
}

// prune removes the marks of instances that exo no longer has, which has been
// started anew since. Those of a run under way stay: its instance may be on its
// way.
func (m *marks) prune(there []instance) {
	if m.folder == "" {
		return
	}
	files, _ := filepath.Glob(filepath.Join(m.folder, "*"+extension))
	keep := map[string]bool{}
	for _, one := range there {
		keep[m.path(one.id)] = true
	}
	for _, file := range files {
		if f, err := os.Open(file); err == nil {
			if !keep[file] && lock(f) {
				os.Remove(file)
			}
			f.Close()
		}
	}
}

// close lets go of the marks that are left, so that what they mark is known for
// a leftover.
func (m *marks) close() {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, f := range m.held {
		f.Close()
	}
	clear(m.held)
}

// lock takes the file's lock, and reports whether nobody else has it.
func lock(f *os.File) bool { return unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB) == nil }
