package calibrate

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"exobench/internal/panics"
)

// bareWork is what the bare client is to ask of an engine.
type bareWork struct {
	// URL is that of the engine's chat completions.
	URL      string      `json:"url"`
	Header   http.Header `json:"header,omitempty"`
	Streams  int         `json:"streams"`
	Requests [][]byte    `json:"requests"` // their bodies
}

// seen is one round as its client saw it.
type seen struct {
	// Wall is from when the first request was sent until the last answer ended.
	Wall   time.Duration `json:"wall"`
	Tokens int           `json:"tokens"`
	Events int           `json:"events"`
	// Told is the mean of the tokens per second that the engine told with each
	// answer; 0 where it did not with all of them.
	Told float64 `json:"told"`
	// CPU is the client's.
	CPU time.Duration `json:"cpu"`
}

// Bare is the client that an engine's speed under exobench is compared with: net/http
// and nothing else, which reads answers and looks at nothing in them until the
// last has ended. It takes its work from in and writes what it saw to out; it is
// to run as a process of its own, whose program an [Observer] is told.
func Bare(ctx context.Context, in io.Reader, out io.Writer) error {
	var work bareWork
	if err := json.NewDecoder(in).Decode(&work); err != nil {
		return fmt.Errorf("bare client: read the work: %w", err)
	}
	saw, err := work.run(ctx)
	if err != nil {
		return fmt.Errorf("bare client: %w", err)
	}
	return json.NewEncoder(out).Encode(saw)
}

func (w *bareWork) run(ctx context.Context) (seen, error) {
	transport := &http.Transport{MaxIdleConnsPerHost: w.Streams, DisableCompression: true}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport}
	bodies := make([]bytes.Buffer, len(w.Requests))
	errs := make([]error, w.Streams)
	var next atomic.Int64
	var under sync.WaitGroup
	began, used := time.Now(), cpuTime()
	for worker := range w.Streams {
		under.Go(panics.Caught(func() {
			for errs[worker] == nil {
				i := int(next.Add(1)) - 1
				if i >= len(w.Requests) {
					return
				}
				errs[worker] = w.ask(ctx, client, w.Requests[i], &bodies[i])
			}
		}))
	}
	under.Wait()
	saw := seen{Wall: time.Since(began), CPU: cpuTime() - used}
	if err := errors.Join(errs...); err != nil {
		return seen{}, err
	}
	saw.count(bodies)
	return saw, nil
}

func (w *bareWork) ask(ctx context.Context, client *http.Client, text []byte, body *bytes.Buffer) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, w.URL, bytes.NewReader(text))
	if err != nil {
		return err
	}
	for name, values := range w.Header {
		request.Header[name] = values
	}
	request.Header.Set("Content-Type", "application/json")
	// Where the server closes a connection just when it is used again, net/http asks
	// once more what it takes to be idempotent. Without a value it is not sent.
	request.Header["Idempotency-Key"] = nil
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if _, err := body.ReadFrom(response.Body); err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("the engine answered %s: %.200s", response.Status, body)
	}
	return nil
}

// count takes from the answers what they say of tokens and speed.
func (s *seen) count(bodies []bytes.Buffer) {
	all := true
	for i := range bodies {
		a := readAnswer(bodies[i].Bytes())
		s.Tokens += a.tokens
		s.Events += a.events
		s.Told += a.told / float64(len(bodies))
		all = all && a.told > 0
	}
	if !all {
		s.Told = 0
	}
}

// answer is what a stream said.
type answer struct {
	events, tokens int // of output
	told           float64
}

// chunk is what matters of an event, or of exo's comment with its statistics.
type chunk struct {
	Choices []struct {
		Delta struct {
			Content   string `json:"content"`
			Reasoning string `json:"reasoning_content"`
		} `json:"delta"`
	} `json:"choices"`
	Usage struct {
		Tokens int `json:"completion_tokens"`
	} `json:"usage"`
	Timings struct {
		Rate float64 `json:"predicted_per_second"`
	} `json:"timings"`
	Rate float64 `json:"generation_tps"`
}

// readAnswer reads a stream of chat completions: the events with output, the usage
// where there is one, and the speed as llama.cpp and exo tell it.
func readAnswer(body []byte) answer {
	var a answer
	usage := 0
	for line := range bytes.Lines(body) {
		text, event := bytes.CutPrefix(line, []byte("data:"))
		if !event {
			text = bytes.TrimPrefix(line, []byte(": generation_stats"))
		}
		var c chunk
		if json.Unmarshal(text, &c) != nil {
			continue // [DONE], a comment, or a form that only the full client knows
		}
		if len(c.Choices) > 0 && c.Choices[0].Delta.Content+c.Choices[0].Delta.Reasoning != "" {
			a.events++
		}
		usage = max(usage, c.Usage.Tokens)
		a.told = max(a.told, c.Timings.Rate, c.Rate)
	}
	a.tokens = a.events
	if usage > 0 {
		a.tokens = usage
	}
	return a
}
