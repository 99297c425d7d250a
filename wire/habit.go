package wire

import (
	"context"
	"net/url"
	"sync/atomic"
	"time"

	"exobench"
)

// habit is what is known of an origin: whether it closes its connections after
// an answer without having said so. llama-server does, though it promises to
// keep them. A request on such a connection meets its end: it would be a failure
// that says nothing of the engine, so each gets a connection of its own then.
type habit struct {
	closes atomic.Bool
	// answered is when the first answer had ended; 0 before.
	answered atomic.Int64
}

const (
	// closingTime is how long after the last byte of an answer the end of its
	// connection still counts as that of the answer.
	closingTime = 250 * time.Millisecond
	// learningTime is how long the next request waits after the first answer of
	// an origin, so that it is known by then whether the connection stays.
	learningTime = 20 * time.Millisecond
)

// habitOf returns what is known of the origin of a URL.
func (c *Client) habitOf(address string) *habit {
	origin := address
	if u, err := url.Parse(address); err == nil {
		origin = originOf(u)
	}
	h, _ := c.habits.LoadOrStore(origin, new(habit))
	return h.(*habit)
}

// ended notes that the server closed a connection on which the last byte came at
// an instant.
func (h *habit) ended(last, now exobench.Instant) {
	if h != nil && last.Reached() && now.Sub(last) <= closingTime {
		h.closes.Store(true)
	}
}

// learn waits where it is not known yet whether the origin keeps connections. A
// request that is due at a time of its own does not wait.
func (x *exchange) learn(ctx context.Context) {
	answered := exobench.Instant(x.habit.answered.Load())
	if !answered.Reached() || x.habit.closes.Load() || x.call.At.Reached() {
		return
	}
	wait := answered.Add(learningTime).Sub(x.client.clock.Now())
	if wait <= 0 {
		return
	}
	select {
	case <-ctx.Done():
	case <-time.After(wait):
	}
}
