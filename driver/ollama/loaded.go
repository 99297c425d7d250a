package ollama

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"

	"exobench"
)

// loaded is a model that the server has in memory, as the server sees it.
type loaded struct {
	Name string `json:"name"`
	// Size is the memory that Ollama reckons with for weights, cache and
	// buffers; VRAM is the part of it on GPUs, to which Ollama 0.30 and later add
	// buffers of CPUs with AMX. Neither is measured.
	Size exobench.Bytes `json:"size"`
	VRAM exobench.Bytes `json:"size_vram"`
	// Context is the context length that it was loaded with; 0 where Ollama
	// does not say.
	Context exobench.Tokens `json:"context_length"`
}

// String says what is loaded where, for people.
func (l loaded) String() string {
	where := "in main memory"
	switch {
	case l.VRAM > 0 && l.VRAM >= l.Size:
		where = "on GPUs"
	case l.VRAM > 0:
		where = fmt.Sprintf("%.0f %% of it in what it counts as GPU memory", math.Floor(100*float64(l.VRAM)/float64(l.Size)))
	}
	text := fmt.Sprintf("%v by Ollama's reckoning, %s", l.Size, where)
	if l.Context > 0 {
		text += fmt.Sprintf(", context %d", l.Context)
	}
	return text
}

// loaded returns the models that the server has in memory.
func (e *engine) loaded(ctx context.Context) ([]loaded, error) {
	var answer struct {
		Models []loaded `json:"models"`
	}
	if err := e.client.Get(ctx, "/api/ps", &answer); err != nil {
		return nil, fmt.Errorf("list what Ollama has loaded: %w", err)
	}
	return answer.Models, nil
}

// find splits what is loaded into the model of that id and the others. One whose
// id differs in case will do where none is the same.
func find(all []loaded, id string) (found *loaded, others []string) {
	at := slices.IndexFunc(all, func(l loaded) bool { return l.Name == id })
	if at < 0 {
		at = slices.IndexFunc(all, func(l loaded) bool { return strings.EqualFold(l.Name, id) })
	}
	for i, l := range all {
		if i == at {
			found = &all[i]
		} else {
			others = append(others, l.Name)
		}
	}
	return found, others
}
