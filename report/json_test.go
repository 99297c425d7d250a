package report

import (
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"exobench"
	"exobench/metric"
	"exobench/summary"
)

// compiled returns the schema of summary.json.
func compiled(t *testing.T) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(Schema))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource("summary.schema.json", doc); err != nil {
		t.Fatal(err)
	}
	schema, err := c.Compile("summary.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

// validate holds a run's summary.json against the schema, and returns it.
func validate(t *testing.T, run *summary.Run) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := JSON(&b, run); err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(b.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	if err := compiled(t).Validate(doc); err != nil {
		t.Errorf("summary.json does not keep to its schema: %v", err)
	}
	return b.Bytes()
}

func TestSummaryJSONKeepsToItsSchema(t *testing.T) {
	for _, j := range journals {
		run, _ := build(t, j.entries())
		validate(t, run)
	}
	run, _ := build(t, journal())
	run.Damaged = 2
	validate(t, run)
}

// The schema must not let anything pass.
func TestTheSchemaRefusesWhatDrifts(t *testing.T) {
	run, _ := build(t, openJournal())
	text := string(validate(t, run))
	for _, change := range []struct{ old, new string }{
		{`"schema": 2,`, `"schema": 1,`},
		{`"requests": 16`, `"requests": "16"`},
		{`"damaged_lines"`, `"damaged"`},
		{`"tokens_from": "usage"`, `"tokens_from": ""`},
		{`"rate_rps": 12.5`, `"rate": 12.5`},
		{`"kernel_stamps": true`, `"kernel_stamps": true, "user_stamps": false`},
		{`"kind": "others_busy"`, `"kind": "others"`},
		{`"share_of_shared_reads"`, `"shared"`},
	} {
		changed := strings.Replace(text, change.old, change.new, 1)
		doc, err := jsonschema.UnmarshalJSON(strings.NewReader(changed))
		if changed == text || err != nil {
			t.Fatalf("%s is not in it: %v", change.old, err)
		}
		if compiled(t).Validate(doc) == nil {
			t.Errorf("%s instead of %s passes", change.new, change.old)
		}
	}
}

type writtenSample struct {
	N        int
	Interval *struct{ Lo, Hi, Confidence float64 }
}
type writtenWarning struct{ Kind, Text string }

// written is what the tests read of summary.json.
type written struct {
	State        string
	Calibrations []struct {
		Streams int
		Lag     int `json:"lag_p99_ns"`
	}
	Steps []struct {
		Engine, Model, State string
		Error                *string
		Load                 *struct {
			Loading int `json:"load_ns"`
		}
		Nodes []struct{ Node string }
	}
	Cells []struct {
		Engine, Model, State string
		OK                   int
		TokensFrom           *string `json:"tokens_from"`
		Values               map[string]float64
		Metrics              map[string]writtenSample
		Memory               struct{ Peak, Before *struct{} }
		Server               *struct{} `json:"client_server"`
		Delay                *struct {
			P99 int `json:"p99_ns"`
		}
		Machine *struct {
			Foreign *float64 `json:"foreign_share"`
		}
		Warnings []writtenWarning
	}
}

func read(t *testing.T, run *summary.Run) (w written) {
	t.Helper()
	if err := json.Unmarshal(validate(t, run), &w); err != nil {
		t.Fatal(err)
	}
	return w
}

func TestSummaryJSONHasNullForUnknown(t *testing.T) {
	run, _ := build(t, finished())
	d := read(t, run)
	mistral := d.Cells[2]
	if s := mistral.Metrics[metric.Latency]; mistral.OK != 3 || s.N != 3 || s.Interval != nil {
		t.Errorf("mistral: %+v, latency %+v", mistral, s)
	}
	if _, known := mistral.Metrics[metric.ServerDecode]; known {
		t.Error("mistral has a rate of the server's own")
	}
	if last := d.Cells[7]; last.State != "planned" || last.TokensFrom != nil || last.Memory.Peak != nil {
		t.Errorf("what never ran: %+v", last)
	}
	if qwen := d.Steps[2]; qwen.State != "failed" || qwen.Error == nil || qwen.Load != nil {
		t.Errorf("what failed: %+v", qwen)
	}
}

func TestSummaryJSONHoldsTheHarnessError(t *testing.T) {
	run, _ := build(t, openJournal())
	d := read(t, run)
	slow, fast := d.Cells[0], d.Cells[1]
	if len(d.Calibrations) != 2 || d.Calibrations[1].Lag != 230_000 || slow.Delay == nil || slow.Delay.P99 < 45_000 || *fast.Machine.Foreign != 0.12 {
		t.Errorf("%+v", d)
	}
	doubted := func(w writtenWarning) bool {
		return w.Kind == "others_busy" && strings.Contains(w.Text, "Other processes used 12 % of the machine's CPU time")
	}
	if !slices.ContainsFunc(fast.Warnings, doubted) || slices.ContainsFunc(slow.Warnings, doubted) {
		t.Errorf("warnings %+v and %+v", slow.Warnings, fast.Warnings)
	}
}

func TestSummaryJSONHoldsWhatServersAndNodesSay(t *testing.T) {
	run, _ := build(t, enginesJournal())
	d := read(t, run)
	if exo, llama := d.Cells[0], d.Cells[1]; exo.Engine != "exo" || exo.Values[metric.EnergyPerToken] == 0 || exo.Server != nil || llama.Server == nil {
		t.Errorf("cells of the first model: %+v, %+v", exo, llama)
	}
	if len(d.Steps[0].Nodes) != 1 || d.Steps[0].Load.Loading != 2_250_000_000 || d.Steps[2].Load != nil {
		t.Errorf("steps: %+v", d.Steps)
	}
}

// warningKinds are the kinds that a warning may have, by the types of its figures.
func warningKinds(t *testing.T) map[string]string {
	t.Helper()
	files, err := filepath.Glob("../summary/*.go")
	if err != nil {
		t.Fatal(err)
	}
	var source []byte
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		source = append(source, text...)
	}
	kinds := map[string]string{}
	for _, found := range regexp.MustCompile(`(?m)^func \((\w+)\) kind\(\) WarningKind +{ return "(\w+)" }`).FindAllStringSubmatch(string(source), -1) {
		kinds[found[1]] = found[2]
	}
	for _, kind := range exobench.DoubtKinds { // all of one type
		kinds["Doubted "+string(kind)] = string(kind)
	}
	if len(kinds) < 20 {
		t.Fatalf("%d types of warnings", len(kinds))
	}
	return kinds
}

func TestTheSchemaHasEveryKindOfWarning(t *testing.T) {
	var schema struct {
		Defs struct {
			Warning struct {
				Properties struct{ Kind struct{ Enum []string } }
			}
		} `json:"$defs"`
	}
	if err := json.Unmarshal(Schema, &schema); err != nil {
		t.Fatal(err)
	}
	got := slices.Sorted(slices.Values(schema.Defs.Warning.Properties.Kind.Enum))
	if want := slices.Sorted(maps.Values(warningKinds(t))); !slices.Equal(got, want) {
		t.Errorf("kinds in the schema: %q, want %q", got, want)
	}
}

func TestJSONIsTidied(t *testing.T) {
	for text, want := range map[string]string{
		`{"a":"","b":["",1],"c":":\"\"","d":"x:","e":{}}`:   `{"a":null,"b":["",1],"c":":\"\"","d":"x:","e":{}}`,
		`{"a":0.30000000000000004,"b":12,"c":-1.5e-07}`:     `{"a":0.3,"b":12,"c":-1.5e-07}`,
		`{"a":12345678901234567,"b":"1.00000000000000001"}`: `{"a":12345678901234567,"b":"1.00000000000000001"}`,
	} {
		if got := string(tidy([]byte(text))); got != want {
			t.Errorf("%s became %s, want %s", text, got, want)
		}
	}
}
