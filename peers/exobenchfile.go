package peers

import (
	"cmp"
	"encoding/json"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"

	"exobench"
	"exobench/summary"
)

// ExoBench is the name of the tool whose own file WriteExoBench writes.
const ExoBench = "exo-bench"

// exoFile is what exo's bench/exo_bench.py writes with --json-out, for scripts
// that read it. Ours is a member more, which such scripts do not look at.
type exoFile struct {
	Runs []exoRun `json:"runs"`
	Ours struct {
		Run   string   `json:"run"`
		Notes []string `json:"notes"`
	} `json:"exobench"`
}

// exoRun is one request. The names are the tool's.
type exoRun struct {
	Elapsed      float64  `json:"elapsed_s"`
	Preview      string   `json:"output_text_preview"`
	Stats        exoStats `json:"stats"`
	ShortID      string   `json:"model_short_id"`
	ModelID      string   `json:"model_id"`
	Sharding     string   `json:"placement_sharding"`
	InstanceMeta string   `json:"placement_instance_meta"`
	Nodes        int      `json:"placement_nodes"`
	Instance     string   `json:"instance_id"`
	PromptTokens int64    `json:"pp_tokens"`
	Asked        int64    `json:"tg"`
	Repeat       int      `json:"repeat_index"`
	Concurrency  int      `json:"concurrency"`
	// Index is the request's among those of a batch; absent where there is one.
	Index *int `json:"concurrent_index,omitempty"`
	// Download is absent where the model was there already.
	Download *float64 `json:"download_duration_s,omitempty"`
}

// exoStats are the server's figures, or what the tool computes in their place.
type exoStats struct {
	PromptTPS     float64 `json:"prompt_tps"`
	GenerationTPS float64 `json:"generation_tps"`
	PromptTokens  int64   `json:"prompt_tokens"`
	Generated     int64   `json:"generation_tokens"`
	Peak          struct {
		Bytes int64 `json:"inBytes"`
	} `json:"peak_memory_usage"`
}

// WriteExoBench writes the requests of a run as exo's own bench would have
// written them; of returns the measured requests of a cell. Requests that the
// tool would have dropped are left out, and so are open loops, which it does not
// have.
func WriteExoBench(w io.Writer, run *summary.Run, of func(cell int) []*exobench.Record) error {
	file := exoFile{Runs: []exoRun{}}
	file.Ours.Run = run.Header.RunID
	file.Ours.Notes = []string{
		"the text of answers is not kept, so output_text_preview is empty",
		"peak_memory_usage is 0 where the server tells none, as the tool has it",
		"elapsed_s counts from each request; above a concurrency of 1 the tool counts from the start of its batch",
		"repeat_index and concurrent_index are by prompt and by order: the tool sends batches, exobench a steady loop",
	}
	tool, _ := ByName(ExoBench)
	for _, c := range run.Cells {
		if c.Traffic.Open() {
			file.Ours.Notes = append(file.Ours.Notes, "the open loop of "+c.Model+" at "+c.Traffic.String()+" is left out: the tool has none")
			continue
		}
		n := 0
		for _, r := range of(c.ID) {
			if slices.Contains(tool.Counts, r.Outcome) {
				file.Runs = append(file.Runs, exoRunOf(run, &c, r, n))
				n++
			}
		}
	}
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	return encoder.Encode(file)
}

// exoRunOf is the n-th request of a cell, from 0.
func exoRunOf(run *summary.Run, c *summary.Cell, r *exobench.Record, n int) exoRun {
	out := exoRun{
		Elapsed: closed(r).Sub(r.Sent).Seconds(), Stats: exoStatsOf(r), ShortID: c.Model, ModelID: c.Model,
		Asked: int64(run.Header.Plan.Workload.MaxTokens), Repeat: max(0, r.Repeat-1), Concurrency: c.Traffic.Concurrency,
	}
	out.PromptTokens = out.Stats.PromptTokens
	if c.Traffic.Concurrency > 1 {
		out.Index = new(n % c.Traffic.Concurrency)
	}
	var placement string
	for _, id := range c.Steps {
		if s := run.Step(id); s != nil {
			out.ModelID, out.Instance, placement = s.ModelID, s.Instance, s.Placement
			if s.Load != nil && s.Load.Downloading > 0 {
				out.Download = new(s.Load.Downloading.Seconds())
			}
		}
	}
	out.Sharding, out.InstanceMeta, out.Nodes = exoPlacement(placement)
	return out
}

// exoPlacement takes a placement such as "Pipeline/MlxRing/2 nodes" apart. Of
// one that is none of exo's, or unknown, the tool says "reused".
func exoPlacement(text string) (sharding, meta string, nodes int) {
	parts := strings.Split(text, "/")
	if len(parts) != 3 {
		return "reused", "reused", 0
	}
	number, _, _ := strings.Cut(parts[2], " ")
	nodes, _ = strconv.Atoi(number)
	return parts[0], parts[1], nodes
}

// exoStatsOf are the server's statistics of a request, or what the tool makes of
// the stream where there are none.
func exoStatsOf(r *exobench.Record) exoStats {
	var s exoStats
	prompt, _ := promptTokens(r)
	output, _ := outputTokens(r)
	s.PromptTokens, s.Generated = int64(prompt), int64(output)
	if r.Server == nil {
		if rate, ok := exoPrefill(r); ok {
			s.PromptTPS = math.Round(100*rate) / 100
		}
		if rate, ok := exoDecode(r); ok {
			s.GenerationTPS = math.Round(100*rate) / 100
		}
		return s
	}
	s.PromptTPS, s.GenerationTPS = known(r.Server.PrefillTPS), known(r.Server.DecodeTPS)
	s.PromptTokens = cmp.Or(int64(known(r.Server.PromptTokens)), s.PromptTokens)
	s.Generated = cmp.Or(int64(known(r.Server.OutputTokens)), s.Generated)
	s.Peak.Bytes = int64(known(r.Server.PeakMemory))
	return s
}

// known returns a value, or 0 where there is none.
func known[T any](value *T) (v T) {
	if value != nil {
		v = *value
	}
	return v
}
