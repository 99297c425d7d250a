package reference

import (
	"sync/atomic"
	"time"

	"exobench/internal/histogram"
)

// Behind says how late a server's writes were, emitted less due, since the last
// time that it was asked. P50 and P99 are upper bounds within 1.6 %.
type Behind struct {
	Events int64         `json:"events"`
	P50    time.Duration `json:"p50_ns"`
	P99    time.Duration `json:"p99_ns"`
	Max    time.Duration `json:"max_ns"`
	// Late is how many streams waited for a client that did not read; their late
	// events are not in the figures above. Aborted is how many were given up,
	// for that or because the client went away.
	Late    int64 `json:"late_streams"`
	Aborted int64 `json:"aborted_streams"`
}

// lateness is a Behind under construction, to which any goroutine may add.
type lateness struct {
	spans         histogram.Shared
	late, aborted atomic.Int64
}

// take returns the figures and starts anew.
func (l *lateness) take() Behind {
	spans := l.spans.Take()
	return Behind{
		Events: spans.Count(), P50: spans.Quantile(0.5), P99: spans.Quantile(0.99), Max: spans.Max(),
		Late: l.late.Swap(0), Aborted: l.aborted.Swap(0),
	}
}
