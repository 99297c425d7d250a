package gpu

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"sync"

	"exobench"
	"exobench/internal/panics"
)

// Config is what a Source works with.
type Config struct {
	Clock exobench.Clock
	// Path is that of nvidia-smi; empty looks for it in the PATH.
	Path string
	// Proc, Sys and Dev are the roots of the file systems of that name; empty ones
	// are /proc, /sys and /dev.
	Proc, Sys, Dev string
}

func (c Config) withDefaults() Config {
	if c.Path == "" {
		c.Path = lookUp()
	}
	if c.Proc == "" {
		c.Proc = "/proc"
	}
	if c.Sys == "" {
		c.Sys = "/sys"
	}
	if c.Dev == "" {
		c.Dev = "/dev"
	}
	return c
}

// wslPath is where Windows puts nvidia-smi for Linux on it, which may lie outside
// of the PATH.
const wslPath = "/usr/lib/wsl/lib/nvidia-smi"

// lookUp returns the path of nvidia-smi; empty where it is not there.
func lookUp() string {
	for _, name := range []string{"nvidia-smi", wslPath} {
		if path, err := exec.LookPath(name); err == nil {
			if path, err = filepath.Abs(path); err == nil {
				return path
			}
		}
	}
	return ""
}

// Source keeps reading the GPUs of this host until it is closed. It is safe for
// concurrent use.
type Source struct {
	config  Config
	nvidia  *nvidia // nil without nvidia-smi
	cards   []card
	devices []exobench.GPU
	missing []Missing
	names   map[string]exobench.GPU
	stop    context.CancelFunc
	under   sync.WaitGroup
}

// Open finds the GPUs of this host and begins to read them; ctx bounds the search
// only. Where there are none it starts nothing. The Source must be closed.
func Open(ctx context.Context, c Config) *Source {
	c = c.withDefaults()
	s := &Source{config: c, names: map[string]exobench.GPU{}}
	s.devices, s.cards, s.missing = find(ctx, c)
	running, stop := context.WithCancel(context.Background())
	s.stop = stop
	for _, d := range s.devices {
		s.names[d.ID] = d
		if s.nvidia == nil && isUUID([]byte(d.ID)) {
			s.nvidia = newNVIDIA(c.Path, c.Clock)
			s.nvidia.apart = apart(c.Proc)
			s.under.Go(panics.Caught(func() { s.nvidia.run(running) }))
		}
	}
	return s
}

// firstNamespace is that of process numbers of the host itself: the kernel gives it
// the same number everywhere (PROC_PID_INIT_INO).
const firstNamespace = "pid:[4026531836]"

// apart reports whether processes have other numbers here than on the host.
func apart(proc string) bool {
	namespace, err := os.Readlink(filepath.Join(proc, "self/ns/pid"))
	return err == nil && namespace != firstNamespace
}

// Devices are the GPUs that were found.
func (s *Source) Devices() []exobench.GPU { return s.devices }

// Missing says what was not found and why.
func (s *Source) Missing() []Missing { return s.missing }

// Close ends what was started.
func (s *Source) Close() error {
	s.stop()
	s.under.Wait()
	return nil
}

// Devices finds the GPUs of this host, and says what may be there and cannot be
// read.
func Devices(ctx context.Context) ([]exobench.GPU, []Missing) {
	all, _, missing := find(ctx, Config{}.withDefaults())
	return all, missing
}

// Held is how much is held now of the memories of this host's GPUs, by their ids;
// a GPU that does not tell is not in it.
func Held(ctx context.Context) map[string]exobench.Bytes {
	return heldNow(ctx, Config{}.withDefaults())
}

func heldNow(ctx context.Context, c Config) map[string]exobench.Bytes {
	all := map[string]exobench.Bytes{}
	if c.Path != "" {
		if told, err := heldOf(ctx, c.Path); err == nil {
			all = told
		}
	}
	for _, card := range cards(c.Sys) {
		for _, f := range card.figures {
			if size, ok := numberIn(f.path); ok && f.quantity == exobench.GPUUsed {
				all[card.ID] = exobench.Bytes(float64(size) * f.unit)
			}
		}
	}
	return all
}

// find finds the GPUs; the cards are those of them that are read from files.
func find(ctx context.Context, c Config) ([]exobench.GPU, []card, []Missing) {
	var all []exobench.GPU
	var err error
	if c.Path != "" {
		all, err = describe(ctx, c.Path)
	}
	missing := unseen(c, len(all), err)
	read := cards(c.Sys)
	for _, card := range read {
		all = append(all, card.GPU)
	}
	return all, read, missing
}
