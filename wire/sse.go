package wire

import "bytes"

// The grammar of server-sent events.

// field is what a line of an event stream holds.
type field int

// The fields that are read.
const (
	noField field = iota // another, an empty line, or no event stream at all
	dataField
	commentField // the value is the whole line
)

var dataPrefix = []byte("data:")

// fieldOf returns a line's field and its value.
func fieldOf(line []byte) (name field, value []byte) {
	switch {
	case bytes.HasPrefix(line, dataPrefix):
		return dataField, bytes.TrimSpace(line[len(dataPrefix):])
	case len(line) > 0 && line[0] == ':':
		return commentField, line
	}
	return noField, line
}
