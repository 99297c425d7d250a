package calibrate

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"net/http"
	"time"

	"exobench"
	"exobench/wire"
)

const (
	// TTFT is what the reference is asked for, from the arrival of a request.
	// It gives all streams time to open before the first event comes.
	TTFT = 200 * time.Millisecond

	// maxEvents bounds one calibration, so that the short one of a run ends
	// within two seconds.
	maxEvents  = 120_000
	maxStreams = 20_000
	// minEvents of a stream are what a gap and a rate need, and someEvents what is
	// measured of each where many bring enough together.
	minEvents  = 3
	someEvents = 16
	// slack is how much longer than planned a stream may take.
	slack = 20 * time.Second
)

// Config says what to calibrate, and under which load.
type Config struct {
	// URL is that of a running reference, such as "http://127.0.0.1:8089".
	URL string
	// Header is sent to it with every request; it is not modified.
	Header http.Header
	Wire   *wire.Client
	// Clock is the client's.
	Clock exobench.Clock
	// Streams run side by side, each with Rate tokens per second.
	Streams int
	Rate    float64
	// Duration is for how long each stream brings tokens; 0 means 1 s. It is
	// cut where all streams together would bring more than 120,000 events.
	Duration time.Duration
	// Enough is how many gaps between events of all streams together suffice: then
	// streams bring fewer tokens than Duration has, though at least 16. 0 is no bound.
	Enough int
	// Warm runs a few events on every stream first.
	Warm bool
}

// Validate reports everything that is wrong with the configuration.
func (c Config) Validate() error {
	var errs []error
	if c.URL == "" {
		errs = append(errs, errors.New("the reference has no URL"))
	}
	if c.Wire == nil {
		errs = append(errs, errors.New("there is no client"))
	}
	if c.Streams < 1 || c.Streams > maxStreams {
		errs = append(errs, fmt.Errorf("%d streams are not between 1 and %d", c.Streams, maxStreams))
	}
	if !(c.Rate > 0 && c.Rate <= 1e5) {
		errs = append(errs, fmt.Errorf("rate of %v tokens/s is not above 0 and up to 100000", c.Rate))
	}
	if c.Duration < 0 || c.Duration > time.Hour {
		errs = append(errs, fmt.Errorf("duration of %v is not between 0 and 1h", c.Duration))
	}
	if c.Enough < 0 {
		errs = append(errs, fmt.Errorf("%d gaps cannot be enough", c.Enough))
	}
	return errors.Join(errs...)
}

// tokens returns how many events each stream is to bring.
func (c Config) tokens() int {
	wanted := int(math.Round(cmp.Or(c.Duration, time.Second).Seconds() * c.Rate))
	if c.Enough > 0 {
		wanted = min(wanted, max(someEvents, 1+(c.Enough+c.Streams-1)/c.Streams))
	}
	return max(minEvents, min(wanted, maxEvents/c.Streams))
}

func (c Config) interval() time.Duration { return time.Duration(float64(time.Second) / c.Rate) }
