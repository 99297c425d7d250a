package exo

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"exobench/resource"
)

// trees is a list of what exo has started, of which each look takes the next and
// leaves the last.
func trees(looks ...[]int) (children func(context.Context, int) ([]int, error), left func() int) {
	return func(context.Context, int) ([]int, error) {
		now := looks[0]
		looks = looks[min(1, len(looks)-1):]
		return slices.Clone(now), nil
	}, func() int { return len(looks) }
}

func TestAReleaseWaitsUntilTheRunnersProcessesAreGone(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("other systems may not tell who listens")
	}
	for _, row := range []struct {
		why     string
		looks   [][]int
		left    int
		lingers bool
	}{
		{"it goes late, and the tracker stays", [][]int{{7}, {7, 8, 9}, {7, 8, 9}, {7, 8, 9}, {7, 8}}, 1, false},
		{"one without a tracker", [][]int{{7}, {7, 9}, {7, 9}, {7}}, 1, false},
		{"it was dead already", [][]int{{7}, {7}, {7}}, 1, false},
		{"exo started it anew meanwhile", [][]int{{7}, {7, 9}, {7, 10}, {7, 10}, {7}}, 1, false},
		{"somebody else's stays as it is", [][]int{{7, 6}, {7, 6, 9}, {7, 6, 9}, {7, 6}}, 1, false},
		{"it never goes", [][]int{{7}, {7, 9}}, 1, true},
	} {
		d := newDouble(t)
		d.walk = d.ready("i-1")
		config := d.quick()
		config.pace.linger = time.Hour // exo's state is not waited for
		config.pace.exit = 100 * time.Millisecond
		if !row.lingers {
			config.pace.exit = time.Minute
		}
		e := d.dial(config)
		var left func() int
		e.config.children, left = trees(row.looks...)
		deployment, err := e.Prepare(t.Context(), tiny, "", nil)
		if err != nil {
			t.Fatal(err)
		}
		// As a real exo does, it keeps the runner's entry for good.
		d.mu.Lock()
		d.runners["i-1-r0"] = `{"RunnerReady":{}}`
		d.mu.Unlock()
		seen := &recorder{}
		if err := e.Release(t.Context(), deployment, seen.add); err != nil {
			t.Errorf("%s: %v", row.why, err)
		}
		detail := seen.events[len(seen.events)-1].Detail
		if left() != row.left || row.lingers != strings.Contains(detail, "still there: 1 of its processes, [9]") {
			t.Errorf("%s: %d looks left, detail %q", row.why, left(), detail)
		}
	}
}

func TestARealProcessOfARunnerIsWaitedFor(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("other systems may not tell who listens")
	}
	d := newDouble(t)
	d.walk = d.ready("i-1")
	runner := exec.Command("cat")
	in, err := runner.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	d.onCreate = func(id string, raw json.RawMessage) {
		d.instances[id] = raw
		if err := runner.Start(); err != nil {
			t.Error(err)
		}
	}
	looks := 0
	config := d.quick()
	config.children = func(ctx context.Context, pid int) ([]int, error) {
		if looks++; looks == 6 {
			in.Close()
			runner.Wait()
		}
		return resource.Descendants(ctx, pid)
	}
	e := d.dial(config)
	deployment, err := e.Prepare(t.Context(), tiny, "", nil)
	if err != nil || deployment.PID != os.Getpid() {
		t.Fatalf("deployment %+v, %v", deployment, err)
	}
	if err := e.Release(t.Context(), deployment, nil); err != nil || runner.ProcessState == nil {
		t.Errorf("released, %v, while its process lives", err)
	}
}

func TestAProcessThatEndedIsLookedForAnew(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("other systems may not tell who listens")
	}
	d := newDouble(t)
	e := d.dial(d.quick())
	e.listens = 1 // as it was before exo was started again
	if pid, err := e.listener(t.Context()); err != nil || pid != os.Getpid() {
		t.Fatalf("process %d, %v", pid, err)
	}
	if seen := observed(e); !strings.Contains(seen, "exo was started anew") {
		t.Errorf("observed %q", seen)
	}
	if _, err := e.listener(t.Context()); err != nil || observed(e) != "" {
		t.Errorf("the same process: %v, or told again", err)
	}
}
