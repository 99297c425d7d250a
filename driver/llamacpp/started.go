package llamacpp

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"exobench"
	"exobench/driver"
	"exobench/driver/api"
	"exobench/resource"
	"exobench/synth"
)

// What every report must say of results of random weights.
const (
	syntheticLabel  = "random weights in the models' true shapes"
	syntheticCaveat = "Speed and memory are those of the shape; what the model writes means nothing."
)

// started runs each model on a server of its own, which it starts.
type started struct {
	env     driver.Env
	label   string
	launch  launch
	version string
	spec    exobench.EngineSpec
	// patience is how long a server is waited for after a SIGTERM.
	patience time.Duration

	mu       sync.Mutex
	files    map[string]string   // by model id
	random   bool                // a file says that its weights are random
	sessions map[string]*session // of the servers that run, by model id
	// current is the session of the latest Prepare; nil where that has not come,
	// or was released.
	current *session
}

// newStarted looks at what servers are started from. The program is run once,
// for its version.
func newStarted(ctx context.Context, spec exobench.EngineSpec, env driver.Env) (*started, error) {
	args := strings.Fields(argsOption.In(spec))
	if err := checkArgs(args); err != nil {
		return nil, driver.UsageError{Err: err}
	}
	without, err := driver.WithoutOf(spec, fields...)
	if err != nil {
		return nil, err
	}
	for _, name := range env.Plan.Models {
		if _, err := sourceOf(name, spec, env); err != nil {
			return nil, err
		}
	}
	program, err := findProgram(programOption.In(spec))
	if err != nil {
		return nil, driver.UsageError{Err: err}
	}
	version, err := programVersion(ctx, program)
	if err != nil {
		return nil, driver.UsageError{Err: err}
	}
	launch := newLaunch(program, args, env.Plan)
	launch.without = without
	return &started{
		env: env, label: spec.Label(), launch: launch, version: version,
		spec: spec, patience: stopPatience,
		files: map[string]string{}, sessions: map[string]*session{},
	}, nil
}

// Info describes the servers. One that is not started yet has no URL.
func (s *started) Info() exobench.Engine {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := exobench.Engine{
		Name: s.label, Driver: "llamacpp", Version: s.version,
		LifeCycle: true, CacheSwitch: sent(s.launch.without, api.CachePrompt),
		IgnoresEOS: !s.env.Plan.Workload.NaturalStop && sent(s.launch.without, api.IgnoreEOS),
	}
	if s.current != nil {
		e.URL = s.current.client.Base()
	}
	if s.random {
		e.Label, e.Caveat = syntheticLabel, syntheticCaveat
	}
	return e
}

// Resolve finds the file of a model and looks at it. One of synthetic weights is
// written if it is not there yet.
func (s *started) Resolve(ctx context.Context, name string) (exobench.Model, error) {
	path, err := s.file(ctx, name)
	if err != nil {
		return exobench.Model{}, err
	}
	if err := checkModel(path); err != nil {
		return exobench.Model{}, driver.UsageError{Err: err}
	}
	m := exobench.Model{Name: modelName(path), ID: modelName(path)}
	if known, ok := s.env.FindModel(name); ok {
		m.Name = known.Name
	}
	random := synth.Is(path)
	s.mu.Lock()
	defer s.mu.Unlock()
	if other, taken := s.files[m.ID]; taken && other != path {
		return exobench.Model{}, driver.UsageError{Err: fmt.Errorf("%s and %s are files of the same name: give one of them another", other, path)}
	}
	s.files[m.ID] = path
	s.random = s.random || random
	return m, nil
}

// source is where a model's weights are, or are to come from.
type source struct {
	path string
	// random is the file of synthetic weights to write, where there is no path.
	random *synth.File
}

// sourceOf finds a model's weights: the file itself, one that the catalogue
// names, or synthetic ones. Nothing is written yet. An error is one of usage.
func sourceOf(name string, spec exobench.EngineSpec, env driver.Env) (source, error) {
	if IsFile(name) {
		if _, err := os.Stat(name); err != nil {
			return source{}, driver.UsageError{Err: fmt.Errorf("model file %s: %w", name, errors.Unwrap(err))}
		}
		return source{path: name}, nil
	}
	m, ok := env.FindModel(name)
	if !ok {
		return source{}, env.UnknownModel(name)
	}
	if syntheticOption.On(spec) {
		file, err := synth.New(m, quantOption.In(spec), synth.DefaultSeed)
		if err != nil {
			return source{}, driver.UsageError{Err: err}
		}
		return source{random: file}, nil
	}
	if paths := m.IDs["llamacpp"]; len(paths) > 0 {
		return source{path: paths[0]}, nil
	}
	return source{}, driver.UsageError{Err: fmt.Errorf("llamacpp has no file for %s: name one with --model FILE.gguf, or measure random weights in its shape with --synthetic", name)}
}

// file returns the file of a model, and writes that of synthetic weights if it
// is not there yet.
func (s *started) file(ctx context.Context, name string) (string, error) {
	from, err := sourceOf(name, s.spec, s.env)
	if err != nil || from.random == nil {
		return from.path, err
	}
	return from.random.Cached(ctx, s.env.Progress)
}

// Files lists the files of the models.
func (s *started) Files() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Sorted(maps.Values(s.files))
}

// Prepare starts the model's server and waits until its model is loaded.
func (s *started) Prepare(ctx context.Context, m exobench.Model, _ string, report func(exobench.StageEvent)) (exobench.Deployment, error) {
	if _, err := s.end(m.ID); err != nil {
		return exobench.Deployment{}, err
	}
	s.mu.Lock()
	path, known := s.files[m.ID]
	s.mu.Unlock()
	if !known {
		return exobench.Deployment{}, fmt.Errorf("llamacpp has no model %s", m.ID)
	}
	session, err := s.launch.start(ctx, path, s.env, report)
	if err != nil {
		return exobench.Deployment{}, err
	}
	s.mu.Lock()
	s.sessions[m.ID], s.current = session, session
	s.mu.Unlock()
	return exobench.Deployment{Model: m, Created: true, PID: session.process.PID}, nil
}

// Do sends one chat completion.
func (s *started) Do(ctx context.Context, d exobench.Deployment, r exobench.Request) exobench.Record {
	s.mu.Lock()
	session := s.sessions[d.Model.ID]
	if session == nil {
		s.mu.Unlock()
		return exobench.Record{Outcome: exobench.ConnectError, Error: errNotRunning.Error()}
	}
	session.requests.Add(1)
	s.mu.Unlock()
	return session.do(ctx, s.env, d.Model, r)
}

// Alive returns nil if the server at work takes connections now.
func (s *started) Alive(ctx context.Context) error {
	s.mu.Lock()
	session := s.current
	s.mu.Unlock()
	if session == nil {
		return errNotRunning
	}
	if err := session.client.Alive(ctx); err != nil {
		return cmp.Or(session.fate(), err)
	}
	return nil
}

// Release ends the server that Prepare started, and waits until it is gone.
func (s *started) Release(_ context.Context, d exobench.Deployment, report func(exobench.StageEvent)) error {
	report(exobench.StageEvent{Stage: exobench.StageRelease})
	unusual, err := s.end(d.Model.ID)
	if err != nil {
		return err
	}
	report(exobench.StageEvent{Stage: exobench.StageReleased, Detail: unusual})
	return nil
}

// end ends the model's server, if one runs. It says what was unusual.
func (s *started) end(modelID string) (unusual string, err error) {
	s.mu.Lock()
	session := s.sessions[modelID]
	delete(s.sessions, modelID)
	if s.current == session {
		s.current = nil
	}
	s.mu.Unlock()
	if session == nil {
		return "", nil
	}
	return session.close(s.patience)
}

// Sensors returns that of the memory of the server at work. A server that does
// not run takes none, so that all that it takes later is the model's.
func (s *started) Sensors() []driver.Sensor {
	return []driver.Sensor{resource.NewProcesses(func() (int, error) { return s.pid(), nil })}
}

// pid returns the process of the server at work, 0 where there is none.
func (s *started) pid() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.current == nil || !s.current.process.Running() {
		return 0
	}
	return s.current.process.PID
}

// Notices says how many requests the servers answer at once.
func (s *started) Notices() []string {
	return append([]string{s.launch.notice(s.env.Plan)}, driver.WithoutNotice(s.launch.without)...)
}

// Close ends the servers that Release did not.
func (s *started) Close() error {
	s.mu.Lock()
	var ids []string
	for id := range s.sessions {
		ids = append(ids, id)
	}
	s.mu.Unlock()
	var problems []error
	for _, id := range ids {
		_, err := s.end(id)
		problems = append(problems, err)
	}
	return errors.Join(problems...)
}
