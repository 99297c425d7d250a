package ollama

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"exobench"
	"exobench/catalogue"
	"exobench/driver"
	"exobench/driver/drivertest"
)

// double is a scripted Ollama on a real socket. It keeps models and what is
// loaded of them as Ollama 0.17.4 does.
type double struct {
	mu     sync.Mutex
	models []string
	remote string            // a model of models that runs elsewhere
	loaded []string          // what /api/ps lists
	calls  []string          // "path body", for all but looks
	pull   string            // the answer to a pull
	fail   map[string]string // the error of a path
	sticky bool              // unloading does nothing
	dark   bool              // loading does not show in /api/ps
	slow   chan struct{}     // a load waits for it
	cache  string            // the user's cache; there are no marks where it is empty
	url    string            // once it is started
}

func (d *double) start(t *testing.T) string {
	t.Helper()
	if d.url == "" {
		server := httptest.NewServer(d)
		t.Cleanup(server.Close)
		d.url = server.URL
	}
	return d.url
}

func (d *double) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	d.mu.Lock()
	slow := d.slow
	if r.Method == http.MethodPost {
		d.calls = append(d.calls, r.URL.Path+" "+string(body))
	}
	d.mu.Unlock()
	if slow != nil && r.URL.Path == "/api/chat" && !strings.Contains(string(body), `"keep_alive":0`) {
		select {
		case <-slow:
		case <-r.Context().Done():
			return
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if text := d.fail[r.URL.Path]; text != "" && !strings.Contains(string(body), `"keep_alive":0`) {
		w.WriteHeader(http.StatusInternalServerError)
		fmt.Fprintf(w, `{"error":%q}`, text)
		return
	}
	switch r.URL.Path {
	case "/api/version":
		io.WriteString(w, `{"version":"0.17.4"}`)
	case "/api/tags":
		d.list(w, d.models, `"size":5000`)
	case "/api/ps":
		d.list(w, d.loaded, `"size":11879424,"size_vram":0,"context_length":4096`)
	case "/api/pull":
		io.WriteString(w, d.pull)
		if strings.Contains(d.pull, "success") {
			var asked struct{ Model string }
			json.Unmarshal(body, &asked)
			d.models = append(d.models, asked.Model)
		}
	case "/api/chat":
		d.chat(w, body)
	default:
		http.NotFound(w, r)
	}
}

func (d *double) list(w io.Writer, names []string, more string) {
	entries := []string{}
	for _, name := range names {
		host := ""
		if name == d.remote {
			host = `,"remote_host":"https://ollama.com:443"`
		}
		entries = append(entries, fmt.Sprintf(`{"name":%q,"model":%q,%s%s}`, name, name, more, host))
	}
	fmt.Fprintf(w, `{"models":[%s]}`, strings.Join(entries, ","))
}

func (d *double) chat(w http.ResponseWriter, body []byte) {
	var asked chat
	json.Unmarshal(body, &asked)
	name := tagged(asked.Model)
	if !slices.Contains(d.models, name) {
		w.WriteHeader(http.StatusNotFound)
		fmt.Fprintf(w, `{"error":"model '%s' not found"}`, asked.Model)
		return
	}
	if keep, ok := asked.KeepAlive.(float64); ok && keep == 0 && len(asked.Messages) == 0 {
		if !d.sticky {
			d.loaded = slices.DeleteFunc(d.loaded, func(l string) bool { return l == name })
		}
		fmt.Fprintf(w, `{"model":%q,"message":{"role":"assistant","content":""},"done":true,"done_reason":"unload"}`, name)
		return
	}
	if !slices.Contains(d.loaded, name) && !d.dark {
		d.loaded = append(d.loaded, name)
	}
	if len(asked.Messages) == 0 {
		fmt.Fprintf(w, `{"model":%q,"message":{"role":"assistant","content":""},"done":true,"done_reason":"load"}`, name)
		return
	}
	fmt.Fprintf(w, `{"model":%q,"message":{"role":"assistant","content":"hi"},"done":false}`+"\n", name)
	fmt.Fprintf(w, `{"model":%q,"message":{"role":"assistant","content":""},"done":true,"done_reason":"length","prompt_eval_count":9,"prompt_eval_duration":1000,"eval_count":3,"eval_duration":2000}`+"\n", name)
}

// posted returns the bodies sent to a path.
func (d *double) posted(path string) []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	var bodies []string
	for _, call := range d.calls {
		if body, ok := strings.CutPrefix(call, path+" "); ok {
			bodies = append(bodies, body)
		}
	}
	return bodies
}

func (d *double) inMemory() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.loaded)
}

// open opens the double with the options that are on.
func open(t *testing.T, d *double, on ...string) *engine {
	t.Helper()
	spec := exobench.EngineSpec{Name: "ollama", URL: d.start(t), Options: map[string]string{}}
	for _, name := range on {
		spec.Options[name] = "true"
	}
	opened, err := Driver{}.Open(t.Context(), spec, d.env(t))
	if err != nil {
		t.Fatal(err)
	}
	e := opened.(*engine)
	e.times.poll = time.Millisecond
	t.Cleanup(func() { e.Close() })
	return e
}

// env has the cache.
func (d *double) env(t *testing.T) driver.Env {
	env := testEnv(t, "")
	env.Getenv = func(name string) string {
		if name == "XDG_CACHE_HOME" || name == "HOME" { // macOS goes by HOME
			return d.cache
		}
		return ""
	}
	return env
}

// testEnv has the catalogue and more models.
func testEnv(t *testing.T, more string) driver.Env {
	t.Helper()
	env := drivertest.Env(t)
	if more == "" {
		return env
	}
	path := filepath.Join(t.TempDir(), "models.yaml")
	if err := os.WriteFile(path, []byte(more), 0o600); err != nil {
		t.Fatal(err)
	}
	var err error
	if env.Catalogue, err = catalogue.Load(path); err != nil {
		t.Fatal(err)
	}
	return env
}

// events collects load events.
type events []exobench.StageEvent

func (e *events) add(one exobench.StageEvent) { *e = append(*e, one) }

// stages returns the stages, each once where it repeats.
func (e events) stages() string {
	var all []string
	for _, one := range e {
		all = append(all, string(one.Stage))
	}
	return strings.Join(slices.Compact(all), " ")
}

func (e events) last() exobench.StageEvent { return e[len(e)-1] }
