package summary

import (
	"cmp"
	"slices"
	"time"

	"exobench"
)

// Load is one load of a model that ended with the model ready.
type Load struct {
	Subject
	ModelID, Placement string
	// Start is when the placement was asked for, else the first step known.
	Start exobench.Instant
	// Loading is the time from Start until ready, less Downloading.
	Loading     time.Duration
	Downloading time.Duration
	Downloaded  exobench.Bytes
}

// Failure is a model that could not be measured on an engine in a placement, or
// no further.
type Failure struct {
	Subject
	ModelID, Placement string
	At                 exobench.Instant
	// After is the last stage that the model reached.
	After exobench.Stage
	Error string
}

// stages is the order of a model's life.
var stages = []exobench.Stage{
	exobench.StageResolve, exobench.StagePlace, exobench.StageDownload, exobench.StageLoad,
	exobench.StageWarm, exobench.StageReady, exobench.StageRelease, exobench.StageReleased, exobench.StageFailed,
}

func stageOrder(s exobench.Stage) int { return slices.Index(stages, s) }

// attempt is the events of one load of one model, in order of time.
type attempt []*exobench.LoadEvent

// attempts splits the events of one model on one engine into its loads. A load
// lasts until the model is ready or failed, with the release and the failures
// that follow in the same placement.
func attempts(events []*exobench.LoadEvent) []attempt {
	slices.SortStableFunc(events, func(a, b *exobench.LoadEvent) int {
		return cmp.Or(cmp.Compare(a.At, b.At), cmp.Compare(stageOrder(a.Stage), stageOrder(b.Stage)))
	})
	ready := stageOrder(exobench.StageReady)
	var all []attempt
	ended := true
	for _, e := range events {
		begins := len(all) == 0 ||
			ended && (stageOrder(e.Stage) <= ready || !samePlacement(e.Placement, all[len(all)-1].placement()))
		if begins {
			all = append(all, nil)
			ended = false
		}
		last := len(all) - 1
		all[last] = append(all[last], e)
		ended = ended || stageOrder(e.Stage) >= ready
	}
	return all
}

// first returns the first event with one of the stages.
func (a attempt) first(wanted ...exobench.Stage) (*exobench.LoadEvent, bool) {
	for _, e := range a {
		if slices.Contains(wanted, e.Stage) {
			return e, true
		}
	}
	return nil, false
}

// load times the attempt; it is absent where the model never was ready.
func (a attempt) load() (Load, bool) {
	ready, ok := a.first(exobench.StageReady)
	if !ok {
		return Load{}, false
	}
	start, ok := a.first(exobench.StagePlace)
	if !ok {
		start = a[0]
	}
	l := Load{Subject: Subject{ready.Engine, ready.Model}, ModelID: ready.ModelID, Placement: ready.Placement, Start: start.At}
	if download, ok := a.first(exobench.StageDownload); ok {
		next, _ := a.first(exobench.StageLoad, exobench.StageWarm, exobench.StageReady)
		l.Downloading = max(0, next.At.Sub(download.At))
		for _, e := range a {
			l.Downloaded = max(l.Downloaded, e.Downloaded)
		}
	}
	l.Loading = max(0, ready.At.Sub(start.At)-l.Downloading)
	return l, true
}

// placement returns where the model was put, as far as the events tell: the
// first ones often do not.
func (a attempt) placement() string {
	for _, e := range slices.Backward(a) {
		if e.Placement != "" {
			return e.Placement
		}
	}
	return ""
}

func (a attempt) failure() (Failure, bool) {
	failed, ok := a.first(exobench.StageFailed)
	if !ok {
		return Failure{}, false
	}
	f := Failure{Subject: Subject{failed.Engine, failed.Model}, ModelID: failed.ModelID, Placement: a.placement(), At: failed.At, Error: failed.Error}
	for _, e := range a {
		if e == failed {
			break
		}
		f.After = e.Stage
	}
	return f, true
}

// failures returns how the last load in each placement failed, where it did. A
// load whose placement is unknown makes way for any later one.
func failures(attempts []attempt) []Failure {
	var all []Failure
	for i, a := range attempts {
		failure, failed := a.failure()
		replaced := slices.ContainsFunc(attempts[i+1:], func(later attempt) bool {
			return samePlacement(failure.Placement, later.placement())
		})
		if failed && !replaced {
			all = append(all, failure)
		}
	}
	return all
}

// samePlacement reports whether two placements may be the same; either may be
// unknown.
func samePlacement(a, b string) bool { return a == b || a == "" || b == "" }
