package wire

import (
	"bytes"
	"cmp"

	"exobench"
)

// LegacyExo is the dialect of exo 0.0.x: OpenAI's without [DONE]. Its finish
// reason is the last that it sends.
type LegacyExo struct{}

// Accept returns the media type of event streams.
func (LegacyExo) Accept() string { return OpenAI{}.Accept() }

// Ends names the terminator.
func (LegacyExo) Ends() string { return "a finish reason" }

func (LegacyExo) lineEnds() int { return OpenAI{}.lineEnds() }

func (LegacyExo) read(into *stream) reader {
	return &legacyReader{openAIReader{stream: into}}
}

var finishKey = []byte(`"finish_reason"`)

// look takes data for life, and an event with a finish reason for the end.
func (LegacyExo) look(l *lookout, line []byte) (alive, over bool) {
	alive, over = OpenAI{}.look(l, line)
	if name, value := fieldOf(line); alive && name == dataField && bytes.Contains(value, finishKey) {
		l.event = cmp.Or(l.event, new(event))
		over = over || l.event.read(value, false) && l.event.finishes()
	}
	return alive, over
}

// finishes reports whether a choice of the event has a finish reason.
func (e *event) finishes() bool {
	for i := range e.choices {
		if len(e.choices[i].finish) > 0 {
			return true
		}
	}
	return false
}

type legacyReader struct{ openAIReader }

func (r *legacyReader) line(line []byte, at exobench.Instant, whole bool) {
	r.openAIReader.line(line, at, whole)
	if r.stream.record.FinishReason != "" {
		r.stream.ended()
	}
}
