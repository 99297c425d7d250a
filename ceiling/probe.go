package ceiling

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"exobench"
	"exobench/internal/panics"
)

// Measured is what Probe found.
type Measured struct {
	// PerSecond is the bandwidth of reading, in bytes/s, by all threads together.
	PerSecond float64
	Threads   int
	// Size is how much was read in a pass, in bytes.
	Size int
	// Cache is the size of the last-level cache in bytes; 0 where it is not known.
	Cache int
}

// The bounds of what is read: it must not fit into a cache, and not take what an
// engine needs.
const (
	leastRead  = 256 << 20
	mostRead   = 1 << 30
	cacheTimes = 2 // the last-level cache: a round of twice its size finds nothing of the round before
)

// probeTime is how long passes are made, without what it takes to get memory;
// where a pass is slow, leastPasses of them, as long as that is no patience.
const (
	probeTime   = 300 * time.Millisecond
	leastPasses = 3
	patience    = time.Second
)

// Probe measures the bandwidth of reading this machine's memory by its CPU: the
// best of several passes over an array that no cache holds. It takes so many
// threads; 0 is as many as Go may use, which counts a container's limit. free
// bounds the memory that it takes for the time, in bytes: at most a quarter of it;
// 0 is no bound. It takes about half a second, and more on a machine that is slow
// or busy; nothing else should work meanwhile.
func Probe(ctx context.Context, threads int, free exobench.Bytes) (Measured, error) {
	if threads == 0 {
		threads = runtime.GOMAXPROCS(0)
	}
	m := Measured{Threads: threads, Cache: lastLevelCache("/sys/devices/system/cpu/cpu0/cache")}
	m.Size = min(max(leastRead, cacheTimes*m.Cache), mostRead)
	if free > 0 {
		m.Size = min(m.Size, int(free/4))
	}
	m.Size = m.Size / block * block
	if m.Size < m.Cache || m.Size < 8*block {
		return Measured{}, fmt.Errorf("too little memory is free to measure its bandwidth: %v", free)
	}
	memory, err := unix.Mmap(-1, 0, m.Size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
	if err != nil {
		return Measured{}, fmt.Errorf("get memory to measure its bandwidth: %w", err)
	}
	defer unix.Munmap(memory)
	inHugePages(memory)
	parts := split(memory, m.Threads)
	// Pages are where they are first written.
	together(parts, touch)
	m.PerSecond, err = best(ctx, float64(m.Size), func() uint64 { return together(parts, sum) })
	return m, err
}

// split cuts memory into as many parts as there are threads, each of whole
// blocks.
func split(memory []byte, threads int) [][]byte {
	blocks := len(memory) / block
	parts := make([][]byte, 0, threads)
	for i := range threads {
		from, to := blocks*i/threads, blocks*(i+1)/threads
		if from < to {
			parts = append(parts, memory[from*block:to*block])
		}
	}
	return parts
}

// together does something with all parts at once, each on a thread of its own,
// and adds up what comes of it.
func together(parts [][]byte, do func([]byte) uint64) uint64 {
	sums := make([]uint64, len(parts))
	var all sync.WaitGroup
	for i, part := range parts {
		all.Go(panics.Caught(func() {
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			sums[i] = do(part)
		}))
	}
	all.Wait()
	total := uint64(0)
	for _, s := range sums {
		total += s
	}
	return total
}

// best makes passes for a while and returns the rate of the fastest. Each must
// come to the same sum, by which the reads are known to have been made.
func best(ctx context.Context, size float64, pass func() uint64) (float64, error) {
	want, rate := pass(), 0.0
	for begin, n := time.Now(), 0; ; n++ {
		if spent := time.Since(begin); n >= leastPasses && spent > probeTime || n > 0 && spent > patience {
			return rate, nil
		}
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		from := time.Now()
		got := pass()
		took := time.Since(from).Seconds()
		if got != want {
			return 0, fmt.Errorf("memory read twice came to %#x and %#x", want, got)
		}
		if took > 0 {
			rate = max(rate, size/took)
		}
	}
}

// lastLevelCache returns the size of the largest cache that the folder, Linux's
// list of them, knows; 0 where there is none.
func lastLevelCache(folder string) int {
	largest := 0
	files, _ := filepath.Glob(filepath.Join(folder, "index*", "size"))
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			continue
		}
		digits, ok := strings.CutSuffix(strings.TrimSpace(string(text)), "K")
		if n, err := strconv.Atoi(digits); ok && err == nil && n > 0 && n < 1<<21 {
			largest = max(largest, n<<10)
		}
	}
	return largest
}
