package main

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestBadInputGetsOneSentenceAndLeavesNothing(t *testing.T) {
	empty, comma := filepath.Join(t.TempDir(), "empty.txt"), filepath.Join(t.TempDir(), `standard,"x.txt`)
	if err := errors.Join(os.WriteFile(empty, nil, 0o600), os.WriteFile(comma, nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	occupied := t.TempDir()
	if err := os.WriteFile(filepath.Join(occupied, "journal.jsonl"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	aFile := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(aFile, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	page := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		w.Write([]byte("<html>a page</html>"))
	}))
	t.Cleanup(page.Close) // after the parallel subtests
	closed := httptest.NewServer(nil)
	closed.Close()

	for _, c := range []struct {
		name string
		args []string
		code int
		want string
	}{
		{"an unknown command", []string{"rum"}, exitUsage, "did you mean run?"},
		{"an unknown flag", []string{"run", "--modle", "x"}, exitUsage, "--modle"},
		{"a flag's value of the wrong kind", []string{"run", "--repeat", "many"}, exitUsage, "many"},
		{"an argument too many", []string{"run", "llama"}, exitUsage, `no argument, but got "llama"`},
		{"an unknown engine", []string{"run", "--engine", "llamafile"}, exitUsage, "must be one of auto, embedded, exo, exo-legacy, llamacpp, ollama, openai"},
		{"one engine twice", []string{"run", "--engine", "exo,exo"}, exitUsage, "named twice"},
		{"auto beside another engine", []string{"run", "--engine", "auto,ollama"}, exitUsage, "auto chooses one"},
		{"a URL of nobody", []string{"run", "--engine", "exo,ollama", "--url", "http://127.0.0.1:1"}, exitUsage, "say which one it is of"},
		{"a URL of another engine", []string{"run", "--engine", "exo", "--url", "ollama=http://127.0.0.1:1"}, exitUsage, "not among the engines"},
		{"a header that is none", []string{"run", "--engine", "openai", "--url", page.URL, "--header", "x"}, exitUsage, "Name: value"},
		{"a model file that is not there", []string{"run", "--model", "nowhere.gguf"}, exitUsage, "nowhere.gguf"},
		{"no file for llama.cpp", []string{"run", "--engine", "llamacpp", "--model", "llama-3.2-1b"}, exitUsage, "--synthetic"},
		{"an unknown quantisation", []string{"run", "--engine", "llamacpp", "--synthetic", "--quant", "q9", "--model", "llama-3.2-1b"}, exitUsage, "--quant q9"},
		{"no Ollama", []string{"run", "--engine", "ollama", "--url", closed.URL}, exitFailed, "is Ollama running"},
		{"synthetic weights of no shape", []string{"synth", "--model", "deepseek-r1-671b", "--out", "x.gguf"}, exitUsage, "no synthetic weights"},
		{"synthetic weights of nothing", []string{"synth"}, exitUsage, "needs --model"},
		{"a misspelt model", []string{"run", "--engine", "embedded", "--model", "lama-3.2-1b"}, exitUsage, "did you mean llama-3.2-1b"},
		{"a model without a stand-in", []string{"run", "--engine", "embedded", "--model", "deepseek-r1-671b"}, exitUsage, "no stand-in"},
		{"one model twice", []string{"run", "--engine", "embedded", "--model", "llama-3.2-1b,llama-3.2-1b"}, exitUsage, "twice"},
		{"no repeats", []string{"run", "--repeat", "0"}, exitUsage, "--repeat is 0"},
		{"no tokens", []string{"run", "--max-tokens", "0"}, exitUsage, "--max-tokens is 0"},
		{"a temperature below 0", []string{"run", "--temperature", "-1"}, exitUsage, "--temperature is -1"},
		{"no concurrency", []string{"run", "--concurrency", "0"}, exitUsage, "--concurrency is 0"},
		{"a rate of nothing", []string{"run", "--rate", "0"}, exitUsage, "--rate is 0"},
		{"an unknown arrival", []string{"run", "--rate", "1", "--arrival", "bursty"}, exitUsage, "constant or poisson"},
		{"a rate and a concurrency", []string{"run", "--rate", "1", "--concurrency", "2"}, exitUsage, "give one of them"},
		{"a negative time-out", []string{"run", "--timeout", "-1s"}, exitUsage, "--timeout"},
		{"an unknown cache mode", []string{"run", "--cache", "hot"}, exitUsage, "cold or warm"},
		{"requests and repeats", []string{"run", "--requests", "5", "--repeat", "2"}, exitUsage, "give one of them"},
		{"reuse and replace", []string{"run", "--reuse", "--replace"}, exitUsage, "--replace"},
		{"an impossible placement", []string{"run", "--sharding", "Tensor"}, exitUsage, "--max-nodes"},
		{"an unknown sharding", []string{"run", "--sharding", "Diagonal"}, exitUsage, "Diagonal"},
		{"a prompt file that is not there", []string{"run", "--prompts", "nowhere.txt"}, exitUsage, "no such file"},
		{"an empty prompt file", []string{"run", "--prompts", empty}, exitUsage, "is empty"},
		{"an empty prompt file with a comma and a quote in its name", []string{"run", "--prompts", comma}, exitUsage, "is empty"},
		{"a models file that is not there", []string{"run", "--models-file", "nowhere.yaml"}, exitUsage, "no such file"},
		{"nothing at the URL", []string{"run", "--engine", "exo", "--url", closed.URL}, exitFailed, "refused"},
		{"something else at the URL", []string{"run", "--engine", "exo", "--url", page.URL}, exitFailed, "not an exo"},
		{"something else at the URL, engine auto", []string{"run", "--url", page.URL}, exitFailed, "not an exo"},
		{"a page where an OpenAI server is due", []string{"run", "--engine", "openai", "--url", page.URL, "--model", "x"}, exitFailed, "OpenAI-compatible"},
		{"no URL for openai", []string{"run", "--engine", "openai"}, exitUsage, "needs --url"},
		{"a URL that is none", []string{"run", "--engine", "exo", "--url", "localhost"}, exitUsage, "localhost"},
		{"a URL that is none, to detect", []string{"detect", "--url", "localhost:52415"}, exitUsage, "it must be like http://"},
		{"a URL that is none, to models", []string{"models", "--url", "localhost"}, exitUsage, "it must be like http://"},
		{"a URL that is none, to models of one engine", []string{"models", "--engine", "ollama", "--url", "ftp://x"}, exitUsage, "http://127.0.0.1"},
		{"a URL that is none, engine auto", []string{"run", "--url", "localhost:52415"}, exitUsage, "it must be like http://"},
		{"a URL that is none, llama.cpp", []string{"run", "--engine", "llamacpp", "--url", "nowhere", "--model", "x"}, exitUsage, "http://127.0.0.1"},
		{"no engine at the URL", []string{"models", "--url", closed.URL}, exitFailed, "no engine answers at"},
		{"no exo at the URL", []string{"models", "--engine", "exo", "--url", closed.URL}, exitFailed, "refused"},
		{"a plot of no known kind", []string{"calibrate", "--plot", "lag.jpeg"}, exitUsage, ".png or .svg"},
		{"a time to settle that is none", []string{"run", "--engine", "exo", "--settle-timeout", "soon"}, exitUsage, "--settle-timeout"},
		{"failures that are no share", []string{"run", "--engine", "embedded", "--allow-failures", "three"}, exitUsage, "such as 5%"},
		{"an API key that is not set", []string{"run", "--engine", "openai", "--url", page.URL, "--api-key-env", "NO_SUCH_KEY"}, exitUsage, "NO_SUCH_KEY"},
		{"a folder that holds a run", []string{"run", "--engine", "embedded", "--out", occupied}, exitUsage, "already holds a run"},
		{"a folder that cannot be", []string{"run", "--engine", "embedded", "--out", filepath.Join(aFile, "x")}, exitFailed, "name another folder"},
		{"a report as an unknown tool", []string{"report", occupied, "--as", "wrk"}, exitUsage, "--as wrk is not known"},
		{"a report of no folder", []string{"report"}, exitUsage, "takes one result folder"},
		{"a report of an empty folder", []string{"report", t.TempDir()}, exitUsage, "no journal.jsonl"},
		{"a port that is taken", []string{"engine", "--port", page.URL[strings.LastIndex(page.URL, ":")+1:]}, exitFailed, "another --port"},
		{"an unknown model to preload", []string{"engine", "--preload", "x"}, exitUsage, "no such model"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			began := time.Now()
			got := exobenchIn(t, dir, c.args...)
			if got.code != c.code || !strings.Contains(got.stderr, c.want) {
				t.Errorf("exit code %d, want %d and %q in: %s", got.code, c.code, c.want, got.stderr)
			}
			if lines := strings.Count(strings.TrimSpace(got.stderr), "\n") + 1; lines != 1 {
				t.Errorf("%d lines, want one: %s", lines, got.stderr)
			}
			if left, _ := os.ReadDir(dir); len(left) > 0 {
				t.Errorf("it left %v", left)
			}
			t.Logf("%v: %s", time.Since(began).Round(time.Millisecond), got.stderr)
		})
	}
}
