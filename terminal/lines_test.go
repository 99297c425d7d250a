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

// showOn shows a script in plain lines on w.
func showOn(w io.Writer, s *script) *View {
	v := Start(w, Options{})
	for _, line := range s.lines {
		v.Append(line.entry)
	}
	return v
}

// linesOf are the plain lines of a script but the title.
func linesOf(s *script) string {
	var out bytes.Buffer
	showOn(&out, s).Close()
	_, lines, _ := strings.Cut(out.String(), "\n")
	return "\n" + lines
}

func TestPlainLinesOfARun(t *testing.T) {
	want := `
[   0.5s] llama-3.2-1b: model 1 of 2
[   3.0s] llama-3.2-1b: download 12% of 4.00 GiB, 256 MiB/s, 0:14 left
[  14.0s] llama-3.2-1b: download 93% of 4.00 GiB, 256 MiB/s, 0:01 left
[  26.0s] llama-3.2-1b: loading layer 14 of 16
[  28.0s] llama-3.2-1b: loaded in 13.5 s, 13.0 s of it for weights and warm-up
[  32.0s] llama-3.2-1b: warm-up done
[  34.0s] llama-3.2-1b: 1/4 requests, median 5.0 tok/s, median latency 2.00 s
[  35.0s] llama-3.2-1b: 2/4 requests, median 5.0 tok/s, median latency 2.00 s
[  36.0s] llama-3.2-1b: 3/4 requests, median 7.5 tok/s, median latency 1.50 s
[  37.0s] llama-3.2-1b: done, 4 requests, 1 failed, median 10.0 tok/s, median latency 1.00 s
[  38.5s] mistral-7b: model 2 of 2
[  38.5s] mistral-7b: placing: waiting for 14.2 GiB of memory, 7.60 GiB are free
[  39.0s] note: mistral-7b has no card: it was added
[  98.5s] mistral-7b: failed: needs 14.2 GiB, 7.60 GiB are free on node-1 and 6.10 GiB on node-2: end other programs that hold memory, take a model of fewer bits with --quantisation 4bit, or give more nodes with --max-nodes 3
`
	if got := linesOf(wholeRun()); got != want {
		t.Errorf("got:%s\nwant:%s", got, want)
	}
}

func TestPlainLinesNameTheTrafficWhereThereIsSeveral(t *testing.T) {
	want := `
[   1.0s] llama-3.2-1b: model 1 of 1
[   1.0s] llama-3.2-1b: ready after 0.0 s
[   3.0s] llama-3.2-1b ×1: 1/4 requests, median 10.0 tok/s, median latency 1.00 s
[   4.0s] llama-3.2-1b ×1: 2/4 requests, median 10.0 tok/s, median latency 1.00 s
[   5.0s] llama-3.2-1b ×1: 3/4 requests, median 10.0 tok/s, median latency 1.00 s
[   6.0s] llama-3.2-1b ×1: done, 4 requests, median 10.0 tok/s, median latency 1.00 s
[  15.0s] llama-3.2-1b ×4: 1/4 requests, median 1.2 tok/s, median latency 8.00 s
[  16.0s] llama-3.2-1b ×4: done, 4 requests, 1 failed, median 1.2 tok/s, median latency 8.00 s
[  20.0s] llama-3.2-1b 2.5/s: 1/4 requests, median 5.0 tok/s, median latency 2.00 s
[  24.0s] llama-3.2-1b 2.5/s: 2/4 requests, median 5.0 tok/s, median latency 2.00 s
[  30.0s] llama-3.2-1b 2.5/s: 3/4 requests, median 5.0 tok/s, median latency 2.00 s
[  34.0s] llama-3.2-1b 2.5/s: done, 4 requests, median 5.0 tok/s, median latency 2.00 s
`
	if got := linesOf(severalCells()); got != want {
		t.Errorf("got:%s\nwant:%s", got, want)
	}
}

func TestPlainLinesOfALoopBoundInTime(t *testing.T) {
	want := `
[   1.0s] llama-3.2-1b: model 1 of 1
[   1.0s] llama-3.2-1b: ready after 0.0 s
[  11.0s] llama-3.2-1b 2.5/s: 8 requests, 0:11 left, median 5.0 tok/s, median latency 2.00 s
[  24.0s] llama-3.2-1b 2.5/s: done, 15 requests, median 5.0 tok/s, median latency 2.00 s
`
	if got := linesOf(openLoop()); got != want {
		t.Errorf("got:%s\nwant:%s", got, want)
	}
}

func TestPlainLinesNameTheEngineWhereThereAreSeveral(t *testing.T) {
	got := linesOf(threeEngines())
	for _, want := range []string{
		"\n[   1.0s] exo llama-3.2-1b: step 1 of 6\n",
		"\n[   2.0s] exo llama-3.2-1b: loaded in 1.0 s\n",
		"\n[   8.0s] exo llama-3.2-1b: done, 4 requests, median 6.7 tok/s, median latency 1.50 s\n",
		"\n[  31.0s] ollama mistral-7b: step 4 of 6\n",
		"\n[  33.5s] ollama mistral-7b: interrupted after 1 of 4 requests, median 6.7 tok/s, median latency 1.50 s\n",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("no line %q in:%s", want, got)
		}
	}
}

func TestPlainLinesOfPlacementsAndAnInterrupt(t *testing.T) {
	want := `
[   1.0s] llama-3.2-1b · Pipeline/MlxRing/1 node: step 1 of 3
[   3.0s] llama-3.2-1b · Pipeline/MlxRing/1 node: ready after 2.0 s
[   4.0s] llama-3.2-1b · Pipeline/MlxRing/1 node: 1/4 requests, median 10.0 tok/s, median latency 1.00 s
[   5.0s] llama-3.2-1b · Pipeline/MlxRing/1 node: 2/4 requests, median 10.0 tok/s, median latency 1.00 s
[   6.0s] llama-3.2-1b · Pipeline/MlxRing/1 node: 3/4 requests, median 10.0 tok/s, median latency 1.00 s
[   7.0s] llama-3.2-1b · Pipeline/MlxRing/1 node: done, 4 requests, median 10.0 tok/s, median latency 1.00 s
[  11.0s] llama-3.2-1b · Tensor/MlxJaccl/2 nodes: step 2 of 3
[  13.0s] llama-3.2-1b · Tensor/MlxJaccl/2 nodes: ready after 2.0 s
[  15.0s] llama-3.2-1b · Tensor/MlxJaccl/2 nodes: 1/4 requests, median 5.0 tok/s, median latency 2.00 s
[  16.0s] llama-3.2-1b · Tensor/MlxJaccl/2 nodes: 2/4 requests, median 7.5 tok/s, median latency 1.50 s
[  18.0s] llama-3.2-1b · Tensor/MlxJaccl/2 nodes: interrupted after 2 of 4 requests, median 7.5 tok/s, median latency 1.50 s
`
	if got := linesOf(twoPlacements()); got != want {
		t.Errorf("got:%s\nwant:%s", got, want)
	}
}

func TestPlainLinesSayWhereNoRequestIsOK(t *testing.T) {
	s := newScript(exobench.Plan{Warmup: 1, Stop: exobench.Stop{Requests: 3}}, engines(1, "a"))
	s.begin(1, 1, 0)
	s.request(2, 1, exobench.OK) // a warm-up makes no median
	s.end(2, exobench.BlockDone)
	s.begin(2, 1, 1)
	s.request(4, 2, exobench.HTTPError)
	s.request(6, 2, exobench.HTTPError)
	s.end(6, exobench.BlockNoAnswer)
	s.endStep(7, 1, exobench.StepFailed, "the engine stopped answering")
	s.endRun(8, exobench.EndFailed, "write the journal: no space is left")
	want := `
[   1.0s] a: model 1 of 1
[   2.0s] a: warm-up done
[   4.0s] a: 1/3 requests, none OK: busy
[   6.0s] a: 2/3 requests, none OK: busy
[   6.0s] a: failed after 2 requests, 2 failed, none OK: busy
[   7.0s] a: failed: after 2 requests: the engine stopped answering
[   8.0s] the run failed: write the journal: no space is left
`
	if got := linesOf(s); got != want {
		t.Errorf("got:%s\nwant:%s", got, want)
	}
}

func TestPlainTitleNamesAllEngines(t *testing.T) {
	want := "exobench: exo 1.0.2 at http://localhost:52415 (no real engine); " +
		"ollama 0.12.3 at http://localhost:11434; llama.cpp b6700 at http://localhost:8080"
	if got := title(engines(3)); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestPlainLinesOfManyRequestsAreFew(t *testing.T) {
	s := newScript(exobench.Plan{Stop: exobench.Stop{Requests: 1000}}, engines(1, "a"))
	s.begin(1, 1, 1)
	for i := range 999 {
		s.request(1+float64(i+1)/10, 0.1, exobench.OK)
	}
	got := linesOf(s)
	if n := strings.Count(got, "/1000 requests"); n < 9 || n > 10 {
		t.Errorf("%d lines for 1000 requests in 100 s, want one for each tenth:\n%s", n, got)
	}
}

func TestAppendNeverWaitsForAPipe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, w := io.Pipe() // nobody reads
		began := time.Now()
		v := showOn(w, wholeRun())
		v.Say("interrupted")
		if waited := time.Since(began); waited != 0 {
			t.Errorf("Append waited %v for a pipe", waited)
		}
		v.Close()
		if waited := time.Since(began); waited != closeTimeout {
			t.Errorf("Close waited %v for a pipe, want %v", waited, closeTimeout)
		}
		v.Close()
		v.Append(&exobench.End{}) // does nothing
		r.Close()
	})
}

func TestAppendFromManyGoroutines(t *testing.T) {
	var out bytes.Buffer
	v := Start(&out, Options{})
	v.Append(wholeRun().lines[0].entry)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for _, line := range wholeRun().lines {
				v.Append(line.entry)
				v.Say("a line")
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
	for _, quiet := range []bool{false, true} {
		path := filepath.Join(t.TempDir(), "log")
		file, err := os.Create(path)
		if err != nil {
			t.Fatal(err)
		}
		v := Start(file, Options{Quiet: quiet, Now: func() exobench.Instant { return instant(0.7) }})
		for _, line := range wholeRun().lines {
			if line.at <= 0.5 {
				v.Append(line.entry)
			}
		}
		v.Say("interrupted:\x1b[2J cleaning up")
		v.Close()
		v.Say("done")
		file.Close()
		got, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		want := "[   0.0s] exobench: exo 1.0.2 at http://localhost:52415 (no real engine)\n" +
			"[   0.5s] llama-3.2-1b: model 1 of 2\n[   0.7s] interrupted: cleaning up\n[   0.5s] llama-3.2-1b: interrupted\ndone\n"
		if quiet {
			want = "interrupted: cleaning up\ndone\n"
		}
		if string(got) != want {
			t.Errorf("quiet %v: got %q, want %q", quiet, got, want)
		}
	}
}

func BenchmarkAppend(b *testing.B) {
	v := Start(io.Discard, Options{})
	defer v.Close()
	s := newScript(exobench.Plan{Stop: exobench.Stop{Requests: 1 << 30}}, engines(1, "a"))
	s.begin(1, 1, 1)
	s.request(2, 1, exobench.OK)
	for _, line := range s.lines {
		v.Append(line.entry)
	}
	record := s.lines[len(s.lines)-1].entry
	for b.Loop() {
		v.Append(record)
	}
}
