package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"exobench"
)

// remembering is a server that keeps every prompt: it takes 0.30 s for one that
// is new to it, and 0.01 s for one whose greater part it has seen. It tells
// nothing of that.
type remembering struct {
	mu   sync.Mutex // of what follows
	seen []string
}

// known returns which share of a prompt's beginning was seen before.
func (s *remembering) known(prompt string) float64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	longest := 0
	for _, seen := range s.seen {
		n := 0
		for n < min(len(seen), len(prompt)) && seen[n] == prompt[n] {
			n++
		}
		longest = max(longest, n)
	}
	s.seen = append(s.seen, prompt)
	return float64(longest) / float64(len(prompt))
}

func (s *remembering) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if strings.HasSuffix(r.URL.Path, "/models") {
		fmt.Fprint(w, `{"object":"list","data":[{"id":"m","object":"model"}]}`)
		return
	}
	var asked struct {
		Messages []struct{ Content string }
	}
	body, _ := io.ReadAll(r.Body)
	if json.Unmarshal(body, &asked) != nil || len(asked.Messages) == 0 {
		http.NotFound(w, r)
		return
	}
	prefill := 300 * time.Millisecond
	if s.known(asked.Messages[0].Content) > 0.5 {
		prefill = 10 * time.Millisecond
	}
	w.Header().Set("Content-Type", "text/event-stream")
	time.Sleep(prefill)
	for range 3 {
		fmt.Fprint(w, "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\" w\"}}]}\n\n")
		_ = http.NewResponseController(w).Flush()
		time.Sleep(2 * time.Millisecond)
	}
	fmt.Fprint(w, "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"length\"}]}\n\n"+
		"data: {\"choices\":[],\"usage\":{\"prompt_tokens\":20,\"completion_tokens\":3}}\n\ndata: [DONE]\n\n")
}

// remember starts the server and returns what measures it, and the server.
func remember(t *testing.T) ([]string, *remembering) {
	t.Helper()
	server := new(remembering)
	at := httptest.NewServer(server)
	t.Cleanup(at.Close)
	return []string{"run", "--engine", "openai", "--url", at.URL, "--model", "m", "--max-tokens", "3", "--repeat", "2", "--no-calibrate"}, server
}

// ttfts returns the seconds to the first token of each request of a run.
func ttfts(t *testing.T, out string) (all []float64) {
	t.Helper()
	for _, row := range rows(t, out) {
		v, err := strconv.ParseFloat(row["ttft_s"], 64)
		if err != nil {
			t.Fatalf("row %v: %v", row, err)
		}
		all = append(all, v)
	}
	return all
}

func TestColdMeansColdInTheSecondRunToo(t *testing.T) {
	t.Parallel()
	args, server := remember(t)
	dir := t.TempDir()
	seeds := map[uint64]bool{}
	plan := filepath.Join(dir, "plan.yaml")
	for run, more := range [][]string{nil, nil, {"--seed", "1"}, {"--plan", plan}} {
		out := filepath.Join(dir, strconv.Itoa(run))
		got := exobenchIn(t, dir, append(append(args, "--out", out), more...)...)
		if got.code != exitOK {
			t.Fatalf("run %d: exit code %d\n%s", run, got.code, got.stderr)
		}
		for _, ttft := range ttfts(t, out) {
			if ttft < 0.30 {
				t.Errorf("run %d: a TTFT of %v s: the prompt was one that the server had seen", run, ttft)
			}
		}
		for _, e := range entries(t, out) {
			switch e := e.(type) {
			case *exobench.Session:
				if e.PromptSeed == 0 || seeds[e.PromptSeed] {
					t.Errorf("run %d has the seed %d of prompts", run, e.PromptSeed)
				}
				seeds[e.PromptSeed] = true
			case *exobench.Header:
				if e.Plan.Seeds.Prompts != 0 || e.Plan.Seeds.Order != 1 {
					t.Errorf("run %d: seeds %+v", run, e.Plan.Seeds)
				}
			}
		}
		if text := readFile(t, filepath.Join(out, "report.md")); !strings.Contains(text, "do not tell") {
			t.Errorf("the report does not say that the cache is unknown:\n%s", text)
		}
		if run == 0 {
			if err := os.WriteFile(plan, []byte(exobenchIn(t, dir, "plan", "--from", out).stdout), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	first := map[string]bool{}
	for _, prompt := range server.seen {
		first[prompt] = true
	}
	if len(first) != len(server.seen) {
		t.Errorf("%d of %d prompts are alike, probes and warm-ups included", len(server.seen)-len(first), len(server.seen))
	}
}

func TestWhoNamesTheSeedOfPromptsGetsThemAgainAndIsTold(t *testing.T) {
	t.Parallel()
	args, server := remember(t)
	dir := t.TempDir()
	for run := range 2 {
		out := filepath.Join(dir, strconv.Itoa(run))
		if got := exobenchIn(t, dir, append(args, "--prompt-seed", "7", "--out", out)...); got.code != exitOK {
			t.Fatalf("exit code %d\n%s", got.code, got.stderr)
		}
		if text := readFile(t, filepath.Join(out, "report.md")); !strings.Contains(text, "the seed 7") {
			t.Errorf("the report does not say that prompts repeat:\n%s", text)
		}
	}
	n := len(server.seen) / 2
	if a, b := server.seen[1:n], server.seen[n+1:]; strings.Join(a, "\n") != strings.Join(b, "\n") {
		t.Errorf("prompts of one seed differ:\n%q\n%q", a, b)
	}
}

func TestAWarmRunIsPrimed(t *testing.T) {
	args, _ := remember(t)
	dir := t.TempDir()
	out := filepath.Join(dir, "out")
	if got := exobenchIn(t, dir, append(args, "--cache", "warm", "--out", out)...); got.code != exitOK {
		t.Fatalf("exit code %d\n%s", got.code, got.stderr)
	}
	// Half of the requests would take 0.30 s.
	all := ttfts(t, out)
	slices.Sort(all)
	if late := all[len(all)*3/4]; late > 0.2 {
		t.Errorf("TTFTs of %v s: the first of each prompt was not in the cache", all)
	}
}
