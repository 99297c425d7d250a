package main

import (
	"context"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"exobench"
	"exobench/driver"
	"exobench/driver/embedded"
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
	return brokenEngine{e, b.at}, err
}

type brokenEngine struct {
	driver.Engine
	at string
}

func (b brokenEngine) Resolve(ctx context.Context, name string) (exobench.Model, error) {
	if b.at == "resolve" {
		panic("assignment to entry\nin nil map")
	}
	return b.Engine.Resolve(ctx, name)
}

func (b brokenEngine) Do(ctx context.Context, d exobench.Deployment, r exobench.Request) exobench.Record {
	if b.at == "request" && r.Seq == 3 {
		panic("assignment to entry\nin nil map")
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
