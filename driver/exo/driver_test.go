package exo

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"exobench"
	"exobench/driver"
	"exobench/driver/drivertest"
)

func TestTheDriverKeepsToTheContract(t *testing.T) {
	t.Parallel()
	drivertest.Driver(t, Driver{})
	spec := exobench.EngineSpec{Name: "exo", Variant: "b", URL: newDouble(t).server.URL}
	e, err := Driver{}.Open(t.Context(), spec, drivertest.Env(t))
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	drivertest.Engine(t, Driver{}, spec, e)
}

func TestOptionsThatMakeNoSenseAreNamed(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		options map[string]string
		says    string
	}{
		{map[string]string{"sharding": "Tensor"}, "--sharding Tensor can never be with --max-nodes 1"},
		{map[string]string{"instance-meta": "jaccl"}, "--instance-meta MlxJaccl can never be"},
		{map[string]string{"sharding": "rows", "max-nodes": "2"}, `--sharding is "rows"`},
		{map[string]string{"instance-meta": "nccl"}, `--instance-meta is "nccl"`},
		{map[string]string{"min-nodes": "2"}, "--min-nodes is 2 and --max-nodes is 1"},
		{map[string]string{"min-nodes": "-1"}, "--min-nodes is -1"},
		{map[string]string{"max-nodes": "two"}, `--max-nodes is "two"`},
		{map[string]string{"reuse": "true", "replace": "true"}, "--reuse and --replace"},
		{map[string]string{"pull": "true"}, "engine exo has no option pull"},
	} {
		_, err := Driver{}.Open(t.Context(), exobench.EngineSpec{Name: "exo", Options: row.options}, drivertest.Env(t))
		wantError(t, err, row.says)
		if _, usage := errors.AsType[driver.UsageError](err); !usage {
			t.Errorf("%v is no UsageError", err)
		}
	}
	c, err := configOf(exobench.EngineSpec{Name: "exo", Variant: "b", Options: map[string]string{
		"sharding": "TENSOR", "instance-meta": "Ring", "max-nodes": "2", "reuse": "true"}}, drivertest.Env(t))
	if err != nil || c.sharding != tensor || c.instanceMeta != ring || c.minNodes != 1 || c.maxNodes != 2 || !c.reuse || c.replace ||
		c.label != "exo b" || c.url != usualURL {
		t.Errorf("config %+v, %v", c, err)
	}
}

func TestInfoTellsWhatThePlanMakesOfExo(t *testing.T) {
	t.Parallel()
	d := newDouble(t)
	for _, natural := range []bool{false, true} {
		env := drivertest.Env(t)
		env.Plan.Workload.NaturalStop = natural
		e, err := Driver{}.Open(t.Context(), exobench.EngineSpec{Name: "exo", Variant: "b", URL: d.server.URL + "/"}, env)
		if err != nil {
			t.Fatal(err)
		}
		defer e.Close()
		want := exobench.Engine{Name: "exo b", Driver: "exo", Version: "v1", URL: d.server.URL, LifeCycle: true, CacheSwitch: !natural, IgnoresEOS: !natural}
		if got := e.Info(); !sameEngine(got, want) {
			t.Errorf("natural stop %v: got %+v, want %+v", natural, got, want)
		}
		if err := e.Alive(t.Context()); err != nil {
			t.Error(err)
		}
	}
}

func TestFindTellsWhatTheExoHas(t *testing.T) {
	t.Parallel()
	d := newDouble(t)
	_, raw, _ := strings.Cut(previews(preview1("i-1", tinyID)), `"instance":`)
	raw, _, _ = strings.Cut(raw, `,"memory_delta`)
	d.instances["i-1"] = []byte(raw)
	found := Driver{}.Find(t.Context(), d.server.URL, drivertest.Env(t))
	want := []driver.Found{{
		Engine: "exo", Version: "v1", URL: d.server.URL, Loaded: []string{tinyID}, Models: 1,
		Detail: "1 node(s): studio-1 Apple M3 Ultra, 8.00 GiB of 16.0 GiB free",
	}}
	if !reflect.DeepEqual(found, want) {
		t.Errorf("found %+v, want %+v", found, want)
	}
	// As on Linux, where exo knows no chip.
	d.answers["GET /state/nodeIdentities"] = func(w http.ResponseWriter) {
		fmt.Fprint(w, `{"n1":{"chipId":"Unknown Chip","friendlyName":"vm"}}`)
	}
	if found := (Driver{}).Find(t.Context(), d.server.URL, drivertest.Env(t)); found[0].Detail != "1 node(s): vm, 8.00 GiB of 16.0 GiB free" {
		t.Errorf("without a chip: %q", found[0].Detail)
	}
	d.server.Close()
	if found := (Driver{}).Find(t.Context(), d.server.URL, drivertest.Env(t)); found != nil {
		t.Errorf("found %+v where nothing listens", found)
	}
}

func TestOffersAreTheCataloguesModelsAndExosOwn(t *testing.T) {
	t.Parallel()
	d := newDouble(t)
	one := "mlx-community/Llama-3.2-1B-Instruct-4bit"
	d.cards = []string{card(one), card(tinyID), card("org/not-here")}
	d.answers["GET /models?status=downloaded"] = func(w http.ResponseWriter) { fmt.Fprintf(w, `{"data":[%s,%s]}`, card(one), card(tinyID)) }
	d.instances["i-1"] = []byte(placed("MlxRingInstance", "PipelineShardMetadata", "i-1", "org/loaded", "n1"))
	env := drivertest.Env(t)
	spec := exobench.EngineSpec{Name: "exo", URL: d.server.URL}
	offers, err := Driver{}.Offers(t.Context(), spec, env)
	if err != nil {
		t.Fatal(err)
	}
	check := func(model string, want driver.Offer) {
		t.Helper()
		if want.Model, want.Engine = model, "exo"; want.Why != "unknown" {
			want.Free, want.Chip = 8<<30, "Apple M3 Ultra"
		}
		i := slices.IndexFunc(offers, func(o driver.Offer) bool { return o.Model == model })
		if i < 0 || !reflect.DeepEqual(offers[i], want) {
			t.Errorf("offers %+v, want one like %+v", offers, want)
		}
	}
	yes, no := new(true), new(false)
	check("llama-3.2-1b", driver.Offer{ID: one, Size: 696 << 20, Downloaded: yes, Loaded: no, Fits: yes, Why: "696 MiB of 8.00 GiB free"})
	check("Tiny-1B-4bit", driver.Offer{ID: tinyID, Size: 696 << 20, Downloaded: yes, Loaded: no, Fits: yes, Why: "696 MiB of 8.00 GiB free"})
	check("loaded", driver.Offer{ID: "org/loaded", Downloaded: no, Loaded: yes, Fits: yes, Why: "loaded"})
	if slices.ContainsFunc(offers, func(o driver.Offer) bool { return o.ID == "org/not-here" }) {
		t.Error("a card that is neither the catalogue's nor downloaded is offered")
	}

	offers = offersOf(env.Catalogue, stock{})
	m, _ := env.Catalogue.Find("llama-3.2-1b")
	check("llama-3.2-1b", driver.Offer{ID: m.IDs["exo"][0], Size: driver.Estimate(m), Estimated: true, Why: "unknown"})

	d.server.Close()
	_, err = Driver{}.Offers(t.Context(), spec, env)
	wantError(t, err, "is unreachable: connection refused")
}

func TestARequestThatIsGivenUpIsCancelledAtExo(t *testing.T) {
	t.Parallel()
	d := newDouble(t)
	d.answers["POST /bench/chat/completions"] = func(w http.ResponseWriter) {
		fmt.Fprint(w, "data: {\"id\":\"c/1\",\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\"}}]}\n\n")
		w.(http.Flusher).Flush()
		d.mu.Unlock() // exo serves other calls meanwhile
		defer d.mu.Lock()
		time.Sleep(time.Second)
	}
	for _, want := range []exobench.Outcome{exobench.Timeout, exobench.Canceled} {
		config := d.quick()
		ctx, interrupt := context.WithCancel(t.Context())
		if want == exobench.Timeout {
			config.env.Plan.Timeout = exobench.Duration(200 * time.Millisecond)
		} else {
			defer time.AfterFunc(200*time.Millisecond, interrupt).Stop()
		}
		request := exobench.Request{Prompt: exobench.Prompt{Text: "hi"}, MaxTokens: 5, IgnoreEOS: true}
		record := d.dial(config).Do(ctx, exobench.Deployment{Model: tiny}, request)
		interrupt()
		if record.Outcome != want || record.ServerID != "c/1" {
			t.Errorf("record %+v, want outcome %s", record, want)
		}
		cancels := func(call string) bool { return call == "POST /v1/cancel/c/1" }
		if changes := d.changes(); !slices.ContainsFunc(changes, cancels) {
			t.Errorf("%s: calls %q, want one that cancels", want, changes)
		}
		d.mu.Lock()
		d.log = nil
		d.mu.Unlock()
	}
}

func TestAnAnswerOfAnotherLengthThanAskedForIsShort(t *testing.T) {
	t.Parallel()
	d := newDouble(t)
	d.answers["POST /bench/chat/completions"] = func(w http.ResponseWriter) {
		fmt.Fprint(w, "data: {\"id\":\"c\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"a\"},\"finish_reason\":\"stop\"}],"+
			"\"usage\":{\"prompt_tokens\":1,\"completion_tokens\":1,\"total_tokens\":2}}\n\ndata: [DONE]\n\n")
	}
	request := exobench.Request{Prompt: exobench.Prompt{Text: "hi"}, MaxTokens: 5, IgnoreEOS: true}
	record := d.dial(d.quick()).Do(t.Context(), exobench.Deployment{Model: tiny}, request)
	if record.Outcome != exobench.Short {
		t.Errorf("record %+v", record)
	}
}
