package embedded

import (
	"fmt"
	"regexp"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"exobench/embedded/decoder"
)

// plain replaces what differs from run to run.
func (c *client) plain(text string) string {
	text = strings.ReplaceAll(text, c.server.nodeID, "NODE")
	for _, r := range []struct{ pattern, with string }{
		{`[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}`, "UUID"},
		{`"created":\d{10}`, `"created":0`},
		{`ort":\d{5}`, `ort":50000`},
		{`_(tps|seconds)":[0-9.e-]*[1-9][0-9.e-]*`, `_$1":1.5`},
		{`"content":" [^"]*"`, `"content":"TEXT"`},
	} {
		text = regexp.MustCompile(r.pattern).ReplaceAllString(text, r.with)
	}
	return text
}

// same compares a JSON answer with what it should be; the order of keys is
// free.
func (c *client) same(what, got, want string) {
	c.t.Helper()
	if d := cmp.Diff(parse(c.t, want), parse(c.t, c.plain(got))); d != "" {
		c.t.Errorf("%s (-want +got):\n%s", what, d)
	}
}

var storage = fmt.Sprint(decoder.WeightBytes(tiny))

var llamaCard = `{"modelId":"` + llamaID + `","storageSize":{"inBytes":` + storage + `},"nLayers":2,"hiddenSize":32,"contextLength":4000}`

// A runner id and an instance id are both UUID here, so maps keyed by them have
// one entry.
var (
	llamaShard = `{"PipelineShardMetadata":{"modelCard":` + llamaCard + `,"deviceRank":0,"worldSize":1,
		"startLayer":0,"endLayer":2,"nLayers":2}}`
	llamaInstance = `{"MlxRingInstance":{"instanceId":"UUID","shardAssignments":{"modelId":"` + llamaID + `",
		"runnerToShard":{"UUID":` + llamaShard + `},"nodeToRunner":{"NODE":"UUID"}},
		"hostsByNode":{"NODE":[{"ip":"0.0.0.0","port":50000}]},"ephemeralPort":50000}}`
)

func TestPreviewShape(t *testing.T) {
	c := serve(t, tinyConfig())
	_, body := c.do("GET", "/instance/previews?model_id="+llamaID, "")
	c.same("previews", body, `{"previews":[{"model_id":"`+llamaID+`","sharding":"Pipeline","instance_meta":"MlxRing",
		"instance":`+llamaInstance+`,"memory_delta_by_node":{"NODE":`+storage+`},"error":null}]}`)
	if _, again := c.do("GET", "/instance/previews?model_id="+llamaID, ""); again == body {
		t.Error("two calls returned the same ids")
	}
}

func TestErrorsSayWhatIsWrong(t *testing.T) {
	c := serveReady(t, nil)
	foreign := c.server.newPlacement(c.server.config.Models[0])
	foreign.ShardAssignments.NodeToRunner = map[string]string{"another": newID()}
	split := c.server.newPlacement(c.server.config.Models[0])
	for id, part := range split.ShardAssignments.RunnerToShard {
		part.Shard.EndLayer = 1
		split.ShardAssignments.RunnerToShard[id] = part
	}
	post := func(p placement) string { return encodeString(map[string]any{"instance": p}) }
	const chat, bench = "/v1/chat/completions", "/bench/chat/completions"
	for _, e := range []struct {
		method, path, body string
		status             int
		want               string
	}{
		{"GET", "/nothing", "", 404, "no GET /nothing"},
		{"DELETE", "/state", "", 404, "no DELETE /state"},
		{"GET", "/state/nothing", "", 404, `no "nothing"`},
		{"GET", "/state/instances/x", "", 404, `no instances of "x"`},
		{"GET", "/instance/x", "", 404, "Instance not found"},
		{"DELETE", "/instance/x", "", 404, "Instance not found"},
		{"POST", "/v1/cancel/x", "", 404, "Command not found or already completed"},
		{"POST", "/models/add", `{"model_id":"a/b"}`, 400, `no stand-in for "a/b"`},
		{"GET", "/instance/previews?model_id=a/b", "", 400, `no card for model "a/b"`},
		{"POST", "/instance", `{}`, 400, `no card for model ""`},
		{"POST", "/instance", `{"instance":{"MlxJacclInstance":{}}}`, 400, "MlxRingInstance"},
		{"POST", "/instance", post(foreign), 400, "whole models on its own node only"},
		{"POST", "/instance", post(split), 400, "whole models on its own node only"},
		{"POST", chat, ask("a/b", "hi", ""), 404, "No instance found for model a/b"},
		{"POST", chat, "", 400, "EOF"},
		{"POST", chat, `{"model":`, 400, "unexpected EOF"},
		{"POST", chat, `[1]`, 400, "array"},
		{"POST", chat, `{"messages":[]}`, 400, "no model"},
		{"POST", bench, `{"model":"m"}`, 400, "no messages"},
		{"POST", chat, `{"model":5,"messages":[]}`, 400, "model"},
		{"POST", chat, `{"model":"m","messages":"hi"}`, 400, "messages"},
		{"POST", chat, `{"model":"m","messages":[{"role":"user","content":5}]}`, 400, "number"},
		{"POST", chat, `{"model":"m","messages":[],"max_tokens":1.5}`, 400, "max_tokens"},
		{"POST", chat, `{"model":"m","messages":[],"temperature":"x"}`, 400, "temperature"},
		{"POST", chat, `{"model":"m","messages":[],"stop":5}`, 400, "number"},
	} {
		status, body := c.do(e.method, e.path, e.body)
		message, ok := at(t, parse(t, body), "error", "message").(string)
		if status != e.status || !ok || !strings.Contains(message, e.want) {
			t.Errorf("%s %s %s: %d %s, want %d with %q", e.method, e.path, e.body, status, body, e.status, e.want)
		}
	}
	if status, body := c.do("POST", chat, `{"model":"`+llamaID+`","messages":[{"role":"user","content":[{"type":"text","text":"hi"}]},
		{"role":"assistant","content":null}],"max_tokens":2,"stop":null,"extra":1}`); status != 200 {
		t.Errorf("parts, nulls and an unknown key: %d %s", status, body)
	}
}

func TestBodiesWithoutStream(t *testing.T) {
	c := serveReady(t, nil)
	peak := fmt.Sprint(decoder.WeightBytes(tiny) + decoder.PageTokens*decoder.KVBytesPerToken(tiny))
	answer := `{"id":"UUID","object":"chat.completion","created":0,"model":"` + llamaID + `","choices":[{"index":0,
		"message":{"role":"assistant","content":"TEXT"},"finish_reason":"length"}],
		"usage":{"prompt_tokens":9,"completion_tokens":20,"total_tokens":29,"prompt_tokens_details":{"cached_tokens":0}}`
	for path, want := range map[string]string{
		"/v1/chat/completions": answer + `}`,
		"/bench/chat/completions": answer + `,"generation_stats":{"prompt_tps":1.5,"generation_tps":1.5,"prompt_tokens":9,"generation_tokens":20,
			"peak_memory_usage":{"in_bytes":` + peak + `},"prefix_cache_hit":"none"}}`,
	} {
		status, body := c.do("POST", path, ask(llamaID, "hi", `,"max_tokens":20,"temperature":0`))
		if status != 200 {
			t.Fatal(status, body)
		}
		c.same(path, body, want)
	}
}

func TestModelList(t *testing.T) {
	c := serve(t, tinyConfig())
	llama := `{"id":"` + llamaID + `","object":"model","created":0,"owned_by":"exobench","hugging_face_id":"` + llamaID + `",
		"name":"Llama-tiny-4bit","context_length":4000,"storage_size_megabytes":0,"tasks":["TextGeneration"],
		"is_custom":false,"quantization":"4bit","base_model":"Llama Tiny"}`
	mistral := `{"id":"` + mistralID + `","object":"model","created":0,"owned_by":"exobench","hugging_face_id":"` + mistralID + `",
		"name":"Mistral-tiny-4bit","context_length":300,"storage_size_megabytes":0,"tasks":["TextGeneration"],
		"is_custom":true,"quantization":"4bit","base_model":"Mistral Tiny"}`
	_, body := c.do("GET", "/v1/models", "")
	c.same("models", body, `{"object":"list","data":[`+llama+`]}`)
	for range 2 { // the second finds it added
		_, body = c.do("POST", "/models/add", `{"model_id":"`+mistralID+`"}`)
		c.same("added", body, mistral)
	}
	_, body = c.do("GET", "/models", "")
	c.same("models after adding", body, `{"object":"list","data":[`+llama+`,`+mistral+`]}`)
	_, body = c.do("GET", "/models?status=downloaded", "")
	c.same("downloaded", body, `{"object":"list","data":[]}`)
	c.create(mistralID)
	c.waitReady()
	_, body = c.do("GET", "/models?status=downloaded", "")
	c.same("downloaded", body, `{"object":"list","data":[`+mistral+`]}`)
}

func TestStateAndItsPaths(t *testing.T) {
	c := serveReady(t, nil)
	whole := c.get("/state").(map[string]any)
	for name := range c.server.sections() {
		if _, ok := whole[name]; !ok {
			t.Errorf("state has no %s", name)
		}
	}
	for path, want := range map[string]string{
		"/state/instances":                     `{"UUID":` + llamaInstance + `}`,
		"/state/instances/" + c.onlyInstance(): llamaInstance,
		"/state/runners":                       `{"UUID":{"RunnerReady":{"prefillServerPort":null}}}`,
		"/state/topology":                      `{"nodes":["NODE"],"connections":{}}`,
		"/state/nodeSystem":                    `{}`,
		"/state/nodeIdentities/NODE":           `{"modelId":"exobench embedded engine","chipId":"` + runtime.GOARCH + `","friendlyName":"box","osVersion":"` + runtime.GOOS + `"}`,
		"/state/downloads/NODE": `[{"DownloadCompleted":{"nodeId":"NODE","shardMetadata":` + llamaShard + `,
			"modelDirectory":"/models/mlx-community--Llama-tiny-4bit","total":{"inBytes":` + storage + `}}}]`,
	} {
		status, body := c.do("GET", strings.ReplaceAll(path, "NODE", c.server.nodeID), "")
		if status != 200 {
			t.Errorf("%s: %d %s", path, status, body)
			continue
		}
		c.same(path, body, want)
	}
	memory := c.get("/state/nodeMemory/" + c.server.nodeID)
	total, free := at(t, memory, "ramTotal", "inBytes").(float64), at(t, memory, "ramAvailable", "inBytes").(float64)
	if total < 1<<28 || free <= 0 || free > total {
		t.Errorf("memory %v", memory)
	}
}
