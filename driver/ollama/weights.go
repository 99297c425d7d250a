package ollama

import (
	"context"

	"exobench"
	"exobench/driver"
)

// Weights returns the size of the model, where the server has it.
func (e *engine) Weights(_ context.Context, m exobench.Model) driver.Weights {
	w := driver.Weights{Here: e.seen.PID() != 0}
	if have, ok := e.first([]string{m.ID}); ok && have.RemoteHost == "" {
		w.Size = have.Size
	}
	return w
}
