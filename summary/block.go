package summary

import (
	"cmp"
	"slices"
	"time"

	"exobench"
	"exobench/metric"
	"exobench/timeline"
)

// block is what is kept of the requests of one block: the counts of all, and
// the rows of those that were OK.
type block struct {
	exobench.Block
	known    bool
	end      *exobench.BlockEnd
	requests int
	outcomes map[exobench.Outcome]int
	errors   map[exobench.Outcome]firstError
	// lastError is that of the request that was added last of those with one.
	lastError string
	sent      exobench.Instant // the first
	done      exobench.Instant // the last
	underWay  time.Duration    // of all requests together
	ok        *rows
	delays    *delays
	machine   []exobench.Sample
	uses      []use
	tallies
}

// tallies counts what some requests of a block had.
type tallies struct {
	// cold and cached are of OK requests whose answer tells that no token of the
	// prompt came from the cache but for a few, and that some did; most is the
	// greatest number of them, of a prompt of so many.
	cold, cached int
	most, prompt exobench.Tokens
	// doubts are what requests have, by kind, with that of the first.
	doubts map[exobench.DoubtKind]doubted
	// impossible is of OK requests with a figure that cannot be.
	impossible impossible
	// reloads is how many requests waited for the model to be loaded again, and
	// longestLoad how long the slowest did.
	reloads     int
	longestLoad time.Duration
	// longest is the greatest number of tokens of prompt and answer of an OK request
	// that tells both.
	longest exobench.Tokens
	contexts
}

// reload is how long a request may wait for its model before that counts as a
// load: engines look whether the model is there in less.
const reload = 100 * time.Millisecond

// doubted is how many requests have a doubt, and that of the first.
type doubted struct {
	n, seq int
	first  exobench.Doubt
}

// impossible is how many requests have a figure that cannot be, and of which
// metric it is in the first.
type impossible struct {
	n, seq int
	metric string
}

func (i *impossible) join(other impossible) {
	if other.n > 0 && (i.n == 0 || other.seq < i.seq) {
		i.seq, i.metric = other.seq, other.metric
	}
	i.n += other.n
}

type firstError struct {
	seq  int
	text string
}

func newBlock(id int, metrics []metric.Metric) *block {
	return &block{
		Block:    exobench.Block{ID: id},
		outcomes: map[exobench.Outcome]int{},
		errors:   map[exobench.Outcome]firstError{},
		ok:       &rows{metrics: metrics, values: make([]values, len(metrics))},
		delays:   new(delays),
	}
}

// onlyCount forgets all of the requests but their number, as is done with those of
// warm-ups, which may have come before it was known that they are.
func (b *block) onlyCount() {
	fresh := newBlock(b.ID, b.ok.metrics)
	fresh.Block, fresh.known, fresh.end, fresh.requests = b.Block, b.known, b.end, b.requests
	fresh.machine, fresh.uses = b.machine, b.uses
	*b = *fresh
}

// add takes a request in; prompt is the place of its prompt.
func (b *block) add(r *exobench.Record, prompt int32, closed bool) {
	b.requests++
	b.outcomes[r.Outcome]++
	if r.Error != "" {
		if first, seen := b.errors[r.Outcome]; !seen || r.Seq < first.seq {
			b.errors[r.Outcome] = firstError{r.Seq, r.Error}
		}
		b.lastError = r.Error
	}
	if r.Sent.Reached() && (!b.sent.Reached() || r.Sent < b.sent) {
		b.sent = r.Sent
	}
	b.done = max(b.done, doneOf(r))
	if r.Server != nil && r.Server.LoadTime > reload {
		b.reloads++
		b.longestLoad = max(b.longestLoad, r.Server.LoadTime)
	}
	if r.Sent.Reached() && r.Ended.Reached() {
		b.underWay += doneOf(r).Sub(r.Sent)
	}
	for _, d := range r.Doubts {
		b.tallies.doubt(d.Kind, doubted{1, r.Seq, d})
	}
	if r.Outcome != exobench.OK {
		return
	}
	switch cacheOf(r) {
	case CacheCold:
		b.cold++
	case CacheWarm:
		b.cached++
		b.mostCached(count(r.CachedTokens), count(r.PromptTokens))
	}
	if r.PromptTokens != nil && r.OutputTokens != nil {
		b.longest = max(b.longest, *r.PromptTokens+*r.OutputTokens)
	}
	b.contexts.add(r)
	b.delays.add(r)
	if wrong := b.ok.add(r, prompt, closed); wrong != "" {
		b.impossible.join(impossible{1, r.Seq, wrong})
	}
}

func count(n *exobench.Tokens) exobench.Tokens {
	if n == nil {
		return 0
	}
	return *n
}

// mostCached keeps the greater number of cached tokens, of equal ones that of the
// longer prompt.
func (t *tallies) mostCached(tokens, prompt exobench.Tokens) {
	if tokens > t.most || tokens == t.most && prompt > t.prompt {
		t.most, t.prompt = tokens, prompt
	}
}

// doubt adds doubts of a kind.
func (t *tallies) doubt(kind exobench.DoubtKind, more doubted) {
	d, seen := t.doubts[kind]
	if !seen || more.seq < d.seq {
		d.seq, d.first = more.seq, more.first
	}
	d.n += more.n
	if t.doubts == nil {
		t.doubts = map[exobench.DoubtKind]doubted{}
	}
	t.doubts[kind] = d
}

// doneOf returns when the request's work was over: for one that came to no
// end of its answer, when it was given up.
func doneOf(r *exobench.Record) exobench.Instant {
	if r.Outcome == exobench.OK && r.Done.Reached() {
		return r.Done
	}
	return r.Ended
}

// An engine finds the tokens of its chat template in its cache whatever was asked.
// So few cost no time worth the name: at most a share of the prompt, or a few
// that are not most of it.
const (
	templateShare = 0.2
	templateMost  = 8
)

// few reports whether so many cached tokens are those of the chat template.
func few(cached, prompt exobench.Tokens) bool {
	return cached == 0 || float64(cached) <= templateShare*float64(prompt) || cached <= min(templateMost, prompt/2)
}

// cacheOf tells whether the answer came from the engine's prompt cache: by how
// many tokens did, else by what the engine calls it.
func cacheOf(r *exobench.Record) Cache {
	switch {
	case r.CachedTokens != nil && few(*r.CachedTokens, count(r.PromptTokens)):
		return CacheCold
	case r.CachedTokens != nil:
		return CacheWarm
	case r.Server != nil && (r.Server.PrefixCache == "partial" || r.Server.PrefixCache == "exact"):
		return CacheWarm
	case r.Server != nil && r.Server.PrefixCache == "none":
		return CacheCold
	}
	return CacheUnknown
}

// window is the time from the first request sent to the last one done.
func (b *block) window() window { return window{b.sent, b.done} }

// tally joins the tallies of blocks.
func tally(blocks []*block) (all tallies) {
	for _, b := range blocks {
		all.cold += b.cold
		all.cached += b.cached
		all.mostCached(b.most, b.prompt)
		for kind, d := range b.doubts {
			all.doubt(kind, d)
		}
		all.impossible.join(b.impossible)
		all.contexts.join(b.contexts)
		all.reloads += b.reloads
		all.longest = max(all.longest, b.longest)
		all.longestLoad = max(all.longestLoad, b.longestLoad)
	}
	return all
}

// stamp changes with all that can change what the block gives to the figures of
// its cell.
type stamp struct {
	block, step       int
	requests, machine int
	ended             bool
	// outside and before count the readings that speak for the block: what was
	// read later than a reading's reach after its last request does not.
	outside, before int
	held            exobench.Held
	// bases is how many processes sizes of two kinds are known of.
	bases int
	// marked is the reading after the block that has the kernel's marks.
	marked int
	// uses is how many readings there are of what the engine did for others.
	uses int
}

func (b *block) stamp(s *bringUp) stamp {
	outside, before := s.readings.Count(b.done.Add(2 * timeline.Reach))
	m := s.memory()
	at, _ := m.markOfProcesses(b.window())
	return stamp{b.ID, s.ID, b.requests, len(b.machine), b.end != nil, outside, before, s.held, len(m.bases), at.reading, len(b.uses) + len(s.uses)}
}

// machineOf joins what else the machine did in blocks: shares by the time that
// they are of, of all else the greatest.
func machineOf(blocks []*block) *Machine {
	var samples []exobench.Sample
	for _, b := range blocks {
		samples = append(samples, b.machine...)
	}
	if len(samples) == 0 {
		return nil
	}
	slices.SortFunc(samples, func(x, y exobench.Sample) int {
		return cmp.Or(cmp.Compare(x.Step, y.Step), cmp.Compare(x.At, y.At), cmp.Compare(x.Span, y.Span))
	})
	m := new(Machine)
	for i := range samples {
		m.Wall += samples[i].Span
	}
	m.Steal, m.Foreign = share(samples, exobench.Steal), share(samples, exobench.Foreign)
	m.EngineCPU, m.HarnessCPU = share(samples, exobench.EngineCPU), share(samples, exobench.HarnessCPU)
	m.RunDelay, m.RunDelayMax = share(samples, exobench.RunDelayShare), longest(samples, exobench.RunDelayMax)
	m.HiccupP99, m.HiccupMax = longest(samples, exobench.HiccupP99), longest(samples, exobench.HiccupMax)
	m.GCPauseMax, m.SchedulerP99 = longest(samples, exobench.GCPauseMax), longest(samples, exobench.SchedulerP99)
	return m
}

// share returns the mean of a quantity, weighted by the spans of the samples
// that have it.
func share(samples []exobench.Sample, q exobench.Quantity) *float64 {
	var sum, spans float64
	for i := range samples {
		if v, ok := samples[i].Values.Get(q); ok {
			sum += float64(v * samples[i].Span.Seconds())
			spans += samples[i].Span.Seconds()
		}
	}
	if spans == 0 {
		return nil
	}
	return new(sum / spans)
}

func longest(samples []exobench.Sample, q exobench.Quantity) *time.Duration {
	var most *time.Duration
	for i := range samples {
		if v, ok := samples[i].Values.Get(q); ok && (most == nil || time.Duration(v) > *most) {
			most = new(time.Duration(v))
		}
	}
	return most
}
