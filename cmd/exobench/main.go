// Exobench benchmarks LLM models served on a node by exo, llama.cpp, Ollama, or
// any other engine with an OpenAI-compatible API.
//
//	exobench run        measure: the main job
//	exobench plan       print a plan file, of flags or of a run
//	exobench detect     which engines answer here, and what can be measured
//	exobench models     the catalogue on each engine
//	exobench report     make every report of a result folder again
//	exobench compare    what changed between runs, and how sure that is
//	exobench history    when figures changed over many runs, and what else did
//	exobench sharpness  how small a slowdown comparisons on this machine find
//	exobench clean      take away what a killed run left on an engine
//	exobench engine     serve the embedded engine
//	exobench calibrate  the harness's own error on this machine
//	exobench reference  serve the timing reference
//	exobench version    what the program is made of
//	exobench synth      write a GGUF file with random weights
//
// See exobench help, or README.md.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"exobench/driver"
	"exobench/machine"
	"exobench/secret"

	"github.com/spf13/cobra"
)

func main() {
	machine.AdaptProcs()
	env := environment{
		Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr, Getenv: os.Getenv,
		speaker: &speaker{stderr: os.Stderr},
	}
	// A reader of our output that goes away (exobench run | head) is an error of
	// a write, and no reason to die in mid-run.
	// A file that grows too large is one too (ulimit -f), as a full disk is.
	signal.Ignore(syscall.SIGPIPE, syscall.SIGXFSZ)
	ctx, stop := interruptible(context.Background(), env.speaker)
	os.Args = withoutSecrets(os.Args)
	code := execute(ctx, env, os.Args[1:])
	stop()
	os.Exit(code)
}

// environment is what the commands see of the process.
type environment struct {
	Stdin          io.Reader
	Stdout, Stderr io.Writer
	Getenv         func(string) string
	*speaker
	// secrets are what is shown and stored nowhere.
	secrets *secret.Set
}

// execute runs one command line and returns its exit code.
func execute(ctx context.Context, env environment, args []string) int {
	env.secrets = new(secret.Set)
	root := rootCommand(env)
	help := &firstFailure{w: env.Stdout}
	root.SetOut(help)
	root.SetArgs(args)
	ctx, panicked := endOnPanic(ctx, env, patience(root, args))
	err := executeRoot(ctx, root)
	if err == nil {
		err = help.err
	}
	if p := panicked(); p != nil && !isPanic(err) {
		err = p
	}
	err = withStack(err, "", env.secrets)
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		fmt.Fprintln(env.Stderr, "exobench: "+interrupted(root, args))
		return exitInterrupted
	}
	return exitCode(env, err)
}

// executeRoot runs the command. A panic is an error like another: what the command
// deferred has stopped what it had started.
func executeRoot(ctx context.Context, root *cobra.Command) (err error) {
	defer rescue(&err)
	return root.ExecuteContext(ctx)
}

// firstFailure remembers the first error of a writer, which who prints help does
// not look at.
type firstFailure struct {
	w   io.Writer
	err error
}

func (f *firstFailure) Write(p []byte) (int, error) {
	n, err := f.w.Write(p)
	if f.err == nil {
		f.err = err
	}
	return n, err
}

// patience is how long a command may take to end after a panic.
func patience(root *cobra.Command, args []string) time.Duration {
	if cmd, _, err := root.Find(args); err == nil && slices.Contains([]string{"run", "clean", "calibrate"}, cmd.Name()) {
		return releaseTime
	}
	return endTime
}

// interrupted says what became of a command line that was interrupted and left
// nothing to show.
func interrupted(root *cobra.Command, args []string) string {
	cmd, _, err := root.Find(args)
	switch {
	case err == nil && cmd.Name() == "run":
		return "interrupted before anything was measured"
	case err == nil && cmd.Name() == "report":
		return "interrupted: the journal is as it was, and so are reports that are not made again yet"
	}
	return "interrupted"
}

// rootCommand returns exobench with all its commands.
func rootCommand(env environment) *cobra.Command {
	root := &cobra.Command{
		Use:           "exobench",
		Short:         "Benchmark LLM models on one node: exo, llama.cpp, Ollama, any OpenAI-compatible engine",
		Long:          "exobench measures latency, tokens per second and memory of LLM models that exo, llama.cpp, Ollama or\nany engine with an OpenAI-compatible API serves on this node, and says how far to trust the numbers.",
		Version:       version(),
		Args:          knownCommand,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.AddCommand(runCommand(env), planCommand(env), reportCommand(env), compareCommand(env), historyCommand(env), sharpnessCommand(env), detectCommand(env), modelsCommand(env), engineCommand(env), cleanCommand(env), synthCommand(env), referenceCommand(env), calibrateCommand(env), versionCommand(env), bareClientCommand(env))
	root.SetOut(env.Stdout)
	root.SetErr(env.Stderr)
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return driver.UsageError{Err: err} })
	root.SuggestionsMinimumDistance = 2
	root.CompletionOptions.HiddenDefaultCmd = true
	return root
}

// knownCommand refuses the name of a command that is none.
func knownCommand(root *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	hint := "exobench help lists the commands"
	if near := root.SuggestionsFor(args[0]); len(near) > 0 {
		hint = "did you mean " + strings.Join(near, " or ") + "?"
	}
	return driver.UsageError{Err: fmt.Errorf("there is no command %q: %s", args[0], hint)}
}

// noArgs is cobra.NoArgs with an error of usage.
func noArgs(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return driver.UsageError{Err: fmt.Errorf("%s takes no argument, but got %q", cmd.Name(), args[0])}
	}
	return nil
}

// The exit codes of exobench.
const (
	exitOK          = 0
	exitFailed      = 1   // something could not be measured or written
	exitUsage       = 2   // the command line or a file it names is wrong
	exitBeyond      = 3   // a change is beyond a limit of --fail-on
	exitInterrupted = 130 // by a signal; the reports are made all the same
)

// exitError ends the program with its code; what was wrong has been shown.
type exitError int

func (e exitError) Error() string { return fmt.Sprintf("exit code %d", int(e)) }

// exitCode prints the error, if any, and returns its exit code.
func exitCode(env environment, err error) int {
	if err == nil {
		return exitOK
	}
	var silent exitError
	if errors.As(err, &silent) {
		return int(silent)
	}
	fmt.Fprintf(env.Stderr, "exobench: %s\n", strings.ReplaceAll(env.shown(err.Error()), "\n", "\nexobench: "))
	var usage driver.UsageError
	if errors.As(err, &usage) {
		return exitUsage
	}
	return exitFailed
}
