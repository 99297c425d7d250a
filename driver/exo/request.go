package exo

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"

	"exobench"
)

// ChatURL returns where the request goes: /bench, where exo bans the end of
// sequence and keeps no prefix cache, or /v1, where the model may stop by
// itself and the prefix cache is always on.
func (t *Target) ChatURL(request exobench.Request) string {
	if request.IgnoreEOS {
		return t.config.URL + "/bench/chat/completions"
	}
	return t.config.URL + "/v1/chat/completions"
}

// ChatBody returns the body of a streaming chat request.
func (t *Target) ChatBody(model exobench.Model, request exobench.Request) []byte {
	type message struct {
		Role    string `json:"role"`
		Content string `json:"content"`
	}
	body := struct {
		Model    string    `json:"model"`
		Messages []message `json:"messages"`
		Stream   bool      `json:"stream"`
		// Always sent: without it exo writes 32168 tokens on /bench.
		MaxTokens exobench.Tokens `json:"max_tokens"`
		// Sent although 0: absent means 0.7 to exo, or the model card's.
		Temperature    float64 `json:"temperature"`
		Seed           uint64  `json:"seed"`
		UsePrefixCache bool    `json:"use_prefix_cache,omitempty"`
	}{
		Model:          model.ID,
		Messages:       []message{{"user", request.Prompt.Text}},
		Stream:         true,
		MaxTokens:      request.MaxTokens,
		Seed:           request.Seed,
		UsePrefixCache: request.WarmCache,
	}
	var buffer bytes.Buffer
	encoder := json.NewEncoder(&buffer)
	encoder.SetEscapeHTML(false)
	// Strings and numbers always encode.
	_ = encoder.Encode(body)
	return bytes.TrimRight(buffer.Bytes(), "\n")
}

// Cancel stops a request that exo works on. One that has ended is no error.
func (t *Target) Cancel(ctx context.Context, commandID string) error {
	err := t.call(ctx, t.config.pace.call, http.MethodPost, "/v1/cancel"+pathOf(commandID), nil, nil)
	if err != nil && !missing(err) {
		return fmt.Errorf("cancel request %s: %w", commandID, err)
	}
	return nil
}
