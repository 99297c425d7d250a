package exo

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"exobench"
	"exobench/driver"
	"exobench/driver/marks"
)

var _ driver.Clearer = (*Engine)(nil)
var _ driver.Observer = (*Engine)(nil)

// onNode is an instance of the model on the double's one node.
func onNode(id, model string) json.RawMessage {
	return json.RawMessage(placed("MlxRingInstance", "PipelineShardMetadata", id, model, "n1"))
}

// clear runs Clear against the double and returns what was reported.
func (d *double) clear(e *Engine) (*recorder, error) {
	d.t.Helper()
	seen := &recorder{}
	return seen, e.Clear(context.Background(), tiny, "", seen.add)
}

// observed is what the engine has seen, in one string.
func observed(e *Engine) string { return strings.Join(e.Observed(), "|") }

func TestWhatIsToBeReplacedIsGoneBeforeTheLoad(t *testing.T) {
	t.Parallel()
	d := newDouble(t)
	d.instances["old"], d.instances["other"] = onNode("old", tinyID), onNode("other", "org/other")
	config := d.quick()
	config.replace = true
	e := d.dial(config)
	if _, err := d.clear(e); err != nil {
		t.Fatal(err)
	}
	wantEqual(t, "changes", d.changes()[:1], []string{"DELETE /instance/old"})
	wantEqual(t, "instances", d.running(), []string{"other"})
	if seen := observed(e); seen != "exo also runs org/other (instance other), which is not part of this measurement: what that does is in these figures of memory and speed" {
		t.Errorf("observed %q", seen)
	}

	d.instances["old"] = onNode("old", tinyID)
	_, err := d.clear(d.dial(d.quick()))
	wantError(t, err, "exo already runs it (instance old): --reuse measures it and leaves it there, --replace deletes it first")
	config = d.quick()
	config.reuse = true
	if _, err := d.clear(d.dial(config)); err != nil {
		t.Error(err)
	}
	wantEqual(t, "instances", d.running(), []string{"old", "other"})
}

func TestFilesAreFetchedBeforeThereIsAnInstance(t *testing.T) {
	t.Parallel()
	d := newDouble(t)
	d.fetches = true
	d.fetch = []func(){
		d.download("n1", pending(tinyID)), func() {},
		d.download("n1", ongoing(tinyID, 400, 1000)),
		d.download("n1", ongoing(tinyID, 900, 1000)),
		d.download("n1", completed(tinyID, 1000)),
	}
	e := d.dial(d.quick())
	seen, err := d.clear(e)
	if err != nil {
		t.Fatal(err)
	}
	wantEqual(t, "changes", d.changes(), []string{"POST /download/start"})
	var asked struct {
		Node  string          `json:"targetNodeId"`
		Shard json.RawMessage `json:"shardMetadata"`
	}
	if err := json.Unmarshal(d.fetched, &asked); err != nil || asked.Node != "n1" || !strings.HasPrefix(string(asked.Shard), `{"PipelineShardMetadata":{"modelCard":`) {
		t.Errorf("asked for %s, %v", d.fetched, err)
	}
	wantEqual(t, "stages", seen.stages(), []exobench.Stage{
		exobench.StageResolve, exobench.StagePlace, exobench.StageDownload, exobench.StageResolve})
	last := seen.events[len(seen.events)-2]
	if last.Downloaded != 1000 || last.DownloadTotal != 1000 {
		t.Errorf("the last of the download is %+v", last)
	}
	d.walk = d.ready("i-1")
	seen = &recorder{}
	if _, err := e.Prepare(t.Context(), tiny, "", seen.add); err != nil {
		t.Fatal(err)
	}
	if slices.Contains(seen.stages(), exobench.StageDownload) {
		t.Errorf("stages of the load %v", seen.stages())
	}
}

func TestAnExoThatDoesNotFetchBeforehandIsLeftToDoSo(t *testing.T) {
	t.Parallel()
	d := newDouble(t)
	d.downloads["n1"] = "[" + pending(tinyID) + "]"
	if _, err := d.clear(d.dial(d.quick())); err != nil { // 404: it knows no such command
		t.Error(err)
	}
	d.fetches = true // it takes the command and does nothing
	config := d.quick()
	config.pace.appear = 50 * time.Millisecond
	if _, err := d.clear(d.dial(config)); err != nil {
		t.Error(err)
	}
}

func TestADownloadThatFailsLeavesNothingBehind(t *testing.T) {
	t.Parallel()
	d := newDouble(t)
	d.fetches = true
	d.fetch = []func(){
		d.download("n1", pending(tinyID)), func() {},
		d.download("n1", ongoing(tinyID, 400, 1000)),
		d.download("n1", failedDownload(tinyID, "no space left")),
	}
	_, err := d.clear(d.dial(d.quick()))
	wantError(t, err, "download: ", "node studio-1", "no space left")
	wantEqual(t, "changes", d.changes(), []string{"POST /download/start"})

	// One from before is excused, and asked for again once exo has forgotten it.
	d = newDouble(t)
	d.fetches = true
	d.download("n1", failedDownload(tinyID, "no network"))()
	d.fetch = []func(){func() {}, func() {}, d.download("n1", pending(tinyID)), d.download("n1", ongoing(tinyID, 1, 2)), d.download("n1", completed(tinyID, 2))}
	if _, err := d.clear(d.dial(d.quick())); err != nil {
		t.Error(err)
	}
}

func TestAnExoThatIsStartedAgainIsWaitedForAndFoundAnew(t *testing.T) {
	t.Parallel()
	d := newDouble(t)
	e := d.dial(d.quick())
	address := d.server.Listener.Addr().String()
	d.server.Close()
	d.nodes = map[string]string{"n9": "studio-1"} // node ids change at every start
	d.previews = []string{previews(labelled("Pipeline", "MlxRing", placed("MlxRingInstance", "PipelineShardMetadata", "i-2", tinyID, "n9")))}
	d.downloads["n9"] = "[" + completed(tinyID, 9) + "]"
	var back sync.Once
	server := &http.Server{Handler: d}
	t.Cleanup(func() { server.Close() })
	seen := ""
	report := func(ev exobench.StageEvent) {
		seen += ev.Detail
		if strings.Contains(ev.Detail, "exo is away") {
			back.Do(func() {
				listener, err := net.Listen("tcp", address)
				if err != nil {
					t.Error(err)
				}
				go server.Serve(listener)
			})
		}
	}
	if err := e.Clear(t.Context(), tiny, "", report); err != nil || !strings.Contains(seen, "exo is away: waiting up to 5s for it") {
		t.Fatalf("error %v, told %q", err, seen)
	}
	if e.nodeName("n9") != "studio-1" || !strings.Contains(observed(e), "exo was away for ") {
		t.Errorf("nodes %+v", e.nodes)
	}
	server.Close()
	config := e.config
	config.pace.away = 50 * time.Millisecond
	e.config = config
	if err := e.Clear(t.Context(), tiny, "", func(exobench.StageEvent) {}); err == nil || !strings.Contains(err.Error(), "away for 50ms") {
		t.Errorf("of one that stays away: %v", err)
	}
}

func TestWhatAKilledRunLeftIsKnownAndTakenAway(t *testing.T) {
	d := newDouble(t)
	config := d.quick()
	config.marks = t.TempDir()
	d.instances["i-1"] = onNode("i-1", tinyID)
	held := exec.Command(os.Args[0], "-test.run=^TestHoldAMark$")
	held.Env = append(os.Environ(), "EXOBENCH_HOLD_MARK="+config.marks+"|"+d.server.Listener.Addr().String())
	out, err := held.StdoutPipe()
	if err == nil {
		err = held.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	defer held.Wait()
	if _, err := io.ReadFull(out, make([]byte, 4)); err != nil { // "held"
		t.Fatal(err)
	}
	config.replace = false
	_, err = d.clear(d.dial(config))
	wantError(t, err, "another exobench is measuring it on this exo (instance i-1)")
	held.Process.Kill()
	held.Wait()

	config.reuse = true
	if _, err := d.clear(d.dial(config)); err != nil || len(d.running()) != 1 {
		t.Errorf("with --reuse: %v, instances %v", err, d.running())
	}
	config.reuse = false
	config.url = strings.Replace(config.url, "127.0.0.1", "localhost", 1)
	e := d.dial(config)
	if _, err := d.clear(e); err != nil {
		t.Fatal(err)
	}
	wantEqual(t, "instances", d.running(), []string{})
	if seen := observed(e); !strings.Contains(seen, "an instance of "+tinyID+" that an earlier exobench run had left in exo was taken away") {
		t.Errorf("observed %q", seen)
	}

	// What is nobody's, and what was kept on purpose, stays.
	for _, keep := range []bool{false, true} {
		d.walk = d.ready("i-1")
		config.env.Plan.KeepLoaded = keep
		e = d.dial(config)
		if _, err := e.Prepare(t.Context(), tiny, "", nil); err != nil {
			t.Fatal(err)
		}
		e.Close()
		_, err = d.clear(d.dial(config))
		if keep {
			wantError(t, err, "exo already runs it")
		} else if err != nil {
			t.Error(err)
		}
	}
}

// TestHoldAMark is no test: it is the process of the run that is killed.
func TestHoldAMark(t *testing.T) {
	folder, address, ok := strings.Cut(os.Getenv("EXOBENCH_HOLD_MARK"), "|")
	if !ok {
		t.Skip("it is started by TestWhatAKilledRunLeftIsKnownAndTakenAway")
	}
	marks.New(folder, address).Set("i-1")
	fmt.Print("held")
	time.Sleep(time.Minute)
}
