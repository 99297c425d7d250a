// Package prompt gives the prompts of a run: the five standard ones, and those
// of files. It refuses a file that it does not fully understand, since a prompt
// that is not what its author meant is measured like any other.
package prompt

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"exobench"
	"exobench/internal/textfile"
)

// Standard are the five prompts that results are compared by.
func Standard() []exobench.Prompt {
	return []exobench.Prompt{
		{ID: "artificial-intelligence", Text: "Explain the concept of artificial intelligence in simple terms."},
		{ID: "technology-poem", Text: "Write a short poem about technology."},
		{ID: "renewable-energy", Text: "Summarize the benefits of renewable energy."},
		{ID: "quantum-computing", Text: "Compare and contrast classical computing and quantum computing."},
		{ID: "photosynthesis", Text: "Explain the process of photosynthesis."},
	}
}

// Load returns the prompts of each source in order: "standard", or a file.
//
//	.txt    one prompt a line, without the white space around it; blank lines
//	        are skipped
//	.jsonl  one object a line: {"prompt": "…"} and optionally "id"
//	.yaml   a list of texts, or of {id: …, prompt: …}
//
// A text of JSON or YAML is kept to its last space and line end. Text in YAML
// is what is written, also where YAML would see a number, a date or null; so is
// an id in JSON that is a number, true or false, while null is no id.
//
// Ids are unlike each other, without white space around them, and one line. One
// that a file does not give is the file's name and the prompt's number; where
// two files would share that name, as much of their paths as tells them apart.
//
// One value may list several sources, with commas between them. A comma may
// also be part of a file's name, so that a value, or what follows a comma, is
// read as the longest name that is there. The other way round, files that are
// there would be out of reach; a list can always be given as several values.
func Load(values []string) ([]exobench.Prompt, error) {
	sources, err := readAll(split(values))
	if err != nil {
		return nil, err
	}
	names := stems(sources)
	var all []exobench.Prompt
	from := map[string]place{}
	for i, s := range sources {
		for n, e := range s.entries {
			here := place{source: s.path, line: e.line}
			if e.id == "" {
				e.id, here.made = fmt.Sprintf("%s-%d", names[i], n+1), true
			}
			if before, taken := from[e.id]; taken {
				return nil, fmt.Errorf("prompt id %.80q stands twice, in %s and in %s: ids must differ", e.id, before, here)
			}
			from[e.id] = here
			all = append(all, exobench.Prompt{ID: e.id, Text: e.text})
		}
	}
	return all, nil
}

// standard is the source that is no file.
const standard = "standard"

// split returns the sources that the values name.
func split(values []string) []string {
	var sources []string
	for _, value := range values {
		pieces := strings.Split(value, ",")
		for len(pieces) > 0 {
			n := len(pieces)
			for n > 1 && !exists(strings.Join(pieces[:n], ",")) {
				n--
			}
			sources = append(sources, strings.Join(pieces[:n], ","))
			pieces = pieces[n:]
		}
	}
	return sources
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// source is a file, or the standard prompts, with what it holds.
type source struct {
	path    string
	info    fs.FileInfo // nil for the standard prompts
	entries []entry
}

// entry is a prompt as a source gives it; line is 0 where there are no lines.
type entry struct {
	id, text string
	line     int
}

// place is where an id stands.
type place struct {
	source string
	line   int
	made   bool // from the name of the file
}

func (p place) String() string {
	text := textfile.Name(p.source)
	if p.line > 0 {
		text += fmt.Sprintf(", line %d", p.line)
	}
	if p.made {
		text += " (made from the file's name)"
	}
	return text
}

func readAll(paths []string) ([]source, error) {
	var all []source
	for _, path := range paths {
		next := source{path: path}
		if path == standard {
			for _, p := range Standard() {
				next.entries = append(next.entries, entry{id: p.ID, text: p.Text})
			}
		} else if err := next.read(); err != nil {
			return nil, fmt.Errorf("prompt file %s: %w", textfile.Name(path), err)
		}
		for _, before := range all {
			if before.path == path || os.SameFile(before.info, next.info) {
				return nil, fmt.Errorf("prompts of %s are asked for twice, as %s and as %s", textfile.Name(filepath.Base(path)), textfile.Name(before.path), textfile.Name(path))
			}
		}
		all = append(all, next)
	}
	return all, nil
}

// stems returns for each source the name that the ids of its prompts begin
// with: the file's name without its ending, or from the end of its path as many
// parts as make it differ from all others.
func stems(sources []source) []string {
	names := make([]string, len(sources))
	parts := make([]int, len(sources))
	for i, s := range sources {
		names[i] = stem(s.path, 0)
	}
	for {
		alike := map[string][]int{}
		for i, name := range names {
			alike[name] = append(alike[name], i)
		}
		longer := false
		for _, group := range alike {
			for _, i := range group {
				if len(group) == 1 || parts[i] > strings.Count(sources[i].path, "/") {
					continue
				}
				longer = true
				parts[i]++
				names[i] = stem(sources[i].path, parts[i])
			}
		}
		if !longer {
			return names
		}
	}
}

// stem returns the last parts of a path as text for an id; 0 is the last one
// without its ending.
func stem(path string, parts int) string {
	name := filepath.Base(path)
	if parts == 0 {
		name = strings.TrimSuffix(name, filepath.Ext(name))
		if name == "" {
			name = filepath.Base(path)
		}
	} else {
		all := strings.Split(filepath.ToSlash(filepath.Clean(path)), "/")
		name = strings.Join(all[max(0, len(all)-parts):], "/")
	}
	if !textfile.OneLine(name) {
		name = strings.Trim(textfile.Name(name), `"`)
	}
	return strings.TrimSpace(name)
}
