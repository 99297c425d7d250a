package wire

import (
	"bytes"
	"cmp"
	"encoding/json"
	"runtime"

	"exobench"
)

var (
	newline    = []byte("\n")
	dataPrefix = []byte("data:")
	doneMark   = []byte("[DONE]")
)

// exo's comments; the JSON follows after a space.
const (
	prefillComment = ": prefill_progress"
	statsComment   = ": generation_stats"
)

// stream is what framing found of an answer beside what went into its record.
type stream struct {
	stream    bool   // there was a line of an event stream
	done      bool   // the terminator came
	failure   string // the message of an error object
	malformed string // what was wrong with the first bad line

	record       *exobench.Record
	kernel       bool  // the instants are the kernel's
	delay        int64 // of the line under way
	quick        quick
	full         bool         // do without quick
	usage        usage        // the last that came
	timings      llamaTimings // the last that came
	noTerminator bool
	format       Format
	event        func(payload []byte, at exobench.Instant)
}

// parse reads a captured answer into the record: instants, timeline, tokens and
// server statistics. The instants are those of the kernel where it stamped all
// of the answer, else those of the reads: two kinds in one answer would make
// gaps that are not there.
func parse(answer *capture, record *exobench.Record, call Call) stream {
	s := newStream(record, call)
	parsing.take()
	defer parsing.give()
	s.parse(answer)
	return *s
}

func newStream(record *exobench.Record, call Call) *stream {
	return &stream{record: record, noTerminator: call.NoTerminator, format: call.Format, event: call.Event}
}

func (s *stream) parse(answer *capture) {
	take, events := s.line, answer.newlines/2+1
	if s.format == NDJSON {
		take, events = s.ollamaLine, answer.newlines+1
	}
	s.kernel = answer.kernel()
	s.record.Chunks = make(exobench.Chunks, 0, events)
	if s.kernel {
		s.record.Delays = make([]int64, 0, events)
	}
	lines := 0
	answer.lines(func(line []byte, a arrival, whole bool) {
		if lines++; lines%linesAtOnce == 0 {
			runtime.Gosched()
		}
		at := a.user
		if s.kernel {
			at = a.at()
		}
		s.delay = a.delay
		take(line, at, whole)
	})
	if len(s.record.Chunks) == 0 {
		s.record.Chunks, s.record.Delays = nil, nil
	}
	s.finish()
}

// terminator names what a whole stream ends with.
func (s *stream) terminator() string {
	switch {
	case s.format == NDJSON:
		return ollamaTerminator
	case s.noTerminator:
		return "a finish reason"
	}
	return "[DONE]"
}

func (s *stream) line(line []byte, at exobench.Instant, whole bool) {
	switch {
	case bytes.HasPrefix(line, dataPrefix):
		s.stream = true
		s.data(bytes.TrimSpace(line[len(dataPrefix):]), at, whole)
	case bytes.HasPrefix(line, []byte(statsComment)):
		s.stream = true
		s.stats(line[len(statsComment):])
	case bytes.HasPrefix(line, []byte(":")):
		s.stream = true
	case !s.stream && len(line) > 0 && line[0] == '{':
		// Not a stream at all, but the one object that some servers answer
		// with in place of one.
		s.failure = errorMessage(line)
	}
}

// data takes one event's payload. Of a payload that was cut off, bad JSON says
// nothing but that.
func (s *stream) data(payload []byte, at exobench.Instant, whole bool) {
	if bytes.Equal(payload, doneMark) {
		s.done = true
		return
	}
	if len(payload) == 0 || s.done {
		return
	}
	if !s.full && s.quick.chat(payload) {
		s.begin(payload, at)
		s.take(&s.quick, at)
		return
	}
	var event chatEvent
	if err := json.Unmarshal(payload, &event); err != nil {
		if s.malformed == "" && whole {
			s.malformed = "bad JSON in the stream (" + err.Error() + "): " + oneLine(payload)
		}
		return
	}
	s.begin(payload, at)
	if failure := messageOf(event.Error); failure != "" && s.failure == "" {
		s.failure = failure
		return
	}
	if event.ID != "" {
		s.record.ServerID = event.ID
	}
	if event.Model != "" {
		s.record.ServerModel = event.Model
	}
	s.figures(event.Usage, event.Timings)
	for _, choice := range event.Choices {
		s.choice(choice, at)
	}
}

// begin notes that there is an event.
func (s *stream) begin(payload []byte, at exobench.Instant) {
	if s.event != nil {
		s.event(payload, at)
	}
	if !s.record.FirstChunk.Reached() {
		s.record.FirstChunk = at
	}
}

// take takes what was quickly read, as data takes a chatEvent.
func (s *stream) take(q *quick, at exobench.Instant) {
	keep(&s.record.ServerID, q.id)
	keep(&s.record.ServerModel, q.model)
	s.figures(q.usage, q.timings)
	for i := range q.choices[:q.n] {
		c := &q.choices[i]
		s.output(at, c.answer(), c.other())
		if len(c.finish) > 0 {
			s.finished(string(c.finish), at)
		}
	}
}

// keep sets a string to the text, if there is one; most often it is that already.
func keep(s *string, text []byte) {
	if len(text) > 0 && *s != string(text) {
		*s = string(text)
	}
}

func (s *stream) choice(choice chatChoice, at exobench.Instant) {
	d := choice.Delta
	s.output(at, len(d.Content)+len(choice.Text), len(d.ReasoningContent)+len(d.Reasoning)+lengths(d.ToolCalls))
	if choice.FinishReason != "" {
		s.finished(choice.FinishReason, at)
	}
}

func (s *stream) finished(reason string, at exobench.Instant) {
	s.record.FinishReason = reason
	s.record.Done = at
	s.done = s.done || s.noTerminator
}

func lengths(texts []json.RawMessage) int {
	n := 0
	for _, text := range texts {
		n += len(text)
	}
	return n
}

// output notes an event with so many bytes of the answer, and of what is output
// but no answer: reasoning and tool calls.
func (s *stream) output(at exobench.Instant, answer, other int) {
	r := s.record
	if output := answer + other; output > 0 {
		if !r.FirstToken.Reached() {
			r.FirstToken = at
		}
		if answer > 0 && !r.FirstAnswer.Reached() {
			r.FirstAnswer = at
		}
		r.LastToken = at
		r.Chunks = append(r.Chunks, exobench.Chunk{At: at, Bytes: output})
		if s.kernel {
			r.Delays = append(r.Delays, s.delay)
		}
	}
}

// figures takes the figures of an event, if it has any; those of the last event
// hold. Timings without output are the state before the first token.
func (s *stream) figures(u usage, t llamaTimings) {
	if u != (usage{}) {
		s.usage = u
	}
	if t.PredictedN.value != 0 {
		s.timings = t
	}
}

// stats takes exo's statistics comment. A comment that is not JSON is ignored,
// as any other comment.
func (s *stream) stats(text []byte) {
	var g generationStats
	if json.Unmarshal(bytes.TrimSpace(text), &g) != nil {
		return
	}
	s.record.Server = &exobench.ServerStats{
		PrefillTPS: g.PromptTPS, DecodeTPS: g.GenerationTPS,
		PromptTokens: g.PromptTokens, OutputTokens: g.GenerationTokens,
		PeakMemory: g.PeakMemory.bytes(), PrefixCache: g.PrefixCacheHit,
	}
}

// finish settles what depends on the whole stream.
func (s *stream) finish() {
	r := s.record
	if !r.Done.Reached() {
		r.Done = r.LastToken
	}
	u := s.usage
	r.CachedTokens = u.PromptTokensDetails.CachedTokens.pointer()
	if s.timings != (llamaTimings{}) {
		r.Server = s.timings.stats()
		r.CachedTokens = cmp.Or(r.CachedTokens, new(s.timings.CacheN.value))
	}
	server := cmp.Or(r.Server, new(exobench.ServerStats))
	r.PromptTokens = known(u.PromptTokens.pointer(), server.PromptTokens)
	switch events, output := exobench.Tokens(len(r.Chunks)), u.CompletionTokens.pointer(); {
	case positive(output):
		r.OutputTokens, r.TokensFrom = output, exobench.FromUsage
	case positive(server.OutputTokens):
		r.OutputTokens, r.TokensFrom = server.OutputTokens, exobench.FromStats
	case events > 0:
		r.OutputTokens, r.TokensFrom = &events, exobench.FromEvents
	}
}

func positive(n *exobench.Tokens) bool { return n != nil && *n > 0 }

func known(counts ...*exobench.Tokens) *exobench.Tokens {
	for _, n := range counts {
		if positive(n) {
			return n
		}
	}
	return nil
}

// chatEvent is a chunk of a streamed chat completion, as far as it is measured.
// quick must know each of its keys.
type chatEvent struct {
	ID      string          `json:"id"`
	Model   string          `json:"model"`
	Choices []chatChoice    `json:"choices"`
	Usage   usage           `json:"usage"`
	Error   json.RawMessage `json:"error"`
	Timings llamaTimings    `json:"timings"`
}

// llamaTimings are llama.cpp's statistics of a request. PromptN leaves out the
// CacheN tokens that were in its cache; PredictedPerSecond leaves out the first
// token.
type llamaTimings struct {
	CacheN             optional[exobench.Tokens] `json:"cache_n"`
	PromptN            optional[exobench.Tokens] `json:"prompt_n"`
	PromptPerSecond    optional[float64]         `json:"prompt_per_second"`
	PredictedN         optional[exobench.Tokens] `json:"predicted_n"`
	PredictedPerSecond optional[float64]         `json:"predicted_per_second"`
}

func (t *llamaTimings) stats() *exobench.ServerStats {
	return &exobench.ServerStats{
		PrefillTPS: t.PromptPerSecond.pointer(), DecodeTPS: t.PredictedPerSecond.pointer(),
		PromptTokens: new(t.PromptN.value + t.CacheN.value), OutputTokens: t.PredictedN.pointer(),
	}
}

type chatChoice struct {
	Delta struct {
		Content          string            `json:"content"`
		ReasoningContent string            `json:"reasoning_content"`
		Reasoning        string            `json:"reasoning"`
		ToolCalls        []json.RawMessage `json:"tool_calls"`
	} `json:"delta"`
	Text         string `json:"text"`
	FinishReason string `json:"finish_reason"`
}

type usage struct {
	PromptTokens        optional[exobench.Tokens] `json:"prompt_tokens"`
	CompletionTokens    optional[exobench.Tokens] `json:"completion_tokens"`
	PromptTokensDetails struct {
		CachedTokens optional[exobench.Tokens] `json:"cached_tokens"`
	} `json:"prompt_tokens_details"`
}

type generationStats struct {
	PromptTPS        *float64         `json:"prompt_tps"`
	GenerationTPS    *float64         `json:"generation_tps"`
	PromptTokens     *exobench.Tokens `json:"prompt_tokens"`
	GenerationTokens *exobench.Tokens `json:"generation_tokens"`
	PeakMemory       exoMemory        `json:"peak_memory_usage"`
	PrefixCacheHit   string           `json:"prefix_cache_hit"`
}

// exoMemory is a size in either casing: exo writes snake_case in the comments
// of a stream and camelCase in JSON bodies.
type exoMemory struct {
	Snake *exobench.Bytes `json:"in_bytes"`
	Camel *exobench.Bytes `json:"inBytes"`
}

func (m exoMemory) bytes() *exobench.Bytes {
	if m.Snake != nil {
		return m.Snake
	}
	return m.Camel
}
