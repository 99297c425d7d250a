package main

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"
)

// workflow is what is needed of a workflow of GitHub Actions to do its steps.
type workflow struct {
	Env  map[string]string `yaml:"env"`
	Jobs map[string]struct {
		Env   map[string]string `yaml:"env"`
		Steps []struct {
			Name string            `yaml:"name"`
			Uses string            `yaml:"uses"`
			Run  string            `yaml:"run"`
			Env  map[string]string `yaml:"env"`
		} `yaml:"steps"`
	} `yaml:"jobs"`
}

// runner does the steps of a job as a machine of GitHub Actions does, with the
// programs that are here in place of actions.
type runner struct {
	workspace, temp string
	path            []string
}

func newRunner(t *testing.T) *runner {
	t.Helper()
	r := &runner{workspace: t.TempDir(), temp: t.TempDir()}
	source, err := filepath.Abs("../..")
	if err == nil { // what the checkout brings
		err = os.Symlink(source, filepath.Join(r.workspace, "exobench"))
	}
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func (r *runner) file(name string) string { return filepath.Join(r.temp, name) }

// step does one step, and returns its exit code and what it printed.
func (r *runner) step(t *testing.T, script string, env ...map[string]string) (int, string) {
	t.Helper()
	for _, name := range []string{"path", "summary", "env", "output"} {
		file, err := os.OpenFile(r.file(name), os.O_CREATE|os.O_APPEND, 0o666)
		if err != nil || file.Close() != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(r.file("script.sh"), []byte(script), 0o666); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("bash", "--noprofile", "--norc", "-eo", "pipefail", r.file("script.sh"))
	cmd.Dir = r.workspace
	cmd.Env = append(os.Environ(),
		"CI=true", "GITHUB_ACTIONS=true", "GITHUB_WORKSPACE="+r.workspace, "RUNNER_TEMP="+r.temp,
		"GITHUB_PATH="+r.file("path"), "GITHUB_STEP_SUMMARY="+r.file("summary"), "GITHUB_ENV="+r.file("env"), "GITHUB_OUTPUT="+r.file("output"),
		"PATH="+strings.Join(append(slices.Clone(r.path), os.Getenv("PATH")), string(os.PathListSeparator)),
		"XDG_CACHE_HOME="+r.file("cache"), "GOCACHE="+goCache(t))
	for _, some := range env {
		for name, value := range some {
			cmd.Env = append(cmd.Env, name+"="+value)
		}
	}
	said, err := cmd.CombinedOutput()
	var ended *exec.ExitError
	if err != nil && !errors.As(err, &ended) {
		t.Fatal(err)
	}
	r.path = append(strings.Fields(readFile(t, r.file("path"))), r.path...)
	return cmd.ProcessState.ExitCode(), string(said)
}

// goCache is where Go keeps what it has compiled, which is not to be done anew for
// a cache folder of the test's.
func goCache(t *testing.T) string {
	t.Helper()
	where, err := exec.Command("go", "env", "GOCACHE").Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(where))
}

// The steps of the workflow that docs/ci.md shows are run as they stand there. What
// a user changes, below its env, is as small as can be. The limit and the slowdown
// are far from what anything else on this machine brings about.
func TestTheWorkflowOfTheDocumentsGates(t *testing.T) {
	if testing.Short() {
		t.Skip("builds exobench and runs it")
	}
	var w workflow
	if err := yaml.Unmarshal([]byte(readFile(t, "../../docs/examples/exobench-gate.yml")), &w); err != nil {
		t.Fatal(err)
	}
	small := map[string]string{
		"WHAT": "--engine embedded --models-file " + tinyModels(t) + " --model tiny-a --repeat 3 --max-tokens 8 --no-calibrate", "LOADS": "5",
		"FAIL_ON": "tokens_per_second<-50%",
	}
	for name := range small {
		if _, there := w.Env[name]; !there {
			t.Errorf("the workflow has no %s to change", name)
		}
	}
	r := newRunner(t)
	for _, c := range []struct {
		after string
		code  int
		says  []string
		never string // what the summary does not say
	}{
		{"", exitOK, []string{"## after beside before", "| Tokens/s"}, "Beyond the limit"},
		{"--slowdown 900%", exitBeyond, []string{`Beyond the limit tokens_per_second\<-50%: Tokens/s of tiny-a changed by -`, "| worse "}, "> **Interrupted"},
	} {
		small["AFTER"] = c.after
		// What was built stays: to build it again then takes no time.
		if err := errors.Join(os.RemoveAll(filepath.Join(r.workspace, "exobench-results")), os.RemoveAll(r.file("summary"))); err != nil {
			t.Fatal(err)
		}
		code, did := exitOK, 0
		job := w.Jobs["gate"]
		for _, s := range job.Steps {
			switch {
			case s.Run == "" && s.Uses == "":
				t.Errorf("step %q does nothing", s.Name)
			case s.Run == "":
				continue // an action of somebody else's
			case strings.Contains(s.Run, "${{"):
				t.Errorf("step %q has an expression, which only GitHub can work out", s.Name)
			}
			did++
			var said string
			began := time.Now()
			if code, said = r.step(t, s.Run, w.Env, job.Env, s.Env, small); code != exitOK {
				t.Logf("step %q ended with exit code %d:\n%s", s.Name, code, said)
				if s.Name != "Compare" {
					t.Fatalf("step %q was not to fail", s.Name)
				}
				break
			}
			t.Logf("step %q took %v", s.Name, time.Since(began).Round(time.Millisecond))
		}
		if did != 3 || code != c.code {
			t.Errorf("AFTER=%q: %d steps, the last with exit code %d; want 3 steps and %d", c.after, did, code, c.code)
		}
		summary := readFile(t, r.file("summary"))
		for _, text := range c.says {
			if !strings.Contains(summary, text) {
				t.Errorf("AFTER=%q: the summary does not say %q:\n%s", c.after, text, summary)
			}
		}
		if strings.Contains(summary, c.never) {
			t.Errorf("AFTER=%q: the summary says %q:\n%s", c.after, c.never, summary)
		}
	}
}
