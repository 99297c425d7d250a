// Package faults is what servers do that they should not, as data: one table of
// behaviours with what exobench must make of each, and a server that behaves so
// on a real socket. Tests of the client and of whole runs take it from here, and
// so do docs/faults.md and the soak test.
package faults

import (
	"strings"
	"time"

	"exobench"
)

// Row is one way of a server.
type Row struct {
	// Kind is what it is a case of, and Server what the server does to a chat.
	Kind, Server string
	Outcome      exobench.Outcome
	// Says is a part of the sentence in the record; empty for an answer that is OK.
	Says string
	// MaxTokens is what is asked for; 0 is 4. Timeout and Idle bound the request
	// where not 0; no row takes long without them.
	MaxTokens     int
	Timeout, Idle time.Duration
	// Whole is whether the tests do a whole run with it.
	Whole bool
	// Away is whether the server is away for a moment afterwards, so that requests
	// are refused.
	Away bool

	serve func(c *Conn)
}

// Exit returns the exit code of a run in which some requests meet the fault.
func (r *Row) Exit() int {
	if r.Outcome == exobench.OK {
		return 0
	}
	return 1
}

// Asked returns how many tokens a request is to ask for.
func (r *Row) Asked() int { return max(4, r.MaxTokens) }

// Texts of a stream.
const (
	role   = `data: {"id":"1","object":"chat.completion.chunk","model":"m","choices":[{"index":0,"delta":{"role":"assistant","content":""}}]}` + "\n\n"
	word   = `data: {"id":"1","object":"chat.completion.chunk","model":"m","choices":[{"index":0,"delta":{"content":" word"}}]}` + "\n\n"
	finish = `data: {"id":"1","object":"chat.completion.chunk","model":"m","choices":[{"index":0,"delta":{},"finish_reason":"length"}]}` + "\n\n"
	usage  = `data: {"id":"1","object":"chat.completion.chunk","model":"m","choices":[],"usage":{"prompt_tokens":7,"completion_tokens":4}}` + "\n\n"
	done   = "data: [DONE]\n\n"
)

// Good is a stream that is as it should be, by its parts.
var Good = []string{role, word, word, word, word, finish, usage, done}

const (
	movedPath = "/moved"
	// quiet is the idle time-out of rows in which nothing comes.
	quiet = 300 * time.Millisecond
)

// said is what a server says that is hostile to readers of reports.
const said = "\x1b]0;owned\x07<script>alert(1)</script>\u202e\nforged | line"

func begun(then func(c *Conn)) func(c *Conn) {
	return func(c *Conn) {
		c.begin()
		c.chunk(role + word)
		then(c)
	}
}

// whole answers with a stream of the parts.
func whole(parts ...string) func(c *Conn) {
	return func(c *Conn) { c.stream(parts...) }
}

// raw answers with text as it is and closes.
func raw(text string) func(c *Conn) { return func(c *Conn) { c.send(text) } }

// refusal answers with an error.
func refusal(status int, body string, head ...string) func(c *Conn) {
	return func(c *Conn) { c.answer(status, "application/json", body, head...) }
}

// endless answers with a text again and again.
func endless(text string) func(c *Conn) {
	return func(c *Conn) {
		c.begin()
		c.forever(strings.Repeat(text, max(1, 60_000/len(text))), 0)
	}
}
