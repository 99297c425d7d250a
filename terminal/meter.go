package terminal

import "time"

// The current speed is over the last window, and shown from atLeast on.
const (
	window  = 2 * time.Second
	atLeast = time.Second
)

// meter turns a count that grows into its current speed.
type meter struct{ points []point }

type point struct {
	at    time.Time
	count int64
}

// add notes the count at a time, and returns the speed per second since the
// oldest point within the window; nil while that is too short ago.
func (m *meter) add(at time.Time, count int64) *float64 {
	m.points = append(m.points, point{at, count})
	// The newest point that is a window old stays: it is where the window begins.
	for len(m.points) > 2 && at.Sub(m.points[1].at) >= window {
		m.points = m.points[1:]
	}
	first := m.points[0]
	span := at.Sub(first.at)
	if span < atLeast {
		return nil
	}
	speed := float64(count-first.count) / span.Seconds()
	return &speed
}
