package calibrate

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"exobench"
	"exobench/load"
	"exobench/reference"
	"exobench/wire"
)

// round is a set of streams side by side, and what came of them.
type round struct {
	Config
	tokens  int
	samples [][]sample
	records []exobench.Record
	failed  error // of the pacing itself
}

// sample is one event: when the reference wrote it and when the harness says
// that it came.
type sample struct {
	emitted int64 // CLOCK_MONOTONIC
	at      exobench.Instant
}

func newRound(cfg Config, tokens int) *round {
	r := &round{Config: cfg, tokens: tokens, samples: make([][]sample, cfg.Streams),
		records: make([]exobench.Record, cfg.Streams)}
	all := make([]sample, cfg.Streams*tokens)
	for i := range r.samples {
		r.samples[i] = all[i*tokens : i*tokens : (i+1)*tokens]
	}
	return r
}

// opening is the least time from the opening of one stream to the next, so that
// connecting is not what is measured.
const opening = 250 * time.Microsecond

// run opens the streams as an open loop does and waits for their ends. Their
// events are spread over one interval, so that they do not come together.
func (r *round) run(ctx context.Context) {
	share := r.interval() / time.Duration(r.Streams)
	step := max(share, opening)
	opened := 0
	streams := &load.Loop{
		Count: r.Streams, Schedule: &load.Constant{Rate: 1 / step.Seconds()},
		Request: func() exobench.Request {
			opened++
			return exobench.Request{Seq: opened - 1}
		},
	}
	send := load.DoerFunc(func(ctx context.Context, request exobench.Request) exobench.Record {
		i := time.Duration(request.Seq)
		// The TTFT that is asked for moves the stream to its place in the interval.
		phase := (i*share - i*step) % r.interval()
		if phase < 0 {
			phase += r.interval()
		}
		return r.stream(ctx, request, TTFT+phase)
	})
	_, r.failed = load.Run(ctx, send, r.Clock, streams, 0, func(record exobench.Record) error {
		r.records[record.Seq] = record
		return nil
	})
}

func (r *round) stream(ctx context.Context, request exobench.Request, ttft time.Duration) exobench.Record {
	i := request.Seq
	record := r.Wire.Do(ctx, wire.Call{
		URL:     strings.TrimSuffix(r.URL, "/") + "/bench/chat/completions",
		Header:  r.Header,
		Body:    r.body(ttft),
		At:      request.Scheduled,
		Timeout: ttft + time.Duration(r.tokens)*r.interval() + slack,
		Exact:   exobench.Tokens(r.tokens),
		Dialect: wire.OpenAI{Event: func(payload []byte, at exobench.Instant) {
			mine := r.samples[i]
			if len(mine) < cap(mine) {
				r.samples[i] = append(mine, sample{emittedIn(payload), at})
			}
		}},
	})
	record.Seq = i
	return record
}

// body is the request: every parameter of the schedule, whatever the server's
// own are.
func (r *round) body(ttft time.Duration) []byte {
	none := reference.NoFault
	body, _ := json.Marshal(map[string]any{ // of plain values, which have a form
		"model": "reference", "stream": true, "max_tokens": r.tokens,
		"messages": []map[string]string{{"role": "user", "content": "calibrate"}},
		"reference": reference.Override{
			TTFT: new(milliseconds(ttft)), Interval: new(1000 / r.Rate),
			Tokens: &r.tokens, PerChunk: new(1), PrefillPerToken: new(0.0),
			Jitter: &reference.JitterOverride{Distribution: reference.None}, Error: &none,
		},
	})
	return body
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

var emittedKey = []byte(`"emitted_ns":`)

// emittedIn finds the reference's stamp without decoding the event; 0 where
// there is none.
func emittedIn(payload []byte) int64 {
	i := bytes.LastIndex(payload, emittedKey)
	if i < 0 {
		return 0
	}
	n := int64(0)
	for _, c := range bytes.TrimLeft(payload[i+len(emittedKey):], " ") {
		if c < '0' || c > '9' {
			break
		}
		n = n*10 + int64(c-'0')
	}
	return n
}

// check reports what makes the round unfit for use.
func (r *round) check(ctx context.Context) error {
	if err := context.Cause(ctx); err != nil {
		return err
	}
	if r.failed != nil {
		return r.failed
	}
	failed, first := 0, error(nil)
	for i := range r.records {
		if err := r.whole(i); err != nil {
			failed++
			if first == nil {
				first = err
			}
		}
	}
	if failed > 0 {
		return fmt.Errorf("%d of %d streams failed, the first: %w", failed, r.Streams, first)
	}
	return nil
}

func (r *round) whole(i int) error {
	record, samples := &r.records[i], r.samples[i]
	if record.Outcome != exobench.OK {
		return fmt.Errorf("%s: %s", record.Outcome, record.Error)
	}
	if len(samples) != r.tokens || len(record.Chunks) != r.tokens {
		return fmt.Errorf("%d events with %d outputs came, of %d", len(samples), len(record.Chunks), r.tokens)
	}
	for _, s := range samples {
		if s.emitted == 0 {
			return errors.New("the events carry no emitted_ns: this is no timing reference")
		}
	}
	return nil
}
