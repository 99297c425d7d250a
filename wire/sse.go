package wire

import (
	"bytes"
	"strings"
)

// The grammar of server-sent events, as the HTML standard has it: lines end with
// LF, CR or CRLF; a line is a field, a comment, or empty, which ends an event;
// several data fields of one event are joined by LF; one byte-order mark may
// come first. It is forgiving in one thing: a data field that is JSON by itself
// is an event, whether an empty line follows or not.

// field is what a line of an event stream holds.
type field int

// The fields that are told apart.
const (
	noField      field = iota // none that event streams have
	emptyLine                 // the end of an event
	dataField                 // the value is without white space around it
	eventField                // the name of the event
	errorField                // of older llama-servers; no field of the standard
	otherField                // id and retry
	commentField              // the value is the whole line
)

// fieldOf returns a line's field and its value.
func fieldOf(line []byte) (name field, value []byte) {
	if len(line) == 0 {
		return emptyLine, nil
	}
	before, after, found := bytes.Cut(line, colon)
	switch string(before) {
	case "data":
		return dataField, bytes.TrimSpace(after)
	case "":
		return commentField, line
	case "event":
		return eventField, bytes.TrimSpace(after)
	case "error":
		if found {
			return errorField, bytes.TrimSpace(after)
		}
	case "id", "retry":
		return otherField, nil
	}
	return noField, line
}

var (
	colon         = []byte(":")
	byteOrderMark = []byte("\xef\xbb\xbf")
)

// isPing reports whether an event's name or type is that of a mere sign of life.
func isPing(name []byte) bool {
	switch strings.ToLower(string(name)) {
	case "ping", "heartbeat", "keepalive", "keep-alive", "keep_alive":
		return true
	}
	return false
}

// lineCutter cuts text that comes in pieces into lines.
type lineCutter struct {
	// returned is whether the text so far ends with a CR, which a LF may follow.
	returned bool
}

// cut returns the text up to the first line end, and what is left; without a line
// end, all of the text is the start of a line.
func (c *lineCutter) cut(text []byte) (line, rest []byte, ended bool) {
	if c.returned && len(text) > 0 {
		text = bytes.TrimPrefix(text, newline)
		c.returned = false
	}
	i := bytes.IndexByte(text, '\n')
	head := text
	if i >= 0 {
		head = text[:i]
	}
	if j := bytes.IndexByte(head, '\r'); j >= 0 {
		c.returned = true
		return text[:j], text[j+1:], true
	}
	if i < 0 {
		return text, nil, false
	}
	return head, text[i+1:], true
}
