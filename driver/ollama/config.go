package ollama

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"exobench"
	"exobench/wire"
)

// Config says how to reach an Ollama and how to load models on it. A zero
// field takes its value from Default, where that has one.
type Config struct {
	// URL is the address of the server.
	URL string
	// Client sends everything but chats; nil means one with no proxy and no
	// overall time-out. Each call has a time-out of its own.
	Client *http.Client
	// Wire sends the chats.
	Wire *wire.Client
	// Timeout and Idle bound a chat, as in wire.Call.
	Timeout, Idle time.Duration
	// Context is the context length to load models with; 0 leaves that to
	// Ollama, which goes by the memory it finds.
	Context exobench.Tokens
	// Pull fetches models that the server does not have.
	Pull bool
	// Reuse measures a model that is loaded already as it is, and leaves it
	// there; without it, such a model is unloaded and loaded again.
	Reuse bool

	// LoadTimeout bounds a load: Ollama tells nothing of its progress.
	LoadTimeout time.Duration
	// PullTimeout bounds the time without news of a download.
	PullTimeout time.Duration
	// ReleaseTimeout bounds the wait for a model to go.
	ReleaseTimeout time.Duration
	// PollInterval is the time between two looks at a model that is to go.
	PollInterval time.Duration
}

// Default is the configuration of a Config with no field set.
var Default = Config{
	URL: "http://127.0.0.1:11434", // Ollama's own default port
	// Ollama itself gives up a load after five minutes without progress.
	LoadTimeout:    30 * time.Minute,
	PullTimeout:    5 * time.Minute,
	ReleaseTimeout: 30 * time.Second,
	PollInterval:   50 * time.Millisecond,
}

// The times that are no user's business.
const (
	callTime  = 10 * time.Second // for one ordinary call
	keepAlive = "30m"            // how long Ollama keeps a model that Prepare loaded
)

func (c Config) withDefaults() Config {
	fill(&c.URL, Default.URL)
	fill(&c.LoadTimeout, Default.LoadTimeout)
	fill(&c.PullTimeout, Default.PullTimeout)
	fill(&c.ReleaseTimeout, Default.ReleaseTimeout)
	fill(&c.PollInterval, Default.PollInterval)
	c.URL = strings.TrimRight(c.URL, "/")
	if c.Client == nil {
		transport := http.DefaultTransport.(*http.Transport).Clone()
		transport.Proxy = nil
		c.Client = &http.Client{Transport: transport}
	}
	return c
}

func fill[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

// Validate reports everything that is wrong with the configuration, in words
// for the person who gave the flags.
func (c Config) Validate() error {
	c = c.withDefaults()
	var problems []error
	check := func(ok bool, format string, args ...any) {
		if !ok {
			problems = append(problems, fmt.Errorf(format, args...))
		}
	}
	address, err := url.Parse(c.URL)
	check(err == nil && address.Host != "" && (address.Scheme == "http" || address.Scheme == "https"),
		"--url is %q: it must be like %s", c.URL, Default.URL)
	check(c.Context >= 0, "the context length is %d: it must be at least 1, or 0 to leave it to Ollama", c.Context)
	return errors.Join(problems...)
}
