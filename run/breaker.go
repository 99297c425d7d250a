package run

import (
	"sync/atomic"

	"exobench"
)

// breakAfter is after how many requests in a row without an answer no more are
// sent to a model: with a time-out of minutes each, the rest of the plan would
// take hours to say the same.
const breakAfter = 3

// breaker counts requests in a row that got no answer.
type breaker struct{ row atomic.Int64 }

func (b *breaker) saw(outcome exobench.Outcome) {
	switch outcome {
	case exobench.Timeout, exobench.IdleTimeout, exobench.ConnectError:
		b.row.Add(1)
	default:
		if !b.open() {
			b.row.Store(0)
		}
	}
}

func (b *breaker) open() bool { return b.row.Load() >= breakAfter }
