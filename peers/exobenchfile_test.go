package peers

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"exobench"
	"exobench/summary"
)

// The file must be one that scripts for exo's own bench read: its names, and
// numbers where those scripts compute with them.
func TestTheFileOfExosOwnBench(t *testing.T) {
	records := twoStreams()
	records[0].Repeat, records[1].Repeat = 1, 2
	records[0].Server.PeakMemory = new(exobench.Bytes(1 << 20))
	records[1].Server = nil
	run := &summary.Run{
		Header: exobench.Header{RunID: "r", Plan: exobench.Plan{Workload: exobench.Workload{MaxTokens: 5}}},
		Steps: []summary.Step{{
			ID: 1, ModelID: "org/m", Instance: "i", Placement: "Pipeline/MlxRing/2 nodes",
			Load: &summary.ModelLoad{Downloading: 3 * time.Second},
		}},
		Cells: []summary.Cell{
			{ID: 1, Subject: pair.Subject, Traffic: pair.Traffic, Steps: []int{1}},
			{ID: 2, Subject: pair.Subject, Traffic: exobench.Traffic{Rate: 2}, Steps: []int{1}},
		},
	}
	var text bytes.Buffer
	if err := WriteExoBench(&text, run, func(int) []*exobench.Record { return records }); err != nil {
		t.Fatal(err)
	}
	var file struct {
		Runs     []map[string]any `json:"runs"`
		Exobench struct{ Notes []string }
	}
	if err := json.Unmarshal(text.Bytes(), &file); err != nil {
		t.Fatal(err)
	}
	if len(file.Runs) != 2 || !strings.Contains(strings.Join(file.Exobench.Notes, "\n"), "open loop of m at 2/s is left out") {
		t.Fatalf("got %s, want the two requests that counted, and a word on the open loop", text.String())
	}
	hand := []map[string]any{{
		"elapsed_s": 0.32, "output_text_preview": "", "model_short_id": "m", "model_id": "org/m", "placement_sharding": "Pipeline",
		"placement_instance_meta": "MlxRing", "placement_nodes": 2.0, "instance_id": "i", "pp_tokens": 50.0, "tg": 5.0,
		"repeat_index": 0.0, "concurrency": 2.0, "concurrent_index": 0.0, "download_duration_s": 3.0,
	}, {"elapsed_s": 0.25, "pp_tokens": 40.0, "repeat_index": 1.0, "concurrent_index": 1.0}}
	stats := []map[string]any{
		{"prompt_tps": 400.0, "generation_tps": 40.0, "prompt_tokens": 50.0, "generation_tokens": 5.0},
		// 40 / 0.2 s; (2 chunks − 1) / (0.25 − 0.2) s
		{"prompt_tps": 200.0, "generation_tps": 20.0, "prompt_tokens": 40.0, "generation_tokens": 3.0},
	}
	peaks := []float64{1 << 20, 0}
	for i, got := range file.Runs {
		for name, want := range hand[i] {
			if got[name] != want {
				t.Errorf("run %d: %s is %v, want %v", i, name, got[name], want)
			}
		}
		of := got["stats"].(map[string]any)
		for name, want := range stats[i] {
			if of[name] != want {
				t.Errorf("run %d: %s is %v, want %v", i, name, of[name], want)
			}
		}
		if peak := of["peak_memory_usage"].(map[string]any)["inBytes"]; peak != peaks[i] {
			t.Errorf("run %d: peak memory is %v, want %v", i, peak, peaks[i])
		}
	}
}
