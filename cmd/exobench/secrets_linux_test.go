package main

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// What is planted, and must be found nowhere.
const (
	plantedPassword = "hunter2.Pass-9x"
	plantedHeader   = "hdr-Value_77aZ"
	plantedKey      = "sk-Live0123456789abcdef"
	plantedQuery    = "qry-Signature-31337"
)

// planted are the secrets in the forms that a server can know them in.
func planted() []string {
	return []string{
		plantedPassword, plantedHeader, plantedKey, plantedQuery,
		strings.TrimRight(base64.StdEncoding.EncodeToString([]byte("bench-user:"+plantedPassword)), "="),
		plantedPassword[:8], plantedKey[:9],
	}
}

// parrot serves a model by OpenAI's API, and says all that it was sent wherever a
// server says anything. It refuses who brings no secrets.
func parrot(t *testing.T) (url string) {
	t.Helper()
	said := func(r *http.Request) string {
		return fmt.Sprintf("%s %s user %s key %s", r.Header.Get("Authorization"), r.Header.Get("X-Team-Key"), r.URL.RawQuery, r.Header.Get("Api-Key"))
	}
	var mu sync.Mutex
	chats := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("sig") != plantedQuery || r.Header.Get("X-Team-Key") != plantedHeader || !strings.Contains(r.Header.Get("Authorization"), " ") {
			http.Error(w, "who are you? "+said(r), http.StatusUnauthorized)
			return
		}
		if r.Method == http.MethodGet {
			json.NewEncoder(w).Encode(map[string]any{"data": []map[string]string{{"id": "m"}, {"id": "other-" + said(r)}}})
			return
		}
		mu.Lock()
		chats++
		n := chats
		mu.Unlock()
		switch n % 6 {
		case 3:
			http.Error(w, "refused: "+said(r), http.StatusInternalServerError)
			return
		case 4: // cut off within the key
			http.Error(w, strings.Repeat("x", 280)+" "+plantedKey, http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "text/event-stream")
		event := func(v any) {
			text, _ := json.Marshal(v)
			fmt.Fprintf(w, "data: %s\n\n", text)
		}
		delta := func(text string, finish any) map[string]any {
			return map[string]any{"id": "id " + said(r), "model": "m " + said(r), "choices": []any{map[string]any{"index": 0, "delta": map[string]string{"content": text}, "finish_reason": finish}}}
		}
		event(delta("a", nil))
		event(delta("b", nil))
		event(map[string]any{"strange": said(r)})
		fmt.Fprintf(w, "%s: x\n\n", said(r))
		if n%6 == 5 {
			event(map[string]any{"error": map[string]string{"message": "broken: " + said(r)}})
			return
		}
		event(delta("", "done by "+said(r)))
		fmt.Fprint(w, "data: [DONE]\n\n")
	}))
	t.Cleanup(server.Close)
	return server.URL
}

func lookForSecrets(t *testing.T, where, text string) {
	t.Helper()
	for _, secret := range planted() {
		if i := strings.Index(text, secret); i >= 0 {
			t.Errorf("%s has %s: %.200s", where, secret, text[max(0, i-80):])
		}
	}
}

// lookInFolder looks at every file of a result folder.
func lookInFolder(t *testing.T, folder string) {
	t.Helper()
	files, err := os.ReadDir(folder)
	if err != nil || len(files) < 4 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, f := range files {
		lookForSecrets(t, f.Name(), readFile(t, filepath.Join(folder, f.Name())))
	}
}

func TestSecretsAreInNothingThatIsShownOrStored(t *testing.T) {
	url := parrot(t)
	withUser := strings.Replace(url, "http://", "http://bench-user:"+plantedPassword+"@", 1) + "?api-version=7&sig=" + plantedQuery
	keyFile := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(keyFile, []byte(plantedKey+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PLANTED_HEADER", plantedHeader)
	t.Setenv("PLANTED_KEY", plantedKey)
	for name, key := range map[string][]string{
		"a user":      {"--header", "Api-Key: " + plantedKey},
		"a key":       {"--api-key-env", "PLANTED_KEY"},
		"a key's own": {"--api-key-file", keyFile},
	} {
		dir := t.TempDir()
		out := filepath.Join(dir, "out")
		args := append([]string{"--engine", "openai", "--url", withUser, "--header", "X-Team-Key: $PLANTED_HEADER", "--model", "m",
			"--max-tokens", "2", "--repeat", "2", "--no-calibrate"}, key...)
		got := exobenchIn(t, dir, append(append([]string{"run"}, args...), "--out", out)...)
		lookForSecrets(t, name+": stdout", got.stdout)
		lookForSecrets(t, name+": stderr", got.stderr)
		lookInFolder(t, out)
		journal := readFile(t, filepath.Join(out, "journal.jsonl"))
		if strings.Count(journal, `"outcome":"ok"`) < 2 || !strings.Contains(journal, "refused: ") || !strings.Contains(journal, "api-version=7") {
			t.Errorf("%s: the journal has too little:\n%.3000s\n%s", name, journal, got.stderr)
		}
		if info, err := os.Stat(filepath.Join(out, "journal.jsonl")); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: the journal's mode is %v, %v", name, info.Mode(), err)
		}
		// A run whose last line is missing was cut off, and is gone on with.
		lines := strings.SplitAfter(journal, "\n")
		cut := strings.Join(lines[:len(lines)-2], "")
		if err := os.WriteFile(filepath.Join(out, "journal.jsonl"), []byte(cut), 0o600); err != nil {
			t.Fatal(err)
		}
		resumed := exobenchIn(t, dir, append([]string{"run", "--resume", out}, args...)...)
		if strings.Contains(resumed.stderr, "differs") || strings.Contains(resumed.stderr, "again") || !strings.Contains(resumed.stdout, "Results are in") {
			t.Errorf("%s: it is not gone on with: %s", name, resumed.stderr)
		}
		lookForSecrets(t, name+": resumed", resumed.stdout+resumed.stderr)
		lookInFolder(t, out)
		for _, more := range [][]string{
			append([]string{"plan"}, args...), {"plan", "--from", out}, {"report", out}, {"report", out, "--json"},
			append([]string{"run", "--dry-run"}, args...), append([]string{"run", "--dry-run", "--json"}, args...),
			append([]string{"run", "--resume", out}, args...), append([]string{"run", "--model", "none"}, args...),
		} {
			got := exobenchIn(t, dir, more...)
			lookForSecrets(t, name+": "+strings.Join(more[:2], " "), got.stdout+got.stderr)
		}
	}
	for _, args := range [][]string{
		{"detect", "--url", withUser}, {"detect", "--json", "--url", withUser}, {"models", "--url", withUser},
		{"models", "--engine", "openai", "--json", "--url", withUser},
		{"run", "--engine", "openai", "--url", withUser, "--model", "m"},
		{"run", "--engine", "openai", "--url", "bench-user:" + plantedPassword + "@host:80", "--model", "m"},
		{"run", "--engine", "openai,exo", "--url", withUser, "--model", "m"},
		{"run", "--engine", "openai", "--url", url + "/%zz?sig=" + plantedQuery, "--model", "m"},
		{"run", "--engine", "exo", "--url", withUser, "--model", "m"},
		{"run", "--engine", "ollama", "--url", withUser, "--model", "m"},
		{"run", "--engine", "llamacpp", "--url", withUser, "--model", "m"},
		{"run", "--engine", "llamacpp", "--synthetic", "--url", withUser, "--model", "llama-3.2-1b"},
		{"run", "--header", plantedHeader},
		{"run", "--engine", "openai", "--url", url, "--api-key-env", "sk-" + plantedKey, "--model", "m"},
	} {
		got := exobenchIn(t, t.TempDir(), args...)
		lookForSecrets(t, strings.Join(args[:3], " "), got.stdout+got.stderr)
	}
}

func TestAPlanAsksAgainForWhatItDoesNotKeep(t *testing.T) {
	url := parrot(t)
	t.Setenv("PLANTED_HEADER", plantedHeader)
	withUser := strings.Replace(url, "http://", "http://bench-user:"+plantedPassword+"@", 1) + "?sig=" + plantedQuery
	dir := t.TempDir()
	plan := exobenchIn(t, dir, "plan", "--engine", "openai", "--url", withUser, "--header", "X-Team-Key: $PLANTED_HEADER", "--model", "m", "--repeat", "1", "--no-calibrate")
	file := filepath.Join(dir, "plan.yaml")
	if err := os.WriteFile(file, []byte(plan.stdout), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := exobenchIn(t, dir, "run", "--plan", file, "--dry-run"); got.code != exitUsage || !strings.Contains(got.stderr, "give the whole of it again with --url") {
		t.Errorf("without it: exit code %d: %s", got.code, got.stderr)
	}
	if got := exobenchIn(t, dir, "run", "--plan", file, "--url", withUser, "--dry-run"); got.code != exitOK {
		t.Errorf("with it: exit code %d: %s", got.code, got.stderr)
	}
}

// Nobody but exobench may use the engine that it started, and no list of
// processes tells how.
func TestAnEngineThatExobenchStartedServesExobenchOnly(t *testing.T) {
	dir := t.TempDir()
	cmd := command(t, dir, tinyRun(t, "--repeat", "200", "--no-calibrate", "--out", filepath.Join(dir, "out"))...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { cmd.Process.Kill(); cmd.Wait() }()
	base := ""
	for deadline := time.Now().Add(time.Minute); base == "" && time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		text, _ := os.ReadFile(filepath.Join(dir, "out", "journal.jsonl"))
		if _, rest, ok := strings.Cut(string(text), `"url":"http://`); ok {
			host, _, _ := strings.Cut(rest, `"`)
			base = "http://" + host
		}
	}
	for _, c := range [][2]string{{"GET", "/state"}, {"DELETE", "/instance/1"}, {"POST", "/v1/chat/completions"}, {"GET", "/v1/models"}} {
		request, err := http.NewRequest(c[0], base+c[1], nil)
		if err != nil {
			t.Fatal(err)
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err, stderr.String())
		}
		response.Body.Close()
		if response.StatusCode != http.StatusUnauthorized {
			t.Errorf("%s %s: %s", c[0], c[1], response.Status)
		}
	}
	children, _ := filepath.Glob("/proc/" + strconv.Itoa(cmd.Process.Pid) + "/task/*/children")
	pids := ""
	for _, path := range children {
		text, _ := os.ReadFile(path)
		pids += string(text) + " "
	}
	seen := 0
	for _, pid := range strings.Fields(pids) {
		line, _ := os.ReadFile("/proc/" + pid + "/cmdline")
		if text := strings.ReplaceAll(string(line), "\x00", " "); strings.Contains(text, "engine") {
			seen++
			if !strings.Contains(text, "--with-parent") || strings.Contains(text, "--token") || strings.Contains(text, "Bearer") {
				t.Errorf("the engine's command line is %s", text)
			}
		}
	}
	if seen == 0 {
		t.Errorf("no engine among the children %q", pids)
	}
}

// An engine that was started by hand is open to the tools of this machine, unless
// it has a token.
func TestAnEngineStartedByHandHasTheTokenThatItIsGiven(t *testing.T) {
	t.Setenv("ENGINE_TOKEN", "by-hand-token")
	for _, c := range []struct {
		args []string
		want int
	}{{nil, http.StatusOK}, {[]string{"--token", "$ENGINE_TOKEN"}, http.StatusUnauthorized}} {
		url := startEngine(t, c.args...)
		response, err := http.Get(url + "/node_id")
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if response.StatusCode != c.want {
			t.Errorf("%q: %s", c.args, response.Status)
		}
	}
}

// What is typed on a command line is in the list of processes, of exobench and of
// what it starts, for as long as it takes to start.
func TestSecretsOfTheCommandLineAreNotInTheListOfProcesses(t *testing.T) {
	url := parrot(t)
	withUser := strings.Replace(url, "http://", "http://bench-user:"+plantedPassword+"@", 1) + "?api-version=7&sig=" + plantedQuery
	dir := t.TempDir()
	out := filepath.Join(dir, "out")
	cmd := command(t, dir, "run", "--engine", "openai,embedded", "--url", "openai="+withUser, "--header=X-Team-Key: "+plantedHeader, "--header", "Api-Key: "+plantedKey,
		"--models-file", tinyModels(t), "--model", "tiny-a,m", "--skip-missing", "--max-tokens", "2", "--repeat", "2000", "--no-calibrate", "--out", out)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { cmd.Process.Kill(); cmd.Wait() }()
	awaitEntry(t, out, `"outcome":"ok"`, 3) // the secrets arrived
	lists, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	ours := ""
	for _, path := range lists {
		text, _ := os.ReadFile(path)
		if bytes.Contains(text, []byte(out)) {
			ours += string(text)
		}
		lookForSecrets(t, path, string(text))
	}
	if !strings.Contains(ours, "--header=X-Team-Key:*****") || !strings.Contains(ours, "\x00--no-calibrate\x00") || !strings.Contains(ours, "--max-tokens\x002\x00") {
		t.Errorf("the command line is %q", ours)
	}
}
