package child

import (
	"bytes"
	"strings"
	"sync"
)

// outputLimit is how much of a program's output is kept.
const outputLimit = 64 << 10

// output keeps the last of what a program writes.
type output struct {
	mu   sync.Mutex
	text []byte
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.text = append(o.text, p...)
	if over := len(o.text) - outputLimit; over > 0 {
		o.text = append(o.text[:0], o.text[over:]...)
	}
	return len(p), nil
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return string(o.text)
}

// quoted is how much of the output a message quotes.
const quoted = 400

// quote returns the last of the output on one line.
func (o *output) quote() string {
	text := strings.Join(strings.Fields(o.String()), " ")
	if text == "" {
		return "it said nothing"
	}
	return strings.ToValidUTF8(text[max(0, len(text)-quoted):], "")
}

// announcement finds the line that begins with ReadyPrefix in what is written
// to it, and sends the rest of that line to the channel, which must have room
// for it.
type announcement struct {
	line  []byte
	found chan<- string
}

func (a *announcement) Write(p []byte) (int, error) {
	for rest := p; a.found != nil && len(rest) > 0; {
		part, after, whole := bytes.Cut(rest, []byte("\n"))
		a.line, rest = append(a.line, part...), after
		if !whole {
			break
		}
		if url, ok := strings.CutPrefix(strings.TrimSpace(string(a.line)), ReadyPrefix); ok {
			a.found <- url
			a.found = nil
		}
		a.line = a.line[:0]
	}
	return len(p), nil
}
