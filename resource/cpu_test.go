package resource

import (
	"testing"
	"time"
)

func TestCPUOfAProcessThatWorksAndThenEnds(t *testing.T) {
	engine := newEngine(t)
	used := CPU(engine.pid)
	var all time.Duration
	for tries := 0; all == 0 && tries < 1000; tries++ {
		engine.order("touch 8")
		more, known := used()
		if !known {
			t.Fatal("it is not known")
		}
		all += more
	}
	if all == 0 {
		t.Error("it used no time")
	}
	engine.in.Close()
	engine.command.Wait()
	if _, known := used(); known {
		t.Error("of a process that ended, something is known")
	}
}
