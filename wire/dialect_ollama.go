package wire

import (
	"bytes"
	"cmp"
	"encoding/json"
	"time"

	"exobench"
)

// Ollama is the dialect of Ollama's /api/chat: one JSON object a line, the
// figures in the last one.
type Ollama struct{}

// Accept returns the media type of JSON lines.
func (Ollama) Accept() string { return "application/x-ndjson" }

// Ends names the last line. Ollama cuts a model off that writes one token more
// than 30 times in a row, and then ends the stream as if nothing had happened.
func (Ollama) Ends() string {
	return `a line with "done" (Ollama ends it so when a model writes one token over 30 times in a row)`
}

func (Ollama) lineEnds() int { return 1 }

func (Ollama) read(into *stream) reader { return &ollamaReader{stream: into} }

var (
	doneKey = []byte(`"done"`)
	notDone = []byte(`"done":false}`)
)

// look takes any line for life, and the one that is done for the end.
func (Ollama) look(l *lookout, line []byte) (alive, over bool) {
	l.glance(line)
	if len(line) == 0 || !bytes.Contains(line, doneKey) || bytes.HasSuffix(line, notDone) {
		return len(line) > 0, false
	}
	l.line = cmp.Or(l.line, new(ollamaLine))
	return true, l.line.read(line, false) && l.line.done
}

// ollamaReader reads an answer of Ollama's dialect.
type ollamaReader struct {
	stream *stream
	next   ollamaLine
	// server and cached are of the last line.
	server *exobench.ServerStats
	cached *exobench.Tokens
}

func (r *ollamaReader) line(line []byte, at exobench.Instant, whole bool) {
	s, l := r.stream, &r.next
	if line = bytes.TrimSpace(line); len(line) == 0 || s.over {
		return
	}
	if !l.read(line, s.slow) {
		if line[0] == '{' || s.framed {
			s.notJSON(line, whole)
		}
		return
	}
	s.framed = true
	if text := faultText(l.fault); text != "" {
		s.fail(text)
		return
	}
	s.begin(at)
	if !l.known {
		s.unknown(line)
		return
	}
	s.named(nil, l.model)
	s.odd(&l.absurd)
	// The last line may carry output too: text that was held back.
	s.output(at, &l.said)
	if l.done {
		s.finished(l.finish, at, l.said.length() == 0)
		s.ended()
		r.server, r.cached = l.stats(), l.cachedCount.pointer()
	}
}

func (r *ollamaReader) end() {
	if r.server != nil {
		r.stream.record.Server, r.stream.record.CachedTokens = r.server, r.cached
	}
}

// ollamaLine is a line of a stream, as far as it is measured.
type ollamaLine struct {
	cursor
	model []byte
	said  speech
	known bool // it has a message or an end
	done  bool
	// finish is "stop" or "length", absent where the runner was stopped; "load"
	// and "unload" answer requests without messages.
	finish []byte
	fault  []byte

	// The figures stand in the last line, durations in nanoseconds; a figure of
	// 0 is left out.
	load, prompted, evaluated optional[float64]
	// promptCount is the whole prompt, with what came from the cache, since
	// Ollama 0.3.14; before, it left that out, and was missing where all of it
	// came from there. 0.30.0 leaves it out too. prompted never covers what came
	// from the cache.
	promptCount optional[exobench.Tokens]
	// cachedCount is how much of promptCount came from the cache, told since Ollama
	// 0.34.0.
	cachedCount optional[exobench.Tokens]
	// count has the end-of-sequence token, where that ended the answer.
	// evaluated begins when the first token is there.
	evalCount optional[exobench.Tokens]
}

// read reads a line and reports whether it is JSON, as event.read does.
func (l *ollamaLine) read(text []byte, slow bool) bool {
	return !slow && l.walk(text, false) || json.Valid(text) && l.walk(text, true)
}

func (l *ollamaLine) walk(text []byte, loose bool) bool {
	*l = ollamaLine{}
	l.start(text, loose)
	if !l.Next('{') {
		l.Skip()
		return l.End()
	}
	for key := range l.Object {
		switch string(key) {
		case "model":
			l.model = l.string(l.model)
		case "message":
			l.known = true
			l.speech(&l.said)
		case "response":
			l.known = true
			l.content(&l.said)
		case "done":
			if l.done = l.Next('t'); l.done {
				l.known = true
			}
			l.Skip()
		case "done_reason":
			l.cursor.reason(&l.finish)
		case "error":
			l.fault = l.raw()
		default:
			l.figure(key)
		}
	}
	return l.End()
}

// figure reads a member that is a figure of the server's.
func (l *ollamaLine) figure(key []byte) {
	switch string(key) {
	case "load_duration":
		l.duration(&l.load)
	case "prompt_eval_count":
		l.cursor.count("prompt_eval_count", &l.promptCount)
	case "prompt_eval_cached_count":
		l.cursor.count("prompt_eval_cached_count", &l.cachedCount)
	case "prompt_eval_duration":
		l.duration(&l.prompted)
	case "eval_count":
		l.cursor.count("eval_count", &l.evalCount)
	case "eval_duration":
		l.duration(&l.evaluated)
	default:
		l.Skip()
	}
}

// maxSpan is longer than any request lasts.
const maxSpan = 30 * 24 * time.Hour

// duration reads nanoseconds; what cannot be is unknown.
func (l *ollamaLine) duration(into *optional[float64]) {
	raw := l.raw()
	var value float64
	if isNumber(raw) && json.Unmarshal(raw, &value) == nil && 0 <= value && value <= float64(maxSpan) {
		*into = some(value)
	}
}

// stats returns the statistics of the last line. Ollama has counts and
// durations; of its output rate, the first token is no part, since its duration
// is none; nor is what came from the cache part of its prefill rate.
func (l *ollamaLine) stats() *exobench.ServerStats {
	processed := l.promptCount
	processed.value -= l.cachedCount.value
	stats := &exobench.ServerStats{
		PrefillTPS: perSecond(processed, l.prompted), PromptTokens: l.promptCount.pointer(),
		OutputTokens: l.evalCount.pointer(),
		LoadTime:     time.Duration(l.load.value),
	}
	if l.evalCount.value > 1 {
		stats.DecodeTPS = perSecond(some(l.evalCount.value-1), l.evaluated)
	}
	return stats
}

func perSecond(n optional[exobench.Tokens], ns optional[float64]) *float64 {
	if !n.known || n.value < 0 || ns.value <= 0 {
		return nil
	}
	return new(float64(n.value) / time.Duration(ns.value).Seconds())
}
