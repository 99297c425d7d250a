package precision

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"exobench"
	"exobench/metric"
	"exobench/summary"
)

// record is a request that took so long, and had so many tokens per second.
func record(seq, repeat int, prompt string, at exobench.Instant, rate float64) exobench.Record {
	const tokens = 11
	gap := exobench.Instant(float64(time.Second) / rate)
	r := exobench.Record{
		Seq: seq, Block: 1, Repeat: repeat, PromptID: prompt, Outcome: exobench.OK, Scheduled: at, Sent: at,
		FirstChunk: at + gap, FirstToken: at + gap, OutputTokens: new(exobench.Tokens(tokens)), TokensFrom: exobench.FromUsage,
	}
	for i := range tokens {
		r.Chunks = append(r.Chunks, exobench.Chunk{At: at + gap*exobench.Instant(i+1), Bytes: 1})
	}
	r.LastToken = r.Chunks[tokens-1].At
	r.Done, r.Ended = r.LastToken, r.LastToken
	return r
}

// summed returns what a report says of a cell of these requests.
func summed(t *testing.T, records []exobench.Record, prompts []string) *summary.Cell {
	t.Helper()
	var plan exobench.Plan
	for _, id := range prompts {
		plan.Workload.Prompts = append(plan.Workload.Prompts, exobench.Prompt{ID: id})
	}
	model := exobench.Model{Name: "m"}
	entries := []exobench.Entry{
		&exobench.Header{RunID: "r", Plan: plan, Engines: []exobench.Engine{{Name: "e", Models: []exobench.Model{model}}}},
		&exobench.Session{ID: 1}, &exobench.Step{ID: 1, Session: 1, Engine: "e", Model: model},
		&exobench.Cell{ID: 1, Engine: "e", Model: model, Traffic: exobench.Traffic{Concurrency: 1}}, &exobench.Block{ID: 1, Step: 1, Cell: 1},
		// A cell before it met the prompts in another order.
		&exobench.Cell{ID: 2, Engine: "e", Model: model, Traffic: exobench.Traffic{Concurrency: 2}}, &exobench.Block{ID: 2, Step: 1, Cell: 2},
	}
	for i, id := range slices.Backward(prompts) {
		r := record(900+i, 1, id, 1, 20)
		r.Block = 2
		entries = append(entries, &r)
	}
	for i := range records {
		entries = append(entries, &records[i])
	}
	run, err := summary.Build(slices.Values(entries))
	if err != nil {
		t.Fatal(err)
	}
	return run.Cell(1)
}

// The rule and the report must not tell two things: whatever failed, was counted in
// another way or came back in another order.
func TestTheRuleSeesTheIntervalThatTheReportGives(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	prompts := []string{"a", "b", "c", "d", "e"}
	for try := range 60 {
		var records []exobench.Record
		at := exobench.Instant(time.Second)
		repeats := 3 + r.IntN(30)
		for repeat := range repeats {
			for _, p := range r.Perm(len(prompts)) {
				rec := record(len(records)+1, repeat+1, prompts[p], at, 20*float64(p+1)*(1+0.05*r.NormFloat64()))
				switch r.IntN(12) {
				case 0:
					rec.Outcome = exobench.Timeout
				case 1:
					rec.TokensFrom = exobench.FromStats
				case 2:
					rec.OutputTokens, rec.TokensFrom = nil, ""
				}
				at = rec.Ended + 5
				records = append(records, rec)
			}
		}
		cell := summed(t, records, prompts)
		for _, name := range []string{metric.TokenRate, metric.Latency, metric.TTFT} {
			s, ok := cell.Metric(name)
			if !ok || s.Interval == nil {
				t.Fatalf("try %d: no interval of %s", try, name)
			}
			want, _ := s.Interval.HalfWidth(s.Median)
			for _, c := range []struct {
				by     float64
				narrow bool
			}{{1.000001, true}, {0.999999, false}} {
				rule, err := NewRule(exobench.Stop{Until: exobench.NewUntil([]exobench.Goal{{Metric: name, HalfWidth: want * c.by}}), Repeat: 1}, len(prompts), false)
				if err != nil {
					t.Fatal(err)
				}
				// They end in another order than they were sent.
				for i := 0; i < len(records); i += 2 {
					if i+1 < len(records) {
						rule.Saw(&records[i+1])
					}
					rule.Saw(&records[i])
				}
				if got := rule.narrow(); got != c.narrow {
					t.Fatalf("try %d: %s is known to ±%.6f %%, and the rule says %v of a goal of %g times that", try, name, 100*want, got, c.by)
				}
			}
		}
	}
}

func rule(t *testing.T, until exobench.Until, least, prompts int) *Rule {
	t.Helper()
	named, err := Named(until)
	if err != nil {
		t.Fatal(err)
	}
	r, err := NewRule(exobench.Stop{Until: named, Repeat: least, MaxRepeat: 1000}, prompts, false)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// looks feeds repeats of requests that hardly differ, and returns after how many of
// them the rule has enough.
func looks(r *Rule, prompts, most int) int {
	random := rand.New(rand.NewPCG(3, 4))
	at := exobench.Instant(time.Second)
	for repeat := 1; repeat <= most; repeat++ {
		for p := range prompts {
			rec := record(repeat*prompts+p, repeat, fmt.Sprint(p), at, 20*(1+0.001*random.NormFloat64()))
			at = rec.Ended + 1
			r.Saw(&rec)
		}
		if r.Enough() {
			return repeat
		}
	}
	return 0
}

func TestTheRuleLooksTwiceAndNeverBeforeTheLeastRepeats(t *testing.T) {
	for _, c := range []struct {
		why                  string
		least, prompts, want int
	}{
		{"six repeats of five are 30 requests, and the second look is after one more", 3, 5, 7},
		{"of one prompt there are 30 requests first, and a quarter more until the second look", 3, 1, 37},
		{"a plan's least repeats come before the first look", 30, 5, 37},
	} {
		if got := looks(rule(t, "3%", c.least, c.prompts), c.prompts, 100); got != c.want {
			t.Errorf("%s: enough after %d repeats, want %d", c.why, got, c.want)
		}
	}
}

func TestEveryGoalMustBeReached(t *testing.T) {
	if got := looks(rule(t, "latency=3%,tokens_per_second=0.0001%", 3, 5), 5, 60); got != 0 {
		t.Errorf("enough after %d repeats, though tokens per second cannot be known so well", got)
	}
}

func TestRequestsThatFailAreNoReasonToStop(t *testing.T) {
	r := rule(t, "3%", 3, 1)
	for repeat := 1; repeat <= 100; repeat++ {
		rec := record(repeat, repeat, "p", exobench.Instant(repeat)*exobench.Instant(time.Second), 20)
		rec.Outcome = exobench.ConnectError
		r.Saw(&rec)
		if r.Enough() {
			t.Fatalf("enough after %d requests of which none was OK", repeat)
		}
	}
}

func TestARepeatThatIsUnderWayIsNotLookedAt(t *testing.T) {
	r := rule(t, "3%", 1, 3)
	for repeat := 1; repeat <= 60; repeat++ {
		for p := range 2 { // the third prompt never comes back
			rec := record(repeat*3+p, repeat, fmt.Sprint(p), exobench.Instant(repeat)*exobench.Instant(time.Second), 20)
			r.Saw(&rec)
		}
		if r.Enough() {
			t.Fatal("enough of repeats that are not whole")
		}
	}
}

func TestMetricsAreNamedByTheirColumnWithOrWithoutItsUnit(t *testing.T) {
	for text, want := range map[exobench.Until]exobench.Until{
		"3%":                                 "tokens_per_second=3%",
		" 2.5 % ":                            "tokens_per_second=2.5%",
		"ttft=5%":                            "ttft_s=5%",
		"latency = 3%, tokens_per_second=1%": "latency_s=3%,tokens_per_second=1%",
	} {
		got, err := Named(text)
		if err != nil || got != want {
			t.Errorf("%q: got %q, %v; want %q", text, got, err, want)
		}
		if again, err := Named(got); again != got || err != nil {
			t.Errorf("%q named again: %q, %v", got, again, err)
		}
	}
	for text, want := range map[exobench.Until]string{
		"":                     "write 3%",
		"3":                    "write 3%",
		"ttft=":                "write 3%",
		"=3%":                  "write 3%",
		"0%":                   "above 0 %",
		"100%":                 "below 100 %",
		"nan%":                 "above 0 %",
		"speed=3%":             "latency_s",
		"load=3%":              "no figure of single requests",
		"memory_additional=3%": "no figure of single requests",
		"ttft=3%,ttft_s=5%":    "twice",
		"3%,5%":                "twice",
	} {
		if _, err := Named(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: the error is %v, want %q in it", text, err, want)
		}
	}
}
