// Package prompt gives the prompts of a run: the five standard ones, and those
// of files.
package prompt

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/goccy/go-yaml"

	"exobench"
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
//	.txt    one prompt a line; blank lines are skipped
//	.jsonl  one object a line: {"prompt": "…"} and optionally "id"
//	.yaml   a list of texts, or of {id: …, prompt: …}
//
// Ids that a file does not give are made from its name and the prompt's number.
// Two prompts with one id are an error.
func Load(sources []string) ([]exobench.Prompt, error) {
	var all []exobench.Prompt
	from := map[string]string{}
	for _, source := range sources {
		prompts := Standard()
		if source != "standard" {
			var err error
			if prompts, err = readFile(source); err != nil {
				return nil, err
			}
		}
		for _, p := range prompts {
			if before, taken := from[p.ID]; taken {
				return nil, fmt.Errorf("prompt id %q stands twice (%s and %s): ids must differ", p.ID, before, source)
			}
			from[p.ID] = source
		}
		all = append(all, prompts...)
	}
	return all, nil
}

func readFile(path string) ([]exobench.Prompt, error) {
	parse, ok := map[string]func([]byte) ([]entry, error){
		".txt": parseText, ".jsonl": parseJSONL, ".yaml": parseYAML, ".yml": parseYAML,
	}[strings.ToLower(filepath.Ext(path))]
	if !ok {
		return nil, fmt.Errorf("prompt file %s: its name must end in .txt, .jsonl or .yaml", path)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		var pathErr *fs.PathError
		if errors.As(err, &pathErr) {
			err = pathErr.Err
		}
		return nil, fmt.Errorf("prompt file %s: %w", path, err)
	}
	entries, err := parse(bytes.TrimPrefix(text, []byte("\xef\xbb\xbf")))
	if err != nil {
		return nil, fmt.Errorf("prompt file %s: %w", path, err)
	}
	if len(entries) == 0 {
		return nil, fmt.Errorf("prompt file %s is empty: it must hold at least one prompt", path)
	}
	return name(entries, path)
}

// entry is a prompt as a file gives it.
type entry struct {
	ID     string `json:"id" yaml:"id"`
	Prompt string `json:"prompt" yaml:"prompt"`
}

// name gives each entry an id and checks that it has a text.
func name(entries []entry, path string) ([]exobench.Prompt, error) {
	base := strings.TrimSuffix(filepath.Base(path), filepath.Ext(path))
	prompts := make([]exobench.Prompt, len(entries))
	for i, e := range entries {
		if strings.TrimSpace(e.Prompt) == "" {
			return nil, fmt.Errorf("prompt file %s: prompt %d has no text", path, i+1)
		}
		if e.ID == "" {
			e.ID = fmt.Sprintf("%s-%d", base, i+1)
		}
		prompts[i] = exobench.Prompt{ID: e.ID, Text: e.Prompt}
	}
	return prompts, nil
}

func parseText(text []byte) ([]entry, error) {
	var entries []entry
	for line := range strings.Lines(string(text)) {
		if line = strings.TrimSpace(line); line != "" {
			entries = append(entries, entry{Prompt: line})
		}
	}
	return entries, nil
}

func parseJSONL(text []byte) ([]entry, error) {
	var entries []entry
	lines := bufio.NewScanner(bytes.NewReader(text))
	lines.Buffer(nil, len(text)+1)
	for n := 1; lines.Scan(); n++ {
		if len(bytes.TrimSpace(lines.Bytes())) == 0 {
			continue
		}
		var e entry
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			return nil, fmt.Errorf(`line %d: %w: each line must be an object with a "prompt"`, n, err)
		}
		if e.Prompt == "" {
			return nil, fmt.Errorf(`line %d has no "prompt"`, n)
		}
		entries = append(entries, e)
	}
	return entries, lines.Err()
}

func parseYAML(text []byte) ([]entry, error) {
	var list []any
	if err := yaml.Unmarshal(text, &list); err != nil {
		return nil, fmt.Errorf("it must be a list of texts, or of objects with a prompt: %s", firstLine(err))
	}
	entries := make([]entry, 0, len(list))
	for i, item := range list {
		switch item := item.(type) {
		case string:
			entries = append(entries, entry{Prompt: item})
		case map[string]any:
			id, _ := item["id"].(string)
			text, _ := item["prompt"].(string)
			entries = append(entries, entry{ID: id, Prompt: text})
		default:
			return nil, fmt.Errorf("item %d must be a text, or an object with a prompt", i+1)
		}
	}
	return entries, nil
}

func firstLine(err error) string {
	line, _, _ := strings.Cut(err.Error(), "\n")
	return line
}
