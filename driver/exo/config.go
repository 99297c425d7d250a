package exo

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"exobench"
)

// Config says which exo to drive and how to place models on it. A zero field
// takes its value from Default.
type Config struct {
	// URL is the address of any node of the cluster.
	URL string
	// Client sends the requests; nil means one with no proxy and no overall
	// time-out. Each call has a time-out of its own.
	Client *http.Client
	// Clock stamps the load events; the zero Clock means one that starts now.
	Clock exobench.Clock
	// Sharding is "Pipeline" or "Tensor", in any case; empty takes what exo
	// offers, Pipeline first.
	Sharding string
	// InstanceMeta is "MlxRing" or "MlxJaccl" ("ring" and "jaccl" do), in any
	// case; empty takes what exo offers, MlxRing first.
	InstanceMeta string
	// MinNodes and MaxNodes bound the number of nodes of a placement.
	MinNodes, MaxNodes int
	// Reuse measures an instance of the model that exo already runs and leaves
	// it there; Replace deletes such instances first. With neither, one is an
	// error.
	Reuse, Replace bool

	// SettleTimeout bounds the wait for a placement that fits.
	SettleTimeout time.Duration
	// DownloadTimeout bounds the time without a new byte of a download.
	DownloadTimeout time.Duration
	// LoadTimeout bounds the time without a change in any runner.
	LoadTimeout time.Duration
	// ReleaseTimeout bounds the wait for an instance to go.
	ReleaseTimeout time.Duration
	// PollInterval is the time between two looks at a model being loaded.
	PollInterval time.Duration

	pace pace
}

// Default is the configuration of a Config with no field set.
var Default = Config{
	URL:      "http://127.0.0.1:52415", // exo's own default port
	MinNodes: 1,
	MaxNodes: 1,
	// A fresh exo places nothing until each node has told its memory and its
	// backends; exo's own bench gives it the same minute.
	SettleTimeout: 60 * time.Second,
	// exo tells the progress of a download once a second, and retries a broken
	// one five times over about half a minute: five minutes of nothing is more.
	DownloadTimeout: 5 * time.Minute,
	// The longest honest silence is the warm-up, 50 tokens with no sign of
	// life: ten minutes allow 12 seconds for each.
	LoadTimeout: 10 * time.Minute,
	// A runner gets 3 s to stop, then is killed; the rest is for a busy node.
	ReleaseTimeout: 30 * time.Second,
	PollInterval:   100 * time.Millisecond, // exo's workers plan at 10 Hz

	pace: pace{
		probe:    3 * time.Second,
		ready:    10 * time.Second,
		call:     10 * time.Second,
		slowCall: 120 * time.Second,
		backoff:  time.Second,
		slowPoll: time.Second,
		appear:   30 * time.Second,
		late:     5 * time.Second,
		silence:  15 * time.Second,
		// A runner gets 3 s to stop before it is killed; exo often keeps its
		// entry for good, so waiting longer gains nothing.
		linger:    4 * time.Second,
		staleFail: 75 * time.Second,
	},
}

// pace holds the waits that are no user's business; tests shorten them.
type pace struct {
	probe    time.Duration // for the whole of "is this an exo?"
	ready    time.Duration // for a starting exo to know its nodes
	call     time.Duration // for one ordinary call
	slowCall time.Duration // for a call that may make exo ask Hugging Face
	backoff  time.Duration // before the second look for a placement; doubles
	slowPoll time.Duration // between looks at downloads (large) and nodes
	appear   time.Duration // for a new instance to show up
	late     time.Duration // for an instance to show up that must be deleted
	silence  time.Duration // without one good answer while watching
	linger   time.Duration // for runners to go once their instance is gone
	// staleFail is how long a download failure from before our time is not
	// held against us: exo tries again after its next scan, one each 60 s.
	staleFail time.Duration
}

func (c Config) withDefaults() Config {
	fill(&c.URL, Default.URL)
	fill(&c.Clock, exobench.NewClock())
	fill(&c.MinNodes, Default.MinNodes)
	fill(&c.MaxNodes, Default.MaxNodes)
	fill(&c.SettleTimeout, Default.SettleTimeout)
	fill(&c.DownloadTimeout, Default.DownloadTimeout)
	fill(&c.LoadTimeout, Default.LoadTimeout)
	fill(&c.ReleaseTimeout, Default.ReleaseTimeout)
	fill(&c.PollInterval, Default.PollInterval)
	fill(&c.pace, Default.pace)
	c.URL = strings.TrimRight(c.URL, "/")
	if c.Client == nil {
		c.Client = newClient()
	}
	return c
}

func fill[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

// newClient returns a client that goes straight to the node: exo lives on the
// local network, where a proxy from the environment has nothing to do.
func newClient() *http.Client {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.Proxy = nil
	return &http.Client{Transport: transport}
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
	sharding, ok := canonicalSharding(c.Sharding)
	check(ok, "--sharding is %q: it must be Pipeline or Tensor", c.Sharding)
	meta, ok := canonicalMeta(c.InstanceMeta)
	check(ok, "--instance-meta is %q: it must be MlxRing or MlxJaccl", c.InstanceMeta)
	check(c.MinNodes >= 1, "--min-nodes is %d: it must be at least 1", c.MinNodes)
	check(c.MaxNodes >= 1, "--max-nodes is %d: it must be at least 1", c.MaxNodes)
	check(c.MinNodes <= c.MaxNodes, "--min-nodes is %d and --max-nodes is %d: no placement has that many nodes",
		c.MinNodes, c.MaxNodes)
	check(sharding != tensor || c.MaxNodes != 1,
		"--sharding Tensor can never be with --max-nodes 1: on one node exo always places Pipeline/MlxRing")
	check(meta != jaccl || c.MaxNodes != 1,
		"--instance-meta MlxJaccl can never be with --max-nodes 1: on one node exo always places Pipeline/MlxRing")
	check(!c.Reuse || !c.Replace, "--reuse and --replace exclude each other: an instance is measured as it is, or deleted first")
	positive := func(name string, wait time.Duration) {
		check(wait > 0, "the %s is %v: it must be above 0", name, wait)
	}
	positive("settle time-out", c.SettleTimeout)
	positive("download time-out", c.DownloadTimeout)
	positive("load time-out", c.LoadTimeout)
	positive("release time-out", c.ReleaseTimeout)
	positive("poll interval", c.PollInterval)
	return errors.Join(problems...)
}

// exo's names for how a model is spread.
const (
	pipeline = "Pipeline"
	tensor   = "Tensor"
	ring     = "MlxRing"
	jaccl    = "MlxJaccl"
)

// canonicalSharding returns exo's spelling, or false if there is none.
func canonicalSharding(name string) (string, bool) {
	switch strings.ToLower(name) {
	case "":
		return "", true
	case "pipeline":
		return pipeline, true
	case "tensor":
		return tensor, true
	}
	return "", false
}

// canonicalMeta returns exo's spelling, or false if there is none.
func canonicalMeta(name string) (string, bool) {
	switch strings.ToLower(name) {
	case "":
		return "", true
	case "ring", "mlxring":
		return ring, true
	case "jaccl", "mlxjaccl":
		return jaccl, true
	}
	return "", false
}
