package main

import (
	"context"
	"encoding/json"
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

	"exobench"
	"exobench/summary"
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

// The ceiling's time is not tested: with so high a bandwidth no share is above 1.
func TestTheCeilingCountsWhatARealLlamaServerReads(t *testing.T) {
	program := realLlamaServer(t)
	model := filepath.Join(t.TempDir(), "tiny.gguf")
	if got := exobenchIn(t, t.TempDir(), "synth", "--models-file", tinyModels(t), "--model", "tiny-c", "--quant", "q8_0", "--out", model); got.code != exitOK {
		t.Fatal(got.stderr)
	}
	url := startLlamaServer(t, program, model)
	var about struct {
		Data []struct {
			Meta struct {
				Size exobench.Bytes `json:"size"`
			} `json:"meta"`
		} `json:"data"`
	}
	response, err := http.Get(url + "/v1/models")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if err := json.NewDecoder(response.Body).Decode(&about); err != nil || len(about.Data) != 1 || about.Data[0].Meta.Size == 0 {
		t.Fatalf("what the server says of its model: %+v, %v", about, err)
	}
	for _, args := range [][]string{{"--url", url, "--model", "tiny"}, {"--model", model, "--engine-args", "-t 1 -ctk q8_0 -ctv q8_0 -fa on"}} {
		out := filepath.Join(t.TempDir(), "out")
		got := exobenchIn(t, t.TempDir(), append([]string{"run", "--engine", "llamacpp", "--max-tokens", "32", "--repeat", "1", "--bandwidth", "100000", "--out", out}, args...)...)
		if got.code != exitOK {
			t.Fatalf("%v: exit code %d\n%s", args, got.code, got.stderr)
		}
		c := ceilingOf(t, out)
		if c == nil || c.Basis != exobench.CeilingOfFile || c.From != exobench.BandwidthGiven || c.PerSecond != 1e14 || c.Positions < 16 || c.KV == 0 {
			t.Fatalf("%v: got %+v", args, c)
		}
		// The server counts the embedding too, where it is not the output matrix.
		if c.Weights > about.Data[0].Meta.Size || c.Weights < about.Data[0].Meta.Size/2 {
			t.Errorf("%v: %v of weights are read for a token, and the server has %v", args, c.Weights, about.Data[0].Meta.Size)
		}
	}
}

// ceilingOf reads that of the first cell of a folder's summary.
func ceilingOf(t *testing.T, folder string) *summary.Ceiling {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(folder, "summary.json"))
	if err != nil {
		t.Fatal(err)
	}
	var s struct {
		Cells []struct{ Ceiling *summary.Ceiling }
	}
	if err := json.Unmarshal(text, &s); err != nil || len(s.Cells) == 0 {
		t.Fatal(err, len(s.Cells))
	}
	return s.Cells[0].Ceiling
}
