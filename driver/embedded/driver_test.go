package embedded

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"exobench"
	"exobench/catalogue"
	"exobench/child"
	"exobench/driver"
	"exobench/driver/drivertest"
	served "exobench/embedded"
)

// The test binary plays exobench engine beside the tests.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "engine" {
		playEngine(os.Args[2:])
		return
	}
	os.Exit(m.Run())
}

// models is a file with a model that is served, and one without a shape.
const models = `- name: mini
  shape: {layers: 16, hidden: 512, heads: 8, kv_heads: 4, ffn: 1024, vocab: 4000, context: 512, rope_base: 10000}
  ids: {exo: [org/mini]}
- name: odd
  ids: {exo: [org/odd]}
`

// playEngine serves the stand-in of mini until its input ends. The models file
// must be among its arguments.
func playEngine(args []string) {
	c, err := catalogue.Load(args[len(args)-1])
	if err != nil || strings.Join(args[:len(args)-1], " ") != "--port 0 --with-parent --models-file" {
		fmt.Fprintln(os.Stderr, args, err)
		os.Exit(2)
	}
	m, _ := c.Find("mini")
	server, err := served.New(served.Config{Models: []served.Model{{
		ID: m.IDs["exo"][0], BaseModel: m.Title, Shape: catalogue.StandIn(*m.Shape),
	}}})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	fmt.Printf("%shttp://%s\n", child.ReadyPrefix, listener.Addr())
	go http.Serve(listener, server.Handler())
	io.Copy(io.Discard, os.Stdin)
}

func testEnv(t *testing.T) driver.Env {
	t.Helper()
	path := filepath.Join(t.TempDir(), "models.yaml")
	if err := os.WriteFile(path, []byte(models), 0o600); err != nil {
		t.Fatal(err)
	}
	env := drivertest.Env(t)
	var err error
	if env.Catalogue, err = catalogue.Load(path); err != nil {
		t.Fatal(err)
	}
	env.Program, env.Version, env.Plan.ModelsFile = os.Args[0], "1.2.3", path
	return env
}

func TestTheEngineIsStartedMeasuredAndEnded(t *testing.T) {
	spec := exobench.EngineSpec{Name: "embedded"}
	e, err := Driver{}.Open(t.Context(), spec, testEnv(t))
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	drivertest.Engine(t, Driver{}, spec, e)
	info := e.Info()
	if info.Version != "1.2.3" || info.Label != label || info.Caveat != caveat || !info.LifeCycle || !info.CacheSwitch || !info.IgnoresEOS {
		t.Errorf("info %+v", info)
	}
	if _, ok := e.(driver.Placer); !ok {
		t.Error("it lists no placements")
	}
	m, err := e.Resolve(t.Context(), "org/mini")
	if err != nil || m.Name != "mini" {
		t.Fatalf("got %+v, %v", m, err)
	}
	d, err := e.Prepare(t.Context(), m, "", func(exobench.StageEvent) {})
	if err != nil {
		t.Fatal(err)
	}
	r := e.Do(t.Context(), d, exobench.Request{Prompt: exobench.Prompt{Text: "Why?"}, MaxTokens: 4, IgnoreEOS: true})
	if r.Outcome != exobench.OK || r.OutputTokens == nil || *r.OutputTokens != 4 {
		t.Errorf("record %+v", r)
	}
	if sensors := e.Sensors(); len(sensors) != 1 || sensors[0].Name() != "processes" || d.PID == os.Getpid() || d.PID == 0 {
		t.Errorf("sensors %v, process %d", sensors, d.PID)
	}
	if err := e.Release(t.Context(), d, func(exobench.StageEvent) {}); err != nil {
		t.Error(err)
	}
	if err := e.Close(); err != nil || e.Alive(t.Context()) == nil {
		t.Errorf("after Close: %v, alive: %v", err, e.Alive(t.Context()))
	}
}

func TestModelsWithoutAStandInAreRefused(t *testing.T) {
	e, err := Driver{}.Open(t.Context(), exobench.EngineSpec{Name: "embedded"}, testEnv(t))
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	for name, want := range map[string]string{"odd": "no stand-in for odd", "minni": "did you mean mini"} {
		_, err := e.Resolve(t.Context(), name)
		if _, usage := errors.AsType[driver.UsageError](err); !usage || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want a UsageError with %q", name, err, want)
		}
	}
}

func TestTheEngineIsExobenchsToStart(t *testing.T) {
	drivertest.Driver(t, Driver{})
	env := testEnv(t)
	env.Plan.ModelsFile = ""
	_, err := Driver{}.Open(t.Context(), exobench.EngineSpec{Name: "embedded"}, env)
	if err == nil || !strings.HasPrefix(err.Error(), "the embedded engine ended at its start (exit status 2)") {
		t.Errorf("a program that fails: got %v", err)
	}
}

func TestStandInsAreOffered(t *testing.T) {
	offers, err := Driver{}.Offers(t.Context(), exobench.EngineSpec{}, testEnv(t))
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range offers {
		if o.Model == "odd" || o.Size < 1<<16 || !*o.Downloaded || !*o.Fits || !strings.HasPrefix(o.ID, "stand-in of ") {
			t.Errorf("offer %+v", o)
		}
	}
	if len(offers) < 6 {
		t.Errorf("%d offers, want one of each model with a shape", len(offers))
	}
}
