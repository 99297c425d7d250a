package llamacpp

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"exobench"
)

// launch says how servers are started.
type launch struct {
	program string
	// args are the user's, which win over the ones below.
	args []string
	// slots is how many requests a server answers at once, and context the
	// tokens of context of each.
	slots   int
	context exobench.Tokens
	// warmCache leaves the prompt cache in main memory on.
	warmCache bool
	// without are the fields that requests leave out.
	without []string
}

const (
	// mostSlots bounds the slots of a server that is started: each takes memory.
	mostSlots = 64
	// slotContext is the context of a slot, and mostContext that of all slots
	// together, where the plan needs no more.
	slotContext exobench.Tokens = 4096
	mostContext                 = 8 * slotContext
	// templateTokens are for what a model's template puts around a prompt.
	templateTokens exobench.Tokens = 256
	// contextStep is what the context of a slot is a multiple of: llama.cpp
	// rounds it so.
	contextStep exobench.Tokens = 256
)

// newLaunch returns how servers are started for the plan.
func newLaunch(program string, args []string, p exobench.Plan) launch {
	l := launch{program: program, args: args, slots: slots(p), warmCache: p.Workload.Cache == exobench.WarmCache}
	if text, given := l.given("-np", "--parallel"); given {
		l.slots, _ = strconv.Atoi(text) // what is no number is llama-server's to refuse
	}
	l.context = max(contextNeeded(p), min(slotContext, mostContext/exobench.Tokens(max(l.slots, 1))/contextStep*contextStep))
	return l
}

// slots returns how many slots a server has for the plan: as many as it may have
// requests under way, so that none waits in the server.
func slots(p exobench.Plan) int {
	n := p.MostUnderWay()
	if n == 0 && len(p.Traffic) > 0 {
		return mostSlots
	}
	return max(1, min(n, mostSlots))
}

// contextNeeded returns what context holds the plan's longest prompt and its
// answer. No tokenizer makes more tokens of a text than it has bytes.
func contextNeeded(p exobench.Plan) exobench.Tokens {
	longest := 0
	for _, prompt := range p.Workload.Prompts {
		longest = max(longest, len(prompt.Text))
	}
	need := exobench.Tokens(longest) + templateTokens + p.Workload.MaxTokens
	return (need + contextStep - 1) / contextStep * contextStep
}

// given returns the value that the user gives to an argument of these names.
func (l launch) given(names ...string) (value string, given bool) {
	for i, arg := range l.args {
		if slices.Contains(names, arg) {
			return strings.Join(l.args[i+1:min(i+2, len(l.args))], ""), true
		}
	}
	return "", false
}

// decided are the arguments of llama-server that are not the user's to give.
var decided = []string{
	"-m", "--model", "--host", "--port", "--reuse-port",
	"--api-key", "--api-key-file", "--api-prefix", "--ssl-key-file", "--ssl-cert-file",
}

// checkArgs reports every argument that is not the user's to give.
func checkArgs(args []string) error {
	var problems []error
	for _, arg := range args {
		if name, _, _ := strings.Cut(arg, "="); slices.Contains(decided, name) {
			problems = append(problems, fmt.Errorf("the argument %s is exobench's to give to llama-server: leave it out", name))
		}
	}
	return errors.Join(problems...)
}

// arguments are those of a server for the model that listens at the port. The
// context is that of all slots together, which llama-server divides evenly among
// them.
func (l launch) arguments(model string, port int) []string {
	args := []string{"-m", model, "--host", "127.0.0.1", "--port", strconv.Itoa(port)}
	unless := func(value int, names ...string) {
		if _, given := l.given(names...); !given {
			args = append(args, names[0], strconv.Itoa(value))
		}
	}
	unless(max(l.slots, 1)*int(l.context), "-c", "--ctx-size")
	unless(l.slots, "-np", "--parallel")
	unless(threads(), "-t", "--threads")
	return append(args, l.args...)
}

// notice says how many requests a server answers at once.
func (l launch) notice(p exobench.Plan) string {
	if l.slots < 1 {
		return "llama-server is started with as many slots as --engine-args say"
	}
	text := "llama-server is started with " + counted(l.slots, "slot")
	if _, given := l.given("-c", "--ctx-size"); !given {
		text += fmt.Sprintf(" of %d tokens of context", l.context)
	}
	return text + waiting(l.slots, p)
}

// waiting says, where the plan may have more requests under way than a server
// has slots, what becomes of them; else it is empty.
func waiting(slots int, p exobench.Plan) string {
	most := p.MostUnderWay()
	if len(p.Traffic) == 0 || most != 0 && most <= slots {
		return ""
	}
	many := "without bound"
	if most != 0 {
		many = fmt.Sprintf("up to %d", most)
	}
	text := fmt.Sprintf(", and the plan may have requests under way %s: those beyond the slots wait in the server's queue, and that is in their times", many)
	if slices.ContainsFunc(p.Traffic, exobench.Traffic.Open) {
		text += "; --max-under-way bounds them"
	}
	return text
}

// threads leaves one core to exobench and everybody else: llama.cpp's threads
// wait for each other at every operator, spinning, so that one that is kept from
// running holds up all.
func threads() int { return max(min(runtime.NumCPU(), runtime.GOMAXPROCS(0))-1, 1) }

// withheld are the variables of the environment by which a started server would
// answer otherwise than exobench asks.
var withheld = []string{
	"LLAMA_API_KEY", "LLAMA_ARG_API_KEY_FILE", "LLAMA_ARG_API_PREFIX", "LLAMA_ARG_SSL_KEY_FILE", "LLAMA_ARG_SSL_CERT_FILE",
	"LLAMA_ARG_HOST", "LLAMA_ARG_PORT", "LLAMA_ARG_REUSE_PORT", "LLAMA_ARG_MODEL",
}

// cacheVariable bounds the prompt cache in main memory, in MiB. Servers that
// have none of it ignore the variable, where they would refuse the argument.
const cacheVariable = "LLAMA_ARG_CACHE_RAM"

// environment is a started server's.
func (l launch) environment() []string {
	env := slices.DeleteFunc(os.Environ(), func(entry string) bool {
		name, _, _ := strings.Cut(entry, "=")
		return slices.Contains(withheld, name)
	})
	if _, given := os.LookupEnv(cacheVariable); !given && !l.warmCache {
		env = append(env, cacheVariable+"=0")
	}
	return env
}
