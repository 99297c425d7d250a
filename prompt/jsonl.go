package prompt

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
)

// parseJSONL returns the prompt of each line.
func parseJSONL(text string) ([]entry, error) {
	var entries []entry
	n := 0
	for line := range strings.Lines(text) {
		n++
		if strings.TrimSpace(line) == "" {
			continue
		}
		e, err := parseObject(line)
		if err != nil {
			return nil, fmt.Errorf("line %d %w", n, err)
		}
		e.line = n
		entries = append(entries, e)
	}
	return entries, nil
}

// parseObject reads a line of JSON token by token, as encoding/json would pass
// over what is doubled or misspelt.
func parseObject(line string) (entry, error) {
	var e entry
	found := members{}
	d := json.NewDecoder(strings.NewReader(line))
	if open, err := d.Token(); err != nil || open != json.Delim('{') {
		return e, errNoObject
	}
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return e, errNoObject
		}
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return e, errNoObject
		}
		name, _ := key.(string)
		if err := found.add(name); err != nil {
			return e, err
		}
		switch name {
		case "id":
			e.id, err = jsonID(value)
		case "prompt":
			e.text, err = jsonText("prompt", value)
		}
		if err != nil {
			return e, err
		}
	}
	if _, err := d.Token(); err != nil {
		return e, errNoObject
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return e, errors.New("goes on after its object: each line must be one object")
	}
	return e, found.check()
}

var errNoObject = errors.New(`is no whole JSON object: each line must be one, such as {"prompt": "…"}`)

// jsonID returns an id as text. A number, true or false is what is written.
func jsonID(value json.RawMessage) (string, error) {
	switch value[0] {
	case '"':
		return jsonText("id", value)
	case '{', '[':
		return "", errors.New(`has an "id" that is no text or number`)
	case 'n':
		return "", nil
	}
	return string(value), nil
}

// jsonText returns a JSON text. encoding/json puts U+FFFD in the place of half
// a surrogate pair; a prompt that was changed in silence is none.
func jsonText(member string, value json.RawMessage) (string, error) {
	var text string
	if value[0] != '"' || json.Unmarshal(value, &text) != nil {
		return "", fmt.Errorf(`has a %q that is no text: put it in quotes`, member)
	}
	replaced := strings.Count(text, "\ufffd")
	written := bytes.Count(value, []byte("\ufffd")) + bytes.Count(bytes.ToLower(value), []byte(`\ufffd`))
	if replaced > written {
		return "", fmt.Errorf(`has a %q with half of a character (a lone \ud800 to \udfff)`, member)
	}
	return text, nil
}
