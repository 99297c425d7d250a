package wire

import "exobench"

// Dialect is the way in which a kind of server streams its answers: a small
// value that says what to read, and how, in a file of its own (dialect_*.go).
// What holds for all of them is in done.go, usage.go and fault.go; what they
// have in common with another, they take from there.
type Dialect interface {
	// Accept returns the media type that a request asks for.
	Accept() string
	// Ends names what a whole answer ends with, for the text of an error.
	Ends() string
	// lineEnds returns how many line ends an event has: 1 or 2.
	lineEnds() int
	// look looks at a line as it comes in, long before it is read: whether it is
	// a sign of life, and whether it ends the stream.
	look(l *lookout, line []byte) (alive, over bool)
	// read begins to read an answer into the stream.
	read(into *stream) reader
}

// reader reads one answer: it tells its stream what each line brings, and keeps
// what only its dialect knows.
type reader interface {
	// line takes the next line, without its ending, and the instant of its last
	// byte; one that was cut off is not whole. The line is valid until it returns.
	line(line []byte, at exobench.Instant, whole bool)
	// end comes after the last line: the reader adds the server's own figures to
	// the record.
	end()
}

// dialect returns that of the call.
func (c *Call) dialect() Dialect {
	if c.Dialect == nil {
		return OpenAI{}
	}
	return c.Dialect
}
