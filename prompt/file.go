package prompt

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"unicode/utf8"

	"exobench/internal/textfile"
)

// read fills in what the source's file holds. Errors do not name the file.
func (s *source) read() (err error) {
	if s.path == "" {
		return errors.New("its name is empty: leave out the comma or the flag")
	}
	if s.info, err = textfile.Stat(s.path); err != nil {
		return err
	}
	parse, ok := map[string]func(string) ([]entry, error){
		".txt": parseText, ".jsonl": parseJSONL, ".yaml": parseYAML, ".yml": parseYAML,
	}[strings.ToLower(filepath.Ext(s.path))]
	if !ok {
		return errors.New("its name must end in .txt, .jsonl or .yaml")
	}
	text, err := textfile.Read(s.path)
	if err != nil {
		return err
	}
	if s.entries, err = parse(text); err != nil {
		return err
	}
	if len(s.entries) == 0 {
		return errors.New("it is empty: it must hold at least one prompt")
	}
	for i := range s.entries {
		if err := s.entries[i].check(); err != nil {
			return fmt.Errorf("line %d: prompt %d %w", s.entries[i].line, i+1, err)
		}
	}
	return nil
}

// check trims the id, and returns what no engine or table could take.
func (e *entry) check() error {
	e.id = strings.TrimSpace(e.id)
	switch {
	case strings.TrimSpace(e.text) == "":
		return errors.New("has no text")
	case strings.ContainsRune(e.text, 0):
		return errors.New("holds a NUL: leave it out")
	case !utf8.ValidString(e.text):
		return errors.New("is no valid Unicode")
	case !textfile.OneLine(e.id):
		return fmt.Errorf("has the id %.80q: an id is one line without control characters", e.id)
	}
	return nil
}

// parseText returns each line as a prompt. Only "\n" ends one; other characters
// that Unicode calls line separators belong to the text.
func parseText(text string) ([]entry, error) {
	var entries []entry
	n := 0
	for line := range strings.Lines(text) {
		n++
		if line = strings.TrimSpace(line); line != "" {
			entries = append(entries, entry{text: line, line: n})
		}
	}
	return entries, nil
}

// members are the names that an object holds.
type members []string

// add refuses a name that stands twice.
func (m *members) add(name string) error {
	for _, before := range *m {
		if before == name {
			return fmt.Errorf("has %.80q twice", name)
		}
	}
	*m = append(*m, name)
	return nil
}

// check returns what is missing or not known. What is not known is refused,
// since it is a misspelt name or asks for something that would not be done.
func (m members) check() error {
	var unknown []string
	prompt := false
	for _, name := range m {
		switch name {
		case "prompt":
			prompt = true
		case "id":
		default:
			unknown = append(unknown, fmt.Sprintf("%.80q", name))
		}
	}
	if len(unknown) > 3 {
		unknown = append(unknown[:3], "…")
	}
	switch names := strings.Join(unknown, ", "); {
	case !prompt && names == "":
		return errors.New(`has no "prompt"`)
	case !prompt:
		return fmt.Errorf(`has no "prompt", but %s: call the text "prompt"`, names)
	case names != "":
		return fmt.Errorf(`has %s: only "id" and "prompt" are read, leave out the rest`, names)
	}
	return nil
}
