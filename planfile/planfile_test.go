package planfile_test

import (
	"bytes"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"exobench"
	"exobench/planfile"
)

func plan() exobench.Plan {
	return exobench.Plan{
		Engines: []exobench.EngineSpec{
			{Name: "llamacpp", Options: map[string]string{"engine-args": "--flash-attn on", "quant": "q4_0"}},
			{Name: "llamacpp", Variant: "no-fa", URL: "http://127.0.0.1:8080", Headers: map[string]string{"X-Key": "MY_KEY"}},
		},
		Models: []string{"llama-3.2-1b"},
		Workload: exobench.Workload{
			PromptFiles: []string{"standard"},
			Prompts: []exobench.Prompt{
				{ID: "1", Text: "Yes: or # no?\n\n  second line\t"},
				{ID: "true", Text: "- 5"},
				{ID: "~", Text: "\ttab, \"quotes\" and 'others' \u00e9\u4e16\U0001f600 \x01"},
			},
			MaxTokens: 64, Cache: exobench.ColdCache,
		},
		Traffic: []exobench.Traffic{{Concurrency: 1}, {Concurrency: 4}, {Rate: 0.5, Arrival: exobench.Poisson}, {Rate: 2, Arrival: exobench.Constant, MaxUnderWay: 8}},
		Stop:    exobench.Stop{Repeat: 3, Duration: exobench.Duration(90 * time.Second), Until: "ttft_s=5%,latency_s=3%", MaxRepeat: 40, MaxTime: exobench.Duration(time.Hour)},
		Warmup:  1, Timeout: exobench.Duration(10 * time.Minute), IdleTimeout: exobench.Duration(1500 * time.Millisecond),
		KeepLoaded: true, Calibrate: true,
		Seeds: exobench.Seeds{Order: 1, Sampling: 1<<64 - 1, Arrivals: 3, Prompts: 4},
	}
}

func write(t *testing.T, p exobench.Plan) string {
	t.Helper()
	var out bytes.Buffer
	if err := planfile.Write(&out, p, map[string]map[string]string{"llamacpp": {"quant": "quantisation of the files"}}); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestAPlanThatIsWrittenIsReadAsItWas(t *testing.T) {
	text := write(t, plan())
	got, err := planfile.Read(text, exobench.Plan{})
	if err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	if diff := cmp.Diff(plan(), got, cmp.Comparer(func(a, b map[string]string) bool { return maps.Equal(a, b) })); diff != "" {
		t.Errorf("a plan changed on its way (- written, + read):\n%s\n%s", diff, text)
	}
	if again := write(t, got); again != text {
		t.Errorf("a plan that was read is written differently:\n%s\nand\n%s", text, again)
	}
}

func TestEachMemberHasAComment(t *testing.T) {
	lines := strings.Split(write(t, plan()), "\n")
	for i, line := range lines {
		member := strings.TrimPrefix(strings.TrimSpace(line), "- ")
		name, _, isMember := strings.Cut(member, ":")
		if !isMember || strings.HasPrefix(member, "#") || strings.ContainsAny(name, `"' `) {
			continue
		}
		// The prompts and what is told once for a list are not commented each.
		if slices.Contains([]string{"id", "text", "engine-args", "X-Key"}, name) {
			continue
		}
		told := strings.Contains(lines[i-1], "#") || slices.ContainsFunc(lines[:i], func(l string) bool {
			return strings.HasPrefix(strings.TrimPrefix(strings.TrimSpace(l), "- "), name+":")
		})
		if !told {
			t.Errorf("%s has no comment before it:\n%s", name, strings.Join(lines[max(0, i-3):i+1], "\n"))
		}
	}
}

func TestEveryMemberOfAPlanIsExplainedAndNoOther(t *testing.T) {
	want := map[string]bool{}
	members("", reflect.TypeFor[exobench.Plan](), want)
	for path := range want {
		if planfile.Comment(path) == "" {
			t.Errorf("the plan's member %s has no comment", path)
		}
	}
	for _, path := range planfile.Commented() {
		if !want[path] {
			t.Errorf("a comment explains %s, which is no member of a plan", path)
		}
	}
}

func members(prefix string, of reflect.Type, into map[string]bool) {
	for field := range of.Fields() {
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		path := prefix + name
		into[path] = true
		kind := field.Type
		if kind.Kind() == reflect.Slice && kind.Elem().Kind() == reflect.Struct {
			members(path+"[].", kind.Elem(), into)
		}
		if kind.Kind() == reflect.Struct {
			members(path+".", kind, into)
		}
	}
}

func TestWhatAFileLeavesOutIsTheBases(t *testing.T) {
	base := plan()
	for _, c := range []struct {
		why, text string
		change    func(*exobench.Plan)
	}{
		{"one member", "warmup: 5", func(p *exobench.Plan) { p.Warmup = 5 }},
		{"a list takes the place of the base's", "traffic:\n- concurrency: 2", func(p *exobench.Plan) { p.Traffic = []exobench.Traffic{{Concurrency: 2}} }},
		{"a stop takes the place of the base's whole one", "stop: {duration: 5s}", func(p *exobench.Plan) { p.Stop = exobench.Stop{Duration: exobench.Duration(5 * time.Second)} }},
		{"files take the place of prompts", "workload: {prompt_files: [a.txt]}", func(p *exobench.Plan) {
			p.Workload.Prompts, p.Workload.PromptFiles = nil, []string{"a.txt"}
		}},
		{"a member of the workload leaves the others", "workload: {max_tokens: 8}", func(p *exobench.Plan) { p.Workload.MaxTokens = 8 }},
		{"an engine has no options of the base's", "engines: [{name: exo}]", func(p *exobench.Plan) { p.Engines = []exobench.EngineSpec{{Name: "exo"}} }},
	} {
		want := plan()
		c.change(&want)
		got, err := planfile.Read(c.text, base)
		if err != nil {
			t.Errorf("%s: %v", c.why, err)
			continue
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (- want, + got):\n%s", c.why, diff)
		}
		if diff := cmp.Diff(plan(), base); diff != "" {
			t.Errorf("%s: the base changed:\n%s", c.why, diff)
		}
	}
}

func TestABadFileGetsOneSentence(t *testing.T) {
	for text, want := range map[string]string{
		"":                            "is empty",
		"# nothing\n":                 "is empty",
		"warmups: 1":                  "warmups",
		"warmup: many":                "many",
		"timeout: 5":                  "like 90s",
		"engines: exo":                `"exo"`,
		"workload: {max_token: 5}":    "max_token",
		"traffic:\n  - {rate: 5}":     "rate",
		"[1, 2]":                      "",
		"models: [a\n":                "",
		"warmup: 1\nwarmup: 2\n":      "warmup",
		"stop: {repeat: 1, repeat: 2": "",
		"00: 0[000]: \n0":             "",
	} {
		_, err := planfile.Read(text, plan())
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q: the error is %v, want one line with %q", text, err, want)
		}
	}
}

func FuzzAPlanFileThatIsReadCanBeWrittenAndReadAgain(f *testing.F) {
	var out bytes.Buffer
	if err := planfile.Write(&out, plan(), nil); err != nil {
		f.Fatal(err)
	}
	f.Add(out.Bytes())
	f.Add([]byte("models: [a]\nstop: {duration: 1h}\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		p, err := planfile.Read(string(text), exobench.Plan{})
		if err != nil || p.Validate() != nil {
			return
		}
		var out bytes.Buffer
		if err := planfile.Write(&out, p, nil); err != nil {
			t.Fatal(err)
		}
		again, err := planfile.Read(out.String(), exobench.Plan{})
		if err != nil {
			t.Fatalf("%v in\n%s", err, out.Bytes())
		}
		if diff := cmp.Diff(p, again, cmp.Comparer(func(a, b map[string]string) bool { return maps.Equal(a, b) })); diff != "" {
			t.Errorf("%s\n%s", diff, out.Bytes())
		}
	})
}
