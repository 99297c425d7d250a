package main

import (
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"exobench"
)

func TestArgumentsThatMayBeSecretAreFound(t *testing.T) {
	for _, c := range []struct {
		args []string
		want map[int]int
	}{
		{[]string{"exobench", "run", "--model", "m"}, map[int]int{}},
		{[]string{"exobench", "run", "--header", "X-Key: abc", "--model", "m"}, map[int]int{3: 6}},
		{[]string{"exobench", "run", "--header=X-Key: abc"}, map[int]int{2: 15}},
		{[]string{"exobench", "run", "--header", "X-Key: $KEY", "--header", "Authorization: Bearer $KEY"}, map[int]int{}},
		{[]string{"exobench", "run", "--header", "X-Key: $not a name"}, map[int]int{3: 6}},
		{[]string{"exobench", "run", "--header", "no colon"}, map[int]int{3: 0}},
		{[]string{"exobench", "run", "--url", "http://host:1", "--url=exo=http://u:p@host"}, map[int]int{4: 6}},
		{[]string{"exobench", "run", "--url", "http://host/?sig=1"}, map[int]int{3: 0}},
		{[]string{"exobench", "engine", "--token", "abc", "--token=$T"}, map[int]int{3: 0}},
		{[]string{"exobench", "run", "--header"}, map[int]int{}},
		{[]string{"exobench", "run", "--ab", "a=--url http://u:p@host --quant q8_0", "b=--url http://host", "--ab=c=--url=http://host/?sig=1"}, map[int]int{3: 7, 5: 12}},
	} {
		if got := secretArguments(c.args); !maps.Equal(got, c.want) {
			t.Errorf("%q: %v, want %v", c.args, got, c.want)
		}
	}
}

func TestArgumentsThatLieElsewhereAreLeftAlone(t *testing.T) {
	args := []string{"exobench", "run", "--header", "X-Key: abc"}
	if got := withoutSecrets(args); !slices.Equal(got, args) || args[3] != "X-Key: abc" {
		t.Errorf("%q of %q", got, args)
	}
}

func TestAHeaderFromTheEnvironment(t *testing.T) {
	getenv := func(name string) string { return map[string]string{"TOKEN": "abc"}[name] }
	for line, want := range map[string]string{
		"X-Key: $TOKEN": "abc", "Authorization: Bearer $TOKEN": "Bearer abc", "X-Key: a$TOKEN": "a$TOKEN", "X-Key: Bearer abc": "Bearer abc",
		"X-Key: $NONE": "the environment variable NONE is not set", "X-Key: Bearer $NONE": "the environment variable NONE is not set",
		"X-Key: $ecret-1": "is no name of an environment variable",
	} {
		name, value, variable, err := parseHeader(line)
		var header http.Header
		if err == nil {
			header, err = headerOf(exobench.EngineSpec{Headers: map[string]string{name: variable}}, map[string]string{name: value}, getenv)
		}
		got := header.Get(name)
		if err != nil {
			got = err.Error()
		}
		if err == nil && got != want || !strings.Contains(got, want) || strings.Contains(got, "ecret-1") {
			t.Errorf("%q is %q, want %q", line, got, want)
		}
	}
}
