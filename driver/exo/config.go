package exo

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"exobench"
	"exobench/driver"
	"exobench/driver/marks"
	"exobench/resource"
)

// usualURL is where exo answers by default.
const usualURL = "http://127.0.0.1:52415"

// config says which exo to drive and how to place models on it.
type config struct {
	// label is the engine's name in the run.
	label string
	// url is the address of any node of the cluster.
	url      string
	env      driver.Env
	identity Identity
	// sharding is pipeline or tensor; empty takes what exo offers, Pipeline
	// first.
	sharding string
	// instanceMeta is ring or jaccl; empty takes what exo offers, MlxRing first.
	instanceMeta string
	// minNodes and maxNodes bound the number of nodes of a placement.
	minNodes, maxNodes int
	// reuse measures an instance of the model that exo already runs and leaves
	// it there; replace deletes such instances first. With neither, one is an
	// error.
	reuse, replace bool

	pace pace
	// marks is the folder of the marks of instances; empty where there is none.
	marks string
	// unmarked is set where nothing has to be marked.
	unmarked bool
	// children lists the processes that a process has started; tests replace it.
	children func(ctx context.Context, pid int) ([]int, error)
	// started tells when a process started, and whether it lives; tests replace it.
	started func(ctx context.Context, pid int) (since uint64, lives bool)
	// transport, where set, takes the calls to exo in tests of virtual time.
	transport http.RoundTripper
}

// configOf reads the spec. What is wrong with it is a UsageError.
func configOf(spec exobench.EngineSpec, env driver.Env) (config, error) {
	if err := driver.CheckOptions(spec, Driver{}.Options()); err != nil {
		return config{}, err
	}
	number := func(o driver.Option) int {
		n, _ := strconv.Atoi(o.In(spec)) // CheckOptions has seen it
		return n
	}
	c := config{
		label: spec.Label(), url: cmp.Or(spec.URL, usualURL), env: env,
		sharding: shardingOption.In(spec), instanceMeta: metaOption.In(spec),
		minNodes: number(minNodesOption), maxNodes: number(maxNodesOption),
		reuse: driver.Reuse.On(spec), replace: replaceOption.On(spec),
		pace: usualPace, marks: marks.Folder(env.Getenv, marksKind), children: resource.Descendants, started: resource.Started,
	}
	if err := c.settle(settleOption.In(spec)); err != nil {
		return config{}, driver.UsageError{Err: err}
	}
	if err := c.validate(); err != nil {
		return config{}, driver.UsageError{Err: err}
	}
	c.sharding, _ = canonicalSharding(c.sharding)
	c.instanceMeta, _ = canonicalMeta(c.instanceMeta)
	return c, nil
}

// settle takes the time that a fresh exo is given before a model that it places
// nowhere is given up.
func (c *config) settle(text string) error {
	span, err := time.ParseDuration(text)
	if err != nil || span < 0 {
		return fmt.Errorf("--settle-timeout is %q: it must be a span of time, such as 90s", text)
	}
	c.pace.settle = span
	return nil
}

// pace holds the waits, which but for settle are no user's business; tests
// shorten them.
type pace struct {
	settle   time.Duration // for a placement that fits
	download time.Duration // without a new byte of a download
	load     time.Duration // without a change in any runner
	release  time.Duration // for an instance to go
	poll     time.Duration // between two looks at a model being loaded
	probe    time.Duration // for the whole of "is this an exo?"
	ready    time.Duration // for a starting exo to know its nodes
	call     time.Duration // for one ordinary call
	cancel   time.Duration // for the call that stops a request
	slowCall time.Duration // for a call that may make exo ask Hugging Face
	backoff  time.Duration // before the second look for a placement; doubles
	slowPoll time.Duration // between looks at downloads (large) and nodes
	appear   time.Duration // for a new instance to show up
	late     time.Duration // for an instance to show up that must be deleted
	silence  time.Duration // without one good answer while watching
	linger   time.Duration // for runners elsewhere to go once their instance is gone
	exit     time.Duration // for processes of runners on this host to go
	memory   time.Duration // for memory to be freed for a model that lacks it
	away     time.Duration // for an exo that is away to be back
	gone     time.Duration // for a runner that is gone to come back
	// staleFail is how long a download failure from before our time is not
	// held against us: exo tries again after its next scan, one each 60 s.
	staleFail time.Duration
}

// usualPace is that of every run.
var usualPace = pace{
	// A fresh exo places nothing until each node has told its memory and its
	// backends; exo's own bench gives it the same minute.
	settle: 60 * time.Second,
	// exo tells the progress of a download once a second, and retries a broken
	// one five times over about half a minute: five minutes of nothing is more.
	download: 5 * time.Minute,
	// The longest honest silence is the warm-up, 50 tokens with no sign of
	// life: ten minutes allow 12 seconds for each.
	load: 10 * time.Minute,
	// A runner gets 3 s to stop, then is killed; the rest is for a busy node.
	release:  30 * time.Second,
	poll:     100 * time.Millisecond, // exo's workers plan at 10 Hz
	probe:    3 * time.Second,
	ready:    10 * time.Second,
	call:     10 * time.Second,
	cancel:   2 * time.Second,
	slowCall: 120 * time.Second,
	backoff:  time.Second,
	slowPoll: time.Second,
	appear:   30 * time.Second,
	late:     5 * time.Second,
	silence:  15 * time.Second,
	// A runner gets 3 s to stop before it is killed; exo often keeps its
	// entry for good, so waiting longer gains nothing.
	linger: 4 * time.Second,
	exit:   15 * time.Second,
	// exo renews its figures of memory once a second.
	memory: 10 * time.Second,
	away:   60 * time.Second,
	// A worker waits at most 10 s before it starts a runner that failed again.
	gone:      60 * time.Second,
	staleFail: 75 * time.Second,
}

// validate reports everything that is wrong with the options, in words for the
// person who gave the flags.
func (c config) validate() error {
	var problems []error
	check := func(ok bool, format string, args ...any) {
		if !ok {
			problems = append(problems, fmt.Errorf(format, args...))
		}
	}
	sharding, ok := canonicalSharding(c.sharding)
	check(ok, "--sharding is %q: it must be Pipeline or Tensor", c.sharding)
	meta, ok := canonicalMeta(c.instanceMeta)
	check(ok, "--instance-meta is %q: it must be MlxRing or MlxJaccl", c.instanceMeta)
	check(c.minNodes >= 1, "--min-nodes is %d: it must be at least 1", c.minNodes)
	check(c.maxNodes >= 1, "--max-nodes is %d: it must be at least 1", c.maxNodes)
	check(c.minNodes <= c.maxNodes, "--min-nodes is %d and --max-nodes is %d: no placement has that many nodes",
		c.minNodes, c.maxNodes)
	check(sharding != tensor || c.maxNodes != 1,
		"--sharding Tensor can never be with --max-nodes 1: on one node exo always places Pipeline/MlxRing")
	check(meta != jaccl || c.maxNodes != 1,
		"--instance-meta MlxJaccl can never be with --max-nodes 1: on one node exo always places Pipeline/MlxRing")
	check(!c.reuse || !c.replace, "--reuse and --replace exclude each other: an instance is measured as it is, or deleted first")
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
