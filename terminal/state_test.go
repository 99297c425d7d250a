package terminal

import (
	"slices"
	"testing"

	"exobench"
	"exobench/summary"
)

// states are those of all steps.
func states(s *state) []summary.State {
	var all []summary.State
	for _, t := range s.steps {
		all = append(all, t.state)
	}
	return all
}

func TestStateOfAStepIsToldByItsEntries(t *testing.T) {
	const planned, loading, measuring = summary.Planned, summary.Loading, summary.Measuring
	for _, test := range []struct {
		why  string
		at   float64
		want []summary.State
	}{
		{"nothing has begun", 0, []summary.State{planned, planned}},
		{"the first stage", 0.5, []summary.State{loading, planned}},
		{"the weights are read", 26, []summary.State{loading, planned}},
		{"the model is ready", 28, []summary.State{measuring, planned}},
		{"all requests ended, and it is being taken away", 37, []summary.State{measuring, planned}},
		{"it is gone", 38, []summary.State{summary.Done, planned}},
		{"the next is placed", 39, []summary.State{summary.Done, loading}},
		{"which fails", 98.5, []summary.State{summary.Done, summary.Failed}},
	} {
		if got := states(wholeRun().stateAt(test.at)); !slices.Equal(got, test.want) {
			t.Errorf("at %v s, %s: %v, want %v", test.at, test.why, got, test.want)
		}
	}
}

func TestASampleBeforeTheLoadBeginsAStep(t *testing.T) {
	s := newScript(exobench.Plan{}, engines(1, "a"))
	s.add(3, &exobench.Sample{At: instant(3), Step: 1, Moment: exobench.Before})
	if got := s.stateAt(3); got.steps[0].state != summary.Loading || got.steps[0].began != instant(3) {
		t.Errorf("%s since %v, want loading since 3 s", got.steps[0].state, got.steps[0].began.Seconds())
	}
}

func TestAStepThatIsKeptIsDone(t *testing.T) {
	s := newScript(exobench.Plan{}, engines(1, "a"))
	end := s.measure(1, 1, 1, 1)
	s.endStep(end, 1, exobench.StepKept, "")
	if got := s.stateAt(end).steps[0].state; got != summary.Kept {
		t.Errorf("%s, want kept", got)
	}
}

func TestFiguresCountMeasuredRequestsThatAreOK(t *testing.T) {
	c := wholeRun().frameAt(36).rows[0].cells[0]
	// 10 tokens after the first in 2 s and in 1 s; not those of the warm-up in
	// 4 s, nor of the request that failed.
	if *c.peek.TokenRate != 7.5 || *c.peek.Latency != 1.5 {
		t.Errorf("median rate %v and latency %v, want 7.5 and 1.5", *c.peek.TokenRate, *c.peek.Latency)
	}
	if c.requests != 3 || c.wrong != 1 {
		t.Errorf("%d requests, %d of them wrong; want 3 and 1", c.requests, c.wrong)
	}
}

func TestFiguresOfDifferentTrafficAreNotPooled(t *testing.T) {
	f := severalCells().frameAt(30)
	for i, want := range []struct{ rate, latency float64 }{{10, 1}, {1.25, 8}, {5, 2}} {
		got := f.rows[0].cells[i].peek
		if *got.TokenRate != want.rate || *got.Latency != want.latency {
			t.Errorf("cell %d: %v tok/s and %v s, want %v", i+1, *got.TokenRate, *got.Latency, want)
		}
	}
}

func TestFiguresOfTheCellAtWorkAreWorkedOutOnceASecond(t *testing.T) {
	s := newScript(exobench.Plan{Stop: exobench.Stop{Requests: 1000}}, engines(1, "a"))
	s.begin(1, 1, 1)
	s.request(2, 1, exobench.OK)
	st := s.stateAt(2)
	check := func(at float64, want int) {
		t.Helper()
		if got := st.frame(instant(at)).rows[0].cells[0].peek.N; got != want {
			t.Errorf("at %v s the figures are of %d requests, want %d", at, got, want)
		}
	}
	check(2.1, 1)
	before := len(s.lines)
	s.request(2.2, 0.1, exobench.OK)
	st.add(s.lines[before].entry)
	check(2.3, 1)
	check(3.2, 2)
}

func TestWhatIsUnderWayAtTheEndIsInterrupted(t *testing.T) {
	for _, at := range []float64{0.5, 15, 30, 33} {
		s := wholeRun().stateAt(at)
		s.close()
		if got := states(s); !slices.Equal(got, []summary.State{summary.Interrupted, summary.Planned}) {
			t.Errorf("at %v s: %v", at, got)
		}
		if f := s.frame(instant(at + 1)); !f.rows[1].never || f.measuring || f.left != nil {
			t.Errorf("at %v s: the second model is not said never to run, or something is under way: %+v", at, f)
		}
	}
}

func TestAnInterruptDoesNotFillTheBar(t *testing.T) {
	// Of three cells the first is done and the second half so.
	if got := twoPlacements().frameAt(20); got.part < 0.49 || got.part > 0.51 || got.requests != 6 || got.planned != 12 {
		t.Errorf("part %v, %d of %d requests; want 0.5, 6 of 12", got.part, got.requests, got.planned)
	}
}

func TestAFailedStepOwesNoRequests(t *testing.T) {
	if got := wholeRun().frameAt(99); got.part < 0.999 || got.requests != 4 || got.planned != 4 {
		t.Errorf("part %v, %d of %d requests; want 1, 4 of 4", got.part, got.requests, got.planned)
	}
}

func TestACellBoundInTimeAdvancesWithIt(t *testing.T) {
	s := openLoop().stateAt(7)
	for _, test := range []struct{ at, part, left float64 }{{7, 0.25, 15}, {12, 0.5, 10}, {23, 1, 0}} {
		f := s.frame(instant(test.at))
		left := f.rows[0].cells[0].left
		if f.part != test.part || left == nil || left.Seconds() != test.left || f.planned != 0 {
			t.Errorf("at %v s: part %v, left %v, planned %d; want %v", test.at, f.part, left, f.planned, test)
		}
	}
}

// labels are those of all steps, in the order of their rows.
func labels(s *state) []string {
	var all []string
	for _, t := range s.steps {
		all = append(all, s.label(t))
	}
	return all
}

func TestPlacementsOfAModelStandSideBySide(t *testing.T) {
	want := []string{"llama-3.2-1b · " + ring, "llama-3.2-1b · " + jaccl, "mistral-7b · " + ring}
	s := twoPlacements().stateAt(20)
	if got := labels(s); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	for i, step := range s.steps {
		if n := len(s.cellsOf(step)); n != 1 {
			t.Errorf("%s has %d cells, want 1", want[i], n)
		}
	}
}

func TestTheSameModelOnSeveralEnginesIsSeveralSteps(t *testing.T) {
	s := threeEngines().stateAt(1000)
	want := []summary.State{summary.Done, summary.Done, summary.Done, summary.Measuring, summary.Planned, summary.Planned}
	if got := states(s); !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

func TestANoteNamesWhatItIsOfOnce(t *testing.T) {
	for _, test := range []struct {
		engines int
		note    exobench.Note
		want    string
	}{
		{1, exobench.Note{Text: "the machine\n is busy"}, "note: the machine is busy"},
		{1, exobench.Note{Engine: "exo", Text: "tells no memory"}, "note: tells no memory"},
		{1, exobench.Note{Step: 1, Text: "was loaded already"}, "note: a-model: was loaded already"},
		{1, exobench.Note{Step: 1, Text: "a-model was loaded already"}, "note: a-model was loaded already"},
		{2, exobench.Note{Step: 1, Text: "was loaded already"}, "note: exo a-model: was loaded already"},
		{2, exobench.Note{Step: 2, Text: "a-model was loaded already"}, "note: ollama: a-model was loaded already"},
		{2, exobench.Note{Engine: "ollama", Text: "ollama tells no memory"}, "note: ollama tells no memory"},
	} {
		s := newScript(exobench.Plan{}, engines(test.engines, "a-model"))
		s.add(1, &test.note)
		if got := s.frameAt(1).remarks[0]; got != test.want {
			t.Errorf("%d engines, %+v: got %q, want %q", test.engines, test.note, got, test.want)
		}
	}
}
