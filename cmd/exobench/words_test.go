package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"exobench"
	"exobench/internal/rawserver"
)

// What Go's libraries say never reaches a user as it is. The errors are real.
func TestWhatGoSaysIsWordedForPeople(t *testing.T) {
	t.Parallel()
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	late, cancel := context.WithTimeout(t.Context(), 0)
	defer cancel()
	var list struct {
		Data []struct {
			ID int `json:"id"`
		} `json:"data"`
	}
	unmarshal := func(text string) error { return json.Unmarshal([]byte(text), &list) }
	get := func(url string) error { _, err := http.Get(url); return err }
	broken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer broken.Close()
	go func() {
		for {
			c, err := broken.Accept()
			if err != nil {
				return
			}
			c.Close()
		}
	}()
	says := func(text string) string {
		return "http://" + rawserver.Start(t, func(c *net.TCPConn) {
			defer c.Close()
			_, _ = c.Read(make([]byte, 4096))
			_, _ = io.WriteString(c, text)
		})
	}
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed.Close()
	slow := &http.Client{Timeout: time.Nanosecond}
	_, timedOut := slow.Get("http://" + broken.Addr().String())
	_, noFile := os.Open("nowhere")

	for _, c := range []struct {
		name string
		err  error
		want string
	}{
		{"an interrupt", ended.Err(), "load it: interrupted"},
		{"a deadline", late.Err(), "load it: no answer in time"},
		{"a deadline of a file", os.ErrDeadlineExceeded, "load it: no answer in time"},
		{"an end", io.EOF, "load it: the connection was closed"},
		{"a sudden end", io.ErrUnexpectedEOF, "load it: the connection was closed"},
		{"a refusal", get("http://" + closed.Addr().String()), "load it: connection refused"},
		{"a client's deadline", timedOut, "load it: no answer in time"},
		{"a field of a wrong type", unmarshal(`{"data":[{"id":"x"}]}`), "load it: its data.id must not be of type string"},
		{"an answer of a wrong type", unmarshal(`[1]`), "load it: it must not be of type array"},
		{"a number too large", unmarshal(`{"data":[{"id":1e99}]}`), "load it: its data.id must not be of type number"},
		{"no JSON", unmarshal(`<html>`), "load it: it is no JSON"},
		{"half of an answer", unmarshal(`{"data":[`), "load it: its JSON is cut off"},
		{"a text of ours", errors.New("exo has no room; EOFs are none of its trouble"), "load it: exo has no room; EOFs are none of its trouble"},
		{"TLS where HTTP was due", get(says("\x15\x03\x01\x00\x02\x02\x46")), "load it: the server speaks TLS there: its address begins with https://"},
		{"HTTP where TLS was due", get(strings.Replace(says("HTTP/1.1 400 Bad Request\r\n\r\n"), "http", "https", 1)), "load it: the server speaks no TLS there: its address begins with http://"},
		{"no HTTP", get(says("220 mail ESMTP\r\n")), `load it: the answer is no HTTP: malformed HTTP status code "mail"`},
		{"a file", noFile, "load it: open nowhere: no such file or directory"},
	} {
		if got := plainly(fmt.Errorf("load it: %w", c.err).Error()); got != c.want {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
	if got := plainly(get("http://" + broken.Addr().String()).Error()); got != "the connection was closed" && got != "connection reset by peer" {
		t.Errorf("a server that closes: got %q", got)
	}
}

func TestEntriesAreWordedForPeopleToo(t *testing.T) {
	t.Parallel()
	step, note, end := &exobench.StepEnd{Error: "x: EOF"}, &exobench.Note{Text: "x: context canceled"}, &exobench.End{Error: "x: context deadline exceeded"}
	record, stage := &exobench.Record{Error: "EOF"}, &exobench.StageEvent{Detail: "waiting: EOF"}
	var texts []string
	for _, e := range []exobench.Entry{step, note, end, record, stage, &exobench.BlockEnd{}} {
		switch e := reword(e, nil).(type) {
		case *exobench.StepEnd:
			texts = append(texts, e.Error)
		case *exobench.Note:
			texts = append(texts, e.Text)
		case *exobench.End:
			texts = append(texts, e.Error)
		case *exobench.Record:
			texts = append(texts, e.Error)
		case *exobench.StageEvent:
			texts = append(texts, e.Detail)
		}
	}
	got := strings.Join(texts, "|")
	if want := "x: the connection was closed|x: interrupted|x: no answer in time|the connection was closed|waiting: the connection was closed"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestAPathCanBeTyped(t *testing.T) {
	for path, want := range map[string]string{
		"results/20260101T000000Z": "results/20260101T000000Z",
		"größe":                    "größe",
		"-o":                       "./-o",
		"my results":               "'my results'",
		"it's":                     `'it'\''s'`,
		"a;b":                      "'a;b'",
		"--a b":                    "'./--a b'",
	} {
		if got := typed(path); got != want {
			t.Errorf("%s is typed as %s, want %s", path, got, want)
		}
	}
}
