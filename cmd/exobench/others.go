package main

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"time"
)

// usualPorts are where other engines listen unless told otherwise.
var usualPorts = []struct {
	port int
	name string
}{
	{11434, "Ollama"}, {8080, "llama-server or mlx-lm"}, {8000, "vLLM"}, {1234, "LM Studio"}, {30000, "SGLang"},
}

const usualPortTime = 300 * time.Millisecond

// otherEngines looks for OpenAI-compatible engines at their usual ports on this
// host, and says how to measure those that answer.
func otherEngines(ctx context.Context) []string {
	ctx, cancel := context.WithTimeout(ctx, usualPortTime)
	defer cancel()
	found := make([]string, len(usualPorts))
	var asked sync.WaitGroup
	for i, p := range usualPorts {
		asked.Go(func() {
			url := fmt.Sprintf("http://127.0.0.1:%d", p.port)
			request, err := http.NewRequestWithContext(ctx, http.MethodGet, url+"/v1/models", nil)
			if err != nil {
				return
			}
			response, err := http.DefaultClient.Do(request)
			if err != nil {
				return
			}
			response.Body.Close()
			if response.StatusCode == http.StatusOK {
				found[i] = fmt.Sprintf("an engine answers at %s (the usual place of %s): to measure it, give --engine openai --url %s --model NAME", url, p.name, url)
			}
		})
	}
	asked.Wait()
	var hints []string
	for _, hint := range found {
		if hint != "" {
			hints = append(hints, hint)
		}
	}
	return hints
}
