package embedded

import (
	"slices"
	"testing"
	"time"
)

func TestStatsFollowExosFormulas(t *testing.T) {
	epoch := time.Unix(1000, 0)
	after := func(ms int) time.Time { return epoch.Add(time.Duration(ms) * time.Millisecond) }
	task := &task{prompt: make([]int, 101), generated: 21,
		prefillFrom: after(0), prefillTo: after(500), firstToken: after(500), lastToken: after(4500)}
	e := task.finish("length", 77)
	if got, want := e.stats, (stats{PromptTPS: 200, GenerationTPS: 5, PromptTokens: 101, GenerationTokens: 21,
		PeakMemoryUsage: peakBytes{77}, PrefixCacheHit: "none"}); got != want {
		t.Errorf("stats %+v, want %+v", got, want)
	}
	if got, want := e.usage, (usage{PromptTokens: 101, CompletionTokens: 21, TotalTokens: 122}); got != want {
		t.Errorf("usage %+v, want %+v", got, want)
	}
}

// Progress is told when a prompt starts, where its tokens pass a multiple of
// 4096, and at its end.
func TestProgressOfALongPrompt(t *testing.T) {
	r := &runner{}
	task := newTask(&chat{Model: "m"})
	task.prompt = make([]int, 9001)
	for task.fed < len(task.prompt) {
		r.advance(task, len(r.chunk(task).Tokens), time.Now())
	}
	close(task.events)
	var told []int
	for e := range task.events {
		if e.progress.Total != 9000 {
			t.Errorf("total %d, want one less than the prompt", e.progress.Total)
		}
		told = append(told, e.progress.Processed)
	}
	if want := []int{0, 4096, 8192, 9000}; !slices.Equal(told, want) {
		t.Errorf("progress %v, want %v", told, want)
	}
}
