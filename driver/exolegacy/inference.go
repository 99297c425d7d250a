package exolegacy

import (
	"slices"
	"strings"
)

// inference is the inference engine of a node. exo does not name it; the
// models that it can run with it tell.
type inference int

const (
	unknown inference = iota
	tinygrad
	mlx
	dummy
)

func (i inference) String() string {
	return [...]string{"inference engine unknown", "tinygrad", "mlx", "dummy"}[i]
}

// inferenceOf tells the engine by the models that it can run: dummy has one of
// its own, tinygrad has weights for Llama alone, mlx for many more.
func inferenceOf(usable []string) inference {
	llama := func(id string) bool { return strings.HasPrefix(id, "llama-") }
	switch {
	case len(usable) == 0:
		return unknown
	case slices.Equal(usable, []string{"dummy"}):
		return dummy
	case !slices.ContainsFunc(usable, func(id string) bool { return !llama(id) }):
		return tinygrad
	case slices.ContainsFunc(usable, llama) && !slices.Contains(usable, "dummy"):
		return mlx
	}
	return unknown
}

// caveat is what a reader must know of a model's name on this engine.
func (i inference) caveat(id string) string {
	if i == tinygrad && (strings.HasSuffix(id, "-8bit") || strings.HasSuffix(id, "-bf16")) {
		return "tinygrad runs the same weights under this name as under the plain one"
	}
	return ""
}
