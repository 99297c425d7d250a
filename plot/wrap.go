package plot

import (
	"strings"
	"unicode/utf8"
)

// wrap breaks text into lines that fit, after spaces, hyphens, slashes and
// underscores; a piece too long for any line is broken where it must be.
func wrap(text string, fits func(string) bool) []string {
	var lines []string
	line := ""
	for _, piece := range pieces(text) {
		if line != "" && !fits(strings.TrimRight(line+piece, " ")) {
			lines = append(lines, strings.TrimRight(line, " "))
			line = ""
		}
		line += piece
		for !fits(strings.TrimRight(line, " ")) && utf8.RuneCountInString(line) > 1 {
			head := longestPrefix(line, fits)
			lines = append(lines, head)
			line = line[len(head):]
		}
	}
	if line = strings.TrimRight(line, " "); line != "" {
		lines = append(lines, line)
	}
	return lines
}

// pieces splits text after each place where it may be broken.
func pieces(text string) []string {
	var all []string
	for text != "" {
		end := strings.IndexAny(text, " -/_") + 1
		if end == 0 {
			end = len(text)
		}
		all = append(all, text[:end])
		text = text[end:]
	}
	return all
}

// longestPrefix returns the longest proper prefix that fits, at least one rune.
func longestPrefix(text string, fits func(string) bool) string {
	_, first := utf8.DecodeRuneInString(text)
	end := first
	for i := range text {
		if i > first && fits(text[:i]) {
			end = i
		}
	}
	return text[:end]
}
