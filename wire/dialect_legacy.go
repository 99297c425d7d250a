package wire

import "exobench"

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

type legacyReader struct{ openAIReader }

func (r *legacyReader) line(line []byte, at exobench.Instant, whole bool) {
	r.openAIReader.line(line, at, whole)
	if r.stream.record.FinishReason != "" {
		r.stream.ended()
	}
}
