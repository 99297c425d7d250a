package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"

	"exobench"
	"exobench/gguf"
	"exobench/run"
	"exobench/target/llamacpp"
)

func isGGUF(name string) bool { return strings.HasSuffix(strings.ToLower(name), ".gguf") }

// llamacpp measures the llama-server at --url, or starts one for each model.
func (c connector) llamacpp(ctx context.Context) (bench, error) {
	key, err := c.openaiKey()
	if err != nil {
		return bench{}, err
	}
	config := llamacpp.Config{
		URL: c.urls["llamacpp"], APIKey: key, Insecure: c.flags.insecure,
		ServerPath: c.flags.llamaServer, Args: strings.Fields(c.flags.engineArgs),
		WarmCache: c.flags.cache == "warm", Slots: slices.Max(c.flags.concurrency),
		Wire: c.wire, Timeout: c.flags.timeout, Idle: c.flags.idleTimeout,
	}
	if config.URL == "" {
		return c.llamaServers(config), nil
	}
	if c.flags.synthetic || len(config.Args) > 0 {
		return bench{}, usageError{fmt.Errorf("--synthetic and --engine-args are for a llama-server that exobench starts; the one at %s runs already", config.URL)}
	}
	t, err := llamacpp.Dial(ctx, config)
	if err != nil {
		return bench{}, err
	}
	b := bench{Bench: run.Bench{Engine: t.Info(), Target: t}, close: func() { _ = t.Close() }}
	b.Engine.IgnoresEOS = !c.flags.naturalStop
	b.Memory, b.Engine.PID, b.notices = listenerMemory(ctx, config.URL)
	b.notices = append(b.notices, t.Notices()...)
	b.resolve = func(_ context.Context, name string) (exobench.Model, error) {
		known, _ := c.find(name)
		m, err := t.Resolve(name, known.IDs["llamacpp"])
		if err != nil {
			return m, usageError{err}
		}
		return m, nil
	}
	return b, nil
}

// llamaServers is a bench that starts one llama-server per model.
func (c connector) llamaServers(config llamacpp.Config) bench {
	servers := &llamaServers{targets: map[string]*llamacpp.Target{}}
	b := bench{
		Bench: run.Bench{
			Engine: exobench.Engine{Name: "llamacpp", LifeCycle: true, CacheSwitch: true, IgnoresEOS: !c.flags.naturalStop},
			Target: servers, Memory: servers, PID: servers.pid,
		},
		close: servers.close,
	}
	b.describe = func(e *exobench.Engine) { servers.describe(e) }
	b.resolve = func(ctx context.Context, name string) (exobench.Model, error) {
		path, err := c.modelFile(ctx, name)
		if err != nil {
			return exobench.Model{}, err
		}
		config := config
		config.ModelPath = path
		t, err := llamacpp.Dial(ctx, config)
		if err != nil {
			return exobench.Model{}, usageError{err}
		}
		m, err := t.Resolve(path, nil)
		if err != nil {
			return m, err
		}
		if known, ok := c.find(name); ok {
			m.Name = known.Name
		}
		if servers.targets[m.ID] != nil {
			return m, usageError{fmt.Errorf("model %s is named twice: each model is measured once, --repeat says how often", m.ID)}
		}
		servers.targets[m.ID] = t
		servers.synthetic = servers.synthetic || isSynthetic(path)
		return m, nil
	}
	return b
}

// modelFile returns the file of a model: itself, one that the catalogue names,
// or one of synthetic weights, which is written if it is not there yet.
func (c connector) modelFile(ctx context.Context, name string) (string, error) {
	if isGGUF(name) {
		if _, err := os.Stat(name); err != nil {
			return "", usageError{fmt.Errorf("model file %s: %w", name, errors.Unwrap(err))}
		}
		return name, nil
	}
	m, ok := c.find(name)
	if !ok {
		return "", c.unknown(name, nil)
	}
	if c.flags.synthetic {
		return c.syntheticFile(ctx, m)
	}
	if paths := m.IDs["llamacpp"]; len(paths) > 0 {
		return paths[0], nil
	}
	return "", usageError{fmt.Errorf("llamacpp has no file for %s: name one with --model FILE.gguf, or measure random weights in its shape with --synthetic", name)}
}

// isSynthetic reports whether the file says that its weights are random.
func isSynthetic(path string) bool {
	file, err := os.Open(path)
	if err != nil {
		return false
	}
	defer file.Close()
	header, err := gguf.ReadHeader(file)
	return err == nil && header.Synthetic
}

const (
	syntheticLabel  = "random weights in the models' true shapes"
	syntheticCaveat = "Speed and memory are those of the shape; what the model writes means nothing."
)

// llamaServers runs each model on a llama-server of its own, one at a time.
type llamaServers struct {
	targets   map[string]*llamacpp.Target // by model id
	synthetic bool

	mu      sync.Mutex
	current *llamacpp.Target // the one at work
}

// describe completes the engine's entry once the models are known.
func (s *llamaServers) describe(e *exobench.Engine) {
	for _, t := range s.targets {
		e.Version = t.Info().Version
	}
	if s.synthetic {
		e.Label, e.Caveat = syntheticLabel, syntheticCaveat
	}
}

func (s *llamaServers) at(modelID string) *llamacpp.Target {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.current = s.targets[modelID]
	return s.current
}

func (s *llamaServers) Prepare(ctx context.Context, m exobench.Model, report func(exobench.LoadEvent)) (exobench.Deployment, error) {
	return s.at(m.ID).Prepare(ctx, m, report)
}

func (s *llamaServers) Do(ctx context.Context, d exobench.Deployment, r exobench.Request) exobench.Record {
	return s.targets[d.Model.ID].Do(ctx, d, r)
}

func (s *llamaServers) Release(ctx context.Context, d exobench.Deployment, report func(exobench.LoadEvent)) error {
	return s.targets[d.Model.ID].Release(ctx, d, report)
}

func (s *llamaServers) close() {
	for _, t := range s.targets {
		_ = t.Close()
	}
}

// pid returns the process of the server at work, 0 where there is none.
func (s *llamaServers) pid() int {
	tree, _ := s.tree()
	return tree.pid
}

// tree returns the memory of the server at work, and whether there is one.
func (s *llamaServers) tree() (treeMemory, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.current == nil || s.current.PID() == 0 {
		return treeMemory{}, false
	}
	return treeMemory{s.current.PID()}, true
}

// Read returns the memory of the server at work: none before it is started.
func (s *llamaServers) Read(ctx context.Context) (exobench.Reading, error) {
	if tree, running := s.tree(); running {
		return tree.Read(ctx)
	}
	source := exobench.FromRSS
	if runtime.GOOS == "linux" {
		source = exobench.FromPSS
	}
	return exobench.Reading{Source: source}, nil
}

func (s *llamaServers) Sample(ctx context.Context, sink func(exobench.Reading)) func() error {
	if tree, running := s.tree(); running {
		return tree.Sample(ctx, sink)
	}
	return func() error { return nil }
}
