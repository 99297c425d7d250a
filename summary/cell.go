package summary

import (
	"time"

	"exobench"
	"exobench/stat"
)

// Cell is one engine, model and placement under one traffic: the unit of which
// figures are given.
type Cell struct {
	ID int `json:"id"`
	Subject
	ModelID string `json:"model_id"`
	// Placement is the cell's own, else where its step's model came to be.
	Placement string           `json:"placement"`
	Traffic   exobench.Traffic `json:"traffic"`
	Stop      exobench.Stop    `json:"stop"`
	State     State            `json:"state"`
	// Error says why a cell failed. It is also set where the model failed after
	// the cell's requests: the state is then Done.
	Error string `json:"error"`
	// Steps and Blocks are the ids of where it ran, in order. A cell that has not
	// begun names the steps in which it is to run.
	Steps  []int `json:"steps"`
	Blocks []int `json:"blocks"`
	// Ends say why the requests of the blocks ended, each reason once, in the
	// order of the blocks.
	Ends []exobench.BlockEndReason `json:"block_ends"`
	// Requests is how many measured requests there were, N how many were OK.
	Requests int `json:"requests"`
	N        int `json:"ok"`
	// Outcomes counts the requests by outcome; Errors holds the error of the
	// first request (by Seq) of each outcome that has one.
	Outcomes map[exobench.Outcome]int    `json:"outcomes"`
	Errors   map[exobench.Outcome]string `json:"errors"`
	// TokensFrom is how the output tokens behind the token metrics were
	// counted; empty where no request tells.
	TokensFrom exobench.TokensFrom `json:"tokens_from"`
	// Cache says whether prompts were answered from the engine's cache; empty
	// where the cell has no requests.
	Cache Cache `json:"cache"`
	// Values holds, by name, every known metric of metric.PerCell: one number of
	// the cell as a whole.
	Values map[string]float64 `json:"values"`
	// Metrics holds, by name, every metric of metric.Sampled that at least one OK
	// request gives.
	Metrics map[string]Summary `json:"metrics"`
	// Spread says, by name, how the values of tokens/s and latency differ between
	// repeats, prompts and loads.
	Spread map[string]*Spread `json:"spread"`
	// Until is what became of the plan's wish to know medians so well; nil where it
	// has none.
	Until *Until `json:"until"`
	// ClientServer sets the client's figures beside the server's own; nil where
	// no answer gives any.
	ClientServer *ClientServer `json:"client_server"`
	// Memory is that of the request (of those that are OK) with the greatest
	// peak.
	Memory RequestMemory `json:"memory"`
	// HighWater is the most that the kernel itself saw; nil where it does not tell.
	HighWater *HighWater `json:"memory_high_water"`
	// KVCache is nil where the model's shape is not known.
	KVCache *KVCache `json:"kv_cache"`
	// Energy is what each source of power tells, the one first that the metrics are
	// of.
	Energy []Energy `json:"energy"`
	// Delay is the harness's own delay; nil without kernel receive stamps.
	Delay *Delay `json:"delay"`
	// Calibration is the harness's own error with as many streams as the cell had
	// requests under way, or the next that has more, or else the largest. An open
	// loop had its delivered number under way, rounded up. Nil where there is
	// none.
	Calibration *exobench.Calibration `json:"calibration"`
	// Ceiling is what bounds the decode speed; nil where that is not known.
	Ceiling *Ceiling `json:"ceiling"`
	// Machine is what else the machine did meanwhile; nil where nobody looked.
	Machine *Machine `json:"machine"`
	// Prompts holds the same requests by prompt, in the plan's order.
	Prompts []Prompt `json:"prompts"`
	// Warnings say what in these figures to doubt.
	Warnings []Warning `json:"warnings"`
}

// Value returns one number of the cell as a whole, by the name of its metric;
// it is absent where it is unknown.
func (c *Cell) Value(name string) (float64, bool) {
	v, ok := c.Values[name]
	return v, ok
}

// Metric returns the summary of a metric of the cell's requests; it is absent
// where no OK request gives one.
func (c *Cell) Metric(name string) (Summary, bool) {
	s, ok := c.Metrics[name]
	return s, ok
}

// Cache is what the answers told of the engine's prompt cache.
type Cache string

// The kinds.
const (
	// CacheCold: every OK answer says that no token of its prompt was cached, or
	// so few that they are those of the chat template.
	CacheCold Cache = "cold"
	// CacheWarm: at least one OK answer says that more of its prompt were.
	CacheWarm Cache = "warm"
	// CacheUnknown: not every answer tells.
	CacheUnknown Cache = "unknown"
)

// Prompt is the OK requests of one prompt in a cell.
type Prompt struct {
	ID string `json:"id"`
	N  int    `json:"n"`
	// Metrics holds latency, TTFT and tokens/s where known.
	Metrics map[string]Summary `json:"metrics"`
}

// Summary describes one metric over the OK requests that give it.
type Summary struct {
	N      int     `json:"n"`
	Median float64 `json:"median"`
	// Interval holds the population's median; nil where N is too small.
	Interval *stat.Interval `json:"interval"`
	Mean     float64        `json:"mean"`
	// SD is nil where N < 2.
	SD  *float64 `json:"sd"`
	Min float64  `json:"min"`
	Max float64  `json:"max"`
	// Percentiles are those of p90, p95 and p99 that N supports.
	Percentiles []Percentile `json:"percentiles"`
}

// Percentile is the P-quantile of a sample.
type Percentile struct {
	P     float64 `json:"p"`
	Value float64 `json:"value"`
	// Interval is nil where there are too few requests.
	Interval *stat.Interval `json:"interval"`
}

// Percentile returns a percentile; it is absent where N does not support it.
func (s Summary) Percentile(p float64) (Percentile, bool) {
	for _, q := range s.Percentiles {
		if q.P == p {
			return q, true
		}
	}
	return Percentile{}, false
}

// IntervalN is the least number of requests for which a median has a 95 %
// interval.
const IntervalN = 6

// ClientServer sets what the client measured beside what the server says of the
// same OK requests. Each part is nil where no request gives both.
type ClientServer struct {
	// Output is of tokens: those of the answer's usage beside those of the
	// server's statistics. Events is of the output events beside the latter:
	// fewer where tokens share events.
	Output *Agreement `json:"output_tokens"`
	Events *Agreement `json:"output_events"`
	// Decode and Prefill are of tokens per second; the client's prefill rate is
	// an estimate, that of Measured goes by the engine's news of its prefill.
	Decode   *Agreement `json:"decode_tokens_per_second"`
	Prefill  *Agreement `json:"prefill_tokens_per_second"`
	Measured *Agreement `json:"prefill_measured_tokens_per_second"`
}

// Agreement is how far a figure of the client and one of the server agree, over
// the requests that give both.
type Agreement struct {
	N int `json:"n"`
	// Client and Server are the medians of the figures, Ratio is that of client /
	// server.
	Client float64 `json:"client_median"`
	Server float64 `json:"server_median"`
	Ratio  float64 `json:"ratio_median"`
	// Off is the share of the requests whose ratio is off by more than
	// Tolerance.
	Off float64 `json:"share_off"`
}

// Tolerance is how far a ratio of client and server may be from 1.
const Tolerance = 0.05

// Delay is the harness's own delay in a cell: from when the kernel received the
// last byte of a read until the read returned, over all output events of the OK
// requests. Metrics use the kernel's instants, so it is in none of them.
type Delay struct {
	Events int           `json:"events"`
	P50    time.Duration `json:"p50_ns"`
	P99    time.Duration `json:"p99_ns"`
	Max    time.Duration `json:"max_ns"`
	// Shared is the share of events that came in one read with the one before:
	// their instants are known to within the time between two reads.
	Shared float64 `json:"share_of_shared_reads"`
	// FirstLate is the share of requests whose first event was read so late (by
	// more than 5 % of its TTFT) that it came in one read with the next: its stamp
	// is that of the next.
	FirstLate float64 `json:"share_of_late_first_events"`
}

// Machine is what else the machine did while the requests of a cell were under
// way, over all of its blocks. Shares are of all cores, 0 to 1; each figure is
// nil where the system does not tell.
type Machine struct {
	Wall       time.Duration `json:"wall_ns"`
	Steal      *float64      `json:"steal_share"`
	Foreign    *float64      `json:"foreign_share"`
	EngineCPU  *float64      `json:"engine_share"`
	HarnessCPU *float64      `json:"harness_share"`
	// RunDelay is that of exobench's own threads; see exobench.RunDelayShare.
	RunDelay *float64 `json:"run_delay_share"`
	// Of several blocks, these are the greatest. Where the system counts run
	// delays there are no hiccups.
	RunDelayMax  *time.Duration `json:"run_delay_max_ns"`
	HiccupP99    *time.Duration `json:"hiccup_p99_ns"`
	HiccupMax    *time.Duration `json:"hiccup_max_ns"`
	GCPauseMax   *time.Duration `json:"gc_pause_max_ns"`
	SchedulerP99 *time.Duration `json:"scheduler_p99_ns"`
}

// LongestWait is the longest time for which a thread of exobench's is known to
// have been kept from running; nil where nothing is.
func (m *Machine) LongestWait() *time.Duration {
	if m.RunDelayMax != nil {
		return m.RunDelayMax
	}
	return m.HiccupMax
}
