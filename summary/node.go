package summary

import (
	"cmp"
	"slices"
	"sort"

	"exobench"
)

// Node is what one machine of an engine did while it served a model: figures of
// the whole machine, whoever uses it. Each is nil where unknown.
type Node struct {
	Subject
	Placement, Name string
	// Before, Loaded and Peak are memory in use: the medians before and after
	// the load, and the greatest reading while measured requests were under way
	// (the last one before them included).
	Before, Loaded, Peak, Total *exobench.Bytes
	// Power in watts and GPU (0 to 1) are means, weighted by time, from the first
	// measured request sent to the last one done; MaxTemperature is in °C.
	Power, GPU, MaxTemperature *float64
}

// nodeline is every reading of the machines of one engine while it served one
// model. A nil nodeline has none.
type nodeline struct {
	readings []exobench.NodeReading
	loads    []nodeLoad
}

// nodeLoad is the readings of one load of the model: [from, to) in the nodeline.
type nodeLoad struct {
	from, to int
	power    []series // by node; one is empty where the node has no such sensor
}

func (l *nodeline) add(r *exobench.NodeReading) { l.readings = append(l.readings, *r) }

// settle puts the readings in order of time and finds the loads.
func (l *nodeline) settle() {
	slices.SortFunc(l.readings, func(a, b exobench.NodeReading) int {
		return cmp.Or(cmp.Compare(a.At, b.At), cmp.Compare(a.Moment, b.Moment), cmp.Compare(a.Node, b.Node))
	})
	for from, to := range loadsOf(l.readings, func(r exobench.NodeReading) exobench.Moment { return r.Moment }) {
		load := nodeLoad{from: from, to: to}
		readings := l.readings[from:to]
		for _, name := range nodeNames(readings) {
			power := func(r exobench.NodeReading) *float64 { return r.Power }
			load.power = append(load.power, seriesOf(readings, name, power))
		}
		l.loads = append(l.loads, load)
	}
}

func nodeNames(readings []exobench.NodeReading) []string {
	var names []string
	for _, r := range readings {
		names = append(names, r.Node)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// seriesOf returns one sensor of one node, without the readings that lack it.
func seriesOf(readings []exobench.NodeReading, name string, sensor func(exobench.NodeReading) *float64) series {
	var s series
	for _, r := range readings {
		if v := sensor(r); v != nil && r.Node == name {
			s = append(s, point{r.At, *v})
		}
	}
	return s
}

// energy returns the energy in joules of all nodes over [from, to], in the load
// that was there at from. It is absent unless each node tells its power all the
// while.
func (l *nodeline) energy(from, to exobench.Instant) (float64, bool) {
	if l == nil || !from.Reached() || !to.Reached() {
		return 0, false
	}
	i := sort.Search(len(l.loads), func(i int) bool { return l.readings[l.loads[i].from].At > from }) - 1
	if i < 0 {
		return 0, false
	}
	sum := 0.0
	for _, power := range l.loads[i].power {
		joules, ok := power.integral(from, to)
		if !ok {
			return 0, false
		}
		sum += joules
	}
	return sum, true
}

// window is a time, ends included; without a start it is empty.
type window struct{ from, to exobench.Instant }

// nodes describes each machine in each load, in order of time.
func (l *nodeline) nodes(s Subject, events []*exobench.LoadEvent, measured []window) []Node {
	var all []Node
	for i, load := range l.loads {
		readings := l.readings[load.from:load.to]
		until := exobench.Instant(1<<63 - 1)
		if i+1 < len(l.loads) {
			until = l.readings[l.loads[i+1].from].At
		}
		during := within(measured, readings[0].At, until)
		for _, name := range nodeNames(readings) {
			n := describeNode(readings, name, during)
			n.Subject, n.Placement = s, placementBefore(events, until)
			all = append(all, n)
		}
	}
	return all
}

// within returns the time from the start of the first to the end of the last of
// the windows, as far as they lie between two instants.
func within(windows []window, from, until exobench.Instant) window {
	var all window
	for _, w := range windows {
		w = window{max(w.from, from), min(w.to, until)}
		if w.from >= w.to {
			continue
		}
		if !all.from.Reached() || w.from < all.from {
			all.from = w.from
		}
		all.to = max(all.to, w.to)
	}
	return all
}

// placementBefore returns the last placement told of before an instant; the
// events are in order of time.
func placementBefore(events []*exobench.LoadEvent, until exobench.Instant) string {
	for _, e := range slices.Backward(events) {
		if e.At < until && e.Placement != "" {
			return e.Placement
		}
	}
	return ""
}

func describeNode(readings []exobench.NodeReading, name string, during window) Node {
	n := Node{
		Name:   name,
		Before: medianUsed(readings, name, exobench.MomentBefore),
		Loaded: medianUsed(readings, name, exobench.MomentLoaded),
	}
	for _, r := range readings {
		if r.Node == name && r.MemoryTotal != nil {
			n.Total = r.MemoryTotal
		}
	}
	if !during.from.Reached() {
		return n
	}
	n.Power = meanOf(readings, name, during, func(r exobench.NodeReading) *float64 { return r.Power })
	n.GPU = meanOf(readings, name, during, func(r exobench.NodeReading) *float64 { return r.GPU })
	for _, r := range readingsOf(readings, name, during) {
		if r.MemoryUsed != nil && (n.Peak == nil || *r.MemoryUsed > *n.Peak) {
			n.Peak = r.MemoryUsed
		}
		if r.Temperature != nil && (n.MaxTemperature == nil || *r.Temperature > *n.MaxTemperature) {
			n.MaxTemperature = r.Temperature
		}
	}
	return n
}

// readingsOf returns a node's readings of a time, and the last one before it,
// without those from before the load.
func readingsOf(readings []exobench.NodeReading, name string, w window) []exobench.NodeReading {
	var all []exobench.NodeReading
	for _, r := range readings {
		if r.Node != name || r.Moment == exobench.MomentBefore || r.At > w.to {
			continue
		}
		if r.At <= w.from {
			all = all[:0]
		}
		all = append(all, r)
	}
	return all
}

func meanOf(readings []exobench.NodeReading, name string, w window, sensor func(exobench.NodeReading) *float64) *float64 {
	mean, ok := seriesOf(readings, name, sensor).mean(w.from, w.to)
	if !ok {
		return nil
	}
	return &mean
}

func medianUsed(readings []exobench.NodeReading, name string, moment exobench.Moment) *exobench.Bytes {
	var used []float64
	for _, r := range readings {
		if r.Node == name && r.Moment == moment && r.MemoryUsed != nil {
			used = append(used, float64(*r.MemoryUsed))
		}
	}
	if len(used) == 0 {
		return nil
	}
	return medianBytes(used)
}
