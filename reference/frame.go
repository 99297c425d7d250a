package reference

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

// format is the framing of a stream.
type format int

const (
	openAI format = iota
	exo
)

const head = "HTTP/1.1 200 OK\r\n" +
	"Content-Type: text/event-stream; charset=utf-8\r\n" +
	"Cache-Control: no-cache\r\n" +
	"Connection: close\r\n" +
	"Transfer-Encoding: chunked\r\n\r\n"

const (
	done     = "data: [DONE]\n\n"
	endChunk = "0\r\n\r\n"
	// stampWidth holds any int64 that is not negative.
	stampWidth = 19
)

// piece is bytes to write at one instant, with places for that instant.
type piece struct {
	bytes        []byte
	due, emitted []int
}

// stamp puts the instants into their places.
func (p *piece) stamp(due, emitted int64) {
	for _, at := range p.due {
		putNumber(p.bytes[at:at+stampWidth], due)
	}
	for _, at := range p.emitted {
		putNumber(p.bytes[at:at+stampWidth], emitted)
	}
}

// putNumber right-aligns n in the field; JSON allows spaces before a number,
// and no zeros.
func putNumber(field []byte, n int64) {
	i := len(field)
	for {
		i--
		field[i] = byte('0' + n%10)
		if n /= 10; n == 0 || i == 0 {
			break
		}
	}
	for i > 0 {
		i--
		field[i] = ' '
	}
}

const (
	dueKey     = `"due_ns":`
	emittedKey = `"emitted_ns":`
)

// newPiece frames events as one HTTP chunk and finds the places for stamps.
func newPiece(events, after string) *piece {
	p := &piece{bytes: []byte(chunked(events) + after)}
	p.due, p.emitted = places(p.bytes, dueKey), places(p.bytes, emittedKey)
	return p
}

func chunked(text string) string { return fmt.Sprintf("%x\r\n%s\r\n", len(text), text) }

func places(text []byte, key string) []int {
	var at []int
	for from := 0; ; {
		i := bytes.Index(text[from:], []byte(key))
		if i < 0 {
			return at
		}
		from += i + len(key)
		at = append(at, from)
	}
}

// frames are the pieces of one stream: its head, every event but the last, and
// the last with all that ends the stream.
type frames struct {
	head   []byte
	middle *piece
	last   *piece
}

func newFrames(t task, f format, id string, created int64) frames {
	w := writer{id: id, created: strconv.FormatInt(created, 10), model: quoted(t.model)}
	events := (t.Tokens + t.PerChunk - 1) / t.PerChunk
	rest := t.Tokens - (events-1)*t.PerChunk
	usage := fmt.Sprintf(`"usage":{"prompt_tokens":%d,"completion_tokens":%d,"total_tokens":%d,"prompt_tokens_details":{"cached_tokens":0}}`,
		t.prompt, t.Tokens, t.prompt+t.Tokens)
	fr := frames{head: []byte(head), middle: newPiece(w.event(w.choice(t.PerChunk, "null"), ""), "")}
	const reason = `"length"`
	var ending string
	if f == exo {
		fr.head = append(fr.head, chunked(": keep-alive\n\n")...)
		ending = w.event(w.choice(rest, reason), ","+usage) + generationStats(t)
	} else {
		ending = w.event(w.choice(rest, "null"), "") + w.event(w.choice(0, reason), "")
		if t.usage {
			ending += w.event("", ","+usage)
		}
	}
	fr.last = newPiece(ending+done, endChunk)
	if t.Errors.Fault == StreamError {
		fr.last = newPiece(`data: {"error":{"message":"injected by the reference","type":"InternalServerError","code":500},`+
			stamps+"}\n\n"+done, endChunk)
	}
	return fr
}

// generationStats is exo's comment with what the schedule says.
func generationStats(t task) string {
	rate := func(tokens int, seconds float64) float64 {
		if seconds <= 0 {
			return 0
		}
		return float64(tokens) / seconds
	}
	ttft := t.TTFT.Seconds() + float64(t.prompt)*t.PrefillPerToken.Seconds()
	return fmt.Sprintf(": generation_stats {\"prompt_tps\":%g,\"generation_tps\":%g,\"prompt_tokens\":%d,\"generation_tokens\":%d,"+
		"\"peak_memory_usage\":{\"in_bytes\":0},\"prefix_cache_hit\":\"none\"}\n\n",
		rate(t.prompt, ttft), rate(t.PerChunk, t.Interval.Seconds()), t.prompt, t.Tokens)
}

var stamps = dueKey + strings.Repeat(" ", stampWidth-1) + "0," + emittedKey + strings.Repeat(" ", stampWidth-1) + "0"

// writer makes the text of events.
type writer struct{ id, created, model string }

func (w writer) event(choice, more string) string {
	return `data: {"id":"` + w.id + `","object":"chat.completion.chunk","created":` + w.created + `,"model":` + w.model +
		`,"choices":[` + choice + `]` + more + `,` + stamps + "}\n\n"
}

func (w writer) choice(tokens int, reason string) string {
	delta := `{}`
	if tokens > 0 {
		delta = `{"role":"assistant","content":"` + strings.Repeat(" tok", tokens) + `"}`
	}
	return `{"index":0,"delta":` + delta + `,"finish_reason":` + reason + `}`
}

func quoted(text string) string {
	// A string always has a form in JSON.
	out, _ := json.Marshal(text)
	return string(out)
}
