package exo

import (
	"context"
	"encoding/json"
	"errors"
	"regexp"
	"slices"
	"strings"

	"exobench"
	"exobench/driver/api"
)

// runnerState is what exo says of one runner, the process that holds a shard.
type runnerState struct {
	tag      string   // such as "RunnerLoading"; empty where exo lists no runner
	Layers   int      `json:"layersLoaded"`
	Total    int      `json:"totalLayers"`
	Message  string   `json:"errorMessage"`
	Findings []tagged `json:"diagnostics"`
}

// The states on the way to an answer, in order; a download happens while a
// runner is idle, connecting or connected.
var runnerOrder = []string{
	"", "RunnerIdle", "RunnerConnecting", "RunnerConnected",
	"RunnerLoading", "RunnerLoaded", "RunnerWarmingUp", "RunnerReady",
}

// step returns how far the runner is, as an index of runnerOrder.
func (s runnerState) step() int {
	if s.tag == "RunnerRunning" { // ready, and someone already uses it
		return stepReady
	}
	return max(0, slices.Index(runnerOrder, s.tag))
}

const (
	stepConnecting = 2
	stepConnected  = 3
	stepLoading    = 4
	stepLoaded     = 5
	stepWarm       = 6
	stepReady      = 7
)

func (s runnerState) failed() bool { return s.tag == "RunnerFailed" }

func (s runnerState) holdsMemory() bool {
	return s.tag != "" && s.tag != "RunnerFailed" && s.tag != "RunnerShutdown"
}

// bare is exo's word for a runner that ended where exo lost what it said of the
// reason, as it does when the process ends before that has arrived.
var bare = regexp.MustCompile(`^Terminated \([^\n]*\)$`)

// failure returns why the runner failed, in exo's words, and where these say
// nothing, who knows more.
func (s runnerState) failure() error {
	text := s.Message
	for _, finding := range s.Findings {
		var diagnostic struct {
			Message string `json:"message"`
		}
		if json.Unmarshal(finding.body, &diagnostic) == nil && diagnostic.Message != "" {
			text += "; " + diagnostic.Message
		}
	}
	switch {
	case text == "":
		text = "exo gives no reason"
	case bare.MatchString(text):
		text += "; exo tells no more, but its log on the node may: exo_log/exo.log in ~/.cache/exo, on a Mac in ~/.exo"
	}
	return errors.New("a runner failed: " + api.Line(strings.TrimPrefix(text, "; ")))
}

// runner reads the state of one runner.
func (e *Engine) runner(ctx context.Context, id string) (runnerState, error) {
	var value tagged
	err := e.api.Get(ctx, "/state/runners"+api.Path(id), &value)
	if api.Missing(err) {
		return runnerState{}, nil
	}
	if err != nil {
		return runnerState{}, err
	}
	state := runnerState{tag: value.tag}
	// A body that cannot be read costs its details, not the state.
	_ = json.Unmarshal(value.body, &state)
	return state, nil
}

// loadEvent says how far the runners are together, or nothing while none of
// them has begun to load. totals remembers each runner's count of layers.
func loadEvent(states map[string]runnerState, totals map[string]int) (exobench.StageEvent, bool) {
	first, last := stepReady, 0
	event := exobench.StageEvent{Stage: exobench.StageLoad}
	for id, state := range states {
		if state.tag == "RunnerLoading" && state.Total > 0 {
			totals[id] = state.Total
		}
		event.LayersTotal += totals[id]
		switch step := state.step(); {
		case step == stepLoading:
			event.Layers += state.Layers
		case step > stepLoading:
			event.Layers += totals[id]
		}
		first, last = min(first, state.step()), max(last, state.step())
	}
	switch {
	case first == stepReady:
		return exobench.StageEvent{Stage: exobench.StageReady}, true
	case first >= stepLoaded && last >= stepWarm:
		return exobench.StageEvent{Stage: exobench.StageWarm}, true
	case last >= stepLoading:
		return event, true
	case last == stepConnecting || last == stepConnected:
		return exobench.StageEvent{Stage: exobench.StagePlace, Detail: "connecting its nodes"}, false
	}
	return exobench.StageEvent{}, false
}
