package summary

import (
	"fmt"
	"math"

	"exobench"
	"exobench/metric"
	"exobench/stat"
)

// Tolerance is by how much the client's figure and the server's may differ
// before a reader must be told.
const Tolerance = 0.05

// Compared is one figure as the client measured it and as the server tells it.
type Compared struct {
	// N is how many OK requests have both.
	N int
	// Client and Server are medians; Ratio is the median of client / server.
	Client, Server, Ratio float64
	// Off is how many requests differ by more than Tolerance.
	Off int
}

// Reconciled is a cell's figures beside the server's own.
type Reconciled struct {
	// Decode is tokens/s after the first token, Prefill prompt tokens/s.
	Decode, Prefill Compared
	// Tokens counts the OK requests for which two counts of output tokens are
	// known, OtherTokens those where they differ.
	Tokens, OtherTokens int
	// Bunched is the share of output events that came in one read with the one
	// before.
	Bunched float64
	// Reloaded counts the requests that waited for the model to be loaded.
	Reloaded int
}

// reloadTime is how long a request must have waited for a load to count.
const reloadTime = 100e6 // ns

// reconciler is a Reconciled under construction.
type reconciler struct {
	decode, prefill     pairs
	tokens, otherTokens int
	events, bunched     int
	reloaded            int
}

// pairs are a figure's values, client and server in turn.
type pairs struct{ client, server []float64 }

func (p *pairs) add(client float64, known bool, server *float64) {
	if known && server != nil && *server > 0 && client > 0 {
		p.client, p.server = append(p.client, client), append(p.server, *server)
	}
}

func (p *pairs) compared() Compared {
	c := Compared{N: len(p.client)}
	if c.N == 0 {
		return c
	}
	ratios := make([]float64, c.N)
	for i := range ratios {
		ratios[i] = p.client[i] / p.server[i]
		if math.Abs(ratios[i]-1) > Tolerance {
			c.Off++
		}
	}
	c.Client, _ = stat.NewSample(p.client).Median()
	c.Server, _ = stat.NewSample(p.server).Median()
	c.Ratio, _ = stat.NewSample(ratios).Median()
	return c
}

func (r *reconciler) add(record *exobench.Record) {
	for i := 1; i < len(record.Chunks); i++ {
		r.events++
		if record.Chunks[i].At == record.Chunks[i-1].At {
			r.bunched++
		}
	}
	s := record.Server
	if s == nil {
		return
	}
	r.decode.add(valueOf(metric.TokenRate, record, s.DecodeTPS))
	r.prefill.add(valueOf("prefill_tokens_per_second", record, s.PrefillTPS))
	if s.OutputTokens != nil && record.OutputTokens != nil && record.TokensFrom == exobench.FromUsage {
		r.tokens++
		if *s.OutputTokens != *record.OutputTokens {
			r.otherTokens++
		}
	}
	if s.LoadTime > reloadTime {
		r.reloaded++
	}
}

func valueOf(name string, record *exobench.Record, server *float64) (float64, bool, *float64) {
	m, _ := metric.ByName(name)
	value, ok := m.Value(record)
	return value, ok, server
}

func (r *reconciler) result() Reconciled {
	result := Reconciled{
		Decode: r.decode.compared(), Prefill: r.prefill.compared(),
		Tokens: r.tokens, OtherTokens: r.otherTokens, Reloaded: r.reloaded,
	}
	if r.events > 0 {
		result.Bunched = float64(r.bunched) / float64(r.events)
	}
	return result
}

// warnings says where the client and the server disagree, and why that may be.
func (r Reconciled) warnings(l lengths) []string {
	var texts []string
	warn := func(format string, args ...any) { texts = append(texts, fmt.Sprintf(format, args...)) }
	if d := r.Decode; d.N > 0 && math.Abs(d.Ratio-1) > Tolerance {
		warn("Tokens/s is %.0f %% %s than the server's own figure (median): %s.", 100*math.Abs(d.Ratio-1), moreOrLess(d.Ratio), r.decodeCause(l))
	}
	switch p := r.Prefill; {
	case p.N > 0 && p.Ratio > 1+Tolerance:
		warn("Prefill tokens/s is %.0f %% more than the server's own figure, which cannot be by time: the server counts prompt tokens in another way, or answered in part from its cache.", 100*(p.Ratio-1))
	case p.N > 0 && p.Ratio < 0.5:
		warn("TTFT is more than twice the server's own prefill time: requests wait in a queue, or the server and the network hold the first token back.")
	}
	if r.OtherTokens > 0 {
		warn("In %d of %d requests the usage object and the server's statistics count different numbers of output tokens.", r.OtherTokens, r.Tokens)
	}
	if r.Reloaded > 0 {
		warn("%d requests waited for the model to be loaded again: their TTFT is that of a load. Keep it loaded, or look for what unloads it.", r.Reloaded)
	}
	return texts
}

func moreOrLess(ratio float64) string {
	if ratio > 1 {
		return "more"
	}
	return "less"
}

// decodeCause is the likely reason why the client's decode rate differs.
func (r Reconciled) decodeCause(l lengths) string {
	switch {
	case r.Bunched > 0.2:
		return fmt.Sprintf("%.0f %% of the events came together with another, so the server or the network holds tokens back", 100*r.Bunched)
	case l.most > 0 && l.most < 32:
		return fmt.Sprintf("answers of at most %d tokens are too short to tell a rate; raise --max-tokens", l.most)
	case r.Decode.Ratio < 1:
		return "the stream is slower than the engine: look at the harness's own delay, the network, and what stands between"
	}
	return "the two count the time or the first token in different ways"
}

// lengths is the range of answer lengths in tokens.
type lengths struct{ least, most exobench.Tokens }

func (l *lengths) add(r *exobench.Record) {
	if r.OutputTokens == nil {
		return
	}
	n := *r.OutputTokens
	if l.most == 0 || n < l.least {
		l.least = n
	}
	l.most = max(l.most, n)
}

// warning says that answers differ in length, where they do.
func (l lengths) warning() string {
	if l.least == l.most {
		return ""
	}
	return fmt.Sprintf("Answers are %d to %d tokens long: compare tokens/s and TPOT, not latency.", l.least, l.most)
}
