package exo

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"exobench"
)

const tinyID = "mlx-community/Tiny-1B-4bit"

var tiny = exobench.Model{Name: "tiny-1b", ID: tinyID}

// prepare runs Prepare against the double and returns what was reported.
func (d *double) prepare(config config) (exobench.Deployment, *recorder, error) {
	d.t.Helper()
	seen := &recorder{}
	deployment, err := d.dial(config).Prepare(context.Background(), tiny, "", seen.add)
	return deployment, seen, err
}

// wantError checks that an error says all of these.
func wantError(t *testing.T, err error, parts ...string) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error, want one that says %q", parts)
	}
	for _, part := range parts {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("error %q does not say %q", err, part)
		}
	}
}

func wantEqual[T comparable](t *testing.T, what string, got, want []T) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

func TestPrepareReportsTheWayToAnAnswer(t *testing.T) {
	t.Parallel()
	d := newDouble(t)
	late := func(id string, raw json.RawMessage) { // the instance shows up only after two looks
		d.walk = append([]func(){func() {}, func() { d.instances[id] = raw }}, []func(){
			d.runner("i-1-r0", `{"RunnerIdle":{}}`),
			d.download("n1", pending(tinyID)),
			d.download("n1", ongoing(tinyID, 400, 1000)),
			d.download("n1", ongoing(tinyID, 900, 1000)),
			d.download("n1", completed(tinyID, 1000)),
			d.runner("i-1-r0", `{"RunnerLoading":{"layersLoaded":3,"totalLayers":16}}`),
			func() {}, // nothing new, so nothing is reported
			d.runner("i-1-r0", `{"RunnerLoading":{"layersLoaded":15,"totalLayers":16}}`),
			d.runner("i-1-r0", `{"RunnerLoaded":{}}`),
			d.runner("i-1-r0", `{"RunnerWarmingUp":{}}`),
			d.runner("i-1-r0", `{"RunnerReady":{"prefillServerPort":null}}`),
		}...)
	}
	d.onCreate = late
	deployment, seen, err := d.prepare(d.quick())
	if err != nil {
		t.Fatal(err)
	}
	deployment.PID = 0 // it has a test of its own
	want := exobench.Deployment{Model: tiny, Placement: "Pipeline/MlxRing/1 node", Instance: "i-1", Created: true}
	if deployment != want {
		t.Errorf("deployment: got %+v, want %+v", deployment, want)
	}
	var lines []string
	var before exobench.Instant
	for _, e := range seen.events {
		if e.At <= before {
			t.Errorf("event %+v is not after the one before it", e)
		}
		before = e.At
		lines = append(lines, fmt.Sprintf("%s %d/%d@%d %d/%d %s", e.Stage,
			e.Downloaded, e.DownloadTotal, e.DownloadRate, e.Layers, e.LayersTotal, e.Instance))
	}
	wantEqual(t, "events", lines, []string{
		"resolve 0/0@0 0/0 ",
		"place 0/0@0 0/0 ",
		"place 0/0@0 0/0 i-1",
		"download 400/1000@52428800 0/0 i-1",
		"download 900/1000@52428800 0/0 i-1",
		"download 1000/1000@0 0/0 i-1",
		"load 0/0@0 3/16 i-1",
		"load 0/0@0 15/16 i-1",
		"load 0/0@0 16/16 i-1",
		"warm 0/0@0 0/0 i-1",
		"ready 0/0@0 0/0 i-1",
	})
}

func TestPreparePostsTheInstanceInTheBytesOfThePreview(t *testing.T) {
	t.Parallel()
	d := newDouble(t)
	d.walk = d.ready("i-1")
	if _, _, err := d.prepare(d.quick()); err != nil {
		t.Fatal(err)
	}
	want := `{"instance":` + placed("MlxRingInstance", "PipelineShardMetadata", "i-1", tinyID, "n1") + `}`
	if string(d.posted) != want {
		t.Errorf("posted\n%s\nwant\n%s", d.posted, want)
	}
}

func TestAModelWhoseFilesAreThereHasNoDownloadStage(t *testing.T) {
	t.Parallel()
	d := newDouble(t)
	d.walk = d.ready("i-1")
	_, seen, err := d.prepare(d.quick())
	if err != nil {
		t.Fatal(err)
	}
	wantEqual(t, "stages", seen.stages(), []exobench.Stage{
		exobench.StageResolve, exobench.StagePlace, exobench.StageLoad, exobench.StageWarm, exobench.StageReady})
}

func TestLayersAreSummedOverNodesAndReadyMeansAllOfThem(t *testing.T) {
	t.Parallel()
	d := newDouble(t)
	d.nodes["n2"] = "studio-2"
	d.previews = []string{previews(labelled("Tensor", "MlxJaccl",
		placed("MlxJacclInstance", "TensorShardMetadata", "i-1", tinyID, "n1", "n2")))}
	both := func(a, b string) func() {
		return func() { d.runners["i-1-r0"], d.runners["i-1-r1"] = a, b }
	}
	d.walk = []func(){
		both(`{"RunnerConnecting":{}}`, `{"RunnerIdle":{}}`),
		both(`{"RunnerConnected":{}}`, `{"RunnerConnected":{}}`),
		both(`{"RunnerLoading":{"layersLoaded":3,"totalLayers":8}}`, `{"RunnerConnected":{}}`),
		both(`{"RunnerLoaded":{}}`, `{"RunnerLoading":{"layersLoaded":2,"totalLayers":8}}`),
		both(`{"RunnerWarmingUp":{}}`, `{"RunnerLoaded":{}}`),
		both(`{"RunnerReady":{}}`, `{"RunnerWarmingUp":{}}`),
		both(`{"RunnerRunning":{}}`, `{"RunnerReady":{}}`),
	}
	config := d.quick()
	config.maxNodes = 2
	deployment, seen, err := d.prepare(config)
	if err != nil {
		t.Fatal(err)
	}
	if len(d.walk) > 0 {
		t.Errorf("Prepare returned %d steps before both runners were ready", len(d.walk))
	}
	if want := "Tensor/MlxJaccl/2 nodes"; deployment.Placement != want {
		t.Errorf("placement %q, want %q", deployment.Placement, want)
	}
	var layers []string
	for _, e := range seen.events {
		if e.Stage == exobench.StageLoad {
			layers = append(layers, fmt.Sprintf("%d/%d", e.Layers, e.LayersTotal))
		}
	}
	wantEqual(t, "layers", layers, []string{"3/16", "10/16"})
	if stages := seen.stages(); stages[len(stages)-2] != exobench.StageWarm {
		t.Errorf("stages %v: ready came although a node was warming up", stages)
	}
}

func TestPrepareFailsOnAFailedDownloadThoughTheRunnerIdlesForever(t *testing.T) {
	t.Parallel()
	d := newDouble(t)
	d.walk = []func(){
		d.runner("i-1-r0", `{"RunnerIdle":{}}`),
		d.download("n1", failedDownload(tinyID, "Model files not found locally in offline mode")),
	}
	_, _, err := d.prepare(d.quick())
	wantError(t, err, "download: ", "studio-1", "not found locally in offline mode")
	wantEqual(t, "instances left", d.running(), []string{})
}

func TestADownloadFailureFromBeforeIsGivenAnotherChance(t *testing.T) {
	t.Parallel()
	d := newDouble(t)
	d.download("n1", failedDownload(tinyID, "no network"))()
	d.walk = append([]func(){
		d.runner("i-1-r0", `{"RunnerIdle":{}}`), func() {}, func() {},
		d.download("n1", pending(tinyID)),
		d.download("n1", ongoing(tinyID, 10, 1000)),
	}, d.ready("i-1")...)
	if _, _, err := d.prepare(d.quick()); err != nil {
		t.Fatal(err)
	}

	d = newDouble(t)
	d.download("n1", failedDownload(tinyID, "no network"))()
	d.walk = []func(){
		func() {}, d.download("n1", pending(tinyID)), d.download("n1", failedDownload(tinyID, "no network")),
	}
	config := d.quick()
	config.pace.staleFail = time.Hour
	config.pace.download = time.Second
	_, _, err := d.prepare(config)
	wantError(t, err, "no network") // exo did try again, and that is the end
}

func TestPrepareDeletesTheInstanceWhenARunnerFails(t *testing.T) {
	t.Parallel()
	d := newDouble(t)
	d.walk = []func(){
		d.runner("i-1-r0", `{"RunnerLoading":{"layersLoaded":3,"totalLayers":16}}`),
		d.runner("i-1-r0", `{"RunnerFailed":{"errorMessage":"Terminated (exitcode=1\nRunner error: out of memory)","diagnostics":[{"RunnerMetalGpuTimeout":{"message":"GPU hung"}}]}}`),
	}
	_, seen, err := d.prepare(d.quick())
	wantError(t, err, "load: ", "Terminated (exitcode=1 Runner error: out of memory); GPU hung")
	wantEqual(t, "instances left", d.running(), []string{})
	wantEqual(t, "stages", seen.stages()[2:], []exobench.Stage{exobench.StageLoad, exobench.StageRelease, exobench.StageReleased})
}

func TestPrepareFailsWhenItsInstanceVanishes(t *testing.T) {
	t.Parallel()
	d := newDouble(t)
	d.walk = []func(){
		d.runner("i-1-r0", `{"RunnerIdle":{}}`),
		func() { delete(d.instances, "i-1") },
	}
	_, _, err := d.prepare(d.quick())
	wantError(t, err, "placement: ", "vanished")
}

func TestPrepareFailsWhenANodeLeaves(t *testing.T) {
	t.Parallel()
	d := newDouble(t)
	d.nodes["n2"] = "studio-2"
	d.previews = []string{previews(labelled("Pipeline", "MlxRing",
		placed("MlxRingInstance", "PipelineShardMetadata", "i-1", tinyID, "n1", "n2")))}
	d.walk = []func(){
		d.runner("i-1-r0", `{"RunnerConnecting":{}}`),
		func() { delete(d.nodes, "n2") },
	}
	config := d.quick()
	config.maxNodes = 2
	_, _, err := d.prepare(config)
	wantError(t, err, "node studio-2 left the cluster")
	wantEqual(t, "instances left", d.running(), []string{})
}

func TestPrepareFailsWhenTheInstanceNeverShowsUp(t *testing.T) {
	t.Parallel()
	d := newDouble(t)
	d.onCreate = func(string, json.RawMessage) {}
	config := d.quick()
	config.pace.appear = 20 * time.Millisecond
	_, _, err := d.prepare(config)
	wantError(t, err, "placement: ", "no instance showed up")
}

func TestAStalledDownloadOrLoadFails(t *testing.T) {
	t.Parallel()
	d := newDouble(t)
	d.walk = []func(){d.runner("i-1-r0", `{"RunnerIdle":{}}`), d.download("n1", ongoing(tinyID, 512, 2048))}
	config := d.quick()
	config.pace.download = 300 * time.Millisecond
	_, _, err := d.prepare(config)
	wantError(t, err, "download: ", "no new byte for 300ms", "512 B of 2.00 KiB")
	wantEqual(t, "instances left", d.running(), []string{})

	d = newDouble(t)
	d.walk = []func(){d.runner("i-1-r0", `{"RunnerWarmingUp":{}}`)}
	config = d.quick()
	config.pace.load = 100 * time.Millisecond
	_, _, err = d.prepare(config)
	wantError(t, err, "warm-up: ", "nothing has moved for 100ms")
	wantEqual(t, "instances left", d.running(), []string{})
}

// A new byte at every look: the walk takes a hundred minutes, and no byte more
// than the time-out.
func TestASlowWalkIsNoStall(t *testing.T) {
	d := newDouble(t)
	for done := range 100 {
		d.walk = append(d.walk, d.download("n1", ongoing(tinyID, done, 100)))
	}
	d.walk = append(d.walk, d.ready("i-1")...)
	config := d.quick()
	config.pace.poll = time.Minute
	config.pace.download, config.pace.load = time.Minute, time.Minute
	config.pace.silence, config.pace.appear = time.Hour, time.Hour
	// No socket, since one would keep the bubble's time from going on.
	config.transport = direct{d}
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		if _, _, err := d.prepare(config); err != nil {
			t.Fatalf("after %v: %v", time.Since(began), err)
		}
		if took := time.Since(began); took < 100*time.Minute {
			t.Errorf("the walk took %v only: the test shows nothing", took)
		}
	})
}

// direct answers requests in the caller's goroutine.
type direct struct{ http.Handler }

func (d direct) RoundTrip(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	d.ServeHTTP(w, r)
	return w.Result(), nil
}

func TestExoMayFallSilentForAMoment(t *testing.T) {
	t.Parallel()
	d := newDouble(t)
	text := func(w http.ResponseWriter) {
		w.Header().Set("Content-Type", "text/plain")
		w.WriteHeader(500)
		fmt.Fprint(w, "Internal Server Error")
	}
	d.walk = append([]func(){
		func() { d.answers["GET /state/runners/i-1-r0"] = text }, func() {}, func() {},
		func() { delete(d.answers, "GET /state/runners/i-1-r0") },
	}, d.ready("i-1")...)
	if _, _, err := d.prepare(d.quick()); err != nil {
		t.Fatal(err)
	}

	d = newDouble(t)
	d.answers["GET /state/runners/i-1-r0"] = text
	config := d.quick()
	config.pace.silence = 20 * time.Millisecond
	_, _, err := d.prepare(config)
	wantError(t, err, "has not answered for 20ms", "HTTP 500: Internal Server Error")
	wantEqual(t, "instances left", d.running(), []string{})
}

func TestACancelledLoadDeletesTheInstance(t *testing.T) {
	t.Parallel()
	d := newDouble(t)
	ctx, cancel := context.WithCancel(context.Background())
	d.walk = []func(){d.runner("i-1-r0", `{"RunnerLoading":{"layersLoaded":3,"totalLayers":16}}`), cancel}
	_, err := d.dial(d.quick()).Prepare(ctx, tiny, "", nil)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want context.Canceled in it", err)
	}
	wantEqual(t, "instances left", d.running(), []string{})
}

func TestAnInstanceThatShowsUpAfterTheCancelIsDeletedToo(t *testing.T) {
	t.Parallel()
	d := newDouble(t)
	ctx, cancel := context.WithCancel(context.Background())
	d.onCreate = func(id string, raw json.RawMessage) {
		d.walk = []func(){cancel, func() {}, func() {}, func() { d.instances[id] = raw }}
	}
	_, err := d.dial(d.quick()).Prepare(ctx, tiny, "", nil)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want context.Canceled in it", err)
	}
	if len(d.walk) != 0 {
		t.Fatal("the double never showed the instance: the test shows nothing")
	}
	wantEqual(t, "instances left", d.running(), []string{})
}

func TestACleanupThatFailsIsPartOfTheError(t *testing.T) {
	t.Parallel()
	d := newDouble(t)
	d.undeletable = true
	d.walk = []func(){d.runner("i-1-r0", `{"RunnerFailed":{"errorMessage":"boom","diagnostics":[]}}`)}
	config := d.quick()
	config.pace.release = 300 * time.Millisecond
	_, _, err := d.prepare(config)
	wantError(t, err, "boom", "could not be taken away", "still there 300ms after")
}

func TestExosRefusalToCreateIsPassedOn(t *testing.T) {
	t.Parallel()
	d := newDouble(t)
	d.answers["POST /instance"] = failing(400, "Insufficient memory to create instance. Required: 4.3GB, Available: 2.1GB")
	_, _, err := d.prepare(d.quick())
	wantError(t, err, "placement: ", "Required: 4.3GB, Available: 2.1GB")
	wantEqual(t, "changes", d.changes(), []string{"POST /instance"})

	d.answers["POST /instance"] = func(w http.ResponseWriter) {
		w.Header().Set("Content-Type", "text/plain")
		w.WriteHeader(500)
		fmt.Fprint(w, "Internal Server Error")
	}
	_, _, err = d.prepare(d.quick())
	wantError(t, err, "cannot load the model's card", "Internal Server Error")
}

func TestAnInstanceOfTheModelIsAnErrorUnlessAFlagSaysWhatToDo(t *testing.T) {
	t.Parallel()
	d := newDouble(t)
	d.instances["old"] = json.RawMessage(placed("MlxRingInstance", "PipelineShardMetadata", "old", tinyID, "n1"))
	d.instances["odd"] = json.RawMessage(`{"NewKindOfInstance":null}`)
	_, _, err := d.prepare(d.quick())
	wantError(t, err, "placement: exo already runs it (instance old): --reuse measures it and leaves it there, --replace deletes it first")
	wantEqual(t, "changes", d.changes(), nil)
}

func TestReuseWaitsForTheInstanceAndLeavesItThere(t *testing.T) {
	t.Parallel()
	d := newDouble(t)
	d.instances["old"] = json.RawMessage(placed("MlxRingInstance", "PipelineShardMetadata", "old", tinyID, "n1"))
	d.walk = d.ready("old")
	config := d.quick()
	config.reuse = true
	engine := d.dial(config)
	deployment, err := engine.Prepare(context.Background(), tiny, "", nil)
	if err != nil {
		t.Fatal(err)
	}
	if deployment.Created || deployment.Instance != "old" || deployment.Placement != "Pipeline/MlxRing/1 node" {
		t.Errorf("deployment %+v", deployment)
	}
	if err := engine.Release(context.Background(), deployment, nil); err != nil {
		t.Fatal(err)
	}
	wantEqual(t, "changes", d.changes(), nil)

	d.runners["old-r0"] = `{"RunnerFailed":{"errorMessage":"boom","diagnostics":[]}}`
	_, err = engine.Prepare(context.Background(), tiny, "", nil)
	wantError(t, err, "boom")
	wantEqual(t, "changes", d.changes(), nil)
}

func TestReuseRefusesTwoInstancesThatWouldShareTheRequests(t *testing.T) {
	t.Parallel()
	d := newDouble(t)
	for _, id := range []string{"a", "b"} {
		d.instances[id] = json.RawMessage(placed("MlxRingInstance", "PipelineShardMetadata", id, tinyID, "n1"))
	}
	config := d.quick()
	config.reuse = true
	_, _, err := d.prepare(config)
	wantError(t, err, "2 instances")
}

func TestReplaceDeletesInstancesOfThisModelOnly(t *testing.T) {
	t.Parallel()
	d := newDouble(t)
	for id, model := range map[string]string{"a": tinyID, "b": tinyID, "other": "org/other"} {
		d.instances[id] = json.RawMessage(placed("MlxRingInstance", "PipelineShardMetadata", id, model, "n1"))
	}
	d.onCreate = func(id string, raw json.RawMessage) {
		d.instances[id] = raw
		d.walk = d.ready(id)
	}
	config := d.quick()
	config.replace = true
	if _, _, err := d.prepare(config); err != nil {
		t.Fatal(err)
	}
	wantEqual(t, "changes", d.changes(), []string{"DELETE /instance/a", "DELETE /instance/b", "POST /instance"})
	wantEqual(t, "instances", d.running(), []string{"i-1", "other"})
}

func TestAModelThatExoDoesNotListIsAdded(t *testing.T) {
	t.Parallel()
	d := newDouble(t)
	d.cards = nil
	d.walk = d.ready("i-1")
	if _, _, err := d.prepare(d.quick()); err != nil {
		t.Fatal(err)
	}
	wantEqual(t, "changes", d.changes(), []string{"POST /models/add", "POST /instance"})

	d = newDouble(t)
	d.cards = nil
	d.answers["POST /models/add"] = failing(400, "Failed to fetch model: Cannot connect to host huggingface.co")
	_, _, err := d.prepare(d.quick())
	wantError(t, err, "look-up: ", "Cannot connect to host huggingface.co")
}
