package exolegacy

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

// Config says how to reach a legacy exo. A zero field takes its value from
// Default, where that has one.
type Config struct {
	// URL is the address of any node of the cluster.
	URL string
	// Client sends everything but chats; nil means one with no proxy and no
	// overall time-out. Each call has a time-out of its own.
	Client *http.Client
	// Wire sends the chats; Clock is its clock, and stamps the load events.
	Wire  *wire.Client
	Clock exobench.Clock
	// Timeout and Idle bound a chat, as in wire.Call, but not the first one,
	// which loads the model.
	Timeout, Idle time.Duration

	// LoadTimeout bounds the load of a model, once downloaded.
	LoadTimeout time.Duration
	// DownloadTimeout bounds the time without a new byte of a download.
	DownloadTimeout time.Duration
	// LookTimeout bounds the look at what is downloaded: exo compares its files
	// with those of Hugging Face for every model that it knows.
	LookTimeout time.Duration
	// PollInterval is the time between two looks at a download.
	PollInterval time.Duration
}

// Default is the configuration of a Config with no field set.
var Default = Config{
	URL: "http://127.0.0.1:52415", // exo's own default port
	// exo itself gives a request up after 900 s: its own word comes first.
	LoadTimeout:     16 * time.Minute,
	DownloadTimeout: 5 * time.Minute,
	LookTimeout:     20 * time.Second,
	PollInterval:    time.Second,
}

// callTime bounds one ordinary call.
const callTime = 10 * time.Second

func (c Config) withDefaults() Config {
	fill(&c.URL, Default.URL)
	fill(&c.Clock, exobench.NewClock())
	fill(&c.LoadTimeout, Default.LoadTimeout)
	fill(&c.DownloadTimeout, Default.DownloadTimeout)
	fill(&c.LookTimeout, Default.LookTimeout)
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

// Validate reports what is wrong with the configuration, in words for the
// person who gave the flags.
func (c Config) Validate() error {
	c = c.withDefaults()
	address, err := url.Parse(c.URL)
	if err != nil || address.Host == "" || address.Scheme != "http" && address.Scheme != "https" {
		return fmt.Errorf("--url is %q: it must be like %s", c.URL, Default.URL)
	}
	if c.Wire == nil {
		return errors.New("a client for chats is missing")
	}
	return nil
}
