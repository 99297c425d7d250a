package llamacpp

import (
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"exobench"
)

// An open loop sends at its rate whatever the answers: a server with one slot
// would have all but one request wait, and the run would measure its queue.
func TestAServerHasASlotForEachRequestThatMayBeUnderWay(t *testing.T) {
	t.Parallel()
	closed := func(n int) exobench.Traffic { return exobench.Traffic{Concurrency: n} }
	for _, c := range []struct {
		name    string
		traffic []exobench.Traffic
		stop    exobench.Stop
		want    int
	}{
		{"one request at a time", []exobench.Traffic{closed(1)}, exobench.Stop{Repeat: 3}, 1},
		{"the most of several", []exobench.Traffic{closed(1), closed(8), closed(2)}, exobench.Stop{Repeat: 3}, 8},
		{"more than a server is given", []exobench.Traffic{closed(100)}, exobench.Stop{Repeat: 3}, 64},
		{"an open loop of 12 requests", []exobench.Traffic{{Rate: 2}}, exobench.Stop{Requests: 12}, 12},
		{"an open loop with a bound", []exobench.Traffic{{Rate: 2, MaxUnderWay: 5}}, exobench.Stop{Requests: 12}, 5},
		{"an open loop for a time", []exobench.Traffic{{Rate: 2}}, exobench.Stop{Duration: exobench.Duration(time.Minute)}, 64},
		{"no plan", nil, exobench.Stop{}, 1},
	} {
		p := exobench.Plan{Traffic: c.traffic, Stop: c.stop, Workload: exobench.Workload{Prompts: make([]exobench.Prompt, 1), MaxTokens: 64}}
		if l := newLaunch("", nil, p); l.slots != c.want {
			t.Errorf("%s: %d slots, want %d", c.name, l.slots, c.want)
		}
	}
}

func TestArgumentsFitThePlanUnlessGiven(t *testing.T) {
	t.Parallel()
	cores := strconv.Itoa(threads())
	long := []exobench.Prompt{{Text: "short"}, {Text: strings.Repeat("long ", 1000)}}
	for _, c := range []struct {
		name    string
		slots   int
		prompts []exobench.Prompt
		args    string
		want    string
	}{
		{"one request at once", 1, nil, "", "-c 4096 -np 1 -t " + cores},
		{"four at once", 4, nil, "", "-c 16384 -np 4 -t " + cores},
		{"eight at once", 8, nil, "", "-c 32768 -np 8 -t " + cores},
		{"so many that each has less", 20, nil, "", "-c 30720 -np 20 -t " + cores}, // 1536 each
		{"so many that each has what the plan needs", 64, nil, "", "-c 32768 -np 64 -t " + cores},
		// 5000 bytes, the template and 64 tokens of an answer.
		{"long prompts", 1, long, "", "-c 5376 -np 1 -t " + cores},
		{"many long prompts", 64, long, "", "-c 344064 -np 64 -t " + cores},
		{"a number of slots", 4, nil, "-np 2", "-c 8192 -t " + cores + " -np 2"},
		{"arguments win", 4, nil, "--threads 7 --ctx-size 9 --parallel 2 -ngl 99", "--threads 7 --ctx-size 9 --parallel 2 -ngl 99"},
	} {
		p := exobench.Plan{Traffic: []exobench.Traffic{{Concurrency: c.slots}}, Workload: exobench.Workload{Prompts: c.prompts, MaxTokens: 64}}
		want := "-m /m.gguf --host 127.0.0.1 --port 9 " + c.want
		if got := strings.Join(newLaunch("", strings.Fields(c.args), p).arguments("/m.gguf", 9), " "); got != want {
			t.Errorf("%s: got %s, want %s", c.name, got, want)
		}
	}
}

func TestANoticeTellsTheSlots(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		traffic exobench.Traffic
		args    string
		want    string
	}{
		{"enough", exobench.Traffic{Concurrency: 2}, "", "llama-server is started with 2 slots of 4096 tokens of context"},
		{"no bound", exobench.Traffic{Rate: 2}, "", "llama-server is started with 64 slots of 512 tokens of context, and the plan may have requests under way without bound: those beyond the slots wait in the server's queue, and that is in their times; --max-under-way bounds them"},
		{"too few by its arguments", exobench.Traffic{Concurrency: 2}, "-c 512 -np 1", "llama-server is started with 1 slot, and the plan may have requests under way up to 2: those beyond the slots wait in the server's queue, and that is in their times"},
		{"as many as it likes", exobench.Traffic{Concurrency: 2}, "-np -1", "llama-server is started with as many slots as --engine-args say"},
	} {
		p := exobench.Plan{Traffic: []exobench.Traffic{c.traffic}, Stop: exobench.Stop{Duration: 1}, Workload: exobench.Workload{MaxTokens: 64}}
		if got := newLaunch("", strings.Fields(c.args), p).notice(p); got != c.want {
			t.Errorf("%s: got %s, want %s", c.name, got, c.want)
		}
	}
}

// A request with cache_prompt false is copied to the cache in main memory all
// the same, so that cold runs need it off.
func TestColdServersHaveNoPromptCacheInMainMemory(t *testing.T) {
	t.Setenv("LLAMA_API_KEY", "secret")
	t.Setenv("LLAMA_ARG_N_GPU_LAYERS", "7")
	cold, warm := launch{}.environment(), launch{warmCache: true}.environment()
	if !slices.Contains(cold, "LLAMA_ARG_CACHE_RAM=0") || slices.Contains(warm, "LLAMA_ARG_CACHE_RAM=0") {
		t.Errorf("the cache is off: cold %v, warm %v; want true, false",
			slices.Contains(cold, "LLAMA_ARG_CACHE_RAM=0"), slices.Contains(warm, "LLAMA_ARG_CACHE_RAM=0"))
	}
	if slices.Contains(cold, "LLAMA_API_KEY=secret") || !slices.Contains(cold, "LLAMA_ARG_N_GPU_LAYERS=7") {
		t.Error("want the key withheld and the rest of the environment left")
	}
	t.Setenv("LLAMA_ARG_CACHE_RAM", "64")
	if cold := (launch{}).environment(); !slices.Contains(cold, "LLAMA_ARG_CACHE_RAM=64") || slices.Contains(cold, "LLAMA_ARG_CACHE_RAM=0") {
		t.Error("what the user set must stay")
	}
}

func TestArgumentsThatAreOursAreRefused(t *testing.T) {
	t.Parallel()
	err := checkArgs([]string{"--port", "1", "-ngl", "99", "--host=::"})
	for _, want := range []string{"--port is exobench's", "--host is exobench's"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want an error with %q", err, want)
		}
	}
	if err := checkArgs([]string{"-ngl", "99"}); err != nil {
		t.Error(err)
	}
}
