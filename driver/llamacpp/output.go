package llamacpp

import (
	"fmt"
	"regexp"
	"strings"
	"sync"
)

// tailLimit is how much of a server's output is kept.
const tailLimit = 64 << 10

// tail keeps the last of what a program writes.
type tail struct {
	mu   sync.Mutex
	text []byte
}

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.text = append(t.text, p...)
	if over := len(t.text) - tailLimit; over > 0 {
		t.text = append(t.text[:0], t.text[over:]...)
	}
	return len(p), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(t.text)
}

var (
	// linePrefix is the time and the level before each line of newer servers.
	linePrefix = regexp.MustCompile(`^(\d+\.)+\d+ [A-Z] `)
	// telltales find the line that says why a server ended, the best first.
	telltales = []*regexp.Regexp{
		regexp.MustCompile(`error loading model`),
		regexp.MustCompile(`(?i)out of memory|failed to allocate|unable to allocate|bad_alloc`),
		regexp.MustCompile(`couldn't bind`),
		regexp.MustCompile(`(?i)\berror:|error while|invalid argument|not found`),
		regexp.MustCompile(`(?i)failed to|GGML_ASSERT|exception`),
	}
)

const tellingLimit = 300

// telling returns the line that says most of why the program ended: the latest
// of the best kind, or the last one.
func (t *tail) telling() string {
	var lines []string
	for line := range strings.Lines(t.String()) {
		line = strings.Join(strings.Fields(linePrefix.ReplaceAllString(line, "")), " ")
		if line != "" {
			lines = append(lines, line)
		}
	}
	if len(lines) == 0 {
		return "it said nothing"
	}
	best := lines[len(lines)-1]
search:
	for _, form := range telltales {
		for i := len(lines) - 1; i >= 0; i-- {
			if form.MatchString(lines[i]) {
				best = lines[i]
				break search
			}
		}
	}
	if len(best) > tellingLimit {
		best = strings.ToValidUTF8(best[:tellingLimit], "") + "…"
	}
	return best
}

// warming reports whether the server says that it warms up.
func (t *tail) warming() bool { return strings.Contains(t.String(), "warming up the model") }

// dots is how many dots a server writes while it loads a model.
const dots = 100

// loaded says how much of the model is loaded, where the server writes dots
// about it: older ones do, in a line of their own.
func (t *tail) loaded() (text string, ok bool) {
	line := t.String()
	line = line[strings.LastIndexByte(line, '\n')+1:]
	if line == "" || strings.Trim(line, ".") != "" {
		return "", false
	}
	return fmt.Sprintf("%d %%", min(100*len(line)/dots, 100)), true
}
