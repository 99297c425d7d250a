package exo

import (
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"exobench"
	"exobench/driver"
	"exobench/driver/drivertest"
)

// sensor returns the engine's sensor of that name; nil where it has none.
func sensor(e driver.Engine, name string) driver.Sensor {
	for _, s := range e.Sensors() {
		if s.Name() == name {
			return s
		}
	}
	return nil
}

func TestNodesTellTheirPowerOnlyWhereTheyHaveASensor(t *testing.T) {
	t.Parallel()
	d := newDouble(t)
	d.nodes["n2"] = "studio-2"
	d.sensors = map[string]string{"n1": `{"gpuUsage":0.42,"temp":51.3,"sysPower":87.5,"pcpuUsage":0.08}`}
	nodes := sensor(d.dial(d.quick()), "nodes")
	if nodes.Every() != time.Second {
		t.Errorf("every %v: exo renews what it tells once a second", nodes.Every())
	}
	samples, err := nodes.Read(t.Context(), exobench.During)
	if err != nil || len(samples) != 2 || samples[0].At != samples[1].At || !samples[0].At.Reached() {
		t.Fatalf("%+v, %v; want two samples of one instant", samples, err)
	}
	for i, want := range []exobench.Sample{
		{Sensor: "nodes", Of: "studio-1", Values: exobench.Values{
			{Quantity: exobench.NodeUsed, Value: 8 * gib}, {Quantity: exobench.NodeTotal, Value: 16 * gib},
			{Quantity: exobench.NodePower, Value: 87.5}, {Quantity: exobench.NodeGPU, Value: 0.42}, {Quantity: exobench.NodeTemperature, Value: 51.3}}},
		{Sensor: "nodes", Of: "studio-2", Values: exobench.Values{
			{Quantity: exobench.NodeUsed, Value: 8 * gib}, {Quantity: exobench.NodeTotal, Value: 16 * gib}}},
	} {
		got := samples[i]
		if got.Sensor != want.Sensor || got.Of != want.Of {
			t.Errorf("sample of %s %s, want %s %s", got.Sensor, got.Of, want.Sensor, want.Of)
		}
		wantEqual(t, "values of "+want.Of, got.Values, want.Values)
	}
}

func TestNodesThatComeGoOrShareANameStayApart(t *testing.T) {
	t.Parallel()
	d := newDouble(t)
	d.nodes = map[string]string{"12D3KooWaaaaaa": "Mac Studio", "12D3KooWbbbbbb": "Mac Studio"}
	nodes := sensor(d.dial(d.quick()), "nodes")
	names := func() (names []string) {
		samples, err := nodes.Read(t.Context(), exobench.During)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range samples {
			names = append(names, s.Of)
		}
		return names
	}
	wantEqual(t, "nodes", names(), []string{"Mac Studio (aaaaaa)", "Mac Studio (bbbbbb)"})
	d.mu.Lock()
	delete(d.nodes, "12D3KooWaaaaaa")
	d.nodes["n3"] = "new"
	d.mu.Unlock()
	wantEqual(t, "nodes", names(), []string{"Mac Studio (bbbbbb)", "n3"})
	d.mu.Lock()
	clear(d.nodes)
	d.mu.Unlock()
	_, err := nodes.Read(t.Context(), exobench.During)
	wantError(t, err, "exo reports none")
}

func TestExoOnThisHostIsMeasuredByItsProcesses(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("other systems may not tell who listens")
	}
	d := newDouble(t)
	d.walk = d.ready("i-1")
	spec := exobench.EngineSpec{Name: "exo", URL: d.server.URL}
	e, err := Driver{}.Open(t.Context(), spec, drivertest.Env(t))
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	samples, err := sensor(e, "processes").Read(t.Context(), exobench.Before)
	if err != nil || len(samples) != 1 || len(drivertest.Notices(e)) != 0 {
		t.Errorf("samples %+v, %v; notices %q", samples, err, e.Notices())
	}
	if count, _ := samples[0].Values.Get(exobench.Processes); count < 1 {
		t.Errorf("the double, which is this process, has %v processes", count)
	}
	deployment, err := e.Prepare(t.Context(), tiny, "", nil)
	if err != nil || deployment.PID != os.Getpid() {
		t.Errorf("deployment %+v, %v; want the process %d", deployment, err, os.Getpid())
	}

	d.mu.Lock()
	d.nodes["n2"] = "elsewhere"
	d.mu.Unlock()
	if e, err = (Driver{}).Open(t.Context(), spec, drivertest.Env(t)); err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	notices := strings.Join(e.Notices(), "|")
	if sensor(e, "processes") != nil || sensor(e, "nodes") == nil || notices != "memory is that of whole nodes, whoever uses it (exo has 2 nodes)" {
		t.Errorf("of two nodes: notices %q", notices)
	}
}

func TestAnEngineThatOnlySpeaksExosAPIIsWhatItIs(t *testing.T) {
	t.Parallel()
	d := newDouble(t)
	as := Identity{Driver: "embedded", Version: "2", Label: "no real engine", Caveat: "They say nothing.", PID: os.Getpid()}
	env := drivertest.Env(t)
	env.Plan.Workload.NaturalStop = true
	e, err := OpenAs(t.Context(), exobench.EngineSpec{Name: "embedded", URL: d.server.URL}, env, as)
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	want := exobench.Engine{Name: "embedded", Driver: "embedded", Version: "2", URL: d.server.URL,
		Label: "no real engine", Caveat: "They say nothing.", LifeCycle: true, CacheSwitch: true}
	if got := e.Info(); !sameEngine(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if sensor(e, "nodes") != nil || sensor(e, "processes") == nil || len(drivertest.Notices(e)) > 0 {
		t.Errorf("sensors %v, notices %q: its process is all there is", e.Sensors(), e.Notices())
	}
}

func sameEngine(a, b exobench.Engine) bool {
	a.Models, b.Models = nil, nil
	return a.Name == b.Name && a.Driver == b.Driver && a.Version == b.Version && a.URL == b.URL && a.Label == b.Label &&
		a.Caveat == b.Caveat && a.LifeCycle == b.LifeCycle && a.CacheSwitch == b.CacheSwitch && a.IgnoresEOS == b.IgnoresEOS
}
