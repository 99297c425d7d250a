package main

import (
	"context"
	"fmt"
	"math"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"
)

// realLlamaServer returns the llama-server to test with; without one the test
// is skipped.
func realLlamaServer(t *testing.T) string {
	t.Helper()
	program, err := exec.LookPath(filepath.Join(os.Getenv("EXOBENCH_LLAMA_BIN"), "llama-server"))
	if err != nil {
		t.Skipf("no real llama.cpp to test with (%v); .ci/run installs one", err)
	}
	return program
}

// checkAgainstServer checks rows of answers of n tokens, and that the rates
// agree with the server's own.
func checkAgainstServer(t *testing.T, folder, n string) {
	t.Helper()
	agree := 0
	all := rows(t, folder)
	for _, row := range all {
		if row["engine"] != "llamacpp" || row["outcome"] != "ok" || row["output_tokens"] != n || row["tokens_from"] != "usage" || row["cached_tokens"] != "0" {
			t.Errorf("row %v", row)
		}
		client, err1 := strconv.ParseFloat(row["tokens_per_second"], 64)
		server, err2 := strconv.ParseFloat(row["server_decode_tps"], 64)
		if err1 != nil || err2 != nil || row["memory_peak_bytes"] == "" {
			t.Errorf("row %v has no rates or no memory", row)
		}
		if math.Abs(client/server-1) < 0.25 {
			agree++
		}
	}
	if len(all) == 0 || agree*2 < len(all) {
		t.Errorf("%d of %d requests agree with the server's own rate within 25 %%", agree, len(all))
	}
}

func TestARealLlamaServerIsStartedMeasuredAndStopped(t *testing.T) {
	realLlamaServer(t)
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	out := filepath.Join(t.TempDir(), "out")
	got := exobenchIn(t, t.TempDir(), "run", "--engine", "llamacpp", "--synthetic", "--quant", "q8_0", "--models-file", tinyModels(t),
		"--model", "tiny-c", "--max-tokens", "64", "--repeat", "2", "--concurrency", "1,2", "--engine-args", "-t 1", "--out", out)
	if got.code != exitOK {
		t.Fatalf("exit code %d\n%s", got.code, got.stderr)
	}
	checkAgainstServer(t, out, "64")
}

func TestARunningLlamaServerIsMeasured(t *testing.T) {
	program := realLlamaServer(t)
	model := filepath.Join(t.TempDir(), "tiny.gguf")
	if got := exobenchIn(t, t.TempDir(), "synth", "--models-file", tinyModels(t), "--model", "tiny-c", "--quant", "q8_0", "--out", model); got.code != exitOK {
		t.Fatal(got.stderr)
	}
	url := startLlamaServer(t, program, model)
	out := filepath.Join(t.TempDir(), "out")
	got := exobenchIn(t, t.TempDir(), "run", "--engine", "llamacpp", "--url", url, "--model", "tiny", "--max-tokens", "64", "--repeat", "2", "--out", out)
	if got.code != exitOK {
		t.Fatalf("exit code %d\n%s", got.code, got.stderr)
	}
	checkAgainstServer(t, out, "64")
	if response, err := http.Get(url + "/health"); err != nil || response.StatusCode != http.StatusOK {
		t.Errorf("the server that was there is not there any more: %v", err)
	}
}

// startLlamaServer starts a server and waits until it answers.
func startLlamaServer(t *testing.T, program, model string) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := listener.Addr().(*net.TCPAddr).Port
	listener.Close()
	cmd := exec.CommandContext(context.Background(), program, "-m", model, "--host", "127.0.0.1", "--port", strconv.Itoa(port), "-c", "4096", "-np", "1", "-t", "1")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Signal(os.Interrupt)
		kill := time.AfterFunc(5*time.Second, func() { cmd.Process.Kill() })
		cmd.Wait()
		kill.Stop()
	})
	url := fmt.Sprintf("http://127.0.0.1:%d", port)
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(50 * time.Millisecond) {
		response, err := http.Get(url + "/health")
		if err == nil {
			response.Body.Close()
			if response.StatusCode == http.StatusOK {
				return url
			}
		}
		if time.Now().After(deadline) {
			t.Fatal("llama-server did not start within a minute")
		}
	}
}
