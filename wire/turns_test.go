package wire

import (
	"testing"
	"time"

	"exobench"
)

func TestAnswersAreParsedInTurn(t *testing.T) {
	answer := newCapture()
	defer answer.free()
	for range cap(parsing) {
		parsing.take()
	}
	parsed := make(chan struct{})
	go func() {
		defer close(parsed)
		parse(answer, new(exobench.Record), OpenAI{})
	}()
	select {
	case <-parsed:
		t.Error("an answer was parsed while all turns were taken")
	case <-time.After(20 * time.Millisecond):
	}
	for range cap(parsing) {
		parsing.give()
	}
	<-parsed
}
