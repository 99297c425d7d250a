package summary

import (
	"cmp"
	"iter"
	"math"
	"slices"
	"sort"

	"exobench"
	"exobench/stat"
)

// Level is an amount of memory; its parts are nil where the system does not
// tell them apart.
type Level struct {
	Total           exobench.Bytes
	Anonymous, File *exobench.Bytes
}

// RequestMemory is the engine's memory around one request: the medians before
// and after the load of its model, and the greatest reading during the request
// (the last one before it was sent included). Each is nil where unknown.
type RequestMemory struct {
	Before, Loaded, Peak *Level
	Source               exobench.MemorySource
}

// Model returns the memory that the loaded model takes.
func (m RequestMemory) Model() (exobench.Bytes, bool) { return difference(m.Loaded, m.Before) }

func (m RequestMemory) peak() (exobench.Bytes, bool) {
	if m.Peak == nil {
		return 0, false
	}
	return m.Peak.Total, true
}

// Inference returns the memory that answering takes on top.
func (m RequestMemory) Inference() (exobench.Bytes, bool) { return difference(m.Peak, m.Loaded) }

// Additional returns the sum of both.
func (m RequestMemory) Additional() (exobench.Bytes, bool) { return difference(m.Peak, m.Before) }

// above reports whether the memory m of one request has a greater peak than that
// of another; order compares when they were under way. Of equal peaks the first
// counts, of unknown ones the last.
func (m RequestMemory) above(other RequestMemory, order int) bool {
	switch {
	case m.Peak == nil || other.Peak == nil:
		return m.Peak != nil || other.Peak == nil && order > 0
	case m.Peak.Total != other.Peak.Total:
		return m.Peak.Total > other.Peak.Total
	}
	return order < 0
}

func difference(a, b *Level) (exobench.Bytes, bool) {
	if a == nil || b == nil {
		return 0, false
	}
	return a.Total - b.Total, true
}

// timeline is every reading of one model on one engine. A nil timeline has
// none.
type timeline struct {
	coming   column[reading] // until settled
	readings []reading
	loads    []memoryLoad
	// sources are the kinds of reading seen; more than one cannot be compared.
	sources []exobench.MemorySource
}

type reading struct {
	at       exobench.Instant
	moment   exobench.Moment
	source   exobench.MemorySource
	level    Level
	resident *exobench.Bytes // where level is of proportional sizes
}

// memoryLoad is the readings of one load of the model: [from, to) in the
// timeline.
type memoryLoad struct {
	from, to       int
	before, loaded *Level
	source         exobench.MemorySource
	// resident is the resident set size of the loaded model, where loaded is of
	// proportional sizes.
	resident *exobench.Bytes
}

func (t *timeline) add(r *exobench.Reading) {
	r = r.Clone()
	t.coming.append(reading{r.At, r.Moment, r.Source, Level{r.Memory, r.Anonymous, r.File}, r.Resident})
}

// settle puts the readings in order of time and finds the loads.
func (t *timeline) settle() {
	t.readings, t.coming = slices.Concat(t.coming.blocks...), column[reading]{}
	slices.SortFunc(t.readings, func(a, b reading) int {
		return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.moment, b.moment), cmp.Compare(a.level.Total, b.level.Total))
	})
	for from, to := range loadsOf(t.readings, func(r reading) exobench.Moment { return r.moment }) {
		t.loads = append(t.loads, memoryLoad{from: from, to: to})
	}
	for i := range t.loads {
		l := &t.loads[i]
		readings := t.readings[l.from:l.to]
		l.source = readings[0].source
		l.before = medianLevel(readings, exobench.MomentBefore)
		l.loaded = medianLevel(readings, exobench.MomentLoaded)
		l.resident = medianResident(readings, exobench.MomentLoaded)
		for j := range readings {
			l.relate(&readings[j])
		}
	}
	for _, r := range t.readings {
		if !slices.Contains(t.sources, r.source) {
			t.sources = append(t.sources, r.source)
		}
	}
	slices.Sort(t.sources)
}

// loadsOf splits readings in order of time into those of each load, [from, to):
// one begins with the first reading, or with a reading from before a load that
// follows one of another moment.
func loadsOf[R any](readings []R, moment func(R) exobench.Moment) iter.Seq2[int, int] {
	return func(yield func(from, to int) bool) {
		from := 0
		for i := 1; i <= len(readings); i++ {
			begins := i == len(readings) ||
				moment(readings[i]) == exobench.MomentBefore && moment(readings[i-1]) != exobench.MomentBefore
			if begins && !yield(from, i) {
				return
			}
			if begins {
				from = i
			}
		}
	}
}

// relate turns a resident reading into a proportional one: the proportional
// size after the load, and what the resident one has grown by since. Its
// anonymous pages, which processes rarely share, stay as they are.
func (l *memoryLoad) relate(r *reading) {
	if r.source != exobench.FromRSS || l.source != exobench.FromPSS || l.loaded == nil || l.resident == nil {
		return
	}
	total := l.loaded.Total + r.level.Total - *l.resident
	related := Level{Total: total}
	if r.level.Anonymous != nil {
		file := max(0, total-*r.level.Anonymous)
		related.Anonymous, related.File = r.level.Anonymous, &file
	}
	r.level, r.source = related, exobench.FromPSS
}

// medianResident returns the median resident size of the readings of one
// moment; nil where not all have one.
func medianResident(readings []reading, moment exobench.Moment) *exobench.Bytes {
	var values []float64
	for _, r := range readings {
		if r.moment != moment {
			continue
		}
		if r.resident == nil {
			return nil
		}
		values = append(values, float64(*r.resident))
	}
	if len(values) == 0 {
		return nil
	}
	return medianBytes(values)
}

// medianLevel returns the median of the readings of one moment, each part by
// itself.
func medianLevel(readings []reading, moment exobench.Moment) *Level {
	var total, anonymous, file []float64
	for _, r := range readings {
		if r.moment != moment {
			continue
		}
		total = append(total, float64(r.level.Total))
		if r.level.Anonymous != nil && r.level.File != nil {
			anonymous = append(anonymous, float64(*r.level.Anonymous))
			file = append(file, float64(*r.level.File))
		}
	}
	if len(total) == 0 {
		return nil
	}
	level := &Level{Total: *medianBytes(total)}
	if len(anonymous) == len(total) {
		level.Anonymous, level.File = medianBytes(anonymous), medianBytes(file)
	}
	return level
}

func medianBytes(values []float64) *exobench.Bytes {
	median, _ := stat.NewSample(values).Median()
	b := exobench.Bytes(math.Round(median))
	return &b
}

// during returns the memory around a request under way from sent to ended.
func (t *timeline) during(sent, ended exobench.Instant) RequestMemory {
	if t == nil || !sent.Reached() || !ended.Reached() {
		return RequestMemory{}
	}
	// after is the first reading later than sent.
	after := sort.Search(len(t.readings), func(i int) bool { return t.readings[i].at > sent })
	i := sort.Search(len(t.loads), func(i int) bool { return t.loads[i].from >= after }) - 1
	if i < 0 {
		return RequestMemory{}
	}
	load := t.loads[i]
	m := RequestMemory{Before: load.before, Loaded: load.loaded, Source: load.source}
	for i := after - 1; i < load.to && t.readings[i].at <= ended; i++ {
		r := &t.readings[i]
		if r.moment != exobench.MomentBefore && (m.Peak == nil || r.level.Total > m.Peak.Total) {
			m.Peak = &r.level
		}
	}
	return m
}
