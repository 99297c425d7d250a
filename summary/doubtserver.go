package summary

import (
	"time"

	"exobench/metric"
)

// What the decision on the cause of a disagreement goes by.
const (
	// fewTokens is below what one token's time more or less is over 3 % of all.
	fewTokens = 32
	// manyShared is the share of events in the read of the one before, and
	// longFirstGap the first gap over the median one, from which on tokens are
	// held back.
	manyShared   = 0.2
	longFirstGap = 4
	// exactly is how far a ratio may be from what another definition gives.
	exactly = 0.02
	// farBelow is the prefill ratio below which TTFT is mostly something else.
	farBelow = 0.5
	// fewPromptTokens are read so fast that the fixed parts of TTFT count for
	// more.
	fewPromptTokens = 64
	// waiting is how many requests under way wait for each other.
	waiting = 1.5
)

// doubtServer says where the client's figures of a cell and the server's own do
// not agree, and why that most likely is.
func doubtServer(h habits, c *Cell, compared *comparison) []Figures {
	if c.ClientServer == nil {
		return nil
	}
	var doubts []Figures
	if output := c.ClientServer.Output; output != nil {
		if differ := compared.miscounted(); differ > 0 {
			doubts = append(doubts, CountsDiffer{differ, output.N, output.Client, output.Server})
		}
	}
	if d := c.ClientServer.Decode; d != nil && offBy(d.Ratio, Tolerance) {
		doubts = append(doubts, compared.decodeDoubt(d.Ratio))
	}
	if p := c.ClientServer.Prefill; p != nil {
		switch {
		case p.Ratio > 1+Tolerance:
			doubts = append(doubts, PrefillFaster{p.Ratio, fastPrefillCause(c)})
		case p.Ratio < farBelow:
			doubts = append(doubts, compared.slowPrefillDoubt(h, c, p.Ratio))
		}
	}
	return doubts
}

// habits are what an engine does to all requests, whatever they are; 0 is
// unknown.
type habits struct {
	// atOnce is how many requests it works on, tick how often it looks for new
	// ones.
	atOnce int
	tick   time.Duration
}

// engineHabits are those of drivers, as their engines come.
var engineHabits = map[string]habits{"exo": {8, 100 * time.Millisecond}}

// habitsOf returns those of an engine of the run.
func (f *Fold) habitsOf(engine string) habits {
	e, _ := f.header.Engine(engine)
	return engineHabits[e.Driver]
}

// underWay returns how many requests were under way: the concurrency, or in an
// open loop what was delivered.
func (c *Cell) underWay() float64 {
	if c.Traffic.Open() {
		return c.Values[metric.Delivered]
	}
	return float64(c.Traffic.Concurrency)
}

// miscounted returns how many answers have another number of tokens in their
// usage than in the server's statistics.
func (c *comparison) miscounted() (n int) {
	for _, e := range c.giving(outputTokens) {
		if e.tokens != e.counted {
			n++
		}
	}
	return n
}

// decodeDoubt says why the decode rates of client and server differ by a ratio,
// from the requests that give both; each has at least two tokens.
func (c *comparison) decodeDoubt(ratio float64) DecodeDiffers {
	both := c.giving(decodeRate)
	d := DecodeDiffers{
		Ratio:       ratio,
		Tokens:      c.medianOf(both, func(e *exchange) float64 { return e.tokens }),
		SharedReads: c.medianOf(both, func(e *exchange) float64 { return e.shared }),
		FirstGap:    c.medianOf(both, func(e *exchange) float64 { return e.firstGap }),
	}
	// A server that counts the first token, whose time is in the prefill, gives
	// n / (n − 1) times the rate.
	counted := c.medianOf(both, func(e *exchange) float64 { return decodeRate(e).ratio() * e.tokens / (e.tokens - 1) })
	switch {
	case !offBy(counted, exactly):
		d.Cause = FirstTokenCounted
	case d.SharedReads >= manyShared:
		d.Cause = ReadsShared
	case d.FirstGap >= longFirstGap:
		d.Cause = FirstHeldBack
	case d.Tokens < fewTokens:
		d.Cause = AnswersShort
	case ratio < 1:
		d.Cause = ClientSlower
	default:
		d.Cause = ServerTimeLonger
	}
	return d
}

// fastPrefillCause says why the client's estimate can be above the server's
// rate: TTFT is longer than the prefill that it holds.
func fastPrefillCause(c *Cell) FastPrefillCause {
	switch c.Cache {
	case CacheWarm:
		return CachedUntold
	case CacheCold:
		return PromptDefined
	}
	return CacheOrDefined
}

// slowPrefillDoubt says what else TTFT holds.
func (c *comparison) slowPrefillDoubt(h habits, cell *Cell, ratio float64) PrefillSlower {
	both := c.giving(prefillRate)
	d := PrefillSlower{
		Ratio:        ratio,
		Extra:        time.Duration(1e9 * c.medianOf(both, (*exchange).extra)),
		UnderWay:     cell.underWay(),
		PromptTokens: c.medianOf(both, (*exchange).prompt),
		Cause:        WorkBefore,
		AtOnce:       h.atOnce,
		Tick:         h.tick,
	}
	switch {
	case d.UnderWay >= waiting:
		d.Cause = RequestsWait
	case d.PromptTokens < fewPromptTokens:
		d.Cause = PromptsShort
	}
	return d
}
