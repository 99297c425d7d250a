package calibrate

import (
	"context"
	"math"
	"time"

	"exobench"
	"exobench/stat"
)

// Point is one load of a grid.
type Point struct {
	Streams int
	Rate    float64 // tokens per second of each stream
}

// Grid measures one load after the other; Streams and Rate of the Config are
// not used. With an error it returns the calibrations before it.
func Grid(ctx context.Context, cfg Config, points []Point) ([]exobench.Calibration, error) {
	var all []exobench.Calibration
	for _, p := range points {
		cfg.Streams, cfg.Rate = p.Streams, p.Rate
		c, err := Run(ctx, cfg)
		if err != nil {
			return all, err
		}
		all = append(all, c)
	}
	return all, nil
}

// bound is the share of a measured span that may be the harness's own.
const bound = 0.05

// ClientBound returns the first load at which the harness's error is more than
// 5 % of what it measures: the inter-chunk error at the 99th percentile of the
// interval, or that of the TTFT of [TTFT]. Where there are too few events or
// streams for a 99th percentile, the median counts. It reports false where no
// load is.
func ClientBound(cs []exobench.Calibration) (streams int, rate float64, ok bool) {
	for _, c := range cs {
		gap, ttft := c.InterChunkP50, c.TTFTP50
		if stat.Supports(0.99, c.Events-c.Streams) {
			gap = c.InterChunkP99
		}
		if stat.Supports(0.99, c.Streams) {
			ttft = c.TTFTP99
		}
		if exceeds(gap, float64(time.Second)/c.Rate) || exceeds(ttft, float64(TTFT)) {
			return c.Streams, c.Rate, true
		}
	}
	return 0, 0, false
}

func exceeds(e time.Duration, of float64) bool { return math.Abs(float64(e)) > bound*of }
