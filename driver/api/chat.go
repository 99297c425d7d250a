package api

import (
	"bytes"
	"encoding/json"
)

// Chat is what all chat requests begin with; a driver embeds it in a struct of
// its own with what its engine takes besides.
type Chat struct {
	Model    string    `json:"model"`
	Messages []Message `json:"messages"`
	Stream   bool      `json:"stream"`
}

// Message is one message of a chat.
type Message struct {
	Role    string `json:"role"`
	Content string `json:"content"`
}

// Ask returns a chat of one prompt whose answer is streamed.
func Ask(model, prompt string) Chat {
	return Chat{Model: model, Messages: []Message{{Role: "user", Content: prompt}}, Stream: true}
}

// Encode writes a body of plain values as JSON, with <, > and & as they are.
// It panics on what JSON cannot say.
func Encode(body any) []byte {
	var buffer bytes.Buffer
	encoder := json.NewEncoder(&buffer)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(body); err != nil {
		panic("api: a request body of plain values cannot fail to encode: " + err.Error())
	}
	return bytes.TrimSuffix(buffer.Bytes(), []byte("\n"))
}
