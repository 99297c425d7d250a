// Command soak runs exobench again and again, on the embedded engine and on a
// server that goes wrong at random, kills and resumes it at random, and checks
// after each process what must always hold. What it does follows from its seed,
// but for the instants, which are the machine's. .ci/soak builds what it needs.
package main

import (
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"time"

	"exobench/internal/faults"
)

// models are so small that the embedded engine takes no time under the race
// detector.
const models = `
- name: one
  shape: {layers: 2, hidden: 64, heads: 4, kv_heads: 2, ffn: 128, vocab: 2048, context: 4096, rope_base: 10000}
  ids: {exo: [soak/one]}
- name: two
  shape: {layers: 3, hidden: 64, heads: 4, kv_heads: 2, ffn: 128, vocab: 2048, context: 4096, rope_base: 10000}
  ids: {exo: [soak/two]}
`

func main() {
	minutes := flag.Float64("minutes", 3, "how long to go on")
	seed := flag.Uint64("seed", 1, "of what happens")
	program := flag.String("exobench", "", "the program, built with -race")
	flag.Parse()
	dir, err := os.MkdirTemp("", "exobench-soak-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	s := &soak{
		program: *program, models: filepath.Join(dir, "models.yaml"), dir: dir, random: rand.New(rand.NewPCG(*seed, 0)),
		until: time.Now().Add(time.Duration(*minutes * float64(time.Minute))), codes: map[string]int{},
	}
	if err := os.WriteFile(s.models, []byte(models), 0o600); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	hearSignals()
	for time.Now().Before(s.until) {
		s.round()
	}
	s.summarize()
	if s.wrong > 0 {
		os.Exit(1) // with the folders left to look at
	}
	_ = os.RemoveAll(dir)
}

// soak is the state of the test.
type soak struct {
	program, models, dir string
	random               *rand.Rand
	until                time.Time

	rounds, processes, kills, resumes int
	embedded, faulty, met, requests   int
	peak                              int64 // KiB
	codes                             map[string]int
	wrong                             int
}

// round is one run, on one of the two engines, and what resumes it.
func (s *soak) round() {
	s.rounds++
	out := filepath.Join(s.dir, fmt.Sprintf("run-%d", s.rounds))
	load := []string{"--quiet", "--no-calibrate", "--out", out,
		"--concurrency", []string{"1", "4", "1,4"}[s.random.IntN(3)]}
	if s.random.IntN(2) == 0 {
		s.embedded++
		args := append([]string{"run", "--engine", "embedded", "--models-file", s.models, "--model", []string{"one", "one,two"}[s.random.IntN(2)],
			"--max-tokens", "8", "--requests", fmt.Sprint(5 + s.random.IntN(300))}, load...)
		s.runs(out, args)
		return
	}
	s.faulty++
	server, err := faults.Start(s.faults())
	if err != nil {
		s.violation(out, "the server does not start: %v", err)
		return
	}
	defer server.Close()
	args := append([]string{"run", "--engine", "openai", "--url", server.URL(), "--model", faults.Model, "--max-tokens", "4",
		"--timeout", "2s", "--idle-timeout", "300ms", "--requests", fmt.Sprint(10 + s.random.IntN(40))}, load...)
	s.runs(out, args)
	if n := server.Strays(); n > 0 {
		s.violation(out, "%d connections to another origin", n)
	}
}

// faults returns which chats meet which faults: a share of them, none of the first
// few, by which exobench finds out what the server takes.
func (s *soak) faults() func(n int) *faults.Row {
	share, seed := s.random.Float64()/2, s.random.Uint64()
	return func(n int) *faults.Row {
		random := rand.New(rand.NewPCG(seed, uint64(n)))
		if n <= 3 || random.Float64() >= share {
			return nil
		}
		return faults.All[random.IntN(len(faults.All))]
	}
}

// runs runs exobench, ends it at times before its time, and then resumes it, until
// the run is done.
func (s *soak) runs(out string, args []string) {
	const most = 4
	whole := false
	for try := range most {
		end := s.ending(try == most-1)
		p := s.start(out, args, end)
		s.check(p)
		if whole = p.code == codeDone || p.code == codeFailed; whole || p.signal == "" {
			break
		}
		if _, err := os.Stat(filepath.Join(out, "journal.jsonl")); err != nil {
			break // it was ended before it began
		}
		s.resumes++
		args = []string{"run", "--resume", out, "--quiet"}
	}
	s.checkJournal(out)
	s.checkReport(out, !whole)
	if s.wrong == 0 {
		_ = os.RemoveAll(out)
	}
}

// summarize prints what was done and what was wrong.
func (s *soak) summarize() {
	fmt.Printf("%d runs, %d on the embedded engine and %d on the faulty server, in %d processes: %d ended early, %d resumed\n",
		s.rounds, s.embedded, s.faulty, s.processes, s.kills, s.resumes)
	fmt.Printf("%d requests in their journals, %d of them not ok; the largest process had %d MiB\n", s.requests, s.met, s.peak>>10)
	for _, code := range slices.Sorted(maps.Keys(s.codes)) {
		fmt.Printf("%6d × %s\n", s.codes[code], code)
	}
	fmt.Printf("%d violations\n", s.wrong)
}
