package summary

import (
	"math"

	"exobench"
	"exobench/metric"
)

// exchange is what client and server say of one OK request; 0 is unknown.
type exchange struct {
	// tokens are those of the output as the client counts them, counted as the
	// server does; events carried output.
	tokens, counted, events float64
	tokenRate, serverDecode float64
	prefill, serverPrefill  float64
	measured                float64 // prefill rate, by the engine's news of it
	ttft                    float64
	shared, firstGap        float64 // as in serverValues
}

// prompt returns the uncached prompt tokens.
func (e *exchange) prompt() float64 { return e.prefill * e.ttft }

// extra returns how many seconds TTFT holds beyond the server's prefill.
func (e *exchange) extra() float64 { return e.ttft - e.prompt()/e.serverPrefill }

// figures is one quantity as client and server give it; 0 is unknown.
type figures struct{ client, server float64 }

func (f figures) known() bool { return f.client > 0 && f.server > 0 }

func (f figures) ratio() float64 { return f.client / f.server }

// The quantities that client and server both give.
func outputTokens(e *exchange) figures { return figures{e.tokens, e.counted} }
func outputEvents(e *exchange) figures { return figures{e.events, e.counted} }
func decodeRate(e *exchange) figures   { return figures{e.tokenRate, e.serverDecode} }
func prefillRate(e *exchange) figures  { return figures{e.prefill, e.serverPrefill} }
func measuredRate(e *exchange) figures { return figures{e.measured, e.serverPrefill} }

// comparison is the exchanges of a cell that have the server's own figures, of
// the requests whose output tokens were counted in one way.
type comparison struct {
	exchanges []exchange
	// usage reports whether that way is the answer's usage: else the client's
	// number of tokens is not one of its own.
	usage bool
	space *space
}

// exchanges makes the comparison of a cell, in the space of the one before.
func (s *sample) exchanges(f *Fold, from exobench.TokensFrom) *comparison {
	all := s.space.exchanges[:0]
	places := [...]int{
		f.place(metric.TTFT), f.place(metric.TokenRate), f.place(metric.ServerDecode),
		f.place(metric.Prefill), f.place(metric.ServerPrefill), f.place(metric.PrefillMeasured),
	}
	for _, b := range s.blocks {
		rs := b.ok
		for i, events := range rs.server.events.known() {
			if rs.at(i).way != wayOf(from) {
				continue
			}
			of := func(place int) float64 { return rs.values[places[place]].of(i) }
			all = append(all, exchange{
				tokens: rs.server.output.of(i), counted: rs.server.counted.of(i), events: events,
				ttft: of(0), tokenRate: of(1), serverDecode: of(2), prefill: of(3), serverPrefill: of(4), measured: of(5),
				shared: rs.server.shared.of(i), firstGap: rs.server.firstGap.of(i),
			})
		}
	}
	s.space.exchanges = all
	return &comparison{exchanges: all, usage: from == exobench.FromUsage, space: s.space}
}

// giving returns the exchanges for which client and server give a quantity,
// until the next call.
func (c *comparison) giving(of func(*exchange) figures) []*exchange {
	all := c.space.giving[:0]
	for i := range c.exchanges {
		if e := &c.exchanges[i]; of(e).known() {
			all = append(all, e)
		}
	}
	c.space.giving = all
	return all
}

// medianOf returns the median of a figure of the exchanges.
func (c *comparison) medianOf(exchanges []*exchange, figure func(*exchange) float64) float64 {
	sample := c.space.empty(len(exchanges))
	for _, e := range exchanges {
		sample = append(sample, figure(e))
	}
	return median(sample)
}

// clientServer sets the figures side by side; nil where no request gives both.
func (c *comparison) clientServer() *ClientServer {
	cs := ClientServer{
		Events: c.agreement(outputEvents), Decode: c.agreement(decodeRate), Prefill: c.agreement(prefillRate),
		Measured: c.agreement(measuredRate),
	}
	if c.usage {
		cs.Output = c.agreement(outputTokens)
	}
	if cs == (ClientServer{}) {
		return nil
	}
	return &cs
}

func (c *comparison) agreement(of func(*exchange) figures) *Agreement {
	both := c.giving(of)
	if len(both) == 0 {
		return nil
	}
	off := 0
	for _, e := range both {
		if offBy(of(e).ratio(), Tolerance) {
			off++
		}
	}
	return &Agreement{
		N:      len(both),
		Client: c.medianOf(both, func(e *exchange) float64 { return of(e).client }),
		Server: c.medianOf(both, func(e *exchange) float64 { return of(e).server }),
		Ratio:  c.medianOf(both, func(e *exchange) float64 { return of(e).ratio() }),
		Off:    float64(off) / float64(len(both)),
	}
}

// offBy reports whether a ratio is further from 1 than a tolerance.
func offBy(ratio, tolerance float64) bool { return math.Abs(ratio-1) > tolerance }
