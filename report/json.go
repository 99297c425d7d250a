package report

import (
	"encoding/json"
	"io"
	"time"

	"exobench"
	"exobench/metric"
	"exobench/stat"
	"exobench/summary"
)

// jsonSchema is the version of summary.json; the package doc describes it.
const jsonSchema = 1

func writeJSON(w io.Writer, run *summary.Run) error {
	h := run.Header
	doc := jsonRun{
		Schema: jsonSchema, RunID: h.RunID, Epoch: h.Epoch, Engines: []jsonEngine{}, Host: h.Host, Tool: h.Tool,
		Plan: planJSON(h.Plan), State: state(run), Requests: run.Requests, Warmups: run.Warmups, Damaged: run.Damaged,
		Warnings: list(run.Warnings()), Cells: []jsonCell{}, Loads: []jsonLoad{}, Failures: []jsonFailure{}, Nodes: []jsonNode{}, Notes: []jsonNote{},
	}
	for _, e := range h.Engines {
		doc.Engines = append(doc.Engines, jsonEngine{e.Name, text(e.Version), e.URL, text(e.Label), text(e.Caveat), e.LifeCycle, e.CacheSwitch, e.IgnoresEOS})
	}
	for _, c := range run.Cells {
		doc.Cells = append(doc.Cells, cellJSON(run, c))
	}
	for _, l := range run.Loads {
		doc.Loads = append(doc.Loads, jsonLoad{l.Engine, l.Model, l.ModelID, text(l.Placement), number(l.Start.Seconds()),
			number(l.Loading.Seconds()), number(l.Downloading.Seconds()), l.Downloaded})
	}
	for _, f := range run.Failures {
		doc.Failures = append(doc.Failures, jsonFailure{f.Engine, f.Model, f.ModelID, text(f.Placement), number(f.At.Seconds()), f.After, f.Error})
	}
	for _, n := range run.Nodes {
		doc.Nodes = append(doc.Nodes, jsonNode{n.Engine, n.Model, text(n.Placement), n.Name, n.Before, n.Loaded, n.Peak, n.Total,
			(*number)(n.Power), (*number)(n.GPU), (*number)(n.MaxTemperature)})
	}
	for _, n := range run.Notes {
		doc.Notes = append(doc.Notes, jsonNote{number(n.At.Seconds()), text(n.Engine), text(n.Model), n.Text})
	}
	out := json.NewEncoder(w)
	out.SetEscapeHTML(false)
	out.SetIndent("", "  ")
	return out.Encode(doc)
}

func planJSON(p exobench.Plan) jsonPlan {
	plan := jsonPlan{
		Engines: list(p.Engines), Models: list(p.Models), Prompts: []string{}, MaxTokens: p.MaxTokens, NaturalStop: p.NaturalStop, Repeat: p.Repeat,
		Requests: p.Requests, Warmup: p.Warmup, Concurrency: p.Concurrency, Rates: p.Rates, Arrival: p.Arrival, AllPlacements: p.AllPlacements, Cache: p.Cache, Seeds: p.Seeds,
	}
	for _, prompt := range p.Prompts {
		plan.Prompts = append(plan.Prompts, prompt.ID)
	}
	return plan
}

func cellJSON(run *summary.Run, c summary.Cell) jsonCell {
	engine, _ := run.Header.Engine(c.Engine)
	cell := jsonCell{
		Engine: c.Engine, EngineVersion: text(engine.Version), Model: c.Model, ModelID: c.ModelID, Placement: text(c.Placement), Concurrency: c.Concurrency, Rate: number(c.Rate),
		Requests: c.Requests, OK: c.N, Outcomes: c.Outcomes, Errors: c.Errors, TokensFrom: text(string(c.TokensFrom)),
		Cache: c.Cache, Delivered: (*number)(c.Delivered), Throughput: (*number)(c.Throughput), RequestRate: (*number)(c.RequestRate),
		EnergyPerToken: (*number)(c.EnergyPerToken), ClientServer: clientServerJSON(c.ClientServer), Memory: memoryJSON(c.Memory),
		Metrics: map[string]*jsonSample{}, Prompts: []jsonPrompt{}, Warnings: list(c.Warnings),
	}
	if c.Wall > 0 {
		cell.Wall = seconds(c.Wall)
	}
	if load, ok := run.LoadOf(c.Subject, c.Placement); ok {
		cell.Load, cell.Download = seconds(load.Loading), seconds(load.Downloading)
	}
	for _, m := range sampled() {
		cell.Metrics[m.Name] = sampleJSON(m, c.Metrics)
	}
	for _, p := range c.Prompts {
		prompt := jsonPrompt{p.ID, p.N, map[string]*jsonSample{}}
		for name := range p.Metrics {
			m, _ := metric.ByName(name)
			prompt.Metrics[name] = sampleJSON(m, p.Metrics)
		}
		cell.Prompts = append(cell.Prompts, prompt)
	}
	return cell
}

func clientServerJSON(cs *summary.ClientServer) *jsonClientServer {
	if cs == nil {
		return nil
	}
	agreement := func(a *summary.Agreement) *jsonAgreement {
		if a == nil {
			return nil
		}
		return &jsonAgreement{a.N, number(a.Client), number(a.Server), number(a.Ratio), number(a.Off)}
	}
	return &jsonClientServer{agreement(cs.Output), agreement(cs.Events), agreement(cs.Decode), agreement(cs.Prefill)}
}

func memoryJSON(m summary.RequestMemory) jsonMemory {
	j := jsonMemory{Source: text(string(m.Source)), Model: bytes(m.Model()), Inference: bytes(m.Inference()), Additional: bytes(m.Additional())}
	if m.Before != nil {
		j.Before = &m.Before.Total
	}
	if m.Loaded != nil {
		j.Loaded, j.LoadedAnonymous, j.LoadedFile = &m.Loaded.Total, m.Loaded.Anonymous, m.Loaded.File
	}
	if m.Peak != nil {
		j.Peak, j.PeakAnonymous, j.PeakFile = &m.Peak.Total, m.Peak.Anonymous, m.Peak.File
	}
	return j
}

func sampleJSON(m metric.Metric, samples map[string]summary.Summary) *jsonSample {
	s, ok := samples[m.Name]
	if !ok {
		return nil
	}
	return &jsonSample{
		Unit: m.Unit, Better: m.Better, N: s.N, Median: number(s.Median), Interval: intervalJSON(s.Interval), Mean: number(s.Mean), SD: (*number)(s.SD),
		Min: number(s.Min), Max: number(s.Max), P90: percentileJSON(s, 0.90), P95: percentileJSON(s, 0.95), P99: percentileJSON(s, 0.99),
	}
}

func percentileJSON(s summary.Summary, p float64) *jsonPercentile {
	q, ok := s.Percentile(p)
	if !ok {
		return nil
	}
	return &jsonPercentile{number(q.Value), intervalJSON(q.Interval)}
}

func intervalJSON(iv *stat.Interval) *jsonInterval {
	if iv == nil {
		return nil
	}
	return &jsonInterval{number(iv.Lo), number(iv.Hi), number(iv.Confidence)}
}

// text is null where nothing is known.
func text(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

func seconds(d time.Duration) *number { s := number(d.Seconds()); return &s }

func bytes(b exobench.Bytes, ok bool) *exobench.Bytes {
	if !ok {
		return nil
	}
	return &b
}

// list is [] rather than null where there is nothing.
func list(s []string) []string {
	if s == nil {
		return []string{}
	}
	return s
}
