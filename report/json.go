package report

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"io"
	"strconv"

	"exobench"
	"exobench/metric"
	"exobench/summary"
)

// jsonSchema is the version of summary.json.
const jsonSchema = 2

// Schema describes summary.json: a JSON Schema of draft 2020-12.
//
//go:embed summary.schema.json
var Schema []byte

// jsonRun is summary.json: what is known of the run, and what the report makes of
// it. Members of the same name as those of what is embedded are shown in their
// place; here and below, a list that is empty is [] and never null.
type jsonRun struct {
	Schema int `json:"schema"`
	// State is the run's end in one word.
	State  string     `json:"state"`
	Header jsonHeader `json:"header"`
	*summary.Run
	Sessions     []exobench.Session     `json:"sessions"`
	Warnings     []jsonWarning          `json:"warnings"`
	Preflight    []jsonWarning          `json:"preflight"`
	Calibrations []exobench.Calibration `json:"calibrations"`
	Notes        []exobench.Note        `json:"notes"`
	Steps        []jsonStep             `json:"steps"`
	Cells        []jsonCell             `json:"cells"`
	Definitions  []jsonDefinition       `json:"definitions"`
}

// jsonHeader leaves out the texts of the prompts, which may be long and are in the
// journal.
type jsonHeader struct {
	exobench.Header
	Plan jsonPlan `json:"plan"`
}

type jsonPlan struct {
	exobench.Plan
	Workload jsonWorkload `json:"workload"`
}

type jsonWorkload struct {
	exobench.Workload
	Prompts []string `json:"prompts"`
}

type jsonStep struct {
	*summary.Step
	Began *exobench.Instant `json:"began_ns"`
	Ended *exobench.Instant `json:"ended_ns"`
	Nodes []summary.Node    `json:"nodes"`
	GPUs  []summary.StepGPU `json:"gpus"`
	Cells []int             `json:"cells"`
}

type jsonCell struct {
	*summary.Cell
	Steps    []int                     `json:"steps"`
	Blocks   []int                     `json:"blocks"`
	Ends     []exobench.BlockEndReason `json:"block_ends"`
	Memory   jsonMemory                `json:"memory"`
	Prompts  []summary.Prompt          `json:"prompts"`
	Energy   []jsonEnergy              `json:"energy"`
	Warnings []jsonWarning             `json:"warnings"`
}

type jsonEnergy struct {
	*summary.Energy
	Meters []string `json:"meters"`
}

type jsonMemory struct {
	summary.RequestMemory
	Model      *exobench.Bytes `json:"model_bytes"`
	Inference  *exobench.Bytes `json:"inference_bytes"`
	Additional *exobench.Bytes `json:"additional_bytes"`
}

// jsonWarning adds the sentence.
type jsonWarning struct {
	summary.Warning
	Text string `json:"text"`
}

type jsonDefinition struct {
	Name    string           `json:"name"`
	Title   string           `json:"title"`
	Unit    metric.Unit      `json:"unit"`
	Better  metric.Direction `json:"better"`
	OfCell  bool             `json:"of_cell"`
	Formula string           `json:"formula"`
	Needs   string           `json:"needs"`
}

// JSON writes all that there is to say of a run for programs, as Schema describes
// it.
func JSON(w io.Writer, run *summary.Run) error {
	doc := jsonRun{
		Schema: jsonSchema, State: state(run), Header: headerJSON(run.Header), Run: run,
		Sessions: list(run.Sessions), Warnings: warningsJSON(run.Warnings()), Preflight: warningsJSON(run.Preflight()), Calibrations: list(run.Calibrations), Notes: list(run.Notes),
		Steps: []jsonStep{}, Cells: []jsonCell{}, Definitions: []jsonDefinition{},
	}
	for i := range run.Steps {
		s := &run.Steps[i]
		doc.Steps = append(doc.Steps, jsonStep{
			Step: s, Began: known(s.Began, s.Began.Reached()), Ended: known(s.Ended, s.Ended.Reached()), Nodes: list(s.Nodes), GPUs: list(s.GPUs), Cells: list(s.Cells),
		})
	}
	for i := range run.Cells {
		doc.Cells = append(doc.Cells, cellJSON(&run.Cells[i]))
	}
	for _, m := range metric.All {
		doc.Definitions = append(doc.Definitions, jsonDefinition{
			Name: m.Name, Title: m.Title, Unit: m.Unit, Better: m.Better, OfCell: m.OfCell != nil, Formula: m.Formula, Needs: m.Needs,
		})
	}
	text := new(bytes.Buffer)
	out := json.NewEncoder(text)
	out.SetEscapeHTML(false)
	if err := out.Encode(doc); err != nil {
		return err
	}
	indented := new(bytes.Buffer)
	if err := json.Indent(indented, tidy(text.Bytes()), "", "  "); err != nil {
		return err
	}
	_, err := w.Write(indented.Bytes())
	return err
}

func headerJSON(h exobench.Header) jsonHeader {
	ids := []string{}
	for _, p := range h.Plan.Workload.Prompts {
		ids = append(ids, p.ID)
	}
	return jsonHeader{Header: h, Plan: jsonPlan{Plan: h.Plan, Workload: jsonWorkload{Workload: h.Plan.Workload, Prompts: ids}}}
}

func cellJSON(c *summary.Cell) jsonCell {
	energies := []jsonEnergy{}
	for i := range c.Energy {
		energies = append(energies, jsonEnergy{&c.Energy[i], list(c.Energy[i].Meters)})
	}
	return jsonCell{
		Cell: c, Steps: list(c.Steps), Blocks: list(c.Blocks), Ends: list(c.Ends), Prompts: list(c.Prompts), Energy: energies, Warnings: warningsJSON(c.Warnings),
		Memory: jsonMemory{
			RequestMemory: c.Memory, Model: known(c.Memory.Model()), Inference: known(c.Memory.Inference()), Additional: known(c.Memory.Additional()),
		},
	}
}

func warningsJSON(warnings []summary.Warning) []jsonWarning {
	all := []jsonWarning{}
	for _, w := range warnings {
		all = append(all, jsonWarning{Warning: w, Text: sentence(w)})
	}
	return all
}

// list returns what JSON has as [] where it is empty.
func list[T any](all []T) []T {
	if all == nil {
		return []T{}
	}
	return all
}

func known[T any](value T, ok bool) *T {
	if !ok {
		return nil
	}
	return &value
}

// tidy changes compact JSON in two ways: a member that is an empty text, which
// nothing is known by, becomes null; and a number with a fraction has the 15
// digits that a float64 surely holds, so that the same run gives the same bytes
// on every machine.
func tidy(text []byte) []byte {
	out := make([]byte, 0, len(text))
	for i := 0; i < len(text); {
		end := i + 1
		switch c := text[i]; {
		case c == '"':
			end = endOfString(text, i)
			if end == i+2 && text[i-1] == ':' {
				out = append(out, "null"...)
			} else {
				out = append(out, text[i:end]...)
			}
		case c == '-' || c >= '0' && c <= '9':
			for end < len(text) && bytes.IndexByte([]byte("0123456789+-.eE"), text[end]) >= 0 {
				end++
			}
			out = appendShort(out, text[i:end])
		default:
			out = append(out, c)
		}
		i = end
	}
	return out
}

// endOfString returns where the string that begins at an index ends.
func endOfString(text []byte, from int) int {
	for i := from + 1; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(text)
}

// appendShort adds a number, with 15 digits where it has a fraction.
func appendShort(b, number []byte) []byte {
	value, err := strconv.ParseFloat(string(number), 64)
	if err != nil || !bytes.ContainsAny(number, ".e") {
		return append(b, number...)
	}
	return strconv.AppendFloat(b, value, 'g', 15, 64)
}
