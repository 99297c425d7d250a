package summary

import (
	"math"

	"exobench"
	"exobench/metric"
	"exobench/stat"
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

// comparison is one OK request with the server's own figures.
type comparison struct {
	from                            exobench.TokensFrom
	output, events, decode, prefill figures
	stream                          stream
}

// stream is what of a request tells why client and server differ; 0 is unknown.
type stream struct {
	tokens float64 // of output
	// shared is the share of the output events that came in the same read as the
	// one before; firstGap is the gap between the first two reads with output,
	// over the median of the later ones.
	shared, firstGap float64
	// prompt is the uncached prompt tokens; extra is how many seconds TTFT holds
	// beyond the server's prefill of them.
	prompt, extra float64
}

func compare(r *exobench.Record) comparison {
	c := comparison{from: r.TokensFrom}
	counted := number(r.Server.OutputTokens)
	if r.TokensFrom == exobench.FromUsage {
		c.output = figures{number(r.OutputTokens), counted}
	}
	c.events = figures{float64(len(r.Chunks)), counted}
	c.decode = figures{metricOf(r, metric.TokenRate), metricOf(r, metric.ServerDecode)}
	c.prefill = figures{metricOf(r, metric.Prefill), metricOf(r, metric.ServerPrefill)}
	c.stream.tokens = number(r.OutputTokens)
	c.stream.shared, c.stream.firstGap = bunching(r.Chunks)
	if ttft := metricOf(r, metric.TTFT); c.prefill.known() {
		c.stream.prompt = c.prefill.client * ttft
		c.stream.extra = ttft - c.stream.prompt/c.prefill.server
	}
	return c
}

func number(n *exobench.Tokens) float64 {
	if n == nil {
		return 0
	}
	return float64(*n)
}

func metricOf(r *exobench.Record, name string) float64 {
	m, _ := metric.ByName(name)
	value, _ := m.Value(r)
	return value
}

// bunching measures how events share reads, and how long the first of the gaps
// between reads is.
func bunching(chunks exobench.Chunks) (shared, firstGap float64) {
	var gaps []float64
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

func median(values []float64) float64 {
	m, _ := stat.NewSample(values).Median()
	return m
}

// medianOf returns the median of a figure of requests.
func medianOf(all []comparison, figure func(comparison) float64) float64 {
	values := make([]float64, len(all))
	for i, c := range all {
		values[i] = figure(c)
	}
	return median(values)
}

// giving returns the requests for which client and server give a quantity.
func giving(all []comparison, of func(comparison) figures) []comparison {
	var some []comparison
	for _, c := range all {
		if of(c).known() {
			some = append(some, c)
		}
	}
	return some
}

// The quantities compared.
func outputOf(c comparison) figures  { return c.output }
func eventsOf(c comparison) figures  { return c.events }
func decodeOf(c comparison) figures  { return c.decode }
func prefillOf(c comparison) figures { return c.prefill }

func clientServer(all []comparison) *ClientServer {
	cs := ClientServer{
		Output: agreement(all, outputOf), Events: agreement(all, eventsOf),
		Decode: agreement(all, decodeOf), Prefill: agreement(all, prefillOf),
	}
	if cs == (ClientServer{}) {
		return nil
	}
	return &cs
}

func agreement(all []comparison, of func(comparison) figures) *Agreement {
	all = giving(all, of)
	if len(all) == 0 {
		return nil
	}
	off := 0
	for _, c := range all {
		if offBy(of(c).ratio(), Tolerance) {
			off++
		}
	}
	return &Agreement{
		N:      len(all),
		Client: medianOf(all, func(c comparison) float64 { return of(c).client }),
		Server: medianOf(all, func(c comparison) float64 { return of(c).server }),
		Ratio:  medianOf(all, func(c comparison) float64 { return of(c).ratio() }),
		Off:    float64(off) / float64(len(all)),
	}
}
