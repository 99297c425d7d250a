package llamacpp

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"path/filepath"
	"time"

	"exobench"
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

const (
	askTime  = 10 * time.Second
	askLimit = 16 << 20
)

// api asks a server about itself.
type api struct {
	base   string
	header http.Header
	http   *http.Client
}

func newAPI(base, key string, insecure bool) api {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.TLSClientConfig = &tls.Config{InsecureSkipVerify: insecure}
	// A connection kept open would hold up the end of a server.
	transport.DisableKeepAlives = true
	header := http.Header{}
	if key != "" {
		header.Set("Authorization", "Bearer "+key)
	}
	return api{base: base, header: header, http: &http.Client{Transport: transport}}
}

// get returns the status and the body of an answer; the error is that of a
// server that does not answer.
func (a api) get(ctx context.Context, path string) (status int, body []byte, err error) {
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, a.base+path, nil)
	if err != nil {
		return 0, nil, err
	}
	request.Header = a.header.Clone()
	response, err := a.http.Do(request)
	if err != nil {
		return 0, nil, fmt.Errorf("no answer from %s: %w", a.base, short(err))
	}
	defer response.Body.Close()
	body, err = io.ReadAll(io.LimitReader(response.Body, askLimit))
	if err != nil {
		return 0, nil, fmt.Errorf("no whole answer from %s%s: %w", a.base, path, err)
	}
	return response.StatusCode, body, nil
}

// short leaves out the method and URL that net/http puts before an error.
func short(err error) error {
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		return wrapped.Err
	}
	return err
}

// loading reports whether the server answers, and says that it loads its model.
// A gateway before a server that is down answers with the same status.
func (a api) loading(ctx context.Context) (bool, error) {
	status, body, err := a.get(ctx, "/health")
	return status == http.StatusServiceUnavailable && bytes.Contains(body, []byte("unavailable_error")), err
}

// describe asks a server that is ready what it is.
func (a api) describe(ctx context.Context) (Server, error) {
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
	if err := a.decode(ctx, "/props", &props); err != nil {
		return Server{}, err
	}
	if props.Role == "router" {
		return Server{}, fmt.Errorf("the llama-server at %s is a router, which loads models as it likes: measure one that was started with a model (-m), or give --engine openai", a.base)
	}
	if props.Defaults == nil || props.Slots == 0 {
		return Server{}, a.stranger("/props")
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
	if err := a.decode(ctx, "/v1/models", &list); err != nil {
		return Server{}, err
	}
	if len(list.Data) == 0 {
		return Server{}, a.stranger("/v1/models")
	}
	first := list.Data[0]
	s := Server{
		Version: props.Build, ModelPath: props.Path, Slots: props.Slots, Context: props.Defaults.Context,
		Parameters: first.Meta.Parameters, Size: first.Meta.Size, Quantisation: props.FType,
	}
	if s.Quantisation == "" {
		s.Quantisation = first.Meta.FType
	}
	for _, m := range list.Data {
		s.Models = append(s.Models, m.ID)
		for _, alias := range m.Aliases {
			if alias != m.ID {
				s.Models = append(s.Models, alias)
			}
		}
	}
	return s, nil
}

func (a api) decode(ctx context.Context, path string, into any) error {
	status, body, err := a.get(ctx, path)
	switch {
	case err != nil:
		return err
	case status == http.StatusUnauthorized || status == http.StatusForbidden:
		return fmt.Errorf("the server at %s refuses the API key (HTTP %d): name the environment variable that holds it with --api-key-env", a.base, status)
	case status != http.StatusOK || json.Unmarshal(body, into) != nil:
		return a.stranger(path)
	}
	return nil
}

// stranger is the error for a server of another kind.
func (a api) stranger(path string) error {
	return fmt.Errorf("what answers at %s is not a llama-server (its %s is not one's): for other servers give --engine openai", a.base, path)
}
