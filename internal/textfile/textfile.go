// Package textfile reads the files that users write for exobench, prompts and
// models, as one kind of text: UTF-8 with lines that end in "\n". It says in
// one line what is wrong with a file that is no such text. It does not know
// what the text means; of YAML it knows what the library leaves out.
package textfile

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// maxSize is the most bytes that a file may have: far more than a context of a
// million tokens takes, and little enough to be held in memory.
const maxSize = 64 << 20

// Stat returns what the path names. It is an error, without the path, if that
// is not there or is no regular file. Pipes are refused and not waited for: a
// run that is repeated from its plan needs the file again.
func Stat(path string) (fs.FileInfo, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, cause(err)
	}
	switch mode := info.Mode(); {
	case mode.IsRegular():
		return info, nil
	case mode.IsDir():
		return nil, errors.New("it is a folder: name a file")
	case mode&fs.ModeNamedPipe != 0:
		return nil, errors.New("it is a pipe: write the text to a file and name that")
	}
	return nil, errors.New("it is a device or a socket: write the text to a file and name that")
}

// Read returns the text of a file. Errors do not name the path, but the line.
//
// UTF-8 is read with and without a byte-order mark, UTF-16 with one. The ends
// of lines "\r\n" and "\r" become "\n". All else is refused: other encodings
// cannot be told apart, and a wrong guess would be measured in silence.
func Read(path string) (string, error) {
	if _, err := Stat(path); err != nil {
		return "", err
	}
	file, err := os.Open(path)
	if err != nil {
		return "", cause(err)
	}
	defer file.Close()
	raw, err := io.ReadAll(io.LimitReader(file, maxSize+1))
	if err != nil {
		return "", cause(err)
	}
	if len(raw) > maxSize {
		return "", fmt.Errorf("it is larger than %d MiB: split it", maxSize>>20)
	}
	return decode(raw)
}

// Name returns the path as a message can show it: quoted if it would break the
// line or hide where it begins and ends.
func Name(path string) string {
	shown := utf8.ValidString(path) && !strings.ContainsFunc(path, breaksLine)
	if !shown || path != strings.TrimSpace(path) || path == "" {
		return strconv.Quote(path)
	}
	return path
}

// OneLine reports whether a name can stand in a table or a line of text.
func OneLine(name string) bool {
	return utf8.ValidString(name) && !strings.ContainsFunc(name, breaksLine)
}

func breaksLine(r rune) bool {
	return unicode.IsControl(r) || r == '\u2028' || r == '\u2029'
}

func decode(raw []byte) (string, error) {
	text, err := toUTF8(raw)
	if err != nil {
		return "", err
	}
	text = strings.TrimPrefix(text, mark)
	text = strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(text)
	if at := strings.IndexByte(text, 0); at >= 0 {
		return "", fmt.Errorf("line %d holds a NUL: it is no text, or text in UTF-16 or UTF-32 without a byte-order mark; save it as UTF-8", lineOf(text, at))
	}
	if at := notUTF8(text); at >= 0 {
		return "", fmt.Errorf("line %d is not UTF-8 (byte %#02x, as in Latin-1 or a code page of Windows): save the file as UTF-8", lineOf(text, at), text[at])
	}
	// Files that were joined have a mark within, where each of them began.
	return strings.ReplaceAll(text, "\n"+mark, "\n"), nil
}

// mark is the byte-order mark, once it is UTF-8.
const mark = "\ufeff"

// toUTF8 reads UTF-16. What has no byte-order mark is returned as it is.
func toUTF8(raw []byte) (string, error) {
	var order binary.ByteOrder
	switch {
	case bytes.HasPrefix(raw, []byte("\xff\xfe\x00\x00")), bytes.HasPrefix(raw, []byte("\x00\x00\xfe\xff")):
		return "", errors.New("it is UTF-32: save it as UTF-8")
	case bytes.HasPrefix(raw, []byte("\xff\xfe")):
		order = binary.LittleEndian
	case bytes.HasPrefix(raw, []byte("\xfe\xff")):
		order = binary.BigEndian
	default:
		return string(raw), nil
	}
	if len(raw)%2 != 0 {
		return "", errors.New("it is UTF-16 that ends within a character: save it as UTF-8")
	}
	units := make([]uint16, len(raw)/2)
	for i := range units {
		units[i] = order.Uint16(raw[2*i:])
	}
	runes := utf16.Decode(units)
	if !slices.Equal(utf16.Encode(runes), units) {
		return "", errors.New("it is UTF-16 with half a character: save it as UTF-8")
	}
	return string(runes), nil
}

// notUTF8 returns where the text stops being UTF-8, or -1.
func notUTF8(text string) int {
	for at := 0; at < len(text); {
		r, size := utf8.DecodeRuneInString(text[at:])
		if r == utf8.RuneError && size == 1 {
			return at
		}
		at += size
	}
	return -1
}

func lineOf(text string, at int) int { return 1 + strings.Count(text[:at], "\n") }

// cause leaves out the path of an error, which callers name.
func cause(err error) error {
	if path, ok := errors.AsType[*fs.PathError](err); ok {
		return path.Err
	}
	return err
}
