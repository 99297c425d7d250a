package openai

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"exobench"
	"exobench/driver"
)

// stream is a whole answer.
const stream = `data: {"choices":[{"index":0,"delta":{"content":"a"},"finish_reason":"stop"}]}` + "\n\ndata: [DONE]\n\n"

// asked is one chat that a script was asked for.
type asked struct {
	path, query string
	body        map[string]any
}

// has reports whether the body has the field.
func (a asked) has(field string) bool {
	_, ok := a.body[field]
	return ok
}

// script is a server whose list of models is a text, and whose answers to chats
// are those of a function; it keeps what it was asked.
type script struct {
	models string
	status int // of the list; 0 is 200
	chat   func(w http.ResponseWriter, a asked, n int)

	mu   sync.Mutex
	seen []asked
}

// asked returns the chats so far.
func (s *script) asked() []asked {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.seen)
}

func (s *script) serve(t *testing.T) string {
	t.Helper()
	web := httptest.NewServer(s)
	t.Cleanup(web.Close)
	return web.URL
}

func (s *script) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodGet {
		if s.status != 0 {
			w.WriteHeader(s.status)
		}
		io.WriteString(w, s.models)
		return
	}
	a := asked{path: r.URL.Path, query: r.URL.RawQuery}
	json.NewDecoder(r.Body).Decode(&a.body)
	s.mu.Lock()
	s.seen = append(s.seen, a)
	n := len(s.seen)
	s.mu.Unlock()
	if s.chat == nil {
		io.WriteString(w, stream)
		return
	}
	s.chat(w, a, n)
}

// plan is one whose values a server may refuse.
func plan() exobench.Plan {
	p := exobench.Plan{Timeout: exobench.Duration(time.Minute), IdleTimeout: exobench.Duration(time.Minute)}
	p.Workload.MaxTokens, p.Workload.Temperature, p.Seeds.Sampling = 37, 0.5, 1<<40
	return p
}

// reach opens the server at the URL.
func reach(t *testing.T, url string, options map[string]string) driver.Engine {
	t.Helper()
	env := testEnv(t)
	env.Plan = plan()
	e, err := Driver{}.Open(t.Context(), exobench.EngineSpec{Name: "openai", URL: url, Options: options}, env)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Close() })
	return e
}

// ask prepares a model and sends one request to it.
func ask(t *testing.T, e driver.Engine, model string) (exobench.Record, error) {
	t.Helper()
	d, err := e.Prepare(t.Context(), exobench.Model{Name: model, ID: model}, "", func(exobench.StageEvent) {})
	if err != nil {
		return exobench.Record{}, err
	}
	return e.Do(t.Context(), d, exobench.Request{
		Prompt: exobench.Prompt{Text: "hi"}, MaxTokens: 37, Seed: 1 << 40, Temperature: 0.5, IgnoreEOS: true,
	}), nil
}

func TestAListOfModelsIsAHint(t *testing.T) {
	for _, c := range []struct {
		name, models string
		status       int
		want         string // the id of "given"; empty where there is no such model
		note, says   string
	}{
		{"a bare array", `[{"id":"given"}]`, 0, "given", "", ""},
		{"a bare array of names", `["other","given"]`, 0, "given", "", ""},
		{"another member", `{"models":[{"name":"given:latest","model":"given"}]}`, 0, "given", "", ""},
		{"no list", `{"detail":"Not Found"}`, 404, "given", "has no list of models (HTTP 404: Not Found)", ""},
		{"a list that is not allowed", `{"error":"no"}`, 405, "given", "has no list of models (HTTP 405: no)", ""},
		{"a list that breaks the server", `boom`, 500, "given", "has no list of models (HTTP 500: boom)", ""},
		{"something else", `{"status":"ok"}`, 0, "given", "has no list of models (what answers is no list)", ""},
		{"all names", `{"data":[{"id":"*"}]}`, 0, "given", "has *, which names none", ""},
		{"all names of a kind", `{"data":[{"id":"other"},{"id":"giv*"}]}`, 0, "given", "has giv*, which names none", ""},
		{"all names of another kind", `{"data":[{"id":"openai/*"}]}`, 0, "", "", "it has openai/*"},
		{"null", `{"object":"list","data":null}`, 0, "", "", "it has no model"},
		{"nothing", `{"data":[]}`, 0, "", "", "it has no model"},
		{"another model", `{"data":[{"id":"other"}]}`, 0, "", "", "it has other"},
		{"two that differ in case", `{"data":[{"id":"GIVEN"},{"id":"given"}]}`, 0, "given", "", ""},
		{"one that differs in case", `{"data":[{"id":"Given"}]}`, 0, "Given", "", ""},
		{"an entry without an id", `{"data":[{"object":"model"},null,{"id":"given"}]}`, 0, "given", "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := reach(t, (&script{models: c.models, status: c.status}).serve(t), nil)
			m, err := e.Resolve(t.Context(), "given")
			if m.ID != c.want {
				t.Errorf("got %+v, %v; want %q", m, err, c.want)
			}
			if _, usage := errors.AsType[driver.UsageError](err); usage != (c.want == "") || usage && !strings.Contains(err.Error(), c.says) {
				t.Errorf("error %v, want one of usage with %q", err, c.says)
			}
			if notes := strings.Join(e.Notices(), "\n"); !strings.Contains(notes, c.note) || c.note == "" && strings.Contains(notes, "taken as") {
				t.Errorf("notices %q, want %q", notes, c.note)
			}
		})
	}
	e := reach(t, (&script{models: `{"data":[{"id":81}]}`}).serve(t), nil)
	if m, err := e.Resolve(t.Context(), "81"); m.ID != "81" || err != nil {
		t.Errorf("a numeric id: %+v, %v", m, err)
	}
}

func TestChatsGoToTheURLThatWasGiven(t *testing.T) {
	for _, c := range []struct{ base, path, query string }{
		{"", "/v1/chat/completions", ""},
		{"/v1", "/v1/chat/completions", ""},
		{"/gate/", "/gate/v1/chat/completions", ""},
		{"/api/paas/v4", "/api/paas/v4/chat/completions", ""},
		{"/api/v3/", "/api/v3/chat/completions", ""},
		{"/api/v2/cortex/v1", "/api/v2/cortex/v1/chat/completions", ""},
		{"/openai/v1?api-version=X", "/openai/v1/chat/completions", "api-version=X"},
		{"/v1beta/openai/", "/v1beta/openai/chat/completions", ""},
		{"/v1/account/gateway/openai", "/v1/account/gateway/openai/chat/completions", ""},
		{"/v1/chat/completions", "/v1/chat/completions", ""},
		{"/inference/chat/completions?a=b", "/inference/chat/completions", "a=b"},
		{"/v1/models", "/v1/chat/completions", ""},
	} {
		s := &script{models: `{"data":[{"id":"m"}]}`}
		r, err := ask(t, reach(t, s.serve(t)+c.base, nil), "m")
		if err != nil || r.Outcome != exobench.OK {
			t.Errorf("%s: %v, %s %s", c.base, err, r.Outcome, r.Error)
			continue
		}
		for _, a := range s.asked() {
			if a.path != c.path || a.query != c.query {
				t.Errorf("%s: asked %s?%s, want %s?%s", c.base, a.path, a.query, c.path, c.query)
			}
		}
	}
}

func TestAnAPIWithoutAVersionIsFoundByAsking(t *testing.T) {
	for name, list := range map[string]bool{"by its list of models": true, "by a chat": false} {
		var chats atomic.Int64
		web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			switch {
			case r.URL.Path == "/gate/models" && list:
				io.WriteString(w, `{"data":[{"id":"m"}]}`)
			case r.URL.Path == "/gate/chat/completions":
				chats.Add(1)
				io.WriteString(w, stream)
			default:
				http.NotFound(w, r)
			}
		}))
		r, err := ask(t, reach(t, web.URL+"/gate", nil), "m")
		if err != nil || r.Outcome != exobench.OK || chats.Load() != 2 {
			t.Errorf("%s: %v, %s %s, %d chats", name, err, r.Outcome, r.Error, chats.Load())
		}
		web.Close()
	}
}

// refusing answers with a refusal as long as there is one, and else takes the
// chat.
func refusing(status int, refusal func(a asked) string) func(http.ResponseWriter, asked, int) {
	return func(w http.ResponseWriter, a asked, _ int) {
		if text := refusal(a); text != "" {
			w.WriteHeader(status)
			io.WriteString(w, text)
			return
		}
		io.WriteString(w, stream)
	}
}

// when returns the text where the chat has the field.
func when(field, text string) func(a asked) string {
	return func(a asked) string {
		if a.has(field) {
			return text
		}
		return ""
	}
}

func TestWhatAServerRefusesIsLeftOutOnceAndSaid(t *testing.T) {
	all := []string{"ignore_eos", "max_tokens", "seed", "stream_options", "temperature"}
	for _, c := range []struct {
		name  string
		chat  func(http.ResponseWriter, asked, int)
		out   string // the field that the measured request lacks
		tries int    // requests before it
		note  string
	}{
		{"a temperature of 0", refusing(422, when("temperature", "{\"error\":\"Input validation error: `temperature` must be strictly positive\",\"error_type\":\"validation\"}")),
			"temperature", 2, "go without temperature, which the server rejects (Input validation error: `temperature` must be"},
		{"the old name of the limit", refusing(400, when("max_tokens", `{"error":{"message":"Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.","param":"max_tokens","code":"unsupported_parameter"}}`)),
			"max_tokens", 2, "say max_completion_tokens in place of max_tokens"},
		{"a seed out of range", refusing(400, func(a asked) string {
			if seed, _ := a.body["seed"].(float64); seed > 1<<31 {
				return `{"object":"error","message":"[{'type': 'less_than_equal', 'loc': ('body', 'seed'), 'msg': 'Input should be less'}]"}`
			}
			return ""
		}), "seed", 2, "go without seed"},
		{"an extra field, by its place", refusing(422, when("ignore_eos", `{"detail":[{"type":"extra_forbidden","loc":["body","ignore_eos"],"msg":"Extra inputs are not permitted","input":{"seed":1,"temperature":0}}]}`)),
			"ignore_eos", 2, "go without ignore_eos"},
		{"an error of the server that names it", refusing(500, when("stream_options", `{"error":"unknown field stream_options"}`)), "stream_options", 2, "go without stream_options"},
		{"what is not implemented", refusing(501, when("seed", `seed is not implemented`)), "seed", 2, "go without seed"},
		{"what is not found", refusing(404, when("ignore_eos", `{"error":{"message":"no parameter ignore_eos"}}`)), "ignore_eos", 2, "go without ignore_eos"},
		{"an error event", refusing(200, when("seed", "data: {\"error\":{\"message\":\"seed is not supported\"}}\n\ndata: [DONE]\n\n")), "seed", 2, "go without seed"},
		{"an error line", refusing(200, when("temperature", "error: {\"code\":400,\"message\":\"temperature must be 1\"}\n\n")), "temperature", 2, "go without temperature"},
		{"a bare error in place of a stream", refusing(200, when("seed", `{"object":"error","message":"seed is not supported"}`)), "seed", 2, "go without seed"},
		{"a bare error over several lines", refusing(200, when("seed", "{\n  \"error\": {\n    \"message\": \"seed is not supported\"\n  }\n}\n")), "seed", 2, "go without seed"},
		{"a bare text in place of a stream", refusing(200, when("seed", "ValueError: seed")), "seed", 2, "go without seed"},
		{"an error event after the role", refusing(200, when("seed", `data: {"choices":[{"index":0,"delta":{"role":"assistant"}}]}`+"\n\n"+`data: {"error":{"message":"seed is not supported"}}`+"\n\n")), "seed", 2, "go without seed"},
		{"a no without a word", refusing(400, when("temperature", `{"error":"bad request"}`)), "temperature", 8, "go without temperature"},
		{"a no that repeats the request", refusing(400, func(a asked) string {
			if !a.has("temperature") {
				return ""
			}
			text, _ := json.Marshal(a.body)
			return "cannot read " + string(text)
		}), "temperature", 8, "go without temperature"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := &script{models: `{"data":[{"id":"m"}]}`, chat: c.chat}
			e := reach(t, s.serve(t), nil)
			r, err := ask(t, e, "m")
			if err != nil || r.Outcome != exobench.OK {
				t.Fatalf("%v, %s %s", err, r.Outcome, r.Error)
			}
			last := s.asked()[len(s.asked())-1]
			for _, field := range all {
				if last.has(field) == (field == c.out) {
					t.Errorf("%s sent: %v", field, last.has(field))
				}
			}
			if last.has("max_completion_tokens") != (c.out == "max_tokens") {
				t.Errorf("the measured request is %v", last.body)
			}
			if tries := len(s.asked()) - 1; tries != c.tries {
				t.Errorf("%d requests before it, want %d", tries, c.tries)
			}
			if notes := strings.Join(e.Notices(), "\n"); !strings.Contains(notes, "requests to m ") || !strings.Contains(notes, c.note) {
				t.Errorf("notices %q, want %q", notes, c.note)
			}
			before := len(s.asked())
			if _, err := ask(t, e, "m"); err != nil || len(s.asked()) != before+1 {
				t.Errorf("prepared again, it was asked %d times, %v", len(s.asked())-before, err)
			}
		})
	}
}

func TestTheFirstRequestIsAsTheRunsAre(t *testing.T) {
	s := &script{models: `{"data":[{"id":"m"}]}`}
	url := s.serve(t)
	for range 2 {
		if _, err := ask(t, reach(t, url, nil), "m"); err != nil {
			t.Fatal(err)
		}
	}
	probe, measured := s.asked()[0].body, s.asked()[1].body
	first, again := fmt.Sprint(probe["messages"]), fmt.Sprint(s.asked()[2].body["messages"])
	if first == again {
		t.Errorf("two runs ask first for %s: the second may be answered from a cache", first)
	}
	delete(probe, "messages")
	delete(measured, "messages")
	if fmt.Sprint(probe) != fmt.Sprint(measured) || probe["seed"] != float64(1<<40) || probe["max_tokens"] != 37.0 || probe["temperature"] != 0.5 {
		t.Errorf("the first request %v, a measured one %v", probe, measured)
	}
}

func TestAServerThatAsksToWaitIsWaitedFor(t *testing.T) {
	for _, status := range []int{429, 503} {
		s := &script{models: `{"data":[{"id":"m"}]}`, chat: func(w http.ResponseWriter, _ asked, n int) {
			if n <= 2 {
				w.Header().Set("Retry-After", "0")
				w.WriteHeader(status)
				io.WriteString(w, `{"error":{"message":"busy"}}`)
				return
			}
			io.WriteString(w, stream)
		}}
		e := reach(t, s.serve(t), nil)
		var told []string
		_, err := e.Prepare(t.Context(), exobench.Model{ID: "m"}, "", func(e exobench.StageEvent) { told = append(told, e.Detail) })
		if err != nil || len(s.asked()) != 3 || !strings.Contains(strings.Join(told, "\n"), "as the server asks") {
			t.Errorf("%d: %d requests, %v; told %q", status, len(s.asked()), err, told)
		}
	}
	var looks atomic.Int64
	late := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if looks.Add(1) == 1 {
			w.Header().Set("Retry-After", "0")
			w.WriteHeader(503)
			return
		}
		io.WriteString(w, `{"data":[{"id":"m"}]}`)
	}))
	defer late.Close()
	if m, err := reach(t, late.URL, nil).Resolve(t.Context(), "m"); err != nil || m.ID != "m" {
		t.Errorf("a list that comes late: %+v, %v", m, err)
	}
	if found := (Driver{}).Find(t.Context(), late.URL, testEnv(t)); len(found) != 1 || looks.Load() != 3 {
		t.Errorf("found %+v after %d looks", found, looks.Load())
	}
	for header, says := range map[string]string{"": "HTTP 429: busy", "86400": "asks to wait 24h0m0s, and 2m0s is the longest"} {
		s := &script{models: `{"data":[{"id":"m"}]}`, chat: func(w http.ResponseWriter, _ asked, n int) {
			w.Header().Set("Retry-After", header)
			w.WriteHeader(429)
			io.WriteString(w, `{"error":{"message":"busy"}}`)
		}}
		if _, err := ask(t, reach(t, s.serve(t), nil), "m"); err == nil || !strings.Contains(err.Error(), says) || len(s.asked()) != 1 {
			t.Errorf("%q: %d requests, %v", header, len(s.asked()), err)
		}
	}
}

func TestAFirstRequestThatFailsIsAnError(t *testing.T) {
	for _, c := range []struct {
		name  string
		chat  func(http.ResponseWriter, asked, int)
		says  string
		tries int
	}{
		{"the limit's value", refusing(400, func(a asked) string {
			return `{"error":"max_tokens is too large: 37"}`
		}), "rejects a plain chat request to m: max_tokens is too large: 37", 2},
		{"no such model", refusing(404, func(asked) string { return `{"error":{"message":"The model m does not exist"}}` }), "The model m does not exist", 1},
		{"no such model, whose name sounds like a field", refusing(404, func(asked) string { return `{"error":"there is no m: seed"}` }), "there is no m: seed", 2},
		{"another error", refusing(500, func(asked) string { return `{"error":"out of memory"}` }), "HTTP 500: out of memory", 1},
		{"an error event", refusing(200, func(asked) string { return `data: {"error":{"message":"out of memory"}}` + "\n\n" }), "out of memory", 1},
		{"a switch of protocols", refusing(101, func(asked) string { return " " }), "HTTP 101 where an answer was due", 1},
	} {
		s := &script{models: `{"data":[{"id":"m"}]}`, chat: c.chat}
		_, err := ask(t, reach(t, s.serve(t), nil), "m")
		if err == nil || !strings.Contains(err.Error(), c.says) || len(s.asked()) != c.tries {
			t.Errorf("%s: %v after %d requests; want %q after %d", c.name, err, len(s.asked()), c.says, c.tries)
		}
	}
}

func TestAnErrorThatIsEmptyIsNone(t *testing.T) {
	for _, empty := range []string{`{}`, `null`, `false`, `""`, `{"code":0}`} {
		s := &script{models: `{"data":[{"id":"m"}]}`, chat: func(w http.ResponseWriter, _ asked, _ int) {
			io.WriteString(w, `data: {"error":`+empty+`,"choices":[{"index":0,"delta":{"content":"a"},"finish_reason":"stop"}]}`+"\n\ndata: [DONE]\n\n")
		}}
		if _, err := reach(t, s.serve(t), nil).Prepare(t.Context(), exobench.Model{ID: "m"}, "", func(exobench.StageEvent) {}); err != nil {
			t.Errorf("%s: %v", empty, err)
		}
	}
}

func TestFieldsAreLeftOutByHand(t *testing.T) {
	s := &script{models: `{"data":[{"id":"m"}]}`}
	e := reach(t, s.serve(t), map[string]string{"without": "temperature, seed"})
	if _, err := ask(t, e, "m"); err != nil {
		t.Fatal(err)
	}
	for _, a := range s.asked() {
		if a.has("temperature") || a.has("seed") || !a.has("max_tokens") || !a.has("ignore_eos") {
			t.Errorf("sent %v", a.body)
		}
	}
	if !slices.Contains(e.Notices(), "requests go without temperature, seed, as --without says") {
		t.Errorf("notices %q", e.Notices())
	}
	e = reach(t, s.serve(t), map[string]string{"without": "max_tokens"})
	if _, err := ask(t, e, "m"); err != nil {
		t.Fatal(err)
	}
	if last := s.asked()[len(s.asked())-1]; last.has("max_tokens") || last.has("ignore_eos") {
		t.Errorf("an answer without end was asked for: %v", last.body)
	}
	_, err := Driver{}.Open(t.Context(), exobench.EngineSpec{Name: "openai", URL: s.serve(t), Options: map[string]string{"without": "mood"}}, testEnv(t))
	if _, usage := errors.AsType[driver.UsageError](err); !usage || !strings.Contains(err.Error(), "--without mood: it can leave out ignore_eos, seed") {
		t.Errorf("error %v", err)
	}
}

// proxyTest is set in the process that has a proxy in its environment: the
// environment is read once.
const proxyTest = "EXOBENCH_TEST_PROXIED"

func TestAllRequestsGoThroughTheProxyOfTheEnvironment(t *testing.T) {
	if os.Getenv(proxyTest) == "" {
		var through atomic.Int64
		proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			through.Add(1)
			if r.URL.Host != "engine.invalid" {
				t.Errorf("the proxy was asked for %v", r.URL)
			}
			if r.Method == http.MethodGet {
				io.WriteString(w, `{"data":[{"id":"m"}]}`)
				return
			}
			io.WriteString(w, stream)
		}))
		defer proxy.Close()
		again := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v")
		address := strings.Replace(proxy.URL, "//", "//me:secret@", 1)
		again.Env = append(os.Environ(), proxyTest+"=1", "HTTP_PROXY="+address, "http_proxy="+address, "NO_PROXY=", "no_proxy=")
		out, err := again.CombinedOutput()
		// The list of models, a first request, a measured one, and a look.
		if err != nil || through.Load() != 4 {
			t.Errorf("%d requests through the proxy, %v:\n%s", through.Load(), err, out)
		}
		return
	}
	e := reach(t, "http://engine.invalid", nil)
	if r, err := ask(t, e, "m"); err != nil || r.Outcome != exobench.OK {
		t.Errorf("%v, %s %s", err, r.Outcome, r.Error)
	}
	if err := e.Alive(t.Context()); err != nil {
		t.Error(err)
	}
	notes := strings.Join(e.Notices(), "\n")
	if !strings.Contains(notes, "all requests to http://engine.invalid go through the proxy http://127.0.0.1:") || strings.Contains(notes, "secret") {
		t.Errorf("notices %q", notes)
	}
	s := &script{models: `{"data":[{"id":"m"}]}`}
	if near := reach(t, s.serve(t), nil); strings.Contains(strings.Join(near.Notices(), "\n"), "proxy") {
		t.Errorf("notices of a server on this host: %q", near.Notices())
	}
}
