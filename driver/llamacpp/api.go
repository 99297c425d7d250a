package llamacpp

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"exobench"
	"exobench/driver"
	"exobench/driver/api"
)

// Server is what a running llama-server says of itself.
type Server struct {
	// Version is the build, such as "b11669-Debian".
	Version string
	// ModelPath is the GGUF file as the server was given it.
	ModelPath string
	// Models are the names by which the server calls its model.
	Models []string
	// Slots is how many requests it answers at once; more wait in the server.
	Slots int
	// Context is the tokens of context of one slot: prompt and answer.
	Context exobench.Tokens
	// Parameters is the number of weights; Quantisation how most are stored;
	// Size what they take.
	Parameters   int64
	Quantisation string
	Size         exobench.Bytes
}

func (s Server) String() string {
	text := "llama-server"
	if s.Version != "" {
		text += " " + s.Version
	}
	text += " with " + filepath.Base(s.ModelPath)
	if s.Quantisation != "" {
		text += " (" + s.Quantisation + ")"
	}
	return fmt.Sprintf("%s, %s of %d tokens", text, counted(s.Slots, "slot"), s.Context)
}

func counted(n int, what string) string {
	if n != 1 {
		what += "s"
	}
	return fmt.Sprintf("%d %s", n, what)
}

// calls reports whether that is a name of the server's model, or of its file
// with or without folder and ending.
func (s Server) calls(name string) bool {
	return slices.ContainsFunc(append(slices.Clone(s.Models), s.ModelPath), func(have string) bool {
		return slices.ContainsFunc([]string{have, filepath.Base(have), modelName(have)}, func(called string) bool {
			return called != "" && strings.EqualFold(name, called)
		})
	})
}

// offer is the model that the server runs.
func (s Server) offer(env driver.Env) driver.Offer {
	o := driver.Offer{Model: s.Models[0], Engine: "llamacpp", ID: s.Models[0], Size: s.Size, Downloaded: new(true), Loaded: new(true)}
	for _, m := range env.Catalogue.Models() {
		if slices.ContainsFunc(append(slices.Clone(m.IDs["llamacpp"]), m.Name), s.calls) {
			o.Model = m.Name
			break
		}
	}
	o.Fit(0)
	return o
}

// modelName is the GGUF file's name without folder and ending.
func modelName(path string) string {
	name := filepath.Base(path)
	if IsFile(name) {
		name = strings.TrimSuffix(name, filepath.Ext(name))
	}
	return name
}

const (
	// findPoll is how often a server that loads its model is asked whether it
	// has.
	findPoll = 250 * time.Millisecond
	// loadTime bounds the wait for a model to be loaded.
	loadTime = 30 * time.Minute
)

// find waits for a server that runs already and asks what it is. It calls
// loading once if the server is not ready.
func find(ctx context.Context, c *api.Client, loading func()) (Server, error) {
	for began := time.Now(); ; loading = func() {} {
		busy, err := isLoading(ctx, c)
		if err != nil {
			return Server{}, err
		}
		if !busy {
			return describe(ctx, c)
		}
		loading()
		if time.Since(began) > loadTime {
			return Server{}, fmt.Errorf("the server at %s is still loading its model after %v", c.Base(), loadTime)
		}
		if err := api.Pause(ctx, findPoll); err != nil {
			return Server{}, err
		}
	}
}

// isLoading reports whether the server answers, and says that it loads its
// model. A gateway before a server that is down answers with the same status.
func isLoading(ctx context.Context, c *api.Client) (bool, error) {
	answer, err := c.Send(ctx, http.MethodGet, "/health", nil)
	return answer.Status == http.StatusServiceUnavailable && bytes.Contains(answer.Body, []byte("unavailable_error")), err
}

// describe asks a server that is ready what it is.
func describe(ctx context.Context, c *api.Client) (Server, error) {
	var props struct {
		Role     string `json:"role"`
		Build    string `json:"build_info"`
		Path     string `json:"model_path"`
		FType    string `json:"model_ftype"`
		Slots    int    `json:"total_slots"`
		Defaults *struct {
			Context exobench.Tokens `json:"n_ctx"`
		} `json:"default_generation_settings"`
	}
	if err := get(ctx, c, "/props", &props); err != nil {
		return Server{}, err
	}
	if props.Role == "router" {
		return Server{}, fmt.Errorf("the llama-server at %s is a router, which loads models as it likes: measure one that was started with a model (-m), or give --engine openai", c.Base())
	}
	if props.Defaults == nil || props.Slots == 0 {
		return Server{}, stranger(c, "/props")
	}
	var list struct {
		Data []struct {
			ID      string   `json:"id"`
			Aliases []string `json:"aliases"`
			Meta    struct {
				Parameters int64          `json:"n_params"`
				Size       exobench.Bytes `json:"size"`
				FType      string         `json:"ftype"`
			} `json:"meta"`
		} `json:"data"`
	}
	if err := get(ctx, c, "/v1/models", &list); err != nil {
		return Server{}, err
	}
	if len(list.Data) == 0 {
		return Server{}, stranger(c, "/v1/models")
	}
	first := list.Data[0].Meta
	s := Server{
		Version: props.Build, ModelPath: props.Path, Slots: props.Slots, Context: props.Defaults.Context,
		Parameters: first.Parameters, Size: first.Size, Quantisation: props.FType,
	}
	if s.Quantisation == "" {
		s.Quantisation = first.FType
	}
	for _, m := range list.Data {
		for _, name := range append([]string{m.ID}, m.Aliases...) {
			if !slices.Contains(s.Models, name) {
				s.Models = append(s.Models, name)
			}
		}
	}
	return s, nil
}

// get asks for what only a llama-server has. That a key is wanted or that it is
// elsewhere is told as it is; what else does not fit means that it is a server of another kind.
func get(ctx context.Context, c *api.Client, path string, into any) error {
	err := c.Get(ctx, path, into)
	switch status := api.Status(err); {
	case err == nil || !api.Answered(err), api.Elsewhere(err), status == http.StatusUnauthorized, status == http.StatusForbidden:
		return err
	}
	return stranger(c, path)
}

// stranger is the error for a server of another kind.
func stranger(c *api.Client, path string) error {
	return fmt.Errorf("what answers at %s is not a llama-server (its %s is not one's): for other servers give --engine openai", c.Base(), path)
}
