package exolegacy

import (
	"context"
	"strings"
	"testing"
	"time"

	"exobench"
	"exobench/wire"
)

func call() wire.Call { return wire.Call{Timeout: 20 * time.Second} }

func prepare(t *testing.T, d *double, p pace) (events, exobench.Deployment, error) {
	t.Helper()
	engine := reach(t, d, p)
	var seen events
	deployment, err := engine.Prepare(t.Context(), model(llama), "", seen.add)
	return seen, deployment, err
}

func TestTheFirstPromptIsTheLoad(t *testing.T) {
	d := tinygradNode()
	d.wait[chatURL] = 50 * time.Millisecond
	seen, deployment, err := prepare(t, d, pace{})
	if err != nil || !deployment.Created || deployment.Model.ID != llama {
		t.Fatalf("deployment %+v, error %v", deployment, err)
	}
	if seen.stages() != "resolve place load ready" {
		t.Errorf("stages %s", seen.stages())
	}
	if took := seen.of(exobench.StageReady).At.Sub(seen.of(exobench.StageLoad).At); took < 50*time.Millisecond {
		t.Errorf("the load took %v, the prompt alone 50ms", took)
	}
	if sent := d.asked(); len(sent) != 1 || !strings.Contains(sent[0], firstPrompt) {
		t.Errorf("sent %v", sent)
	}
}

func TestADownloadIsToldApartFromTheLoad(t *testing.T) {
	for _, c := range []struct {
		name, pool string
	}{
		{"exo says beforehand that files are missing", stream(`data: {"llama-3.2-1b": {"downloaded": false, "total_size": 100, "total_downloaded": 10}}` + "\n\n")},
		{"exo does not say", stream("data: [DONE]\n\n")},
	} {
		d := tinygradNode()
		d.answers["/modelpool"] = []string{c.pool}
		d.answers["/v1/download/progress"] = []string{underWay("other", 1, 9), underWay(llama, 40, 100), underWay(llama, 80, 100), object(200, `{}`)}
		d.wait[chatURL] = 200 * time.Millisecond
		seen, _, err := prepare(t, d, pace{})
		if err != nil || seen.stages() != "resolve place download load ready" {
			t.Errorf("%s: error %v, stages %s", c.name, err, seen.stages())
		}
		var most exobench.StageEvent
		for i, e := range seen {
			if e.Downloaded > most.Downloaded {
				most = e
			}
			if i > 0 && e.At < seen[i-1].At {
				t.Errorf("%s: %s at %d, before what came before it", c.name, e.Stage, e.At)
			}
		}
		// The last look saw 80 of 100; the download was complete.
		if most.Downloaded != 100 || most.DownloadTotal != 100 || most.DownloadRate != 0 {
			t.Errorf("%s: the most downloaded %+v", c.name, most)
		}
	}
}

func TestAnExoThatSaysNothingOfFilesIsTimedFromTheRequest(t *testing.T) {
	d := tinygradNode()
	delete(d.answers, "/modelpool")
	d.wait[chatURL] = 30 * time.Millisecond
	seen, _, err := prepare(t, d, pace{})
	if err != nil || seen.stages() != "resolve place load ready" {
		t.Fatalf("error %v, stages %s", err, seen.stages())
	}
	if took := seen.of(exobench.StageReady).At.Sub(seen.of(exobench.StageLoad).At); took < 30*time.Millisecond {
		t.Errorf("the load took %v, the prompt alone 30ms", took)
	}
}

func TestASlowLookAtTheFilesIsGivenUp(t *testing.T) {
	d := tinygradNode()
	d.wait["/modelpool"] = time.Minute
	if _, _, err := prepare(t, d, pace{look: 10 * time.Millisecond}); err != nil {
		t.Error(err)
	}
}

func TestADownloadThatOutlivesExosTimeoutIsWaitedFor(t *testing.T) {
	d := tinygradNode()
	d.answers["/modelpool"] = []string{stream("data: [DONE]\n\n")}
	var progress []string
	for done := range 30 {
		progress = append(progress, underWay(llama, done, 30))
	}
	d.answers["/v1/download/progress"] = append(progress, object(200, `{}`))
	d.answers[chatURL] = []string{object(408, `{"detail": "Response generation timed out"}`), d.answers[chatURL][0]}
	seen, _, err := prepare(t, d, pace{})
	if err != nil || len(d.asked()) != 2 || !strings.HasSuffix(seen.stages(), "download load ready") {
		t.Errorf("error %v, %d requests, stages %s", err, len(d.asked()), seen.stages())
	}
}

func TestALoadThatFailsSaysWhy(t *testing.T) {
	for _, c := range []struct{ name, answer, want string }{
		{"refused", object(400, `{"detail": "Unsupported model: x"}`), "load: HTTP 400: Unsupported model: x"},
		{"given up", object(408, `{"detail": "Request timed out"}`), "--chatgpt-api-response-timeout"},
		{"failed", object(500, `{"detail": "Error processing prompt: out of memory"}`), "out of memory"},
		{"answered by another model", stream(said("dummy", "a", "stop")), "answered with dummy, its default model"},
		{"broken off", stream(said(llama, "a", "")), "without a finish reason"},
	} {
		d := tinygradNode()
		d.answers[chatURL] = []string{c.answer}
		seen, _, err := prepare(t, d, pace{})
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(seen.stages(), "ready") {
			t.Errorf("%s: error %v, stages %s; want %q", c.name, err, seen.stages(), c.want)
		}
	}
}

func TestAModelThatIsNotListedIsNeverSent(t *testing.T) {
	d := tinygradNode()
	engine := reach(t, d, pace{})
	if _, err := engine.Prepare(t.Context(), model("nope"), "", new(events).add); err == nil || len(d.asked()) != 0 {
		t.Errorf("error %v, sent %v", err, d.asked())
	}
}

func TestLoadsAndDownloadsThatStandStillAreGivenUp(t *testing.T) {
	d := tinygradNode()
	d.wait[chatURL] = 10 * time.Second
	if _, _, err := prepare(t, d, pace{load: 20 * time.Millisecond}); err == nil || !strings.Contains(err.Error(), "did not answer a first prompt for 20ms") {
		t.Errorf("a load: error %v", err)
	}
	d.answers["/v1/download/progress"] = []string{underWay(llama, 10, 100)}
	if _, _, err := prepare(t, d, pace{download: 20 * time.Millisecond}); err == nil || !strings.Contains(err.Error(), "nothing new of its download for 20ms") {
		t.Errorf("a download: error %v", err)
	}
}

func TestAnInterruptEndsTheWait(t *testing.T) {
	d := tinygradNode()
	d.wait[chatURL] = 10 * time.Second
	engine := reach(t, d, pace{})
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := engine.Prepare(ctx, model(llama), "", new(events).add); err == nil || ctx.Err() == nil {
		t.Errorf("error %v", err)
	}
}

func TestTheNameOfOtherWeightsIsTold(t *testing.T) {
	d := tinygradNode()
	id := "llama-3.2-1b-8bit"
	d.answers[chatURL] = []string{stream(said(id, "OK", "stop"))}
	delete(d.answers, "/modelpool")
	engine := reach(t, d, pace{})
	var seen events
	if _, err := engine.Prepare(t.Context(), model(id), "", seen.add); err != nil || !strings.Contains(seen.of(exobench.StageReady).Detail, "same weights") {
		t.Errorf("error %v, events %+v", err, seen)
	}
}

func TestReleaseSaysOnceThatModelsStay(t *testing.T) {
	engine := reach(t, tinygradNode(), pace{})
	var seen events
	for range 2 {
		if err := engine.Release(t.Context(), exobench.Deployment{Model: model(llama)}, seen.add); err != nil {
			t.Error(err)
		}
	}
	if len(seen) != 1 || !strings.Contains(seen[0].Detail, "cannot unload") {
		t.Errorf("events %+v", seen)
	}
}

func TestWhatIsHeldFromAnEarlierModelIsTold(t *testing.T) {
	e := &engine{}
	for _, row := range []struct {
		id   string
		want exobench.Held
	}{{"a", ""}, {"a", exobench.HeldModel}, {"b", exobench.HeldOthers}} {
		if got := e.hold(row.id); got != row.want {
			t.Errorf("%s: %q, want %q", row.id, got, row.want)
		}
	}
}
