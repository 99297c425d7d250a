package main

import (
	"encoding/json"
	"math"
	"strings"
	"testing"

	"github.com/charmbracelet/x/ansi"

	"exobench"
	"exobench/catalogue"
	"exobench/ceiling"
	"exobench/driver"
)

func TestDetectAndModelsLookWhereTheyAreTold(t *testing.T) {
	t.Parallel()
	url := startEngine(t, "--preload", "tiny-b")
	for _, form := range []string{url, url + "/", url + "/v1", url + "/v1/", strings.Replace(url, "127.0.0.1", "localhost", 1)} {
		got := exobenchIn(t, t.TempDir(), "detect", "--url", form, "--json")
		var found struct{ Engines []driver.Found }
		if err := json.Unmarshal([]byte(got.stdout), &found); err != nil || got.code != exitOK {
			t.Fatalf("%s: exit code %d, %v\n%s", form, got.code, err, got.stderr)
		}
		if len(found.Engines) != 1 || found.Engines[0].Engine != "exo" || found.Engines[0].URL != strings.TrimSuffix(strings.TrimRight(form, "/"), "/v1") ||
			strings.Join(found.Engines[0].Loaded, "") != "tiny-org/tiny-b-4bit" {
			t.Errorf("%s: found %+v", form, found.Engines)
		}
		// Without the models file the engine's own models are its own.
		for _, args := range [][]string{{"models", "--json", "--url", form}, {"models", "--json", "--engine", "exo", "--url", form}} {
			got := exobenchIn(t, t.TempDir(), args...)
			var offers []driver.Offer
			if err := json.Unmarshal([]byte(got.stdout), &offers); err != nil || got.code != exitOK {
				t.Fatalf("%v: exit code %d, %v\n%s", args, got.code, err, got.stderr)
			}
			own := 0
			for _, o := range offers {
				if o.ID == "tiny-org/tiny-b-4bit" && o.Loaded != nil && *o.Loaded && o.Downloaded != nil && *o.Downloaded {
					own++
				}
			}
			if own != 1 {
				t.Errorf("%v: the engine's own model is there %d times in %+v", args, own, offers)
			}
		}
	}
	// A run takes the same forms.
	got := exobenchIn(t, t.TempDir(), "run", "--url", url+"/v1", "--model", "tiny-org/tiny-b-4bit", "--reuse", "--dry-run")
	if got.code != exitOK || !strings.Contains(got.stdout, "\nexo ") {
		t.Errorf("run --url …/v1: exit code %d\n%s%s", got.code, got.stdout, got.stderr)
	}
}

func TestWhatAnEngineDoesNotTellIsAQuestionMark(t *testing.T) {
	url := openAI(t, never, "somebody/else", "m")
	got := exobenchIn(t, t.TempDir(), "models", "--url", url)
	if got.code != exitOK {
		t.Fatalf("exit code %d\n%s", got.code, got.stderr)
	}
	for _, id := range []string{"somebody/else", "m"} {
		seen := false
		for line := range strings.Lines(got.stdout) {
			fields := strings.Fields(line)
			if len(fields) < 8 || fields[len(fields)-1] != id {
				continue
			}
			seen = true
			if strings.Contains(" "+strings.Join(fields[2:], " ")+" ", " no ") {
				t.Errorf("a no where nobody knows: %s", line)
			}
		}
		if !seen {
			t.Errorf("%s is not listed:\n%s", id, got.stdout)
		}
	}
}

// judged are offers of the built-in catalogue, at 100 GB/s and 8192 tokens.
func judged(t *testing.T) []offer {
	t.Helper()
	models, err := catalogue.Load("")
	if err != nil {
		t.Fatal(err)
	}
	m := newMemory(t.Context(), 100, exobench.Host{})
	var all []offer
	for _, o := range []driver.Offer{
		{Model: "llama-3.1-8b", Engine: "llamacpp", ID: "--synthetic --quant q4_0", Size: 5 << 30, Free: 6 << 30, Why: "5.00 GiB of 6.00 GiB free"},
		{Model: "llama-3.1-8b", Engine: "exo", ID: "mlx-community/Meta-Llama-3.1-8B-Instruct-4bit", Size: 4 << 30, Estimated: true, Why: "exo does not answer"},
		{Model: "deepseek-r1-671b", Engine: "ollama", ID: "deepseek-r1:671b", Size: 400 << 30, Downloaded: new(true), Free: 20 << 30},
		{Model: "somebody/else", Engine: "openai", ID: "somebody/else", Downloaded: new(true), Why: "unknown"},
		{Model: "llama-3.2-1b", Engine: "embedded", ID: "stand-in", Size: 31 << 20, Free: 1 << 30, Fits: new(true)},
		{Model: "mistral-7b", Engine: "exo", ID: "org/m", Size: 4 << 30, Loaded: new(true), Fits: new(true), Free: 1 << 30},
	} {
		all = append(all, m.judge(o, models, 8192, true))
	}
	return all
}

func TestWhatFitsCountsTheContext(t *testing.T) {
	t.Parallel()
	all := judged(t)
	for i, want := range []string{"no", "?", "no", "?", "yes", "yes"} {
		if got := yesNo(all[i].Fits); got != want {
			t.Errorf("%s on %s fits: %s, want %s", all[i].Model, all[i].Engine, got, want)
		}
	}
	// 8192 positions of 32 layers, 2 × 8 heads × 128 numbers of 16 bits: 1 GiB.
	if all[0].Cache == nil || *all[0].Cache != 1<<30 || *all[0].Needs < 6<<30 {
		t.Errorf("got %+v", all[0])
	}
	// Of the weights, the embedding is not read.
	read := float64(5<<30)*(1-128256.0*4096/8030261248) + 1<<30
	if got := *all[0].Ceiling; math.Abs(got-100e9/read) > 1e-6 {
		t.Errorf("the ceiling is %v, want %v", got, 100e9/read)
	}
	if all[2].Ceiling == nil || math.Abs(*all[2].Ceiling-100e9/(float64(400<<30)*37e9/671026419200)) > 1e-6 || all[2].Cache != nil {
		t.Errorf("a mixture of experts: got %+v", all[2])
	}
	if all[3].Ceiling != nil || all[3].Needs != nil || all[4].Ceiling != nil {
		t.Errorf("of what is not known: got %+v, %+v", all[3], all[4])
	}
}

func TestTheMetalLimitBoundsWhatIsFree(t *testing.T) {
	t.Parallel()
	models, err := catalogue.Load("")
	if err != nil {
		t.Fatal(err)
	}
	m := newMemory(t.Context(), 100, exobench.Host{MetalLimit: 6 << 30})
	o := driver.Offer{Model: "llama-3.1-8b", Engine: "exo", Size: 5 << 30, Free: 9 << 30}
	if got := m.judge(o, models, 8192, true); *got.Fits || got.Free != 6<<30 {
		t.Errorf("got %+v", got)
	}
	if got := m.judge(o, models, 8192, false); !*got.Fits || got.Free != 9<<30 {
		t.Errorf("on another machine: got %+v", got)
	}
}

func TestTheMemoryOfGPUsCountsForEnginesThatUseIt(t *testing.T) {
	t.Parallel()
	models, err := catalogue.Load("")
	if err != nil {
		t.Fatal(err)
	}
	host := exobench.Host{GPUs: []exobench.GPU{
		{ID: "a", Memory: 24 << 30}, {ID: "b", Memory: 24 << 30}, {ID: "screen", Memory: 512 << 20},
		{ID: "unified", Memory: 64 << 30, Unified: true}, {ID: "silent", Memory: 80 << 30},
	}}
	m := newMemory(t.Context(), 100, host).withGPUs(map[string]exobench.Bytes{"a": 20 << 30, "b": 22 << 30, "screen": 0, "unified": 0})
	if m.freeGPU == nil || *m.freeGPU != 6<<30 {
		t.Fatalf("free %v, want 6 GiB", m.freeGPU)
	}
	for _, c := range []struct {
		engine string
		size   exobench.Bytes
		free   exobench.Bytes
		here   bool
		want   string
	}{
		{"llamacpp", 4 << 30, 2 << 30, true, "on GPU"},
		{"ollama", 4 << 30, 20 << 30, true, "on GPU"},
		{"llamacpp", 8 << 30, 20 << 30, true, "in RAM"},
		{"llamacpp", 8 << 30, 5 << 30, true, "in both"},
		{"llamacpp", 12 << 30, 5 << 30, true, "no"},
		{"llamacpp", 8 << 30, 5 << 30, false, "no"},
		{"exo", 4 << 30, 2 << 30, true, "no"},
		{"llamacpp", 4 << 30, 0, true, "?"},
	} {
		o := m.judge(driver.Offer{Model: "llama-3.1-8b", Engine: c.engine, Size: c.size, Free: c.free}, models, 4096, c.here)
		if got := o.fits(); got != c.want {
			t.Errorf("%+v: %s", c, got)
		}
	}
	if m := newMemory(t.Context(), 100, host).withGPUs(nil); m.freeGPU != nil {
		t.Errorf("of GPUs that tell nothing: %v", *m.freeGPU)
	}
}

func TestModelsFitIntoTheTerminal(t *testing.T) {
	t.Parallel()
	for _, columns := range []int{0, 80, 120, 200} {
		var b strings.Builder
		if err := showOffers(&b, judged(t), 8192, columns); err != nil {
			t.Fatal(err)
		}
		whole := strings.Contains(b.String(), "mlx-community/Meta-Llama-3.1-8B-Instruct-4bit")
		if whole != (columns != 80) {
			t.Errorf("%d columns: the id is whole: %v", columns, whole)
		}
		for line := range strings.Lines(b.String()) {
			if columns > 0 && ansi.StringWidth(strings.TrimRight(line, "\n")) > columns {
				t.Errorf("%d columns: %s", columns, line)
			}
		}
	}
}

func TestAnIDIsCutInItsMiddle(t *testing.T) {
	t.Parallel()
	for room, want := range map[int]string{20: "mlx-community/Tiny", 18: "mlx-community/Tiny", 12: "mlx-…ty/Tiny"} {
		if got := shortID("mlx-community/Tiny", room); got != want {
			t.Errorf("in %d columns: %q, want %q", room, got, want)
		}
	}
}

func TestWhereAnEngineWouldBe(t *testing.T) {
	t.Parallel()
	for address, here := range map[string]bool{"": true, "http://localhost:1": true, "http://127.0.0.1:1/v1": true, "http://[::1]:1": true, "http://mac:1": false, "http://10.0.0.1": false} {
		if onThisHost(address) != here {
			t.Errorf("%q is here: %v", address, !here)
		}
	}
	screen, card := exobench.GPU{Name: "a screen's", Memory: 16 << 20}, exobench.GPU{Name: "NVIDIA GeForce RTX 4090", Memory: 24 << 30}
	for name, want := range map[string]float64{card.Name: 1008, "NVIDIA of next year": 0} {
		card.Name = name
		m := newMemory(t.Context(), 0, exobench.Host{CPU: "Apple M4 Max", GPUs: []exobench.GPU{screen, card}})
		if b, ok, err := m.bandwidth(ceiling.Reads{Weights: 1 << 40}, true, ""); err != nil || ok != (want > 0) || b.PerSecond != want*1e9 || !b.GPU {
			t.Errorf("%s: got %+v, %v, %v", name, b, ok, err)
		}
	}
	m := newMemory(t.Context(), 0, exobench.Host{CPU: "Apple M4 Max", Cores: 14, GPUs: []exobench.GPU{screen, {Name: "Apple M4 Max", Unified: true}}})
	for _, row := range []struct {
		here bool
		chip string
		want float64
	}{{true, "", 410}, {true, "Apple M4 Max", 410}, {false, "Apple M3 Ultra", 819}, {false, "", 0}, {false, "unheard of", 0}} {
		b, ok, err := m.bandwidth(ceiling.Reads{Weights: 1 << 40}, row.here, row.chip)
		if err != nil || ok != (row.want > 0) || b.PerSecond != row.want*1e9 {
			t.Errorf("here %v, chip %q: got %+v, %v, %v", row.here, row.chip, b, ok, err)
		}
	}
}
