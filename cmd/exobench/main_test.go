package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/csv"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"exobench"
	"exobench/child"
	"exobench/journal"
)

// asMain makes the test binary behave as exobench; its children, the embedded
// engine among them, inherit it.
const asMain = "EXOBENCH_TEST_AS_MAIN"

func TestMain(m *testing.M) {
	if at := os.Getenv(panicAt); at != "" {
		drivers = append(drivers, broken{at: at})
	}
	if os.Getenv(asServer) != "" {
		serveSlowly()
		return
	}
	if os.Getenv(asMain) == "1" {
		main()
		return
	}
	os.Setenv(asMain, "1")
	testscript.Main(m, map[string]func(){"exobench": main})
}

// outcome is how a command line ended.
type outcome struct {
	code           int
	stdout, stderr string
}

// exobenchIn runs exobench in a folder and waits for its end.
func exobenchIn(t *testing.T, dir string, args ...string) outcome {
	t.Helper()
	cmd := command(t, dir, args...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	if _, exited := err.(*exec.ExitError); err != nil && !exited {
		t.Fatal(err)
	}
	return outcome{cmd.ProcessState.ExitCode(), stdout.String(), stderr.String()}
}

// command is exobench as a process of its own.
func command(t *testing.T, dir string, args ...string) *exec.Cmd {
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Dir = dir
	return cmd
}

// boundsFull, in the environment, has these tests take what docs/faults.md states:
// .ci/bounds sets it. Without it they take less of all, and no more than seconds.
const boundsFull = "EXOBENCH_BOUNDS"

// fullOr returns the first in a test of the whole bounds, else the second.
func fullOr(full, short int) int {
	if os.Getenv(boundsFull) != "" {
		return full
	}
	return short
}

// tinyModels is the path of the models file of the tests.
func tinyModels(t *testing.T) string {
	t.Helper()
	path, err := filepath.Abs("testdata/tiny-models.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// tinyRun is a run of the tiny models on the embedded engine.
func tinyRun(t *testing.T, more ...string) []string {
	return append([]string{"run", "--engine", "embedded", "--models-file", tinyModels(t), "--model", "tiny-a,tiny-b", "--max-tokens", "16"}, more...)
}

// rows reads benchmark_results.csv as maps by column.
func rows(t *testing.T, folder string) []map[string]string {
	t.Helper()
	file, err := os.Open(filepath.Join(folder, "benchmark_results.csv"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	lines, err := csv.NewReader(file).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	if want := strings.Split(columns, ","); !slices.Equal(lines[0], want) {
		t.Errorf("columns\n%v\nwant\n%v", lines[0], want)
	}
	var out []map[string]string
	for _, line := range lines[1:] {
		row := map[string]string{}
		for i, name := range lines[0] {
			row[name] = line[i]
		}
		out = append(out, row)
	}
	return out
}

// columns is the contract of benchmark_results.csv.
const columns = "run_id,engine,engine_version,model,model_id,placement,prompt_id,phase,repeat,concurrency,rate_rps,seq,outcome,error,finish_reason," +
	"prompt_tokens,cached_tokens,output_tokens,tokens_from,scheduled_s,sent_s,ttft_s,ttfa_s,latency_s,latency_from_schedule_s," +
	"tokens_per_second,e2e_tokens_per_second,prefill_tokens_per_second,inter_chunk_mean_s,inter_chunk_p50_s,inter_chunk_p99_s,inter_chunk_max_s," +
	"server_prefill_tps,server_decode_tps,memory_before_bytes,memory_loaded_bytes,memory_peak_bytes,memory_additional_bytes,gpu_memory_peak_bytes,energy_j,reasoning_tokens,prefill_measured_tokens_per_second,server_peak_memory_bytes,gpu_memory_before_bytes,gpu_memory_loaded_bytes,gpu_memory_source," +
	"energy_above_idle_j,energy_prefill_j,energy_decode_j,energy_scope"

// entries reads a folder's journal as far as it goes.
func entries(t *testing.T, folder string) []exobench.Entry {
	t.Helper()
	var all []exobench.Entry
	err := readJournal(folder, func(r *journal.Reader) error {
		for e := range r.All() {
			switch entry := e.(type) {
			case *exobench.Record:
				e = entry.Clone()
			case *exobench.Sample:
				e = entry.Clone()
			}
			all = append(all, e)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// startEngine serves the tiny models on the embedded engine and returns its URL.
func startEngine(t *testing.T, more ...string) string {
	t.Helper()
	cmd := command(t, t.TempDir(), append([]string{"engine", "--port", "0", "--models-file", tinyModels(t)}, more...)...)
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Signal(os.Interrupt); cmd.Wait() })
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(strings.TrimPrefix(line, child.ReadyPrefix))
}
