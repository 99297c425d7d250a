package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// The scripts are what a user types, and what must come of it.
func TestScripts(t *testing.T) {
	models := tinyModels(t)
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		// testscript's own folder stays where -run leaves a script out.
		WorkdirRoot: t.TempDir(),
		Setup: func(e *testscript.Env) error {
			e.Setenv("MODELS", models)
			e.Setenv("XDG_CACHE_HOME", e.WorkDir+"/cache")
			return nil
		},
	})
}

// inProcess runs a command line in this process.
func inProcess(t *testing.T, args ...string) outcome {
	t.Helper()
	var stdout, stderr bytes.Buffer
	env := environment{Stdin: strings.NewReader(""), Stdout: &stdout, Stderr: &stderr, Getenv: os.Getenv}
	code := execute(context.Background(), env, args)
	return outcome{code, stdout.String(), stderr.String()}
}

// example is a command line that a document or a help shows.
type example struct{ where, line string }

// examples returns every command line of exobench that the documents and the
// helps of the commands show.
func examples(t *testing.T) []example {
	var all []example
	for _, path := range []string{"../../README.md", "../../docs/benchmarking_methodology.md", "../../docs/models_for_testing.md", "../../docs/performance.md", "../../docs/ci.md"} {
		text := readFile(t, path)
		for _, block := range regexp.MustCompile("(?s)```sh\n(.*?)```").FindAllStringSubmatch(text, -1) {
			for line := range strings.Lines(block[1]) {
				all = append(all, example{path, line})
			}
		}
		for _, code := range regexp.MustCompile("`((?:bin/)?exobench [a-z]+[^`]*)`").FindAllStringSubmatch(text, -1) {
			all = append(all, example{path, code[1]})
		}
	}
	root := rootCommand(environment{Getenv: os.Getenv})
	var visit func(*cobra.Command)
	visit = func(c *cobra.Command) {
		for line := range strings.Lines(c.Example) {
			all = append(all, example{"the help of " + c.Name(), line})
		}
		for _, sub := range c.Commands() {
			visit(sub)
		}
	}
	visit(root)
	return all
}

// words splits a command line as a shell does, as far as the examples go: it
// ends at a comment, a redirection or a placeholder's ellipsis.
func words(line string) []string {
	var all []string
	for _, word := range regexp.MustCompile(`"[^"]*"|'[^']*'|\S+`).FindAllString(line, -1) {
		if strings.HasPrefix(word, "#") || strings.HasPrefix(word, ">") || word == "…" || word == ";" {
			break
		}
		all = append(all, strings.Trim(word, `"'`))
	}
	return all
}

func TestEveryExampleIsOneThatExobenchTakes(t *testing.T) {
	taken := 0
	for _, e := range examples(t) {
		args := words(strings.TrimSpace(e.line))
		if len(args) == 0 {
			continue
		}
		switch args[0] {
		case "./run_benchmark.sh":
			args[0] = "run"
		case "exobench", "bin/exobench":
			args = args[1:]
		default:
			continue
		}
		taken++
		if err := takes(args); err != nil {
			t.Errorf("%s shows %q: %v", e.where, strings.TrimSpace(e.line), err)
		}
	}
	if taken < 30 {
		t.Errorf("only %d examples were found", taken)
	}
}

// takes reports whether a command line parses, and, of exobench run, whether it
// makes a plan.
func takes(args []string) error {
	root := rootCommand(environment{Getenv: os.Getenv, Stdout: new(bytes.Buffer), Stderr: new(bytes.Buffer)})
	cmd, rest, err := root.Find(args)
	if err != nil {
		return err
	}
	if err := cmd.ParseFlags(rest); err != nil && !errors.Is(err, pflag.ErrHelp) {
		return err
	}
	if cmd.Args != nil && len(rest) > 0 {
		if err := cmd.Args(cmd, cmd.Flags().Args()); err != nil {
			return err
		}
	}
	return nil
}

func TestEveryExampleOfRunMakesAPlan(t *testing.T) {
	for _, e := range examples(t) {
		args := words(strings.TrimSpace(e.line))
		if len(args) == 0 || !(args[0] == "./run_benchmark.sh" || len(args) > 1 && strings.HasSuffix(args[0], "exobench") && args[1] == "run") {
			continue
		}
		flags := args[1:]
		if args[0] != "./run_benchmark.sh" {
			flags = args[2:]
		}
		if strings.Contains(e.line, "--help") || strings.Contains(e.line, "--plan") || strings.Contains(e.line, "--out") || strings.Contains(e.line, "--dry-run") || strings.Contains(e.line, "--resume") {
			continue // a help, a file of the user's, or a flag that is no part of a plan
		}
		if got := inProcess(t, append([]string{"plan"}, flags...)...); got.code != exitOK || !strings.Contains(got.stdout, "engines:") {
			t.Errorf("%s shows %q: %s", e.where, strings.TrimSpace(e.line), got.stderr)
		}
	}
}
