package embedded

import (
	"encoding/json"
	"errors"
	"strings"
)

// Defaults of a request that does not say, as in exo.
const (
	defaultTemperature = 0.7
	defaultSeed        = 42
	defaultMaxTokens   = 32168
)

// chat is a completion request: the fields that have an effect. Others are
// ignored.
type chat struct {
	Model       string      `json:"model"`
	Messages    []message   `json:"messages"`
	Stream      bool        `json:"stream"`
	MaxTokens   int         `json:"max_tokens"` // below 1: the default
	Temperature *float64    `json:"temperature"`
	Seed        *int64      `json:"seed"`
	Stop        stopStrings `json:"stop"`

	bench bool // asked for under /bench
}

func (c *chat) validate() error {
	switch {
	case c.Model == "":
		return errors.New("the request names no model")
	case len(c.Messages) == 0:
		return errors.New("the request has no messages")
	}
	return nil
}

type message struct {
	Role    string  `json:"role"`
	Content content `json:"content"`
}

// content is the text of a message: a string, the texts of a list of parts, or
// nothing.
type content string

func (c *content) UnmarshalJSON(data []byte) error {
	var parts []struct {
		Text string `json:"text"`
	}
	if len(data) > 0 && data[0] == '[' {
		if err := json.Unmarshal(data, &parts); err != nil {
			return err
		}
		var texts []string
		for _, p := range parts {
			if p.Text != "" {
				texts = append(texts, p.Text)
			}
		}
		*c = content(strings.Join(texts, "\n"))
		return nil
	}
	return json.Unmarshal(data, (*string)(c))
}

// stopStrings is a string or a list of them.
type stopStrings []string

func (s *stopStrings) UnmarshalJSON(data []byte) error {
	if len(data) > 0 && data[0] == '"' {
		*s = make(stopStrings, 1)
		return json.Unmarshal(data, &(*s)[0])
	}
	return json.Unmarshal(data, (*[]string)(s))
}
