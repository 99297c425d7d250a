package gpu

import (
	"strconv"
	"sync"
	"time"

	"exobench"
)

// holders takes in the lines of processes: of each that computes on a device, how
// much of its memory it holds.
//
// The lines of one list have about the same time, as the driver tells it. Where
// nobody computes nvidia-smi writes nothing at all, so an empty list is known by
// the silence.
type holders struct {
	parent map[string]string // of MIG parts
	cells  [][]byte

	mu sync.Mutex // of what follows
	// current is the list under way, before the one that is complete.
	current, before list
	refused         bool
}

// list is what was listed at one time.
type list struct {
	// stamp is the time of its last line; 0 where that could not be read.
	stamp time.Time
	// first is when its first line came, last when its last.
	first, last exobench.Instant
	held        []holding
}

// holding is a process's memory on a device.
type holding struct {
	uuid string // empty where it is hidden
	pid  int    // 0 where it is hidden
	// bytes is -1 where it is hidden.
	bytes float64
}

func (h *holders) args() []string {
	if h.refused {
		return nil
	}
	return []string{
		"--query-compute-apps=timestamp,gpu_uuid,pid,used_gpu_memory,process_name", "--format=csv,noheader",
		"-lms", strconv.FormatInt(period.Milliseconds(), 10),
	}
}

// mend gives up where the driver does not know a field: all of these are as old as
// the query.
func (h *holders) mend(said string) bool {
	if _, ok := refusedField(said); ok {
		h.refused = true
		return true
	}
	return false
}

// take takes in the line of one process.
func (h *holders) take(now exobench.Instant, line []byte) bool {
	var ok bool
	h.cells, ok = fields(h.cells[:0], line, 5)
	if !ok {
		return false
	}
	p, ok := h.holding()
	if !ok {
		return false
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if parent, part := h.parent[p.uuid]; part {
		p.uuid = parent
	}
	stamp, err := time.Parse(stampForm, string(h.cells[0]))
	if err != nil {
		stamp = time.Time{}
	}
	if h.begins(now, stamp) {
		h.before = h.current
		h.current = list{first: now, held: make([]holding, 0, len(h.before.held)+1)}
	}
	h.current.last, h.current.stamp = now, stamp
	h.current.held = append(h.current.held, p)
	return true
}

// stampForm is how nvidia-smi writes times.
const stampForm = "2006/01/02 15:04:05.000"

// begins reports whether a line of a time begins a list. By when it came two lists
// could not be told apart where the reader is late.
func (h *holders) begins(now exobench.Instant, stamp time.Time) bool {
	apart := now.Sub(h.current.last)
	if !stamp.IsZero() && !h.current.stamp.IsZero() {
		apart = stamp.Sub(h.current.stamp).Abs()
	}
	return h.current.first == 0 || apart >= period/2
}

// holding reads the cells of a line. Of a process that is hidden a driver writes
// why in place of all that it tells.
func (h *holders) holding() (holding, bool) {
	p := holding{bytes: -1}
	switch uuid := h.cells[1]; {
	case isUUID(uuid):
		p.uuid = string(uuid)
	case len(uuid) == 0 || uuid[0] != '[':
		return p, false
	}
	if pid, err := strconv.Atoi(string(h.cells[2])); err == nil {
		p.pid = pid
	}
	if size, ok := number(h.cells[3], 1<<20); ok {
		p.bytes = size
	}
	return p, true
}

// now returns the latest list that is whole, and the instant that it is of. It is
// not there where nothing can be said. began is since when a process that lists
// would have been heard.
func (h *holders) now(now, began exobench.Instant) (at exobench.Instant, all []holding, there bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if began == 0 {
		return 0, nil, false
	}
	newest := h.current
	// The lines of one time come together, but not always in one read.
	if now.Sub(newest.first) < period/4 && h.before.first != 0 {
		newest = h.before
	}
	if newest.first != 0 && now.Sub(newest.last) <= stale {
		return newest.first, newest.held, true
	}
	return now, nil, now.Sub(began) > stale
}
