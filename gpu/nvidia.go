package gpu

import (
	"context"
	"fmt"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"time"

	"exobench"
	"exobench/internal/panics"
)

// period is the time between two lines of nvidia-smi of one device, and between two
// lists of processes. On an H100 each nvidia-smi takes 0.2 to 0.4 % of a core so.
const period = 100 * time.Millisecond

// stale is how old a reading may be to count as one of now: ten periods, since the
// machine may be busy.
const stale = 10 * period

// silence is how long nvidia-smi may say nothing of a device before it counts as
// one that hangs. Without persistence mode it first loads the driver.
const silence = 30 * time.Second

// nvidia keeps two nvidia-smi running, one for devices and one for processes.
type nvidia struct {
	clock exobench.Clock
	// apart is set where processes have other numbers here than on the host, as in a
	// container: there the driver lists none of them, or by numbers of the host.
	apart   bool
	devices devices
	holders holders
	streams [2]*stream
}

func newNVIDIA(path string, clock exobench.Clock) *nvidia {
	n := &nvidia{clock: clock}
	n.devices = devices{latest: map[string]reading{}, refused: map[string]bool{}}
	n.holders = holders{}
	n.streams[0] = &stream{
		what: "nvidia-smi (devices)", path: path, clock: clock, backOff: firstBackOff, silence: silence,
		args: n.devices.args, take: n.devices.take, mend: n.devices.mend,
	}
	n.streams[1] = &stream{
		what: "nvidia-smi (processes)", path: path, clock: clock, backOff: firstBackOff,
		args: n.holders.args, take: n.holders.take, mend: n.holders.mend,
	}
	return n
}

// run keeps both running until ctx is done.
func (n *nvidia) run(ctx context.Context) {
	n.devices.learn(ctx, n.streams[0].path)
	n.locateParts(ctx, n.streams[0].path)
	var under sync.WaitGroup
	for _, s := range n.streams {
		under.Go(panics.Caught(func() { s.run(ctx) }))
	}
	under.Wait()
}

// locateParts learns which devices are divided into parts.
func (n *nvidia) locateParts(ctx context.Context, path string) {
	out, err := once(ctx, path, "-L")
	if err != nil {
		return
	}
	n.holders.mu.Lock()
	defer n.holders.mu.Unlock()
	n.holders.parent = parents(listed(out))
}

// onceTime bounds a single question to nvidia-smi, which may have to load the
// driver first.
const onceTime = 10 * time.Second

// once asks nvidia-smi one thing and returns what it writes.
func once(ctx context.Context, path string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, onceTime)
	defer cancel()
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Env = append(cmd.Environ(), "LC_ALL=C")
	cmd.WaitDelay = time.Second
	out, err := cmd.CombinedOutput()
	if text := oneLine(string(out)); err != nil && text != "" {
		err = fmt.Errorf("%s", text)
	} else if err != nil && ctx.Err() != nil {
		err = fmt.Errorf("nvidia-smi did not answer within %v", onceTime)
	}
	return string(out), err
}

// quantities are what is asked of a device, with the names that drivers know the
// field by, the newest first, and the unit of numbers without one.
var quantities = []struct {
	quantity exobench.Quantity
	names    []string
	unit     float64
}{
	{exobench.GPUUsed, []string{"memory.used"}, 1 << 20},
	{exobench.GPUTotal, []string{"memory.total"}, 1 << 20},
	{exobench.GPUBusy, []string{"utilization.gpu"}, 0.01},
	// Of a quantity that is there twice the first that is told counts. Drivers that
	// tell the other two kinds of power have power.draw as the average on newer GPUs.
	{exobench.GPUPower, []string{"power.draw.instant"}, 1},
	{exobench.GPUPower, []string{"power.draw"}, 1},
	{exobench.GPUPowerAverage, []string{"power.draw.average"}, 1},
	{exobench.GPUTemperature, []string{"temperature.gpu"}, 1},
	{exobench.GPUClock, []string{"clocks.current.sm", "clocks.sm"}, 1e6},
	{exobench.GPUMemoryClock, []string{"clocks.current.memory", "clocks.mem"}, 1e6},
	{exobench.GPUThrottleReasons, []string{"clocks_event_reasons.active", "clocks_throttle_reasons.active"}, 1},
}

// slowed are the reasons that make a GPU slower than it could be, of those that
// NVML defines: its power limit, its heat, and brakes of the board.
const slowed = 0x4 | 0x8 | 0x20 | 0x40 | 0x80

// reading is what was read of a device at an instant.
type reading struct {
	at     exobench.Instant
	values exobench.Values
}

// devices takes in the lines of devices.
type devices struct {
	known   map[string]bool // the fields of this driver; nil where it did not tell
	refused map[string]bool // those that it turned out not to know
	asked   []asked         // those of the process that runs, after the UUID
	cells   [][]byte

	mu     sync.Mutex // of what follows
	latest map[string]reading
	order  []string // UUIDs, as the driver has them
}

// asked is a field that is asked for, with its place among the quantities.
type asked struct {
	name string
	of   int
}

// learn asks for the names of the fields that the driver knows.
func (d *devices) learn(ctx context.Context, path string) {
	text, err := once(ctx, path, "--help-query-gpu")
	if err != nil {
		return
	}
	d.known = names(text)
}

// names returns the names in quotes at the beginnings of lines: a driver's help on
// fields has each so, and its other names after it.
func names(help string) map[string]bool {
	known := map[string]bool{}
	for line := range strings.Lines(help) {
		if !strings.HasPrefix(line, `"`) {
			continue
		}
		for i, part := range strings.Split(line, `"`) {
			if i%2 == 1 {
				known[part] = true
			}
		}
	}
	if !known["memory.used"] {
		return nil // not a help that we know
	}
	return known
}

// args ask for all fields that the driver is not known to lack.
func (d *devices) args() []string {
	d.asked = d.asked[:0]
	query := "uuid"
	for i, q := range quantities {
		for _, name := range q.names {
			if !d.refused[name] && (d.known == nil || d.known[name]) {
				d.asked = append(d.asked, asked{name, i})
				query += "," + name
				break
			}
		}
	}
	return []string{"--query-gpu=" + query, "--format=csv,noheader", "-lms", strconv.FormatInt(period.Milliseconds(), 10)}
}

// mend leaves out a field that the driver does not know; for one such field it
// refuses the whole query.
func (d *devices) mend(said string) bool {
	name, ok := refusedField(said)
	if !ok || d.refused[name] {
		return false
	}
	d.refused[name] = true
	for _, a := range d.asked {
		if a.name == name {
			return true
		}
	}
	return false
}

// refusedField returns the field that the driver says it does not know.
func refusedField(said string) (string, bool) {
	before, _, found := strings.Cut(said, `" is not a valid field to query`)
	if !found {
		return "", false
	}
	return before[strings.LastIndexByte(before, '"')+1:], true
}

// take takes in the line of one device.
func (d *devices) take(now exobench.Instant, line []byte) bool {
	var ok bool
	d.cells, ok = fields(d.cells[:0], line, len(d.asked)+1)
	if !ok || !isUUID(d.cells[0]) {
		return false
	}
	r := reading{at: now, values: make(exobench.Values, 0, len(d.asked)+1)}
	for i, a := range d.asked {
		q := quantities[a.of]
		v, known := number(d.cells[i+1], q.unit)
		if _, told := r.values.Get(q.quantity); !known || told {
			continue
		}
		r.values = append(r.values, exobench.Value{Quantity: q.quantity, Value: v})
		if q.quantity == exobench.GPUThrottleReasons {
			throttled := 0.0
			if uint64(v)&slowed != 0 {
				throttled = 1
			}
			r.values = append(r.values, exobench.Value{Quantity: exobench.GPUThrottled, Value: throttled})
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if _, seen := d.latest[string(d.cells[0])]; !seen {
		d.order = append(d.order, string(d.cells[0]))
	}
	d.latest[string(d.cells[0])] = r
	return true
}

// isUUID reports whether a field is a device's UUID: drivers begin them with GPU-
// or MIG-.
func isUUID(field []byte) bool {
	return len(field) > 8 && (string(field[:4]) == "GPU-" || string(field[:4]) == "MIG-")
}

// now returns the latest reading of each device; those that are stale are left out.
func (d *devices) now(now exobench.Instant) (ids []string, all []reading) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, id := range d.order {
		if r := d.latest[id]; now.Sub(r.at) <= stale {
			ids, all = append(ids, id), append(all, r)
		}
	}
	return ids, all
}
