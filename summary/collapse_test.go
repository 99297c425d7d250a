package summary

import (
	"strings"
	"testing"

	"exobench"
)

// repeated is an OK request of a repeat that takes ttft to its first token.
func repeated(seq, repeat int, ttft exobench.Instant) *exobench.Record {
	r := ok(seq, exobench.Instant(10*seq), second)
	r.Repeat, r.FirstToken = repeat, r.Sent+ttft
	return r
}

func TestATTFTThatCollapsesOnRepeatedPromptsIsASilentCache(t *testing.T) {
	for _, row := range []struct {
		name         string
		first, later exobench.Instant
		told         bool
		want         bool
	}{
		{"a silent cache", 400 * ms, 20 * ms, false, true},
		{"no cache", 400 * ms, 380 * ms, false, false},
		{"a server that says what it cached", 400 * ms, 20 * ms, true, false},
	} {
		var entries []exobench.Entry
		for seq := 1; seq <= 9; seq++ {
			r := repeated(seq, (seq+2)/3, row.later)
			if seq <= 3 {
				r = repeated(seq, 1, row.first)
			}
			if row.told {
				r.CachedTokens = tokens(0)
			}
			entries = append(entries, r)
		}
		c := only(t, entries...)
		if got := strings.Contains(strings.Join(c.Warnings, " "), "tells nothing of a prompt cache"); got != row.want {
			t.Errorf("%s: warnings %q", row.name, c.Warnings)
		}
	}
}

func TestDeliveredIsTheMeanNumberOfRequestsUnderWay(t *testing.T) {
	// Two of 4 s and one of 2 s in 6 s: 10 / 6.
	c := only(t, ok(1, 10, 4*second), ok(2, 10, 2*second), ok(3, 12, 4*second))
	if c.Delivered == nil || *c.Delivered < 1.66 || *c.Delivered > 1.67 {
		t.Errorf("delivered %v, want 10/6", c.Delivered)
	}
}
