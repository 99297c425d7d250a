package report

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"exobench"
	"exobench/metric"
	"exobench/plot"
)

// enginesJournal is a run of two models on three engines: exo, which tells of
// its nodes; llamacpp with random weights, which gives figures of its own and
// lacks the second model's memory; and ollama, which fails on the first.
func enginesJournal() []exobench.Entry {
	models := func(ids ...string) (all []exobench.Model) {
		for i, id := range ids {
			all = append(all, exobench.Model{Name: []string{"llama-3.2-1b", "mistral-7b"}[i], ID: id})
		}
		return all
	}
	entries := []exobench.Entry{&exobench.Header{
		Schema: exobench.SchemaVersion, RunID: "20260102T150405Z", Epoch: time.Date(2026, 1, 2, 15, 4, 5, 0, time.UTC),
		Tool: exobench.Tool{Version: "v0.1.0", Go: "go1.26.0", OS: "linux", Arch: "amd64"},
		Host: exobench.Host{Name: "studio", Cores: 2},
		Plan: exobench.Plan{
			Engines: []string{"exo", "llamacpp", "ollama"}, Models: []string{"llama-3.2-1b", "mistral-7b"},
			Prompts: []exobench.Prompt{{ID: "ai"}, {ID: "poem"}}, MaxTokens: 11, Repeat: 4, Concurrency: []int{1}, Cache: "cold",
		},
		Engines: []exobench.Engine{
			{Name: "exo", Version: "v1", URL: "http://127.0.0.1:52415", LifeCycle: true, CacheSwitch: true, IgnoresEOS: true, Models: models("org/Llama", "org/Mistral")},
			{Name: "llamacpp", Version: "b1", URL: "http://127.0.0.1:8080", CacheSwitch: true, IgnoresEOS: true, Models: models("llama.gguf", "mistral.gguf"),
				Label: "random weights", Caveat: "What the model writes means nothing.", PID: 4711},
			{Name: "ollama", URL: "http://127.0.0.1:11434", LifeCycle: true, Models: models("llama3.2:1b")},
		},
	}}
	seq := 0
	step := func(engine, model, id, placement string, start exobench.Instant, n int, weights exobench.Bytes, change func(*exobench.Record)) {
		for _, e := range life(model, id, start, weights) {
			switch e := e.(type) {
			case *exobench.LoadEvent:
				e.Engine, e.Placement = engine, placement
			case *exobench.Reading:
				e.Engine = engine
			}
			entries = append(entries, e)
		}
		for i := range n {
			seq++
			r := request(model, id, 1, start+exobench.Instant(10+i)*second, seq%9)
			r.Seq, r.Engine, r.Placement = seq, engine, placement
			change(r)
			entries = append(entries, r, &exobench.Reading{Engine: engine, Model: model, At: r.Sent + 20*ms, Moment: exobench.MomentDuring,
				Source: exobench.FromPSS, Memory: 60*mib + weights})
		}
	}
	plain := func(*exobench.Record) {}
	step("exo", "llama-3.2-1b", "org/Llama", "Pipeline/MlxRing/1 node", 0, 8, 40*mib, plain)
	step("exo", "mistral-7b", "org/Mistral", "Pipeline/MlxRing/1 node", 100*second, 7, 400*mib, plain)
	step("llamacpp", "llama-3.2-1b", "llama.gguf", "", 200*second, 8, 50*mib, func(r *exobench.Record) {
		r.Server = &exobench.ServerStats{PrefillTPS: new(500.0), DecodeTPS: new(18.0), OutputTokens: tokens(11)}
	})
	step("llamacpp", "mistral-7b", "mistral.gguf", "", 300*second, 6, 500*mib, func(r *exobench.Record) {
		r.Server = &exobench.ServerStats{DecodeTPS: new(20.0)}
	})
	for i := range exobench.Instant(19) {
		moment := exobench.MomentDuring
		if i == 0 {
			moment = exobench.MomentBefore
		}
		entries = append(entries, &exobench.NodeReading{At: i*second + 3*ms, Engine: "exo", Model: "llama-3.2-1b", Moment: moment, Node: "studio",
			MemoryUsed: size(4096*mib + exobench.Bytes(i)*mib), MemoryTotal: size(8192 * mib), Power: new(40 + float64(i%2))})
	}
	return append(entries,
		&exobench.LoadEvent{At: 400 * second, Engine: "ollama", Model: "llama-3.2-1b", ModelID: "llama3.2:1b", Stage: exobench.StageFailed, Error: "pull it first"},
		&exobench.Note{At: 401 * second, Engine: "ollama", Text: "ollama was slow to answer."},
		&exobench.End{At: 500 * second, Reason: exobench.EndFinished})
}

func TestReportsOfSeveralEngines(t *testing.T) {
	dir := t.TempDir()
	run, entries := build(t, enginesJournal())
	if err := Write(dir, run, entries); err != nil {
		t.Fatal(err)
	}
	for _, name := range Files() {
		got, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if name == "report.md" {
			golden(t, "engines.md", got)
		}
		if *show != "" {
			if err := os.WriteFile(filepath.Join(*show, "engines-"+name), got, 0o666); err != nil {
				t.Fatal(err)
			}
		}
	}
	var b strings.Builder
	if err := Text(&b, run, 100); err != nil {
		t.Fatal(err)
	}
	golden(t, "engines-100.txt", []byte(b.String()))
}

func TestRowsSayWhichEngineOfWhichVersion(t *testing.T) {
	rows := results(t, enginesJournal())
	engine, version, energy := slices.Index(rows[0], "engine"), slices.Index(rows[0], "engine_version"), slices.Index(rows[0], metric.Energy)
	versions := map[string]string{"exo": "v1", "llamacpp": "b1"}
	known := 0
	for _, row := range rows[1:] {
		if row[version] != versions[row[engine]] {
			t.Errorf("%s has version %q", row[engine], row[version])
		}
		if row[energy] != "" {
			known++
		}
	}
	if known != 8 {
		t.Errorf("%d rows have an energy, want the 8 of the engine and model with readings", known)
	}
}

func TestSummaryJSONOfSeveralEngines(t *testing.T) {
	run, _ := build(t, enginesJournal())
	var b strings.Builder
	if err := writeJSON(&b, run); err != nil {
		t.Fatal(err)
	}
	var doc struct {
		Engines []struct{ Name, Label string }
		Cells   []struct {
			Engine, Model string
			Version       string           `json:"engine_version"`
			Energy        *float64         `json:"energy_per_token_j"`
			Server        *json.RawMessage `json:"client_server"`
		}
		Nodes    []struct{ Node string }
		Failures []struct{ Engine, Model string }
	}
	if err := json.Unmarshal([]byte(b.String()), &doc); err != nil {
		t.Fatal(err)
	}
	exo, llama := doc.Cells[0], doc.Cells[1]
	if exo.Engine != "exo" || exo.Energy == nil || exo.Server != nil || llama.Engine != "llamacpp" || llama.Version != "b1" || llama.Energy != nil || llama.Server == nil {
		t.Errorf("cells of the first model: %+v, %+v", exo, llama)
	}
	if doc.Engines[1].Label != "random weights" || len(doc.Nodes) != 1 || doc.Failures[0].Engine != "ollama" {
		t.Errorf("%+v", doc)
	}
	if strings.Contains(b.String(), "4711") {
		t.Error("the pid is shown")
	}
}

func TestBarsAreOfWhateverVaries(t *testing.T) {
	bars := func(f plot.Figure, group int) string {
		var texts []string
		for _, b := range f.Groups[group].Bars {
			switch {
			case b.None:
				texts = append(texts, "none")
			case b.Missing != "":
				texts = append(texts, b.Missing)
			default:
				texts = append(texts, "bar")
			}
		}
		return strings.Join(texts, " ")
	}
	placement := func(name string, concurrency int) *exobench.Record {
		r := request("m", "m", concurrency, 10*second, 1)
		r.Engine, r.Placement = "exo", name
		return r
	}
	failed := &exobench.LoadEvent{At: second, Engine: "exo", Model: "m", Placement: "three", Stage: exobench.StageFailed}
	one := &exobench.Header{RunID: "r", Plan: exobench.Plan{Models: []string{"m"}}, Engines: []exobench.Engine{{Name: "exo"}}}
	for _, row := range []struct {
		why            string
		journal        []exobench.Entry
		series, groups string
	}{
		{"engines", enginesJournal(), "exo, llamacpp†, ollama", "bar bar failed; bar bar none"},
		{"nothing", []exobench.Entry{one, placement("one", 1)}, "", "bar"},
		{"placements", []exobench.Entry{one, placement("one", 1), placement("two", 1)}, "one, two", "bar bar"},
		{"placements and loads", []exobench.Entry{one, placement("one", 1), placement("one", 4), placement("two", 1)},
			"one · concurrency 1, one · concurrency 4, two · concurrency 1", "bar bar bar"},
		{"a placement that failed", []exobench.Entry{one, placement("one", 1), failed}, "one, three", "bar failed"},
		{"a load that did not come", append(enginesJournal(), request("llama-3.2-1b", "org/Llama", 2, 90*second, 1)),
			"exo · concurrency 1, llamacpp† · concurrency 1, ollama, embedded · concurrency 2", "bar bar failed bar; bar bar none none"},
	} {
		run, _ := build(t, row.journal)
		f := medianFigure(run, "Latency", metric.Latency)
		var groups []string
		for i := range f.Groups {
			groups = append(groups, bars(f, i))
		}
		if got := strings.Join(f.Series, ", "); got != row.series || strings.Join(groups, "; ") != row.groups {
			t.Errorf("%s: series %q, want %q; groups %q, want %q", row.why, got, row.series, groups, row.groups)
		}
	}
}

func TestLabelsMarkTheirEngines(t *testing.T) {
	entries := enginesJournal()
	h := entries[0].(*exobench.Header)
	h.Engines[0].Label, h.Engines[2].Label = "a toy", "random weights"
	run, _ := build(t, entries)
	var got []string
	for _, e := range h.Engines {
		got = append(got, engineText(run, e.Name))
	}
	if want := []string{"exo†", "llamacpp‡", "ollama‡"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	h.Engines = h.Engines[:1]
	run, _ = build(t, entries[:1])
	if got := engineText(run, "exo"); got != "exo" || len(labelNotes(run, mainTable(run, &footnotes{}))) != 0 {
		t.Errorf("with one engine: %q", got)
	}
}
