package main

import (
	"regexp"

	"exobench"
)

// rawTexts are what Go's libraries say where no package of ours found words of
// its own, and what it means.
var rawTexts = []struct {
	raw   *regexp.Regexp
	plain string
}{
	{regexp.MustCompile(`json: cannot unmarshal (\w+)(?: \S+)? into Go struct field [^. ]*\.(\S+) of type (?:struct \{.*\}|\S+)`), "its $2 must not be of type $1"},
	{regexp.MustCompile(`json: cannot unmarshal (\w+)(?: \S+)? into Go value of type (?:struct \{.*\}|\S+)`), "it must not be of type $1"},
	{regexp.MustCompile(`invalid character .* (?:looking for beginning of|after|in) [^;]*`), "it is no JSON"},
	{regexp.MustCompile(`unexpected end of JSON input`), "its JSON is cut off"},
	{regexp.MustCompile(`context deadline exceeded(?: \(Client\.Timeout [^)]*\))?|i/o timeout`), "no answer in time"},
	{regexp.MustCompile(`context canceled`), "interrupted"},
	{regexp.MustCompile(`\b(?:dial|read|write) (?:tcp|udp|unix)[46]? [^ ]+: (?:connect: |read: |write: )?`), ""},
	{regexp.MustCompile(`(?:Get|Post|Put|Delete|Head) "[^"]*": `), ""},
	{regexp.MustCompile(`(^|: )(?:unexpected )?EOF\b`), "${1}the connection was closed"},
	{regexp.MustCompile(`signal: (\w+)`), "ended by the signal $1"},
}

// plainly words a text for people that may hold what Go's libraries say of
// themselves: names of their types and functions mean nothing to a user. It is
// where every error passes on its way to a terminal or a journal.
func plainly(text string) string {
	for _, t := range rawTexts {
		text = t.raw.ReplaceAllString(text, t.plain)
	}
	return text
}

// reword words what an entry says of errors for people.
func reword(entry exobench.Entry) {
	switch e := entry.(type) {
	case *exobench.Record:
		if e.Error != "" {
			e.Error = plainly(e.Error)
		}
	case *exobench.StepEnd:
		e.Error = plainly(e.Error)
	case *exobench.End:
		e.Error = plainly(e.Error)
	case *exobench.Note:
		e.Text = plainly(e.Text)
	case *exobench.StageEvent:
		e.Detail = plainly(e.Detail)
	}
}
