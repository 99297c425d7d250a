package summary

import (
	"time"

	"exobench"
)

// Warning is something to doubt, as a value: package report has the sentences.
type Warning struct {
	Kind WarningKind `json:"kind"`
	// Step and Cell say what it is of; both are 0 where it is of the run.
	Step int `json:"step,omitempty"`
	Cell int `json:"cell,omitempty"`
	// Figures is the struct below that has the name of the kind.
	Figures Figures `json:"figures"`
}

// Figures are what a warning goes by: one of the structs of this file.
type Figures interface{ kind() WarningKind }

// WarningKind says what is in doubt.
type WarningKind string

// The warnings of a run as a whole.
type (
	// CutOff: the run has no end.
	CutOff struct {
		Requests int `json:"requests"`
	}
	// StoppedEarly: the run was interrupted.
	StoppedEarly struct {
		Requests int `json:"requests"`
	}
	// BrokenOff: exobench could not go on.
	BrokenOff struct {
		Requests int    `json:"requests"`
		Error    string `json:"error"`
	}
	// DamagedLines: lines of the journal could not be read. At has the numbers of
	// the first of them, as far as they are known.
	DamagedLines struct {
		Lines int   `json:"lines"`
		At    []int `json:"at,omitempty"`
	}
	// DoneAgain: the run was resumed, and Requests of blocks that had been cut
	// short are in no figure, since those blocks were done again.
	DoneAgain struct {
		Requests int `json:"requests"`
	}
	// UnplacedRequests: requests of blocks whose entry is missing, as after
	// damage to the journal.
	UnplacedRequests struct {
		Requests int `json:"requests"`
	}
	// CacheUntold: in Cells of Of measured cells of a cold plan the answers do not
	// tell whether a prompt cache was used. Apart is set where their prompts began
	// with letters of their own.
	CacheUntold struct {
		Cells int  `json:"cells"`
		Of    int  `json:"of"`
		Apart bool `json:"apart"`
	}
	// PromptsRepeat: the plan names the Seed that keeps prompts apart, so that
	// every run of it sends the same ones.
	PromptsRepeat struct {
		Seed uint64 `json:"seed"`
	}
)

// The warnings that a cell's requests give rise to.
type (
	// TooFewRequests: N is too small for an interval; it must be Least.
	TooFewRequests struct {
		N     int `json:"n"`
		Least int `json:"least"`
	}
	// CacheSuspected: the server tells nothing of a cache, and TTFT fell to Share
	// of the first time's when prompts came again.
	CacheSuspected struct {
		Share float64 `json:"share"`
	}
	// FailedRequests: Failed of N requests were not OK; Outcomes counts them.
	FailedRequests struct {
		Failed   int            `json:"failed"`
		Of       int            `json:"of"`
		Outcomes []OutcomeCount `json:"outcomes"`
	}
	// CountsMixed: output tokens were counted in several ways. The token metrics
	// are of the N requests counted by Used alone.
	CountsMixed struct {
		Ways []CountedWay        `json:"ways"`
		Used exobench.TokensFrom `json:"used"`
		N    int                 `json:"n"`
	}
	// CountsUnknown: N of Of OK requests tell no number of output tokens.
	CountsUnknown struct {
		N  int `json:"n"`
		Of int `json:"of"`
	}
	// CachedAnswers: N of Of requests of a cold plan came in part from the cache:
	// of one, up to Tokens of Prompt tokens. Prompt is 0 where it is unknown, and
	// so are both where the answers tell no number.
	CachedAnswers struct {
		N      int             `json:"n"`
		Of     int             `json:"of"`
		Tokens exobench.Tokens `json:"cached_tokens"`
		Prompt exobench.Tokens `json:"prompt_tokens"`
	}
	// UncachedAnswers: N of Of requests of a warm plan came without the cache.
	UncachedAnswers struct {
		N  int `json:"n"`
		Of int `json:"of"`
	}
	// EndedEarly: a block of the cell ended for Reason before all of its requests
	// were sent; Unsent of the cell's were not.
	EndedEarly struct {
		Reason exobench.BlockEndReason `json:"reason"`
		Unsent int                     `json:"unsent"`
	}
	// Doubted: N of Of requests have a doubt of one kind, which is the warning's
	// too. Doubt is that of the first of them.
	Doubted struct {
		N     int            `json:"n"`
		Of    int            `json:"of"`
		Doubt exobench.Doubt `json:"first"`
	}
	// ImpossibleFigures: N of Of OK requests have a figure that cannot be and was
	// left out: that of the first is Metric, by its name.
	ImpossibleFigures struct {
		N      int    `json:"n"`
		Of     int    `json:"of"`
		Metric string `json:"metric"`
	}
	// ModelReloaded: N of Of requests waited for the model to be loaded again, up
	// to Longest, as the engine says of them. Where most did, it may only have
	// looked at the model's files.
	ModelReloaded struct {
		N       int           `json:"n"`
		Of      int           `json:"of"`
		Longest time.Duration `json:"longest_ns"`
	}
	// LengthsDiffer: answers are of Least to Most tokens.
	LengthsDiffer struct {
		Least exobench.Tokens `json:"least"`
		Most  exobench.Tokens `json:"most"`
	}
	// EngineShared: the engine worked for others, while N of Of OK requests were
	// under way. At one time there were up to Requests of other clients on the
	// measured instance, and up to AtWork other instances that were loaded, answered
	// or were taken away. Loading is set where that was between the readings of
	// memory before and after the load too.
	EngineShared struct {
		N        int  `json:"n"`
		Of       int  `json:"of"`
		Requests int  `json:"others_requests"`
		AtWork   int  `json:"others_at_work"`
		Loading  bool `json:"during_load"`
	}
	// SourcesMixed: memory was read in several ways.
	SourcesMixed struct {
		Sources []MemorySource `json:"sources"`
	}
)

// The warnings of where memory may be that of something else, or its differences
// of two things.
type (
	// ModelWasThere: the reading before the load may hold the model, so that its own
	// memory, and the additional one, are not the whole.
	ModelWasThere struct {
		Why ModelThere `json:"why"`
	}
	// MemoryFell: there was less memory in use than before: the differences are
	// negative, or left out. Peak is nil where it is not in doubt.
	MemoryFell struct {
		Before exobench.Bytes  `json:"before_bytes"`
		Loaded exobench.Bytes  `json:"loaded_bytes"`
		Peak   *exobench.Bytes `json:"peak_bytes"`
	}
	// ProcessChanged: the readings are of N processes, one after the other, and
	// Missed found none. Memory of two processes is not subtracted.
	ProcessChanged struct {
		N      int `json:"processes"`
		Missed int `json:"readings_without_process"`
	}
	// MemoryBeside: processes that may be the engine's too, and are not counted, have
	// Beside where those that are counted have Counted.
	MemoryBeside struct {
		Counted exobench.Bytes `json:"counted_bytes"`
		Beside  exobench.Bytes `json:"beside_bytes"`
	}
	// PeakMissed: the greatest reading of the engine's memory is Read, and the kernel
	// saw up to Kernel while requests were under way.
	PeakMissed struct {
		Read   exobench.Bytes `json:"read_bytes"`
		Kernel exobench.Bytes `json:"kernel_bytes"`
	}
	// Swapped: the engine had up to Swap of its memory swapped out, beside the Loaded
	// that it had after the load.
	Swapped struct {
		Swap   exobench.Bytes `json:"swap_bytes"`
		Loaded exobench.Bytes `json:"loaded_bytes"`
	}
	// EngineIdle: while requests were under way, what is counted as the engine used
	// Engine of the machine's CPU time and other processes Others.
	EngineIdle struct {
		Engine float64 `json:"engine_share"`
		Others float64 `json:"foreign_share"`
	}
)

// The warnings of requests of a cell that are not alike though they should be. Metric
// is the name of the one that shows it: tokens/s or latency. Disturbed is set where
// others used the machine meanwhile.
type (
	// SlowFirst: the first N requests of each of Loads loads were slower than the
	// others of their prompts. Ratio is the value of the very first over what is usual
	// there, Noise the standard deviation of the others as a share. So many Warmups
	// would leave them out; 0 where others were measured before them.
	SlowFirst struct {
		Metric    string  `json:"metric"`
		N         int     `json:"first_requests"`
		Loads     int     `json:"loads"`
		Ratio     float64 `json:"ratio"`
		Noise     float64 `json:"noise_share"`
		Warmups   int     `json:"warmups"`
		Disturbed bool    `json:"disturbed"`
	}
	// Drift: the metric changed by a share Change from the first of N requests to the
	// last, each compared with those of its own prompt; P is the probability of that
	// by chance. It is of the course of each of Loads loads, which took Time on average;
	// with Between it is of the medians of the loads, from the first of N to the last,
	// and Time is what they took together.
	Drift struct {
		Metric    string        `json:"metric"`
		Change    float64       `json:"change"`
		P         float64       `json:"p"`
		N         int           `json:"n"`
		Loads     int           `json:"loads"`
		Between   bool          `json:"between_loads,omitempty"`
		Time      time.Duration `json:"time_ns"`
		Disturbed bool          `json:"disturbed"`
	}
	// TwoModes: the values lie around Low and around High, with few between; ShareHigh
	// of N lie around High. P is the probability of so few between by chance. Changes
	// is how often the ones follow the others; where they come in Stretches, First is
	// the request at the first change, counted from 1, and After when that was, from
	// the first of its load.
	TwoModes struct {
		Metric    string        `json:"metric"`
		Low       float64       `json:"low"`
		High      float64       `json:"high"`
		ShareHigh float64       `json:"share_high"`
		N         int           `json:"n"`
		P         float64       `json:"p"`
		Changes   int           `json:"changes"`
		Stretches bool          `json:"in_stretches"`
		First     int           `json:"first_change,omitempty"`
		After     time.Duration `json:"first_change_after_ns,omitempty"`
		Disturbed bool          `json:"disturbed"`
	}
	// Outliers: N of Of OK requests stand apart from the others of their prompts. The
	// farthest is request Place of the cell, counted from 1, sent After the first of
	// Step; its Metric is Ratio times what is usual. It took Longer than usual: of
	// that BeforeFirst before its first token, and its longest Pause was so long, where
	// either is half of it. Waited is the longest time that a thread of exobench
	// waited for a core in the cell, where it is.
	Outliers struct {
		N           int            `json:"n"`
		Of          int            `json:"of"`
		Metric      string         `json:"metric"`
		Ratio       float64        `json:"ratio"`
		Place       int            `json:"request"`
		Prompt      string         `json:"prompt"`
		Step        int            `json:"step"`
		After       time.Duration  `json:"after_ns"`
		Longer      time.Duration  `json:"longer_ns"`
		BeforeFirst *time.Duration `json:"before_first_token_ns"`
		Pause       *time.Duration `json:"pause_ns"`
		Waited      *time.Duration `json:"waited_ns"`
		Disturbed   bool           `json:"disturbed"`
	}
	// UselessInterval: the interval Lo to Hi of the Median reaches HalfWidth of it to
	// either side, beyond Limit. To bring it to Aim takes so many Requests in each
	// load, which is a Repeat where the plan goes by repeats, or so many Loads; 0 is
	// unknown, or more than anybody would do. PromptsApart is set where each prompt is
	// known well, and the median lies between prompts.
	UselessInterval struct {
		Metric       string  `json:"metric"`
		Median       float64 `json:"median"`
		Lo           float64 `json:"lo"`
		Hi           float64 `json:"hi"`
		HalfWidth    float64 `json:"half_width"`
		Limit        float64 `json:"limit"`
		Aim          float64 `json:"aim"`
		Requests     int     `json:"requests"`
		Repeat       int     `json:"repeat"`
		Loads        int     `json:"loads"`
		PromptsApart bool    `json:"prompts_apart"`
		Disturbed    bool    `json:"disturbed"`
	}
)

// ModelThere says how it is known that a model may have been in memory before.
type ModelThere string

// The ways.
const (
	// ToldThere: the engine said so.
	ToldThere ModelThere = "told"
	// OthersThere: another model was there, which the engine cannot unload.
	OthersThere ModelThere = "others"
	// NothingLoaded: the memory did not grow.
	NothingLoaded ModelThere = "no_growth"
)

// OutcomeCount is how many requests ended in one way.
type OutcomeCount struct {
	Outcome exobench.Outcome `json:"outcome"`
	N       int              `json:"n"`
}

// CountedWay is how many requests had their tokens counted in one way.
type CountedWay struct {
	From exobench.TokensFrom `json:"from"`
	N    int                 `json:"n"`
}

// The warnings of where client and server do not agree.
type (
	// CountsDiffer: the answer's usage and the server's statistics differ for
	// Differ of N requests; the medians are of tokens.
	CountsDiffer struct {
		Differ int     `json:"differ"`
		N      int     `json:"n"`
		Client float64 `json:"client_median"`
		Server float64 `json:"server_median"`
	}
	// DecodeDiffers: tokens/s is Ratio times the server's own figure. The medians
	// are of the same requests: Tokens of output, SharedReads the share of events
	// that came in the read of the one before, FirstGap the first gap between
	// reads over the median one.
	DecodeDiffers struct {
		Ratio       float64     `json:"ratio"`
		Cause       DecodeCause `json:"cause"`
		Tokens      float64     `json:"tokens"`
		SharedReads float64     `json:"share_of_shared_reads"`
		FirstGap    float64     `json:"first_gap"`
	}
	// PrefillFaster: the client's prefill rate is Ratio times the server's, more
	// than TTFT allows.
	PrefillFaster struct {
		Ratio float64          `json:"ratio"`
		Cause FastPrefillCause `json:"cause"`
	}
	// PrefillSlower: the client's prefill rate is Ratio times the server's; TTFT
	// holds Extra beyond the server's prefill. UnderWay is the concurrency of a
	// closed loop, and how many requests were under way on average in an open one;
	// PromptTokens is the median of uncached ones. AtOnce is how many requests the
	// engine works on, Tick how often it looks for new ones; 0 is unknown.
	PrefillSlower struct {
		Ratio        float64          `json:"ratio"`
		Cause        SlowPrefillCause `json:"cause"`
		Extra        time.Duration    `json:"extra_ns"`
		UnderWay     float64          `json:"under_way"`
		PromptTokens float64          `json:"prompt_tokens"`
		AtOnce       int              `json:"engine_works_on"`
		Tick         time.Duration    `json:"engine_tick_ns"`
	}
)

// DecodeCause says why the decode rates of client and server most likely differ.
type DecodeCause string

// The causes.
const (
	// FirstTokenCounted: the server counts the first token but not its time, so
	// that its rate is n / (n − 1) times the true one.
	FirstTokenCounted DecodeCause = "first_token_counted"
	// ReadsShared: the server or the network holds tokens back and sends several
	// together.
	ReadsShared DecodeCause = "reads_shared"
	// FirstHeldBack: the server holds tokens back after the first.
	FirstHeldBack DecodeCause = "first_held_back"
	// AnswersShort: the answers are too short for a rate.
	AnswersShort DecodeCause = "answers_short"
	// ClientSlower: tokens reach the client more slowly than the server makes
	// them.
	ClientSlower DecodeCause = "client_slower"
	// ServerTimeLonger: the server's time holds more than the stream shows, or is
	// taken differently.
	ServerTimeLonger DecodeCause = "server_time_longer"
)

// FastPrefillCause says why a prefill most likely seems faster than it can be.
type FastPrefillCause string

// The causes.
const (
	// CachedUntold: prompt tokens came from the cache that are not told as cached.
	CachedUntold FastPrefillCause = "cached_untold"
	// PromptDefined: the server leaves prompt tokens out, or counts time after the
	// first token.
	PromptDefined FastPrefillCause = "definitions"
	// CacheOrDefined: either of these.
	CacheOrDefined FastPrefillCause = "cache_or_definitions"
)

// SlowPrefillCause says what TTFT most likely holds besides the prefill.
type SlowPrefillCause string

// The causes.
const (
	// RequestsWait: requests wait for each other.
	RequestsWait SlowPrefillCause = "requests_wait"
	// PromptsShort: the prompts are so short that the fixed parts outweigh it.
	PromptsShort SlowPrefillCause = "prompts_short"
	// WorkBefore: queueing, the network or work before the prefill.
	WorkBefore SlowPrefillCause = "work_before"
)

// The warnings of where the harness or the machine may have made the figures.
// A Limit is what the figure beside it should not exceed.
type (
	// HarnessError: the harness's own error in a metric, by its name (TTFT or the
	// inter-chunk median), is more than Limit of what was measured.
	HarnessError struct {
		Metric string        `json:"metric"`
		Error  time.Duration `json:"error_ns"`
		Limit  float64       `json:"limit"`
	}
	// FirstEventsLate: Share of the requests had their first event read so late
	// that it has the stamp of the next.
	FirstEventsLate struct {
		Share float64 `json:"share"`
		Limit float64 `json:"limit"`
	}
	// TimeStolen: the host of the virtual machine took CPU time away.
	TimeStolen struct {
		Share float64 `json:"share"`
		Limit float64 `json:"limit"`
	}
	// OthersBusy: other processes used CPU time; where the engine was not seen it
	// may be among them.
	OthersBusy struct {
		Share      float64 `json:"share"`
		Limit      float64 `json:"limit"`
		EngineSeen bool    `json:"engine_seen"`
	}
	// Hiccup: a thread of the harness was kept from running for Span, which is
	// Share of Of, the shortest thing measured.
	Hiccup struct{ Stall }
	// GarbagePause: collecting garbage stopped the harness.
	GarbagePause struct{ Stall }
	// CoreWait: what the harness had ready waited for a core (99th percentile);
	// Of is the shortest thing that this bends.
	CoreWait struct{ Stall }
	// HarnessBusy: the harness used Share of the machine's CPU time, more than
	// half of what was Left to it.
	HarnessBusy struct {
		Share float64 `json:"share"`
		Left  float64 `json:"left"`
	}
	// IdleNotIdle: before the run, with nothing asked of an engine, the source of the
	// cell's energies told Idle watts, and Measured in the cell: no less.
	IdleNotIdle struct {
		Idle     float64 `json:"idle_watts"`
		Measured float64 `json:"measured_watts"`
	}
	// PartAboveWhole: Part, which counts a part of the machine, told PartWatts in the
	// cell, and Whole, which counts all of it, only WholeWatts.
	PartAboveWhole struct {
		Part       string  `json:"part"`
		PartWatts  float64 `json:"part_watts"`
		Whole      string  `json:"whole"`
		WholeWatts float64 `json:"whole_watts"`
	}
)

// Stall is a time in which something did not go on, Share of the time that
// something else took.
type Stall struct {
	Span  time.Duration `json:"span_ns"`
	Of    time.Duration `json:"of_ns"`
	Share float64       `json:"share"`
	Limit float64       `json:"limit"`
}

// AboveCeiling: requests were decoded at Share of the ceiling, which nothing can
// be above 1 of: the bandwidth or the bytes of a token are not what was taken.
type AboveCeiling struct {
	Share     float64                `json:"share"`
	Bandwidth float64                `json:"bandwidth_bytes_per_second"`
	From      exobench.BandwidthFrom `json:"bandwidth_from"`
	// Drafted is set where drafts were used: a step may then give several tokens.
	Drafted bool `json:"drafted"`
}

func (CutOff) kind() WarningKind           { return "cut_off" }
func (StoppedEarly) kind() WarningKind     { return "interrupted" }
func (BrokenOff) kind() WarningKind        { return "failed" }
func (DamagedLines) kind() WarningKind     { return "damaged_lines" }
func (DoneAgain) kind() WarningKind        { return "done_again" }
func (UnplacedRequests) kind() WarningKind { return "unplaced_requests" }
func (CacheUntold) kind() WarningKind      { return "cache_untold" }
func (PromptsRepeat) kind() WarningKind    { return "prompts_repeat" }

func (TooFewRequests) kind() WarningKind    { return "too_few_requests" }
func (CacheSuspected) kind() WarningKind    { return "cache_suspected" }
func (FailedRequests) kind() WarningKind    { return "failed_requests" }
func (CountsMixed) kind() WarningKind       { return "counts_mixed" }
func (CountsUnknown) kind() WarningKind     { return "counts_unknown" }
func (CachedAnswers) kind() WarningKind     { return "cached_answers" }
func (UncachedAnswers) kind() WarningKind   { return "uncached_answers" }
func (EndedEarly) kind() WarningKind        { return "ended_early" }
func (d Doubted) kind() WarningKind         { return WarningKind(d.Doubt.Kind) }
func (ImpossibleFigures) kind() WarningKind { return "impossible_figures" }
func (ModelReloaded) kind() WarningKind     { return "model_reloaded" }
func (LengthsDiffer) kind() WarningKind     { return "lengths_differ" }
func (EngineShared) kind() WarningKind      { return "engine_shared" }
func (SourcesMixed) kind() WarningKind      { return "sources_mixed" }

func (SlowFirst) kind() WarningKind       { return "slow_first_requests" }
func (Drift) kind() WarningKind           { return "drift" }
func (TwoModes) kind() WarningKind        { return "two_modes" }
func (Outliers) kind() WarningKind        { return "outliers" }
func (UselessInterval) kind() WarningKind { return "useless_interval" }

func (ModelWasThere) kind() WarningKind  { return "model_was_there" }
func (MemoryFell) kind() WarningKind     { return "memory_fell" }
func (ProcessChanged) kind() WarningKind { return "process_changed" }
func (MemoryBeside) kind() WarningKind   { return "memory_beside" }
func (PeakMissed) kind() WarningKind     { return "peak_missed" }
func (Swapped) kind() WarningKind        { return "swapped" }
func (EngineIdle) kind() WarningKind     { return "engine_idle" }

func (AboveCeiling) kind() WarningKind { return "above_ceiling" }

func (CountsDiffer) kind() WarningKind  { return "counts_differ" }
func (DecodeDiffers) kind() WarningKind { return "decode_differs" }
func (PrefillFaster) kind() WarningKind { return "prefill_faster" }
func (PrefillSlower) kind() WarningKind { return "prefill_slower" }

func (HarnessError) kind() WarningKind    { return "harness_error" }
func (FirstEventsLate) kind() WarningKind { return "first_events_late" }
func (TimeStolen) kind() WarningKind      { return "time_stolen" }
func (OthersBusy) kind() WarningKind      { return "others_busy" }
func (Hiccup) kind() WarningKind          { return "hiccup" }
func (GarbagePause) kind() WarningKind    { return "garbage_pause" }
func (CoreWait) kind() WarningKind        { return "core_wait" }
func (HarnessBusy) kind() WarningKind     { return "harness_busy" }
func (IdleNotIdle) kind() WarningKind     { return "idle_not_idle" }
func (PartAboveWhole) kind() WarningKind  { return "part_above_whole" }
