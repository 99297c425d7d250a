package main

import (
	"bytes"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// smallRun is a run of four short cells into a folder.
func smallRun(t *testing.T, out string) []string {
	return append(tinyRun(t), "--max-tokens", "4", "--repeat", "2", "--concurrency", "1,3", "--no-calibrate", "--quiet", "--out", out)
}

// keys are the rows of a folder by what they are of, and how many each has.
func keys(t *testing.T, out string) map[string]int {
	t.Helper()
	all := map[string]int{}
	for _, row := range rows(t, out) {
		all[strings.Join([]string{row["model"], row["concurrency"], row["prompt_id"], row["repeat"], row["outcome"]}, " ")]++
	}
	return all
}

// Kills at random instants, of the first process and of those that resume it,
// cost no line of the journal that was written, leave no process, and at the end
// all rows are there, once.
func TestKillsAtRandomInstantsAndResumesGiveTheRowsOfAStraightRun(t *testing.T) {
	if testing.Short() {
		t.Skip("takes up to a minute")
	}
	t.Parallel()
	const longest = 1500 * time.Millisecond
	kills := int64(fullOr(1_000, 100))
	straight := filepath.Join(t.TempDir(), "straight")
	if got := exobenchIn(t, t.TempDir(), smallRun(t, straight)...); got.code != exitOK {
		t.Fatal(got.stderr)
	}
	want := keys(t, straight)
	if len(want) != 2*2*5*2 {
		t.Fatalf("%d rows", len(want))
	}
	var killed, runs atomic.Int64
	var under sync.WaitGroup
	for worker := range 4 {
		random := rand.New(rand.NewPCG(20260101, uint64(worker)))
		under.Go(func() {
			for killed.Load() < kills && !t.Failed() {
				out := filepath.Join(t.TempDir(), fmt.Sprint("out-", worker))
				if os.RemoveAll(out) != nil {
					return
				}
				n := killAndResume(t, out, random, longest, 8)
				killed.Add(int64(n))
				runs.Add(1)
				if got := keys(t, out); !maps.Equal(got, want) {
					t.Errorf("after %d kills:\n%v\nwant\n%v", n, got, want)
				}
			}
		})
	}
	under.Wait()
	t.Logf("%d kills in %d runs", killed.Load(), runs.Load())
}

// killAndResume starts a run and kills it, and those that resume it, at random
// instants, at most so often; then it lets it end. It returns the kills.
func killAndResume(t *testing.T, out string, random *rand.Rand, longest time.Duration, most int) (kills int) {
	t.Helper()
	var kept []byte // the journal's whole lines when the last one was killed
	for {
		args := []string{"run", "--resume", out, "--quiet"}
		if info, err := os.Stat(filepath.Join(out, "journal.jsonl")); err != nil || info.Size() == 0 {
			if os.RemoveAll(out) != nil {
				return kills
			}
			args = smallRun(t, out)
		}
		if kills == most {
			if got := exobenchIn(t, filepath.Dir(out), args...); got.code != exitOK {
				t.Errorf("after %d kills: exit code %d\n%s", kills, got.code, got.stderr)
			}
			checkKept(t, out, kept)
			return kills
		}
		cmd := command(t, filepath.Dir(out), args...)
		marker := fmt.Sprintf("EXOBENCH_TEST_KILLED=%s-%d", out, kills)
		cmd.Env = append(os.Environ(), marker)
		var stderr strings.Builder
		cmd.Stderr = &stderr
		if err := cmd.Start(); err != nil {
			t.Error(err)
			return kills
		}
		timer := time.AfterFunc(time.Duration(random.Int64N(int64(longest))), func() { cmd.Process.Kill() })
		_ = cmd.Wait()
		if timer.Stop() {
			if code := cmd.ProcessState.ExitCode(); code != exitOK {
				t.Errorf("after %d kills: exit code %d\n%s", kills, code, stderr.String())
			}
			checkKept(t, out, kept)
			return kills
		}
		kills++
		checkNoneLeft(t, marker)
		kept = checkKept(t, out, kept)
	}
}

// checkKept holds a folder's journal against what it had, and returns the whole
// lines that it has.
func checkKept(t *testing.T, out string, had []byte) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(out, "journal.jsonl"))
	if err != nil || !bytes.HasPrefix(text, had) {
		if len(had) > 0 {
			t.Errorf("the journal lost lines that it had: %d bytes, and %d before; %v", len(text), len(had), err)
		}
		return nil
	}
	return text[:bytes.LastIndexByte(text, '\n')+1]
}

// checkNoneLeft waits until no process has a variable in its environment, on
// systems with a /proc.
func checkNoneLeft(t *testing.T, variable string) {
	t.Helper()
	var left []string
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		left = nil
		all, _ := filepath.Glob("/proc/[0-9]*/environ") // the pattern is good
		for _, path := range all {
			if text, err := os.ReadFile(path); err == nil && bytes.Contains(append(text, 0), []byte(variable+"\x00")) {
				left = append(left, path)
			}
		}
		if len(left) == 0 {
			return
		}
	}
	t.Errorf("processes are left: %v", left)
}
