package wire

import (
	"testing"
	"testing/synctest"

	"exobench"
)

func TestAnswersAreParsedInTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		// Only a channel that is made in here lets the test see who waits for it.
		defer func(all turns) { parsing = all }(parsing)
		parsing = make(turns, 1)
		answer := captureOf([]byte(content("a")), 100)
		defer answer.free()
		parsing.take()
		var record exobench.Record
		parsed := make(chan struct{})
		go func() {
			defer close(parsed)
			parse(answer, &record, &Call{})
		}()
		synctest.Wait()
		if record.FirstChunk.Reached() {
			t.Error("an answer was parsed while all turns were taken")
		}
		parsing.give()
		<-parsed
		if !record.FirstChunk.Reached() || len(parsing) != 0 {
			t.Errorf("first chunk %d, %d turns taken; want it parsed and its turn given back", record.FirstChunk, len(parsing))
		}
	})
}
