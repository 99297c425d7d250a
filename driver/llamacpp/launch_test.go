package llamacpp

import (
	"slices"
	"strconv"
	"strings"
	"testing"
)

func TestArgumentsFitThePlanUnlessGiven(t *testing.T) {
	t.Parallel()
	cores := strconv.Itoa(threads())
	for _, c := range []struct {
		name   string
		config Config
		want   string
	}{
		{"one request at once", Config{}, "-c 4096 -np 1 -t " + cores},
		{"four at once", Config{Slots: 4}, "-c 16384 -np 4 -t " + cores},
		{"a context", Config{Slots: 4, Context: 1000}, "-c 1000 -np 4 -t " + cores},
		{"arguments win", Config{Slots: 4, Args: []string{"--threads", "7", "--ctx-size", "9", "--parallel", "2", "-ngl", "99"}},
			"--threads 7 --ctx-size 9 --parallel 2 -ngl 99"},
	} {
		c.config.ModelPath = "/m.gguf"
		want := "-m /m.gguf --host 127.0.0.1 --port 9 " + c.want
		if got := strings.Join(c.config.arguments(9), " "); got != want {
			t.Errorf("%s: got %s, want %s", c.name, got, want)
		}
	}
}

// A request with cache_prompt false is copied to the cache in main memory all
// the same, so that cold runs need it off.
func TestColdServersHaveNoPromptCacheInMainMemory(t *testing.T) {
	t.Setenv("LLAMA_API_KEY", "secret")
	t.Setenv("LLAMA_ARG_N_GPU_LAYERS", "7")
	cold, warm := Config{}.environment(), Config{WarmCache: true}.environment()
	if !slices.Contains(cold, "LLAMA_ARG_CACHE_RAM=0") || slices.Contains(warm, "LLAMA_ARG_CACHE_RAM=0") {
		t.Errorf("the cache is off: cold %v, warm %v; want true, false",
			slices.Contains(cold, "LLAMA_ARG_CACHE_RAM=0"), slices.Contains(warm, "LLAMA_ARG_CACHE_RAM=0"))
	}
	if slices.Contains(cold, "LLAMA_API_KEY=secret") || !slices.Contains(cold, "LLAMA_ARG_N_GPU_LAYERS=7") {
		t.Error("want the key withheld and the rest of the environment left")
	}
	t.Setenv("LLAMA_ARG_CACHE_RAM", "64")
	if cold := (Config{}).environment(); !slices.Contains(cold, "LLAMA_ARG_CACHE_RAM=64") || slices.Contains(cold, "LLAMA_ARG_CACHE_RAM=0") {
		t.Error("what the user set must stay")
	}
}

func TestValidateReportsEveryProblem(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		config Config
		want   []string
	}{
		{"a URL", Config{URL: "http://host:8080", APIKey: "k"}, nil},
		{"a file", Config{ModelPath: "m.gguf", Args: []string{"-ngl", "99"}, Context: 1, Slots: 1}, nil},
		{"nothing", Config{}, []string{"give the URL of a running llama-server, or a GGUF file"}},
		{"both", Config{URL: "http://host", ModelPath: "m.gguf"}, []string{"give one of them"}},
		{"a context for a server that runs", Config{URL: "ftp://host", Context: 9}, []string{"is no URL of a server", "not with the one that runs at ftp://host"}},
		{"arguments that are ours", Config{ModelPath: "m.gguf", APIKey: "k", Args: []string{"--port", "1", "--host=::"}}, []string{"an API key", "--port is exobench's", "--host is exobench's"}},
		{"negative numbers", Config{ModelPath: "m.gguf", Slots: -1, Context: -2}, []string{"is -1", "is -2 tokens"}},
	} {
		err := c.config.Validate()
		if (err == nil) != (c.want == nil) {
			t.Errorf("%s: got %v", c.name, err)
		}
		for _, want := range c.want {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: got %v, want an error with %q", c.name, err, want)
			}
		}
	}
}
