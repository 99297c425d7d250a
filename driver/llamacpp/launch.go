package llamacpp

import (
	"cmp"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"exobench"
	"exobench/wire"
)

// Config says which server is measured. Either URL or ModelPath is set.
type Config struct {
	// URL is a running server's base, with or without the /v1 at its end.
	URL string
	// APIKey, where not empty, is sent to the server at URL as a bearer token.
	APIKey string
	// Insecure accepts any TLS certificate when asking the server at URL about
	// itself; what the wire client accepts is its own setting.
	Insecure bool

	// ModelPath is the GGUF file for which a server is started.
	ModelPath string
	// ServerPath is the program; where empty it is llama-server in the folder
	// that the environment variable EXOBENCH_LLAMA_BIN names, or in PATH.
	ServerPath string
	// Args are more arguments for the program. They win over the ones that
	// Context, Slots and the number of cores give.
	Args []string
	// Context is the tokens of context that all slots share; 0 means
	// DefaultContext for each slot.
	Context exobench.Tokens
	// WarmCache leaves a started server's prompt cache in main memory on. It
	// goes with requests that have WarmCache set.
	WarmCache bool

	// Slots is how many requests the plan has under way at once, at most; 0
	// means 1. A server that is started gets as many slots.
	Slots int
	// Wire sends the chat completions; nil is enough where none are sent.
	Wire *wire.Client
	// Timeout and Idle bound a request, as in wire.Call.
	Timeout, Idle time.Duration
}

// DefaultContext is the tokens of context of one slot of a started server.
const DefaultContext exobench.Tokens = 4096

// BinVariable is the environment variable that names the folder of llama.cpp's
// programs.
const BinVariable = "EXOBENCH_LLAMA_BIN"

// decided are the arguments of llama-server that are not the user's to give.
var decided = []string{
	"-m", "--model", "--host", "--port", "--reuse-port",
	"--api-key", "--api-key-file", "--api-prefix", "--ssl-key-file", "--ssl-cert-file",
}

// withheld are the variables of the environment by which a started server would
// answer otherwise than exobench asks.
var withheld = []string{
	"LLAMA_API_KEY", "LLAMA_ARG_API_KEY_FILE", "LLAMA_ARG_API_PREFIX", "LLAMA_ARG_SSL_KEY_FILE", "LLAMA_ARG_SSL_CERT_FILE",
	"LLAMA_ARG_HOST", "LLAMA_ARG_PORT", "LLAMA_ARG_REUSE_PORT", "LLAMA_ARG_MODEL",
}

// Validate reports everything that is wrong with the configuration.
func (c Config) Validate() error {
	var problems []error
	check := func(ok bool, format string, args ...any) {
		if !ok {
			problems = append(problems, fmt.Errorf(format, args...))
		}
	}
	check(c.Slots >= 0, "the number of requests at once is %d: it must not be negative", c.Slots)
	check(c.Context >= 0, "the context is %d tokens: it must not be negative", c.Context)
	switch {
	case c.URL != "" && c.ModelPath != "":
		check(false, "both the URL of a running llama-server and a GGUF file to start one with are given: give one of them")
	case c.URL != "":
		_, err := baseURL(c.URL)
		check(err == nil, "%w", err)
		check(c.ServerPath == "" && len(c.Args) == 0 && c.Context == 0,
			"a program, arguments or a context go with a llama-server that exobench starts, not with the one that runs at %s", c.URL)
	case c.ModelPath != "":
		check(c.APIKey == "", "an API key goes with a llama-server that runs already; one that exobench starts has none")
		for _, arg := range c.Args {
			name, _, _ := strings.Cut(arg, "=")
			check(!slices.Contains(decided, name), "the argument %s is exobench's to give to llama-server: leave it out", name)
		}
	default:
		check(false, "give the URL of a running llama-server, or a GGUF file to start one with")
	}
	return errors.Join(problems...)
}

func (c Config) starts() bool { return c.ModelPath != "" }

func (c Config) slots() int { return max(c.Slots, 1) }

// arguments are those of a server that listens at the port.
func (c Config) arguments(port int) []string {
	args := []string{"-m", c.ModelPath, "--host", "127.0.0.1", "--port", strconv.Itoa(port)}
	unless := func(names []string, value int) {
		if !slices.ContainsFunc(names, func(name string) bool { return slices.Contains(c.Args, name) }) {
			args = append(args, names[0], strconv.Itoa(value))
		}
	}
	unless([]string{"-c", "--ctx-size"}, int(cmp.Or(c.Context, DefaultContext*exobench.Tokens(c.slots()))))
	unless([]string{"-np", "--parallel"}, c.slots())
	unless([]string{"-t", "--threads"}, threads())
	return append(args, c.Args...)
}

// threads leaves one core to exobench and everybody else: llama.cpp's threads
// wait for each other at every operator, spinning, so that one that is kept from
// running holds up all.
func threads() int { return max(min(runtime.NumCPU(), runtime.GOMAXPROCS(0))-1, 1) }

// cacheVariable bounds the prompt cache in main memory, in MiB. Servers that
// have none of it ignore the variable, where they would refuse the argument.
const cacheVariable = "LLAMA_ARG_CACHE_RAM"

// environment is a started server's.
func (c Config) environment() []string {
	env := slices.DeleteFunc(os.Environ(), func(entry string) bool {
		name, _, _ := strings.Cut(entry, "=")
		return slices.Contains(withheld, name)
	})
	if _, given := os.LookupEnv(cacheVariable); !given && !c.WarmCache {
		env = append(env, cacheVariable+"=0")
	}
	return env
}

// modelName is the GGUF file's name without folder and ending.
func modelName(path string) string {
	name := filepath.Base(path)
	if ending := filepath.Ext(name); strings.EqualFold(ending, ".gguf") {
		name = strings.TrimSuffix(name, ending)
	}
	return name
}

// baseURL is the server's URL without the /v1 at its end.
func baseURL(raw string) (string, error) {
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return "", fmt.Errorf("%q is no URL of a server: give one such as http://127.0.0.1:8080", raw)
	}
	return strings.TrimRight(strings.TrimSuffix(strings.TrimRight(u.String(), "/"), "/v1"), "/"), nil
}
