package terminal

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"exobench"
)

// showOn shows a story in plain lines on w.
func showOn(w io.Writer, all []exobench.Progress) *View {
	v := newView(Options{})
	v.plain = startPlain(w)
	for _, p := range all {
		v.Show(p)
	}
	return v
}

func TestPlainLinesOfARun(t *testing.T) {
	var out bytes.Buffer
	showOn(&out, aRun().all).Close()
	want := `
[   0.5s] llama-3.2-1b: model 1 of 2
[   3.0s] llama-3.2-1b: download 12% of 4.00 GiB, 256 MiB/s, 0:14 left
[  14.0s] llama-3.2-1b: download 93% of 4.00 GiB, 256 MiB/s, 0:01 left
[  26.0s] llama-3.2-1b: loading layer 14 of 16
[  28.0s] llama-3.2-1b: loaded in 13.0 s
[  32.0s] llama-3.2-1b: warm-up done
[  34.0s] llama-3.2-1b: 2/4 requests, median 5.0 tok/s, median latency 2.00 s
[  35.0s] llama-3.2-1b: 3/4 requests, median 5.0 tok/s, median latency 2.00 s
[  36.0s] llama-3.2-1b: done, 4 requests, 1 failed, median 7.5 tok/s, median latency 1.50 s
[  38.0s] mistral-7b: model 2 of 2
[  39.0s] note: mistral-7b has no card: it was added
[  40.0s] mistral-7b: failed: needs 14.2 GiB, 7.60 GiB are free
`
	if got := "\n" + out.String(); got != want {
		t.Errorf("got:%s\nwant:%s", got, want)
	}
}

func TestPlainLinesOfAnEngineWithoutLifeCycle(t *testing.T) {
	s := newStory(2, 2)
	s.tell(1, func(p *exobench.Progress) { p.Model, p.ModelIndex = exobench.Model{Name: "a"}, 1 })
	s.tell(1, func(p *exobench.Progress) { p.Load = exobench.LoadEvent{Model: "a", Stage: exobench.StageReady} })
	s.phase(1, exobench.Measured)
	s.request(2, 1, exobench.OK)
	s.tell(2, func(p *exobench.Progress) { p.Model, p.ModelIndex, p.Phase = exobench.Model{Name: "b"}, 2, "" })
	var out bytes.Buffer
	showOn(&out, s.all).Close()
	want := `
[   1.0s] a: model 1 of 2
[   1.0s] a: ready after 0.0 s
[   2.0s] a: done, 1 request, median 10.0 tok/s, median latency 1.00 s
[   2.0s] b: model 2 of 2
`
	if got := "\n" + out.String(); got != want {
		t.Errorf("got:%s\nwant:%s", got, want)
	}
}

func TestPlainLinesOfManyRequestsAreFew(t *testing.T) {
	s := newStory(1, 1000)
	s.model(1, 1, "a")
	s.phase(1, exobench.Measured)
	for i := range 999 {
		s.request(1+float64(i+1)/10, 0.1, exobench.OK)
	}
	var out bytes.Buffer
	showOn(&out, s.all).Close()
	if n := strings.Count(out.String(), "requests"); n < 9 || n > 10 {
		t.Errorf("%d lines for 1000 requests in 100 s, want one for each tenth:\n%s", n, out.String())
	}
}

func TestShowNeverWaitsForAPipe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, w := io.Pipe() // nobody reads
		began := time.Now()
		v := showOn(w, aRun().all)
		if waited := time.Since(began); waited != 0 {
			t.Errorf("Show waited %v for a pipe", waited)
		}
		v.Close()
		if waited := time.Since(began); waited != farewell {
			t.Errorf("Close waited %v for a pipe, want %v", waited, farewell)
		}
		v.Close()
		v.Show(aRun().all[0]) // does nothing
		r.Close()
	})
}

func TestShowFromManyGoroutines(t *testing.T) {
	var out bytes.Buffer
	v := newView(Options{})
	v.plain = startPlain(&out)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for _, p := range aRun().all {
				v.Show(p)
				v.frame()
			}
		})
	}
	all.Wait()
	v.Close()
	if !strings.Contains(out.String(), "llama-3.2-1b: model 1 of 2") {
		t.Errorf("got: %s", out.String())
	}
}

func TestStartWritesPlainLinesToAFile(t *testing.T) {
	engine := exobench.Engine{Name: "exo", Version: "1.0.2", URL: "http://localhost:52415", Label: "no real engine"}
	for _, quiet := range []bool{false, true} {
		path := filepath.Join(t.TempDir(), "log")
		file, err := os.Create(path)
		if err != nil {
			t.Fatal(err)
		}
		v := Start(file, Options{Engine: engine, Quiet: quiet})
		v.Show(aRun().all[0])
		v.Close()
		file.Close()
		got, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		want := "[   0.0s] exobench: exo 1.0.2 at http://localhost:52415 (no real engine)\n[   0.5s] llama-3.2-1b: model 1 of 2\n"
		if quiet {
			want = ""
		}
		if string(got) != want {
			t.Errorf("quiet %v: got %q, want %q", quiet, got, want)
		}
	}
}

func BenchmarkShow(b *testing.B) {
	v := newView(Options{})
	v.plain = startPlain(io.Discard)
	defer v.Close()
	all := aRun().all
	for b.Loop() {
		for _, p := range all {
			v.Show(p)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(all)), "ns/Show")
}
