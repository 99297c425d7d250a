package llamacpp

import (
	"fmt"
	"regexp"
	"strings"
	"sync"

	"exobench/child"
)

// endError says how and why a server ended by itself.
func endError(p *child.Process) error {
	return fmt.Errorf("llama-server ended (%s): %s", p.How(), reason(p.Output()))
}

var (
	// linePrefix is the time and the level before each line of newer servers.
	linePrefix = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^(\d+\.)+\d+ [A-Z] `) })
	// signs find the line that says why a server ended, the best first.
	signs = []*regexp.Regexp{
		regexp.MustCompile(`error loading model`),
		regexp.MustCompile(`(?i)out of memory|failed to allocate|unable to allocate|bad_alloc`),
		regexp.MustCompile(`couldn't bind`),
		regexp.MustCompile(`(?i)\berror:|error while|invalid argument|not found`),
		regexp.MustCompile(`(?i)failed to|GGML_ASSERT|exception`),
	}
)

const reasonLimit = 300

// reason returns the line of a server's output that says most of why it ended:
// the latest of the best kind, or the last one.
func reason(output string) string {
	var lines []string
	for line := range strings.Lines(output) {
		line = strings.Join(strings.Fields(linePrefix().ReplaceAllString(line, "")), " ")
		if line != "" {
			lines = append(lines, line)
		}
	}
	if len(lines) == 0 {
		return "it said nothing"
	}
	best := lines[len(lines)-1]
search:
	for _, form := range signs {
		for i := len(lines) - 1; i >= 0; i-- {
			if form.MatchString(lines[i]) {
				best = lines[i]
				break search
			}
		}
	}
	if len(best) > reasonLimit {
		best = strings.ToValidUTF8(best[:reasonLimit], "") + "…"
	}
	return best
}

// warming reports whether the server says that it warms up.
func warming(output string) bool { return strings.Contains(output, "warming up the model") }

// dots is how many dots a server writes while it loads a model.
const dots = 100

// loaded says how much of the model is loaded, where the server writes dots
// about it: older ones do, in a line of their own.
func loaded(output string) (text string, ok bool) {
	line := output[strings.LastIndexByte(output, '\n')+1:]
	if line == "" || strings.Trim(line, ".") != "" {
		return "", false
	}
	return fmt.Sprintf("%d %%", min(100*len(line)/dots, 100)), true
}
