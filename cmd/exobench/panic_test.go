package main

import (
	"context"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"exobench"
	"exobench/driver"
	"exobench/driver/embedded"
	"exobench/internal/panics"
)

// panicAt names where the driver "broken" panics, in an environment variable.
const panicAt = "EXOBENCH_TEST_PANIC_AT"

// broken is a driver of the embedded engine with a mistake in it.
type broken struct {
	embedded.Driver
	at string
}

func (broken) Name() string { return "broken" }

func (b broken) Open(ctx context.Context, spec exobench.EngineSpec, env driver.Env) (driver.Engine, error) {
	e, err := b.Driver.Open(ctx, spec, env)
	return brokenEngine{e, b.at, spec, env}, err
}

func (b broken) Find(ctx context.Context, url string, env driver.Env) []driver.Found {
	if b.at == "find" {
		never := make(chan int)
		go panics.Caught(func() { panic("lost") })()
		<-never
	}
	return b.Driver.Find(ctx, url, env)
}

type brokenEngine struct {
	driver.Engine
	at   string
	spec exobench.EngineSpec
	env  driver.Env
}

func (b brokenEngine) Resolve(ctx context.Context, name string) (exobench.Model, error) {
	if b.at == "resolve" {
		panic("assignment to entry\nin nil map")
	}
	return b.Engine.Resolve(ctx, name)
}

func (b brokenEngine) Do(ctx context.Context, d exobench.Deployment, r exobench.Request) exobench.Record {
	switch {
	case b.at == "request" && r.Seq == 3:
		panic("assignment to entry\nin nil map")
	case b.at == "goroutine" && r.Seq == 3:
		header, _ := b.env.HeaderOf(b.spec)
		go panics.Caught(func() { panic("no such header\nas " + header.Get("X-Key")) })()
		<-ctx.Done()
	}
	return b.Engine.Do(ctx, d, r)
}

func TestAPanicIsOneLineAndLeavesNothingRunning(t *testing.T) {
	for _, at := range []string{"resolve", "request"} {
		t.Run(at, func(t *testing.T) {
			t.Setenv(panicAt, at)
			t.Setenv("TMPDIR", t.TempDir())
			out := filepath.Join(t.TempDir(), "out")
			got := exobenchIn(t, t.TempDir(), "run", "--engine", "broken", "--models-file", tinyModels(t), "--model", "tiny-a",
				"--max-tokens", "8", "--no-calibrate", "--repeat", "2", "--out", out)
			said := regexp.MustCompile(`(?m)^exobench: (?:.*: )?a mistake in exobench itself: assignment to entry in nil map \(its stack is in (.*?\.txt)\)`).FindStringSubmatch(got.stderr)
			if got.code != exitFailed || said == nil || strings.Contains(got.stderr, "goroutine") {
				t.Fatalf("exit code %d, %s", got.code, got.stderr)
			}
			if stack := readFile(t, said[1]); !strings.Contains(stack, "brokenEngine") {
				t.Errorf("the stack is %s", stack)
			}
			if at == "resolve" {
				return
			}
			released := false
			for _, e := range entries(t, out) {
				stage, ok := e.(*exobench.StageEvent)
				released = released || ok && stage.Stage == exobench.StageReleased
			}
			if !released || len(rows(t, out)) == 0 {
				t.Errorf("released %v, %d rows", released, len(rows(t, out)))
			}
			if _, err := os.Stat(filepath.Join(out, "report.md")); err != nil {
				t.Error(err)
			}
		})
	}
}

// A panic of any other goroutine ends the run as one of its own does, and what
// stands in it that is secret is shown and kept nowhere.
func TestAPanicOfAnyGoroutineEndsTheRunInOrder(t *testing.T) {
	const key = "planted-4711-key"
	t.Setenv(panicAt, "goroutine")
	t.Setenv("PLANTED", key)
	t.Setenv("TMPDIR", t.TempDir())
	out := filepath.Join(t.TempDir(), "out")
	got := exobenchIn(t, t.TempDir(), "run", "--engine", "broken", "--models-file", tinyModels(t), "--model", "tiny-a",
		"--header", "X-Key: $PLANTED", "--max-tokens", "8", "--no-calibrate", "--repeat", "2", "--out", out)
	said := regexp.MustCompile(`(?m)^exobench: a mistake in exobench itself: no such header as … \(its stack is in (.*?\.txt)\): the run ends early`).FindStringSubmatch(got.stderr)
	if got.code != exitFailed || said == nil || strings.Contains(got.stderr, "goroutine") {
		t.Fatalf("exit code %d, %s", got.code, got.stderr)
	}
	if stack := readFile(t, said[1]); !strings.Contains(stack, "brokenEngine") || filepath.Dir(said[1]) != out {
		t.Errorf("the stack in %s is %s", said[1], stack)
	}
	var end *exobench.End
	released := false
	for _, e := range entries(t, out) {
		switch e := e.(type) {
		case *exobench.StageEvent:
			released = released || e.Stage == exobench.StageReleased
		case *exobench.End:
			end = e
		}
	}
	if !released || end == nil || end.Reason != exobench.EndFailed {
		t.Errorf("released %v, end %+v", released, end)
	}
	files, err := filepath.Glob(filepath.Join(out, "*"))
	if err != nil || len(files) < 7 {
		t.Errorf("files %v, %v", files, err)
	}
	for _, path := range files {
		if strings.Contains(readFile(t, path), key) {
			t.Errorf("the key is in %s", path)
		}
	}
	if strings.Contains(got.stdout+got.stderr, key) {
		t.Error("the key is on the terminal")
	}
	t.Setenv(panicAt, "")
	if got := exobenchIn(t, t.TempDir(), "report", out); got.code != exitOK && got.code != exitFailed {
		t.Errorf("report: exit code %d, %s", got.code, got.stderr)
	}
}

// One who waits for a goroutine that is no more does not keep exobench.
func TestAPanicThatIsWaitedForEndsExobenchAllTheSame(t *testing.T) {
	t.Setenv(panicAt, "find")
	t.Setenv("TMPDIR", t.TempDir())
	began := time.Now()
	got := exobenchIn(t, t.TempDir(), "detect")
	if got.code != exitFailed || !strings.Contains(got.stderr, "a mistake in exobench itself: lost (its stack is in") || time.Since(began) > time.Minute {
		t.Errorf("exit code %d after %v, %s", got.code, time.Since(began), got.stderr)
	}
}
