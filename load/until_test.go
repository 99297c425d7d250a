package load

import (
	"testing"
	"time"

	"exobench"
)

// enough is a rule that has enough once so many requests have ended; 0 is never.
type enough struct{ after, saw, asked int }

func (e *enough) Saw(*exobench.Record) { e.saw++ }
func (e *enough) Enough() bool         { e.asked++; return e.after > 0 && e.saw >= e.after }

func TestUntilEndsBetweenRepeatsOnly(t *testing.T) {
	for _, row := range []struct {
		why         string
		least, most int
		time        time.Duration
		enough      int
		ended       int // requests that had ended when it ended; each takes a second
		end         exobench.BlockEndReason
	}{
		{"enough in the midst of the fourth repeat", 2, 10, 0, 10, 12, exobench.BlockPrecise},
		{"enough from the first request on: the least repeats come first", 3, 10, 0, 1, 9, exobench.BlockPrecise},
		{"never enough", 3, 5, 0, 0, 15, exobench.BlockDone},
		{"enough with the last repeat", 3, 5, 0, 15, 15, exobench.BlockPrecise},
		{"its time is over in the midst of the third repeat", 1, 10, 7 * time.Second, 0, 9, exobench.BlockTime},
		{"its time is over before the least repeats are", 4, 10, time.Second, 0, 12, exobench.BlockTime},
		{"its time is over with the last repeat", 1, 3, 9 * time.Second, 0, 9, exobench.BlockDone},
		{"no more than the least", 3, 3, 0, 0, 9, exobench.BlockDone},
	} {
		rule := &enough{after: row.enough}
		u := &Until{
			Loop: &Loop{Request: func() exobench.Request { return exobench.Request{} }, Count: 3 * row.most},
			Size: 3, Least: row.least, Time: row.time, Rule: rule,
		}
		at, sent := exobench.Instant(5), 0
		for {
			_, _, end := u.Next(at)
			if end != "" {
				if end != row.end || sent != row.ended || u.Repeats()*3 != row.ended {
					t.Errorf("%s: %q after %d requests and %d repeats, want %q after %d", row.why, end, sent, u.Repeats(), row.end, row.ended)
				}
				break
			}
			sent++
			at = at.Add(time.Second)
			u.Ended(&exobench.Record{})
		}
		if rule.saw != sent || rule.asked > u.Repeats() {
			t.Errorf("%s: the rule saw %d of %d requests and was asked %d times in %d repeats", row.why, rule.saw, sent, rule.asked, u.Repeats())
		}
	}
}

func TestUntilOwesTheLeastRepeatsAndTheOneThatWasBegun(t *testing.T) {
	for sent, want := range map[int]int{0: 6, 4: 6, 6: 6, 7: 9, 9: 9} {
		u := &Until{
			Loop: &Loop{Request: func() exobench.Request { return exobench.Request{} }, Count: 300},
			Size: 3, Least: 2, Rule: &enough{},
		}
		for range sent {
			u.Next(1)
		}
		if u.GiveUp(); u.Count != want {
			t.Errorf("after %d requests %d are owed in all, want %d", sent, u.Count, want)
		}
	}
}
