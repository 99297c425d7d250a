package reference

import (
	"cmp"
	"errors"
	"fmt"
	"runtime"
	"time"
)

// Distribution is that of the jitter of due instants.
type Distribution string

// The distributions. Jitter is never negative, and never lets an event be due
// before the one in front of it.
const (
	None        Distribution = "none"
	Uniform     Distribution = "uniform"     // from 0 to Size
	Exponential Distribution = "exponential" // with mean Size
)

// Jitter delays due instants at random. The zero Jitter is none.
type Jitter struct {
	Distribution Distribution
	Size         time.Duration
	// Seed makes the delays repeatable: the same for the n-th request of a
	// server.
	Seed uint64
}

// Fault is a way for a request to go wrong.
type Fault string

// The faults. Those within a stream come after half of its events.
const (
	NoFault     Fault = "none"
	HTTP500     Fault = "http_500"     // an error status in place of a stream
	StreamError Fault = "stream_error" // an error object, then the end
	Truncated   Fault = "truncated"    // the connection closes without the end
	Stall       Fault = "stall"        // silence until the client goes away
)

// Errors says which requests go wrong, and how. With the zero Errors none do.
type Errors struct {
	Fault Fault
	// Share is that of the requests that go wrong, up to 1, chosen by the seed
	// of the jitter; 0 means all of them.
	Share float64
}

// Config is what a server does unless a request says otherwise.
type Config struct {
	// TTFT is from the arrival of a request to its first event, Interval from
	// one event to the next.
	TTFT, Interval time.Duration
	// Tokens is the length of an answer; 0 means 100.
	Tokens int
	// PerChunk is how many tokens an event carries; 0 means 1.
	PerChunk int
	Jitter   Jitter
	// PrefillPerToken is added to the TTFT for each word of the prompt.
	PrefillPerToken time.Duration
	Errors          Errors
	// Schedulers is how many goroutines write; 0 means one for every two cores
	// that Go may use, and four at most.
	Schedulers int
	// Relaxed lets events come as late as a sleep ends, by some 50 µs, where else
	// the last moments are waited for by watching the clock, which takes a core. The
	// instants that events carry are as true.
	Relaxed bool
	// Patience is how long a client may leave its socket full before its stream
	// is aborted; 0 means 5 s.
	Patience time.Duration
	// Token is what every request must carry as a bearer token; empty means that
	// none need.
	Token string
}

const (
	maxTokens = 1 << 20
	maxSpan   = time.Hour
)

// Validate reports everything that is wrong with the configuration.
func (c Config) Validate() error {
	var errs []error
	span := func(name string, d time.Duration) {
		if d < 0 || d > maxSpan {
			errs = append(errs, fmt.Errorf("%s of %v is not between 0 and %v", name, d, maxSpan))
		}
	}
	count := func(name string, n, most int) {
		if n < 0 || n > most {
			errs = append(errs, fmt.Errorf("%s of %d is not between 0 and %d", name, n, most))
		}
	}
	span("TTFT", c.TTFT)
	span("interval", c.Interval)
	span("jitter", c.Jitter.Size)
	span("prefill per token", c.PrefillPerToken)
	span("patience", c.Patience)
	count("number of tokens", c.Tokens, maxTokens)
	count("number of tokens per chunk", c.PerChunk, maxTokens)
	count("number of schedulers", c.Schedulers, 64)
	switch c.Jitter.Distribution {
	case "", None, Uniform, Exponential:
	default:
		errs = append(errs, fmt.Errorf("unknown distribution of jitter %q", c.Jitter.Distribution))
	}
	switch c.Errors.Fault {
	case "", NoFault, HTTP500, StreamError, Truncated, Stall:
	default:
		errs = append(errs, fmt.Errorf("unknown error %q", c.Errors.Fault))
	}
	if !(c.Errors.Share >= 0 && c.Errors.Share <= 1) {
		errs = append(errs, fmt.Errorf("share of errors of %v is not between 0 and 1", c.Errors.Share))
	}
	return errors.Join(errs...)
}

// filled returns the configuration with the defaults in place.
func (c Config) filled() Config {
	c.Tokens = cmp.Or(c.Tokens, 100)
	c.PerChunk = cmp.Or(c.PerChunk, 1)
	c.Schedulers = cmp.Or(c.Schedulers, min(4, max(1, runtime.GOMAXPROCS(0)/2)))
	c.Patience = cmp.Or(c.Patience, 5*time.Second)
	return c
}
