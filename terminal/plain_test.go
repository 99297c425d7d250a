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
	s.tell(1, func(p *exobench.Progress) { p.Model, p.Step = exobench.Model{Name: "a"}, 1 })
	s.tell(1, func(p *exobench.Progress) { p.Load = exobench.LoadEvent{Model: "a", Stage: exobench.StageReady} })
	s.phase(1, exobench.Measured)
	s.request(2, 1, exobench.OK)
	s.tell(2, func(p *exobench.Progress) { p.Model, p.Step, p.Phase = exobench.Model{Name: "b"}, 2, "" })
	var out bytes.Buffer
	showOn(&out, s.all).Close()
	want := `
[   1.0s] a: model 1 of 2
[   1.0s] a: ready after 0.0 s
[   2.0s] a: done, 1 request, median 10.0 tok/s, median latency 1.00 s
[   2.0s] b: model 2 of 2
[   2.0s] b: interrupted
`
	if got := "\n" + out.String(); got != want {
		t.Errorf("got:%s\nwant:%s", got, want)
	}
}

// linesOf are the plain lines of a story with those engines known in advance.
func linesOf(s *story, engines []exobench.Engine) string {
	var out bytes.Buffer
	v := newView(Options{Engines: engines})
	v.plain = startPlain(&out)
	for _, p := range s.all {
		v.Show(p)
	}
	v.Close()
	return "\n" + out.String()
}

func TestPlainLinesNameTheEngineWhereThereAreSeveral(t *testing.T) {
	s := threeEngines()
	s.tell(30, func(p *exobench.Progress) { p.Note = "mistral-7b is slow" })
	got := linesOf(s, threeEnginesOf("llama-3.2-1b", "mistral-7b"))
	want := `
[   1.0s] exo llama-3.2-1b: step 1 of 6
[   3.0s] exo llama-3.2-1b: loaded in 2.0 s
[   5.0s] exo llama-3.2-1b: 1/2 requests, median 5.0 tok/s, median latency 2.00 s
[   7.0s] exo llama-3.2-1b: done, 2 requests, median 5.0 tok/s, median latency 2.00 s
[   9.0s] exo mistral-7b: step 2 of 6
[  11.0s] exo mistral-7b: loaded in 2.0 s
[  13.0s] exo mistral-7b: 1/2 requests, median 5.0 tok/s, median latency 2.00 s
[  15.0s] exo mistral-7b: done, 2 requests, median 5.0 tok/s, median latency 2.00 s
[  17.0s] ollama llama-3.2-1b: step 3 of 6
[  19.0s] ollama llama-3.2-1b: loaded in 2.0 s
[  21.0s] ollama llama-3.2-1b: 1/2 requests, median 5.0 tok/s, median latency 2.00 s
[  23.0s] ollama llama-3.2-1b: done, 2 requests, median 5.0 tok/s, median latency 2.00 s
[  25.0s] ollama mistral-7b: step 4 of 6
[  27.0s] ollama mistral-7b: loaded in 2.0 s
[  29.0s] ollama mistral-7b: 1/2 requests, median 5.0 tok/s, median latency 2.00 s
[  30.0s] note: ollama: mistral-7b is slow
[  30.0s] ollama mistral-7b: interrupted after 1 of 2 requests, median 5.0 tok/s, median latency 2.00 s
`
	if got != want {
		t.Errorf("got:%s\nwant:%s", got, want)
	}
}

func TestPlainLinesOfPlacementsAndAnInterrupt(t *testing.T) {
	got := linesOf(twoPlacements(), threeEnginesOf("llama-3.2-1b", "mistral-7b")[:1])
	want := `
[   1.0s] llama-3.2-1b · Pipeline/MlxRing/1 node: step 1 of 3
[   3.0s] llama-3.2-1b · Pipeline/MlxRing/1 node: ready after 2.0 s
[   5.0s] llama-3.2-1b · Pipeline/MlxRing/1 node: 1/4 requests, median 5.0 tok/s, median latency 2.00 s
[   6.0s] llama-3.2-1b · Pipeline/MlxRing/1 node: 2/4 requests, median 7.5 tok/s, median latency 1.50 s
[   7.0s] llama-3.2-1b · Pipeline/MlxRing/1 node: 3/4 requests, median 10.0 tok/s, median latency 1.00 s
[   8.0s] llama-3.2-1b · Pipeline/MlxRing/1 node: done, 4 requests, median 10.0 tok/s, median latency 1.00 s
[  11.0s] llama-3.2-1b · Tensor/MlxJaccl/2 nodes: step 2 of 3
[  13.0s] llama-3.2-1b · Tensor/MlxJaccl/2 nodes: ready after 2.0 s
[  15.0s] llama-3.2-1b · Tensor/MlxJaccl/2 nodes: 1/4 requests, median 5.0 tok/s, median latency 2.00 s
[  16.0s] llama-3.2-1b · Tensor/MlxJaccl/2 nodes: 2/4 requests, median 7.5 tok/s, median latency 1.50 s
[  18.0s] llama-3.2-1b · Tensor/MlxJaccl/2 nodes: interrupted after 2 of 4 requests, median 7.5 tok/s, median latency 1.50 s
`
	if got != want {
		t.Errorf("got:%s\nwant:%s", got, want)
	}
}

func TestPlainLinesSayWhereNoRequestIsOK(t *testing.T) {
	s := newStory(1, 3)
	s.model(1, 1, "a")
	s.phase(1, exobench.Warmup)
	s.request(2, 1, exobench.OK) // a warm-up makes no median
	s.phase(2, exobench.Measured)
	s.request(4, 2, exobench.HTTPError)
	s.request(6, 2, exobench.HTTPError)
	want := `
[   1.0s] a: model 1 of 1
[   2.0s] a: warm-up done
[   4.0s] a: 2/3 requests, none OK
[   6.0s] a: failed: no request succeeded: http_error: busy
`
	if got := linesOf(s, nil); got != want {
		t.Errorf("got:%s\nwant:%s", got, want)
	}
}

func TestPlainTitleNamesAllEngines(t *testing.T) {
	want := "exobench: exo 1.0.2 at http://localhost:52415 (no real engine); " +
		"ollama 0.12.3 at http://localhost:11434; llama.cpp b6700 at http://localhost:8080"
	if got := title(threeEnginesOf()); got != want {
		t.Errorf("got %q, want %q", got, want)
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
		v := Start(file, Options{Engines: []exobench.Engine{engine}, Quiet: quiet})
		v.Show(aRun().all[0])
		v.Close()
		file.Close()
		got, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		want := "[   0.0s] exobench: exo 1.0.2 at http://localhost:52415 (no real engine)\n[   0.5s] llama-3.2-1b: model 1 of 2\n[   0.5s] llama-3.2-1b: interrupted\n"
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
