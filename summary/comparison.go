package summary

import (
	"iter"
	"math"

	"exobench"
	"exobench/metric"
)

// ClientServer sets what the client measured beside what the server says of the
// same OK requests. Each part is nil where no request gives both.
type ClientServer struct {
	// Output is of tokens: those of the answer's usage beside those of the
	// server's statistics. Events is of the output events beside the latter:
	// fewer where tokens share events.
	Output, Events *Agreement
	// Decode and Prefill are of tokens per second; the client's prefill rate is
	// an estimate.
	Decode, Prefill *Agreement
}

// Agreement is how far a figure of the client and one of the server agree, over
// the requests that give both.
type Agreement struct {
	N int
	// Client and Server are the medians of the figures, Ratio is that of client /
	// server.
	Client, Server, Ratio float64
	// Off is the share of the requests whose ratio is off by more than
	// Tolerance.
	Off float64
}

// Tolerance is how far a ratio of client and server may be from 1.
const Tolerance = 0.05

// offBy reports whether a ratio is further from 1 than a tolerance.
func offBy(ratio, tolerance float64) bool { return math.Abs(ratio-1) > tolerance }

// figures is one quantity as client and server give it; 0 is unknown.
type figures struct{ client, server float64 }

func (f figures) known() bool { return f.client > 0 && f.server > 0 }

func (f figures) ratio() float64 { return f.client / f.server }

// serverValues are those of the requests that have the server's own figures,
// besides the metrics.
type serverValues struct {
	output, counted values // output tokens, as the answer and as the server says
	events          values // with output
	// shared is the share of the output events that came in the same read as the
	// one before; firstGap is the gap between the first two reads with output,
	// over the median of the later ones.
	shared, firstGap values
}

func (v *serverValues) put(i int, r *exobench.Record) {
	v.output.put(i, number(r.OutputTokens))
	v.counted.put(i, number(r.Server.OutputTokens))
	v.events.put(i, float64(len(r.Chunks)))
	shared, firstGap := bunching(r.Chunks)
	v.shared.put(i, shared)
	v.firstGap.put(i, firstGap)
}

func number(n *exobench.Tokens) float64 {
	if n == nil {
		return 0
	}
	return float64(*n)
}

// bunching measures how events share reads, and how long the first of the gaps
// between reads is.
func bunching(chunks exobench.Chunks) (shared, firstGap float64) {
	var space [64]float64
	gaps := space[:0]
	for i := 1; i < len(chunks); i++ {
		if gap := chunks[i].At.Sub(chunks[i-1].At); gap > 0 {
			gaps = append(gaps, gap.Seconds())
		} else {
			shared++
		}
	}
	if len(gaps) > 1 {
		firstGap = gaps[0] / median(gaps[1:])
	}
	return shared / float64(max(1, len(chunks)-1)), firstGap
}

// comparison sets the figures of client and server side by side, for the requests
// of a cell whose output tokens were counted in one way.
type comparison struct {
	rows  *rows
	from  exobench.TokensFrom
	space *space

	ttft, tokenRate, serverDecode, prefill, serverPrefill *values
}

func newComparison(rs *rows, from exobench.TokensFrom, space *space) *comparison {
	return &comparison{
		rows: rs, from: from, space: space, ttft: rs.valuesOf(metric.TTFT),
		tokenRate: rs.valuesOf(metric.TokenRate), serverDecode: rs.valuesOf(metric.ServerDecode),
		prefill: rs.valuesOf(metric.Prefill), serverPrefill: rs.valuesOf(metric.ServerPrefill),
	}
}

// quantity is something that client and server give of request i.
type quantity func(c *comparison, i int) figures

// output is of tokens; where they were not counted by the answer's usage, the
// client gives none.
func (c *comparison) output(i int) figures {
	if c.from != exobench.FromUsage {
		return figures{}
	}
	return figures{c.tokens(i), c.rows.server.counted.of(i)}
}

func (c *comparison) events(i int) figures {
	return figures{c.rows.server.events.of(i), c.rows.server.counted.of(i)}
}

func (c *comparison) decode(i int) figures { return figures{c.tokenRate.of(i), c.serverDecode.of(i)} }

func (c *comparison) prefillRate(i int) figures {
	return figures{c.prefill.of(i), c.serverPrefill.of(i)}
}

// tokens returns the output tokens of request i, 0 where they are unknown.
func (c *comparison) tokens(i int) float64 { return c.rows.server.output.of(i) }

// prompt returns the uncached prompt tokens of request i.
func (c *comparison) prompt(i int) float64 { return c.prefill.of(i) * c.ttft.of(i) }

// extra returns how many seconds the TTFT of request i holds beyond the server's
// prefill.
func (c *comparison) extra(i int) float64 { return c.ttft.of(i) - c.prompt(i)/c.serverPrefill.of(i) }

// giving returns the requests for which client and server give a quantity.
func (c *comparison) giving(of quantity) iter.Seq2[int, figures] {
	kind := kindOf(c.from)
	return func(yield func(int, figures) bool) {
		for i := range c.rows.server.events.known() {
			if c.rows.at(i).kind != kind {
				continue
			}
			if f := of(c, i); f.known() && !yield(i, f) {
				return
			}
		}
	}
}

// medianOf returns the median of a figure of the requests that give a quantity.
func (c *comparison) medianOf(of quantity, figure func(i int) float64) float64 {
	sample := c.space.empty(c.rows.n)
	for i := range c.giving(of) {
		sample = append(sample, figure(i))
	}
	return median(sample)
}

func (c *comparison) clientServer() *ClientServer {
	cs := ClientServer{
		Output: c.agreement((*comparison).output), Events: c.agreement((*comparison).events),
		Decode: c.agreement((*comparison).decode), Prefill: c.agreement((*comparison).prefillRate),
	}
	if cs == (ClientServer{}) {
		return nil
	}
	return &cs
}

func (c *comparison) agreement(of quantity) *Agreement {
	n, off := 0, 0
	for _, f := range c.giving(of) {
		n++
		if offBy(f.ratio(), Tolerance) {
			off++
		}
	}
	if n == 0 {
		return nil
	}
	return &Agreement{
		N:      n,
		Client: c.medianOf(of, func(i int) float64 { return of(c, i).client }),
		Server: c.medianOf(of, func(i int) float64 { return of(c, i).server }),
		Ratio:  c.medianOf(of, func(i int) float64 { return of(c, i).ratio() }),
		Off:    float64(off) / float64(n),
	}
}
