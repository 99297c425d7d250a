package wire

import (
	"bufio"
	"io"
	"net"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"exobench"
	"exobench/internal/rawserver"
)

// endless is a server that sends a text again and again, for as long as there is
// somebody to read it.
func endless(t *testing.T, text string) string {
	t.Helper()
	block := httpChunkOf(strings.Repeat(text, max(1, 60_000/len(text))))
	return "http://" + rawserver.Start(t, func(c *net.TCPConn) {
		defer c.Close()
		if asks(bufio.NewReader(c)) {
			for _, err := io.WriteString(c, chunkedHead); err == nil; _, err = io.WriteString(c, block) {
			}
		}
	})
}

func TestAnswersWithoutEndAreBounded(t *testing.T) {
	const bound = 128 << 20 // of all that is allocated for four answers
	for _, c := range []struct {
		name, text, body, want string
		dialect                Dialect
	}{
		{"events", content("word"), `{"max_tokens":64}`, "the answer is over 2048 KiB long, and 64 tokens were asked for", OpenAI{}},
		{"Ollama's lines", said("word"), `{"options":{"num_predict":64}}`, "over 2048 KiB long, and 64 tokens", Ollama{}},
		{"keep-alives", ": keep-alive\n\n", `{"max_tokens":1}`, "over 1040 KiB long", OpenAI{}},
		{"line ends", "\n", `{"max_tokens":500}`, "over 9024 KiB long", OpenAI{}},
		{"a line", "data: word", "{}", "a line of the answer is over 1 MiB long", OpenAI{}},
		{"no stream", `{"choices":[[`, "{}", "a line of the answer is over 1 MiB long", Ollama{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			client := NewClient(Config{Clock: exobench.NewClock()})
			defer client.Close()
			url := endless(t, c.text)
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			var together sync.WaitGroup
			for range 4 {
				together.Go(func() {
					r := client.Do(t.Context(), Call{URL: url, Body: []byte(c.body), Dialect: c.dialect, Timeout: time.Minute})
					if r.Outcome != exobench.Malformed || !strings.Contains(r.Error, c.want) {
						t.Errorf("outcome %s %q", r.Outcome, r.Error)
					}
				})
			}
			together.Wait()
			runtime.ReadMemStats(&after)
			if took := after.TotalAlloc - before.TotalAlloc; took > bound {
				t.Errorf("%d MiB were allocated", took>>20)
			}
		})
	}
}

func TestAnAnswerMayBeAsLongAsWasAskedFor(t *testing.T) {
	for asked, want := range map[exobench.Tokens]int{0: maxAnswer, 1: answerStart + bytesPerToken, 1 << 40: maxAnswer, 1000: answerStart + 1000*bytesPerToken} {
		if got := answerLimit(asked); got != want {
			t.Errorf("%d tokens: %d bytes, want %d", asked, got, want)
		}
	}
	// Over answerStart, and under the limit of what was asked for.
	text := strings.Repeat(content(strings.Repeat("word ", 1000)), 400) + finish + terminate
	client := NewClient(Config{Clock: exobench.NewClock()})
	defer client.Close()
	r := client.Do(t.Context(), Call{URL: rawServer(t, chunked(text), false), Body: []byte(`{"max_tokens":400}`), Timeout: time.Minute})
	if r.Outcome != exobench.OK || len(r.Chunks) != 400 {
		t.Errorf("outcome %s %s, %d chunks", r.Outcome, r.Error, len(r.Chunks))
	}
}

func TestWhatWasAskedForIsInTheBody(t *testing.T) {
	for body, want := range map[string]exobench.Tokens{
		`{"model":"m","messages":[{"content":"max_tokens"}],"max_tokens":5}`: 5,
		`{"max_completion_tokens":6}`:                                        6,
		`{"options":{"seed":1,"num_predict":7}}`:                             7,
		`{"max_tokens":"5"}`:                                                 0,
		`{"max_tokens":-1}`:                                                  0,
		``:                                                                   0,
		`[]`:                                                                 0,
	} {
		if got := (asked{body: []byte(body)}).tokens(); got != want {
			t.Errorf("%s asks for %d tokens, want %d", body, got, want)
		}
	}
}

// What comes byte by byte takes more memory for when it came than for itself.
func TestAnAnswerThatComesByteByByteIsBounded(t *testing.T) {
	x := newExchange(t)
	x.call.Body = []byte(`{"max_tokens":4}`)
	body := &block{text: []byte("x\n")[1:], to: x.arrivals, epoch: x.client.clock.Epoch(), times: 1 << 20}
	answer := newCapture()
	defer answer.free()
	err := x.read(body, answer)
	if err == nil || !strings.Contains(err.Error(), "the answer takes over 1088 KiB, as it came in 6") {
		t.Errorf("got %v after %d bytes in %d reads", err, answer.size, len(answer.marks))
	}
}
