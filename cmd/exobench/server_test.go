package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"exobench"
)

// openAI serves models by OpenAI's API. The n-th chat, from 1 and warm-ups
// included, fails where wrong says so.
func openAI(t *testing.T, wrong func(n int64) bool, ids ...string) (url string) {
	t.Helper()
	var chats atomic.Int64
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v1/models", func(w http.ResponseWriter, _ *http.Request) {
		var data []map[string]string
		for _, id := range ids {
			data = append(data, map[string]string{"id": id})
		}
		json.NewEncoder(w).Encode(map[string]any{"object": "list", "data": data})
	})
	mux.HandleFunc("POST /v1/chat/completions", func(w http.ResponseWriter, _ *http.Request) {
		if wrong(chats.Add(1)) {
			http.Error(w, `{"error":{"message":"out of luck"}}`, http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "text/event-stream")
		for i := range 4 {
			fmt.Fprintf(w, "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"t%d \"}}]}\n\n", i)
			w.(http.Flusher).Flush()
		}
		fmt.Fprint(w, "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"length\"}],\"usage\":{\"prompt_tokens\":5,\"completion_tokens\":4}}\n\ndata: [DONE]\n\n")
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server.URL
}

func never(int64) bool { return false }

func notesOf(t *testing.T, out string) (texts []string) {
	for _, e := range entries(t, out) {
		if note, ok := e.(*exobench.Note); ok {
			texts = append(texts, note.Text)
		}
	}
	return texts
}

func TestModelsThatNobodyNamedAndTheEngineDoesNotHaveAreSkipped(t *testing.T) {
	url := openAI(t, never, "meta-llama/Llama-3.2-1B-Instruct", "somebody/else")
	out := filepath.Join(t.TempDir(), "out")
	base := []string{"run", "--engine", "openai", "--url", url, "--max-tokens", "4", "--repeat", "1", "--no-calibrate", "--quiet"}
	got := exobenchIn(t, t.TempDir(), append(base, "--out", out)...)
	if got.code != exitOK {
		t.Fatalf("exit code %d\n%s", got.code, got.stderr)
	}
	for _, row := range rows(t, out) {
		if row["model"] != "llama-3.2-1b" || row["outcome"] != "ok" {
			t.Errorf("row %v", row)
		}
	}
	notes := strings.Join(notesOf(t, out), "\n")
	for name, provider := range map[string]string{
		"llama-3.1-8b": "meta-llama/Llama-3.1-8B-Instruct", "mistral-7b": "mistralai/Mistral-7B-Instruct-v0.3",
		"qwen-1.5-7b": "Qwen/Qwen1.5-7B-Chat", "deepseek-r1": "deepseek-ai/DeepSeek-R1-Distill-Llama-8B",
	} {
		want := name + " is skipped: "
		if strings.Count(notes, want) != 1 || !strings.Contains(notes, provider) {
			t.Errorf("%q and %q, once, are not in the notes:\n%s", want, provider, notes)
		}
		if !strings.Contains(readFile(t, out+"/report.md"), want) || !strings.Contains(strings.ReplaceAll(got.stdout, "\n", " "), want) {
			t.Errorf("the report or the table does not say %q", want)
		}
	}
	if strings.Contains(notes, "llama-3.2-1b is skipped") {
		t.Error("the model that was measured is said to be skipped")
	}

	// A plan of it skips them too.
	plan := exobenchIn(t, t.TempDir(), "plan", "--from", out)
	if !strings.Contains(plan.stdout, "skip_missing: true") {
		t.Errorf("the plan is\n%s", plan.stdout)
	}

	// A model that was named is an error, and nothing is measured.
	for name, args := range map[string][]string{
		"named":                 {"--model", "llama-3.2-1b,mistral-7b"},
		"named, over that plan": {"--plan", writeFile(t, plan.stdout), "--model", "mistral-7b"},
	} {
		dir := t.TempDir()
		got := exobenchIn(t, dir, append(base, args...)...)
		if got.code != exitUsage || !strings.Contains(got.stderr, `no model "mistral-7b"`) {
			t.Errorf("%s: exit code %d, %s", name, got.code, got.stderr)
		}
		if left, _ := os.ReadDir(dir); len(left) > 0 {
			t.Errorf("%s: it left %v", name, left)
		}
	}
	// But for one that the user lets be skipped.
	got = exobenchIn(t, t.TempDir(), append(base, "--model", "llama-3.2-1b,mistral-7b", "--skip-missing")...)
	if got.code != exitOK || !strings.Contains(got.stdout, "mistral-7b is skipped") {
		t.Errorf("--skip-missing: exit code %d, %s\n%s", got.code, got.stdout, got.stderr)
	}
}

func writeFile(t *testing.T, text string) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestAnEngineThatHasNoneOfTheStandardModelsIsAnError(t *testing.T) {
	dir := t.TempDir()
	got := exobenchIn(t, dir, "run", "--engine", "openai", "--url", openAI(t, never, "somebody/else"))
	if got.code != exitUsage || !strings.Contains(got.stderr, "name a model that it has with --model") || !strings.Contains(got.stderr, "somebody/else") {
		t.Errorf("exit code %d, %s", got.code, got.stderr)
	}
	if left, _ := os.ReadDir(dir); len(left) > 0 {
		t.Errorf("it left %v", left)
	}
}

// legacy serves the lists of an exo 0.0.x that has two models, and fails every
// chat.
func legacy(t *testing.T) (url string) {
	t.Helper()
	mux := http.NewServeMux()
	text := func(body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, body) }
	}
	mux.HandleFunc("GET /healthcheck", text(`{"status":"ok"}`))
	mux.HandleFunc("GET /v1/models", text(`{"object":"list","data":[{"id":"llama-3.2-1b","object":"model","ready":true},{"id":"llama-3.2-3b","object":"model","ready":true}]}`))
	mux.HandleFunc("GET /modelpool", text("data: {\"llama-3.2-1b\":{\"name\":\"Llama\"}}\n\ndata: [DONE]\n\n"))
	mux.HandleFunc("POST /v1/chat/completions", func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no", 500) })
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server.URL
}

func TestALegacyExoIsAskedOnlyForModelsThatItHas(t *testing.T) {
	got := exobenchIn(t, t.TempDir(), "run", "--engine", "exo-legacy", "--url", legacy(t), "--dry-run")
	if got.code != exitOK {
		t.Fatalf("exit code %d\n%s", got.code, got.stderr)
	}
	for _, want := range []string{"llama-3.2-1b", "mistral-7b is skipped", "1 steps", "15 requests"} {
		if !strings.Contains(got.stdout, want) {
			t.Errorf("%q is not in\n%s", want, got.stdout)
		}
	}
}

func TestFailuresDecideTheExitCode(t *testing.T) {
	third := func(n int64) bool { return n > 2 && n%3 == 0 } // not of the probe and the warm-up
	for _, c := range []struct {
		name  string
		wrong func(n int64) bool
		allow string
		code  int
		want  string
	}{
		{"none failed", never, "", exitOK, ""},
		{"some failed", third, "", exitFailed, "of 10 measured requests failed, and --allow-failures is 0%"},
		{"fewer failed than allowed", third, "50%", exitOK, ""},
		{"as many failed as allowed", third, "40%", exitOK, ""},
		{"more failed than allowed", third, "39.9%", exitFailed, "4 of 10 measured requests failed, and --allow-failures is 39.9%"},
		{"all failed, whatever is allowed", func(n int64) bool { return n > 2 }, "100%", exitFailed, "no request of m under load 1 succeeded"},
		{"not a share", never, "5", exitUsage, "such as 5%"},
		{"more than all", never, "101%", exitUsage, "such as 5%"},
		{"nonsense", never, "NaN%", exitUsage, "such as 5%"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			out := filepath.Join(t.TempDir(), "out")
			args := []string{"--engine", "openai", "--url", openAI(t, c.wrong, "m"), "--model", "m", "--max-tokens", "4", "--requests", "10",
				"--warmup", "1", "--no-calibrate", "--quiet", "--out", out}
			var allow []string
			if c.allow != "" {
				allow = []string{"--allow-failures", c.allow}
			}
			got := exobenchIn(t, t.TempDir(), append(append([]string{"run"}, args...), allow...)...)
			if got.code != c.code || !strings.Contains(got.stderr, c.want) || c.want == "" && got.stderr != "" {
				t.Errorf("run: exit code %d, %q; want %d and %q", got.code, got.stderr, c.code, c.want)
			}
			if c.code == exitUsage {
				return
			}
			if again := exobenchIn(t, t.TempDir(), append([]string{"report", out}, allow...)...); again.code != got.code || again.stderr != got.stderr {
				t.Errorf("report: exit code %d, %q; the run's was %d, %q", again.code, again.stderr, got.code, got.stderr)
			}
		})
	}
}
