// Package driver is the seam between exobench and the engines that it
// measures: what each engine's driver fulfils, and nothing of any engine.
//
// A [Driver] finds engines of its kind and opens one; what it opens is an
// [Engine], which brings models up, sends them requests and takes them away
// again. Adding an engine is a folder below this one with a type that fulfils
// Driver, and a line in the list of drivers in cmd/exobench.
package driver

import (
	"context"
	"net/http"
	"time"

	"exobench"
	"exobench/catalogue"
	"exobench/wire"
)

// Driver is one kind of engine.
type Driver interface {
	// Name is what --engine takes and what a plan calls it.
	Name() string
	// Options are what the engine can be told besides where it is. Each is a
	// flag of exobench run, and a member of the options of an EngineSpec. Two
	// drivers may have an option of the same name if it is the same in both.
	Options() []Option
	// Find returns the engines of this kind that answer at url, or at their
	// usual places on this host where url is empty. It starts nothing.
	Find(ctx context.Context, url string, env Env) []Found
	// Offers returns what the engine at the spec's URL, or at its usual place,
	// could run, whether or not it is there: the catalogue's models as the
	// engine knows them, and its own.
	Offers(ctx context.Context, spec exobench.EngineSpec, env Env) ([]Offer, error)
	// Open reaches the engine, or gets ready to start it. What is wrong with the
	// spec is a UsageError. The Engine must be closed.
	Open(ctx context.Context, spec exobench.EngineSpec, env Env) (Engine, error)
}

// Engine is an engine that models can be run on. Its methods may be called
// concurrently, but Prepare and Release only one after the other.
type Engine interface {
	// Info describes the engine as far as it is known by now; its Name is the
	// spec's label, and Models are left for the caller.
	Info() exobench.Engine
	// Resolve finds the engine's own id of a model that somebody named. That
	// there is none is a UsageError.
	Resolve(ctx context.Context, name string) (exobench.Model, error)
	// Prepare makes the model ready to answer in a placement of the engine's, or
	// where the engine chooses if it is empty, and reports each stage on the way;
	// the reporter fills in the step and, where it is not set, the instant. When
	// it fails it leaves nothing behind.
	Prepare(ctx context.Context, m exobench.Model, placement string, report func(exobench.StageEvent)) (exobench.Deployment, error)
	// Do sends one request at its scheduled instant and waits for its end. It
	// sets what the engine and the wire tell; the rest of the record is the
	// caller's.
	Do(ctx context.Context, d exobench.Deployment, r exobench.Request) exobench.Record
	// Alive returns nil if the engine takes connections now.
	Alive(ctx context.Context) error
	// Release takes away what Prepare made, and waits until it is gone.
	Release(ctx context.Context, d exobench.Deployment, report func(exobench.StageEvent)) error
	// Sensors are what can be read of the engine: its memory, its nodes.
	Sensors() []Sensor
	// Notices are what the user and the reader of a report must know of how the
	// engine was reached, what it was asked for and what cannot be measured of
	// it. They are asked for again after each Prepare, which may add some.
	Notices() []string
	// Close ends what the driver started.
	Close() error
}

// Placer is an Engine that can put a model in more than one place.
type Placer interface {
	// Placements lists where the model can be put, the first choice first, as
	// values for Prepare.
	Placements(ctx context.Context, m exobench.Model) ([]string, error)
}

// Clearer is an Engine on which things can stand in a model's way. Clear is
// called before Prepare, and before the memory without the model is read.
type Clearer interface {
	// Clear takes away what is in the way of the model and may be, waits until its
	// memory is given back, and has the model's files fetched where that can be
	// done without loading them. Its events are as those of Prepare.
	Clear(ctx context.Context, m exobench.Model, placement string, report func(exobench.StageEvent)) error
}

// Observer is an Engine that sees, while it is used, what the reader of a report
// must know: that somebody else uses it too, that it was started anew.
type Observer interface {
	// Observed returns what was seen since it was called before, a sentence each.
	Observed() []string
}

// Previewer is an Engine that can tell where it would put a model.
type Previewer interface {
	// Preview lists where the model would be put as things are, the first choice
	// first. It changes nothing, adds nothing and does not wait.
	Preview(ctx context.Context, m exobench.Model) ([]string, error)
}

// Cleaner is a Driver that marks what runs make on engines of its kind, and so
// knows afterwards what a run that was killed has left there.
type Cleaner interface {
	// Leftovers returns what is marked at url, or wherever there are marks where
	// url is empty. It changes nothing. With an error it returns what could be seen
	// all the same.
	Leftovers(ctx context.Context, url string, env Env) ([]Leftover, error)
	// Clean takes one of them away, and waits until it is gone.
	Clean(ctx context.Context, l Leftover, env Env) error
}

// Leftover is what a run made on an engine and has not taken away.
type Leftover struct {
	Engine string // the driver's name
	// URL is the engine's, to be shown without what may be a secret in it.
	URL string
	// ID is the engine's own of what was made, "" where that is the model itself;
	// Model is that of the model in it.
	ID, Model string
	// State says whether it is to be taken away.
	State LeftoverState
}

// LeftoverState is what has become of what a run made.
type LeftoverState int

// The states. Only what is Abandoned or Gone is to be cleaned: of what is Gone the
// mark alone is left, since the engine no longer has it. What is InUse belongs to
// a run under way.
const (
	Abandoned LeftoverState = iota
	Gone
	InUse
)

// Filer is an Engine that reads the weights of its models from files of this
// host.
type Filer interface {
	// Files lists those of the models that were resolved.
	Files() []string
}

// Sensor reads something again and again.
type Sensor interface {
	// Name tells it apart from the others of the engine.
	Name() string
	// Every is the time between two readings: the period at which its source
	// renews, or, where the source is always up to date, how often reading pays.
	// What did not change over two periods has settled. 0 is for a sensor whose
	// samples are of the span since it was read before: it is read at the
	// beginning and the end of each block.
	Every() time.Duration
	// Read returns the samples of now. A sensor may read less, or cheaper, while
	// requests are under way. Samples that come with an error tell that what was
	// read before is no longer there. The step, moment and block are the caller's to
	// set, and the instant where it is not set.
	Read(ctx context.Context, m exobench.Moment) ([]exobench.Sample, error)
}

// Option is one thing that an engine can be told.
type Option struct {
	// Name is that of the flag, such as "engine-args".
	Name string
	Kind OptionKind
	// Default is the value where none is given.
	Default string
	// Help is one line for --help.
	Help string
}

// OptionKind is what values an option takes.
type OptionKind int

// The kinds. The value of a switch is "true" or "false".
const (
	TextOption OptionKind = iota
	NumberOption
	SwitchOption
)

// Found is an engine that answers.
type Found struct {
	Engine  string   `json:"engine"` // the driver's name
	Version string   `json:"version,omitempty"`
	URL     string   `json:"url"`
	Loaded  []string `json:"loaded,omitempty"`
	Models  int      `json:"models"`
	Detail  string   `json:"detail,omitempty"`
}

// Offer is one model on one engine.
type Offer struct {
	Model  string         `json:"model"`
	Engine string         `json:"engine"`
	ID     string         `json:"id"`
	Size   exobench.Bytes `json:"size_bytes"`
	// Estimated is set where Size is reckoned and not told by the engine.
	Estimated bool `json:"size_estimated,omitempty"`
	// Downloaded, Loaded and Fits (into the memory that is free now) are nil
	// where that is unknown; Why says in words whether it fits.
	Downloaded *bool  `json:"downloaded"`
	Loaded     *bool  `json:"loaded"`
	Fits       *bool  `json:"fits"`
	Why        string `json:"why"`
	// Free is the memory that is free for it where it would be; 0 is unknown.
	Free exobench.Bytes `json:"free_bytes,omitempty"`
	// Chip is what the machine that it would be on calls its processor, where the
	// engine tells.
	Chip string `json:"chip,omitempty"`
}

// Env is what a driver works with.
type Env struct {
	Clock exobench.Clock
	// Wire sends the measured requests.
	Wire      *wire.Client
	Catalogue *catalogue.Catalogue
	// Plan is that of the run; the zero Plan where there is none.
	Plan exobench.Plan
	// Header has the values of the spec's headers.
	Header http.Header
	Getenv func(string) string
	// Program is exobench's own file, to start its servers from, and Version its
	// version.
	Program, Version string
	// Progress is told what takes long before the run begins, a line at a time;
	// it may be nil.
	Progress func(line string)
}

// UsageError is a mistake of the person who wrote the plan or the flags.
type UsageError struct{ Err error }

func (e UsageError) Error() string { return e.Err.Error() }
func (e UsageError) Unwrap() error { return e.Err }
