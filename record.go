package exobench

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"
)

// TokensFrom says where a count of output tokens comes from. Two kinds are
// never mixed in one cell.
type TokensFrom string

// The sources, from the most to the least trusted.
const (
	FromUsage  TokensFrom = "usage"  // the answer's usage object
	FromStats  TokensFrom = "stats"  // the engine's own statistics
	FromEvents TokensFrom = "events" // output events counted; a token may span or share events
)

// Record is one request as it went: what was asked, when each thing happened,
// how it ended, and what the server said of it. It is the raw material of
// every metric and holds no derived figure.
type Record struct {
	Seq int `json:"seq"`
	// Block is the id of the block that the request belongs to, which tells its
	// engine, model, placement and traffic, and whether it is a warm-up.
	Block    int    `json:"block"`
	PromptID string `json:"prompt_id"`
	Repeat   int    `json:"repeat,omitempty"`

	Outcome      Outcome `json:"outcome"`
	Error        string  `json:"error,omitempty"`
	HTTPStatus   int     `json:"http_status,omitempty"`
	FinishReason string  `json:"finish_reason,omitempty"`
	// ServerID is the server's id for the request; exo's command id.
	ServerID string `json:"server_id,omitempty"`
	// ServerModel is the model that the server says it answered with, where it
	// says so.
	ServerModel string `json:"server_model,omitempty"`

	// Scheduled is when the plan wanted the request to go; in a closed loop it
	// is Sent. Sent is just before the client starts it, so it includes Dial.
	Scheduled Instant `json:"scheduled_ns,omitzero"`
	Sent      Instant `json:"sent_ns,omitzero"`
	// Dial is the time taken to get a new connection; 0 on a reused one.
	Dial    time.Duration `json:"dial_ns,omitzero"`
	Headers Instant       `json:"headers_ns,omitzero"`
	// FirstChunk is the first data event of any kind, a role-only one included.
	FirstChunk Instant `json:"first_chunk_ns,omitzero"`
	// FirstToken is the first event with output of any channel: content,
	// reasoning or tool call; FirstAnswer the first with non-reasoning content.
	FirstToken  Instant `json:"first_token_ns,omitzero"`
	FirstAnswer Instant `json:"first_answer_ns,omitzero"`
	// LastToken is the last event with a token: with output, or the one that
	// ends the answer where the end-of-sequence token is counted and has no text.
	// Done is the first finish reason at or after LastToken, or LastToken where
	// none came. Ended is when the stream was over or the request was given up.
	LastToken Instant `json:"last_token_ns,omitzero"`
	Done      Instant `json:"done_ns,omitzero"`
	Ended     Instant `json:"ended_ns,omitzero"`
	// PrefillStart and PrefillEnd are when the engine said that it had none, and
	// all, of the prompt processed: PrefillTokens of it. Absent where it does not
	// say both.
	PrefillStart  Instant `json:"prefill_start_ns,omitzero"`
	PrefillEnd    Instant `json:"prefill_end_ns,omitzero"`
	PrefillTokens *Tokens `json:"prefill_tokens,omitempty"`
	// Replays is how often the request met a kept-alive connection that the
	// server had closed before a byte of it arrived, and was sent anew: Sent is
	// the last time. A request that the server may have taken never is.
	Replays int `json:"replays,omitempty"`

	PromptTokens *Tokens    `json:"prompt_tokens,omitempty"`
	CachedTokens *Tokens    `json:"cached_tokens,omitempty"`
	OutputTokens *Tokens    `json:"output_tokens,omitempty"`
	TokensFrom   TokensFrom `json:"tokens_from,omitempty"`
	// ReasoningTokens are those of the OutputTokens that were reasoning;
	// HiddenTokens those that were counted and not streamed.
	ReasoningTokens *Tokens `json:"reasoning_tokens,omitempty"`
	HiddenTokens    *Tokens `json:"hidden_tokens,omitempty"`
	// Chunks are the events with a token, in order.
	Chunks Chunks `json:"chunks,omitempty"`
	// Delays are, for each of the Chunks, how long after the kernel received the
	// last byte of its read the read returned to us, in nanoseconds: the
	// harness's own delay. Nil where there are no kernel stamps; the Chunks'
	// instants are then those of the reads.
	Delays []int64 `json:"delays_ns,omitempty"`
	// Server holds the engine's own figures for this request, if it gave any.
	Server *ServerStats `json:"server,omitempty"`
	// Doubts are the reasons to look twice at the figures.
	Doubts []Doubt `json:"doubts,omitempty"`
}

// Clone returns a copy that shares nothing with r.
func (r *Record) Clone() *Record {
	c := *r
	c.PromptTokens, c.CachedTokens, c.OutputTokens = clone(r.PromptTokens), clone(r.CachedTokens), clone(r.OutputTokens)
	c.ReasoningTokens, c.HiddenTokens, c.PrefillTokens = clone(r.ReasoningTokens), clone(r.HiddenTokens), clone(r.PrefillTokens)
	c.Chunks, c.Delays, c.Doubts = slices.Clone(r.Chunks), slices.Clone(r.Delays), slices.Clone(r.Doubts)
	if c.Server = clone(r.Server); c.Server != nil {
		s := c.Server
		s.PrefillTPS, s.DecodeTPS, s.PeakMemory = clone(s.PrefillTPS), clone(s.DecodeTPS), clone(s.PeakMemory)
		s.PromptTokens, s.OutputTokens = clone(s.PromptTokens), clone(s.OutputTokens)
		s.DraftTokens, s.AcceptedTokens = clone(s.DraftTokens), clone(s.AcceptedTokens)
	}
	return &c
}

// clone copies what may be absent.
func clone[T any](value *T) *T {
	if value == nil {
		return nil
	}
	return new(*value)
}

// ServerStats are an engine's own figures for one request, as it reports them.
type ServerStats struct {
	// PrefillTPS and DecodeTPS are tokens per second.
	PrefillTPS   *float64 `json:"prefill_tps,omitempty"`
	DecodeTPS    *float64 `json:"decode_tps,omitempty"`
	PromptTokens *Tokens  `json:"prompt_tokens,omitempty"`
	OutputTokens *Tokens  `json:"output_tokens,omitempty"`
	// PeakMemory is what the engine says, where the driver knows of a constant
	// error without that (exo's 7.37 %).
	PeakMemory *Bytes `json:"peak_memory_bytes,omitempty"`
	// PrefixCache is exo's "none", "partial" or "exact"; "" is unknown.
	PrefixCache string `json:"prefix_cache,omitempty"`
	// LoadTime is how long this request waited for the model to be loaded.
	LoadTime time.Duration `json:"load_time_ns,omitempty"`
	// DraftTokens are those that a draft proposed, AcceptedTokens those of them
	// that the model took.
	DraftTokens    *Tokens `json:"draft_tokens,omitempty"`
	AcceptedTokens *Tokens `json:"accepted_tokens,omitempty"`
}

// Chunk is one stream event with output.
type Chunk struct {
	// At is when the last byte of the read that completed the event arrived: at
	// the kernel where it stamps what it receives, else at us. Events that came
	// in one read share it.
	At Instant
	// Bytes is the length of the event's output text in UTF-8: 0 for an
	// end-of-sequence token.
	Bytes int
}

// Chunks is the timeline of a stream. In JSON it is one flat array of pairs:
// the nanoseconds since the chunk before (the first: since the epoch), and the
// bytes of output.
type Chunks []Chunk

// MarshalJSON writes the flat array.
func (c Chunks) MarshalJSON() ([]byte, error) {
	flat := make([]int64, 0, 2*len(c))
	var before Instant
	for _, chunk := range c {
		flat = append(flat, int64(chunk.At-before), int64(chunk.Bytes))
		before = chunk.At
	}
	return json.Marshal(flat)
}

// UnmarshalJSON reads the flat array.
func (c *Chunks) UnmarshalJSON(data []byte) error {
	var flat []int64
	if err := json.Unmarshal(data, &flat); err != nil {
		return err
	}
	if len(flat)%2 != 0 {
		return fmt.Errorf("chunks: %d numbers where pairs are due", len(flat))
	}
	*c = make(Chunks, 0, len(flat)/2)
	var at Instant
	for i := 0; i < len(flat); i += 2 {
		at += Instant(flat[i])
		*c = append(*c, Chunk{At: at, Bytes: int(flat[i+1])})
	}
	return nil
}
