package main

import (
	"os"
	"regexp"
	"strings"
	"sync"
	"unicode"

	"exobench"
	"exobench/secret"
)

// rawTexts are what Go's libraries say where no package of ours found words of
// its own, and what it means.
var rawTexts = []struct {
	raw   *regexp.Regexp
	plain string
}{
	{regexp.MustCompile(`json: cannot unmarshal (\w+)(?: \S+)? into Go struct field [^. ]*\.(\S+) of type (?:struct \{.*\}|\S+)`), "its $2 must not be of type $1"},
	{regexp.MustCompile(`json: cannot unmarshal (\w+)(?: \S+)? into Go value of type (?:struct \{.*\}|\S+)`), "it must not be of type $1"},
	{regexp.MustCompile(`(?:net/http: HTTP/1\.x transport connection broken: )?malformed HTTP response "\\x1[56]\\x03[^"]*"`), "the server speaks TLS there: its address begins with https://"},
	{regexp.MustCompile(`net/http: HTTP/1\.x transport connection broken: `), "the answer is no HTTP: "},
	{regexp.MustCompile(`http: server gave HTTP response to HTTPS client`), "the server speaks no TLS there: its address begins with http://"},
	{regexp.MustCompile(`invalid character .* (?:looking for beginning of|after|in) [^;]*`), "it is no JSON"},
	{regexp.MustCompile(`unexpected end of JSON input`), "its JSON is cut off"},
	{regexp.MustCompile(`context deadline exceeded(?: \(Client\.Timeout [^)]*\))?|i/o timeout`), "no answer in time"},
	{regexp.MustCompile(`context canceled`), "interrupted"},
	{regexp.MustCompile(`\b(?:dial|read|write) (?:tcp|udp|unix)[46]? [^ ]+: (?:connect: |read: |write: )?`), ""},
	{regexp.MustCompile(`(?:Get|Post|Put|Delete|Head) "[^"]*": `), ""},
	{regexp.MustCompile(`^write /dev/stdout: `), "the output could not be printed in full: "},
	{regexp.MustCompile(`(^|: )(?:unexpected )?EOF\b`), "${1}the connection was closed"},
	{regexp.MustCompile(`signal: (\w+)`), "ended by the signal $1"},
}

// longestText is how many bytes of a text are worth a reader's time, and ours.
const longestText = 64 << 10

// plainly words a text for people that may hold what Go's libraries say of
// themselves: names of their types and functions mean nothing to a user. It is
// where every error passes on its way to a terminal or a journal.
func plainly(text string) string {
	if len(text) > longestText {
		text = strings.ToValidUTF8(text[:longestText], "") + "…"
	}
	for _, t := range rawTexts {
		text = t.raw.ReplaceAllString(text, t.plain)
	}
	return text
}

// shown makes a text fit for a terminal, whoever wrote it: worded for people,
// without secrets, and with nothing that a terminal would obey.
func (env environment) shown(text string) string {
	return tame(env.secrets.Hide(plainly(text)))
}

// typed writes a path as it can be typed into a shell, after a command's name.
func typed(path string) string {
	if strings.HasPrefix(path, "-") {
		path = "./" + path // not a flag
	}
	if plainWord().MatchString(path) {
		return path
	}
	return "'" + strings.ReplaceAll(path, "'", `'\''`) + "'"
}

var plainWord = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[\p{L}\p{N}_./:@%+=,-]+$`) })

// forTable makes a text of an engine's fit for a cell of a table on a terminal.
func forTable(text string) string { return strings.Join(strings.Fields(tame(text)), " ") }

// The most letters of one word of a text on a terminal, and of one that may be a
// path of this machine: some servers' ids have no end.
const (
	longestWord = 200
	longestPath = 4096
)

// tame takes out of a text what a terminal would obey: control characters, C1
// among them, and marks that turn the direction of writing. Words without end
// are cut. Ends of lines stay.
func tame(text string) string {
	text = strings.Map(func(r rune) rune {
		switch {
		case r == '\n':
			return r
		case r == '\t':
			return ' '
		case unicode.IsControl(r), unicode.Is(unicode.Bidi_Control, r), r == '\u2028', r == '\u2029', r == '\ufeff':
			return '\ufffd'
		}
		return r
	}, strings.ToValidUTF8(text, "\ufffd"))
	return longWord().ReplaceAllStringFunc(text, func(word string) string {
		most, letters := longestWord, []rune(word)
		if strings.ContainsRune(word, os.PathSeparator) {
			most = longestPath
		}
		if len(letters) <= most {
			return word
		}
		return string(letters[:most]) + "…"
	})
}

var longWord = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`\S{200}\S+`) })

// reword words what an entry says of errors for people, and hides secrets in
// what it has from an engine. Only a record is changed in place: of other
// entries a run may use the texts, so that they are copied.
func reword(entry exobench.Entry, secrets *secret.Set) exobench.Entry {
	fit := func(text string) string { return secrets.Hide(plainly(text)) }
	switch e := entry.(type) {
	case *exobench.Record:
		if e.Error != "" {
			e.Error = fit(e.Error)
		}
		e.FinishReason, e.ServerID, e.ServerModel = secrets.Hide(e.FinishReason), secrets.Hide(e.ServerID), secrets.Hide(e.ServerModel)
		for i := range e.Doubts {
			e.Doubts[i].Text = secrets.Hide(e.Doubts[i].Text)
		}
	case *exobench.StepEnd:
		return new(secret.Map(*e, fit))
	case *exobench.End:
		return new(secret.Map(*e, fit))
	case *exobench.Note:
		return new(secret.Map(*e, fit))
	case *exobench.StageEvent:
		return new(secret.Map(*e, fit))
	case *exobench.Step:
		return new(secret.Map(*e, secrets.Hide))
	case *exobench.Cell:
		return new(secret.Map(*e, secrets.Hide))
	case *exobench.Sample:
		if e.Of != "" {
			e.Of = secrets.Hide(e.Of)
		}
	}
	return entry
}
