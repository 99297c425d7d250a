package main

import (
	"fmt"
	"os"
	"runtime"
	"sync"
	"testing"
	"time"

	"exobench"
	"exobench/catalogue"
	"exobench/internal/faults"
	"exobench/resource"
	"exobench/run"
)

// held is what a process holds.
type held struct{ goroutines, descriptors int }

func heldNow(t *testing.T) held {
	t.Helper()
	open, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return held{runtime.NumGoroutine(), len(open)}
}

// awaitHeld waits until the process holds no more than it did.
func awaitHeld(t *testing.T, before held) {
	t.Helper()
	now := heldNow(t)
	for deadline := time.Now().Add(20 * time.Second); now.goroutines > before.goroutines || now.descriptors > before.descriptors; now = heldNow(t) {
		if time.Now().After(deadline) {
			stacks := make([]byte, 64<<10)
			t.Fatalf("the process holds %+v; before it held %+v\n%s", now, before, stacks[:runtime.Stack(stacks, true)])
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// watched looks, at the end of each block, at what the process holds.
type watched struct {
	t  *testing.T
	mu sync.Mutex
	// blocks are what was held at the end of each.
	blocks  []held
	records map[exobench.Outcome]int
	// begun, where set, is told when each block begins.
	begun func(block int)
}

func (w *watched) Append(e exobench.Entry) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch e := e.(type) {
	case *exobench.Record:
		w.records[e.Outcome]++
	case *exobench.Block:
		if w.begun != nil {
			w.begun(e.ID)
		}
	case *exobench.BlockEnd:
		w.blocks = append(w.blocks, heldNow(w.t))
	}
	return nil
}

// runWatched runs a plan in this process and returns what was seen. begun, where
// not nil, is told when each block begins.
func runWatched(t *testing.T, plan exobench.Plan, begun func(block int)) *watched {
	t.Helper()
	models, err := catalogue.Load(plan.ModelsFile)
	if err != nil {
		t.Fatal(err)
	}
	if err := complete(&plan, models); err != nil {
		t.Fatal(err)
	}
	clock := exobench.NewClock()
	drivers, err := newEnv(environment{Getenv: os.Getenv}, clock, models, false)
	if err != nil {
		t.Fatal(err)
	}
	defer drivers.Wire.Close()
	o := opener{plan: plan, env: drivers}
	all, err := o.open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer closeAll(all)
	w := &watched{t: t, records: map[exobench.Outcome]int{}, begun: begun}
	reason, err := run.Execute(t.Context(), run.Config{
		Plan: o.plan, Session: 1, Engines: all, Recorder: w, Clock: clock,
		Machine: func(pid func() int) run.Machine { return resource.NewMachine(pid) },
		CPU:     resource.CPU, Trim: drivers.Wire.Trim,
	})
	if reason == exobench.EndInterrupted || err != nil {
		t.Errorf("the run ended %s, %v", reason, err)
	}
	return w
}

// watchedPlan has the same cell several times: what one leaves behind adds up.
func watchedPlan(engine exobench.EngineSpec, models ...string) exobench.Plan {
	plan := defaultPlan()
	plan.Engines, plan.Models, plan.Calibrate = []exobench.EngineSpec{engine}, models, false
	plan.Workload.MaxTokens, plan.Stop = 4, exobench.Stop{Requests: 16}
	plan.IdleTimeout = exobench.Duration(300 * time.Millisecond)
	plan.Traffic = nil
	for range 6 {
		plan.Traffic = append(plan.Traffic, exobench.Traffic{Concurrency: 4})
	}
	return plan
}

// checkBlocks holds each block against the first of its kind, which left the
// connections of its requests open for those that follow. Few more are fine: not
// all that ends has ended at that very moment.
func (w *watched) checkBlocks(t *testing.T) {
	t.Helper()
	const slack = 10
	first := w.blocks[1] // the first is that of the warm-ups
	for i, now := range w.blocks[2:] {
		if now.goroutines > first.goroutines+slack || now.descriptors > first.descriptors+slack {
			t.Errorf("block %d of %d ended with %+v; the first cell did with %+v", i+3, len(w.blocks), now, first)
		}
	}
}

func TestNoCellLeavesAnythingBehind(t *testing.T) {
	before := heldNow(t)
	plan := watchedPlan(exobench.EngineSpec{Name: "embedded"}, "tiny-a", "tiny-b")
	plan.ModelsFile, plan.IdleTimeout = tinyModels(t), exobench.Duration(time.Minute)
	w := runWatched(t, plan, nil)
	if w.records[exobench.OK] < 2*6*16 || len(w.records) != 1 || len(w.blocks) != 14 {
		t.Errorf("outcomes %v, %d blocks", w.records, len(w.blocks))
	}
	w.checkBlocks(t)
	awaitHeld(t, before)
}

func TestNoFaultLeavesAnythingBehind(t *testing.T) {
	before := heldNow(t)
	server, err := faults.Start(func(n int) *faults.Row {
		if n <= 2 || n%3 == 0 {
			return nil
		}
		row := faults.All[n%len(faults.All)]
		if row.Away || row.Timeout > 0 {
			return nil // what is refused then stops the run for a moment
		}
		return row
	})
	if err != nil {
		t.Fatal(err)
	}
	plan := watchedPlan(exobench.EngineSpec{Name: "openai", URL: server.URL()}, faults.Model)
	w := runWatched(t, plan, nil)
	if len(w.records) < 6 || w.records[exobench.OK] < 20 {
		t.Errorf("outcomes %v", w.records)
	}
	w.checkBlocks(t)
	server.Close()
	awaitHeld(t, before)
}

// Cells of very many streams give back their connections, and the goroutines of
// these, before the next begins.
func TestACellOfManyStreamsLeavesNothingBehind(t *testing.T) {
	streams := fullOr(8_000, 1_000)
	// Long enough for all to be asked meanwhile.
	t.Setenv(asServer, fmt.Sprint(fullOr(30, 3)))
	plan := watchedPlan(exobench.EngineSpec{Name: "openai", URL: startReference(t)}, faults.Model)
	plan.Stop, plan.IdleTimeout = exobench.Stop{Requests: streams}, exobench.Duration(time.Minute)
	plan.Traffic = []exobench.Traffic{{Concurrency: streams}, {Concurrency: streams}, {Concurrency: streams}}
	before := heldNow(t)
	first := map[int]held{}
	w := runWatched(t, plan, func(block int) {
		if len(first) > 0 {
			const slack = 10
			awaitHeld(t, held{before.goroutines + slack, before.descriptors + slack})
		}
		first[block] = heldNow(t)
	})
	if w.records[exobench.OK] != 3*streams+1 || len(w.blocks) != 4 {
		t.Errorf("outcomes %v, %d blocks", w.records, len(w.blocks))
	}
	// On a busy machine some are sent on connections of others.
	if last := w.blocks[len(w.blocks)-1]; last.descriptors < before.descriptors+streams/2 {
		t.Errorf("%+v is held at the end of the last block: its connections were not kept", last)
	}
	awaitHeld(t, before)
}
