package power

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// parseLog reads the text of a log: a column of times and one of powers, with a
// heading or without, apart by commas, semicolons or tabs.
func parseLog(data []byte) ([]Reading, error) {
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	if end := bytes.LastIndexByte(data, '\n'); end >= 0 {
		data = data[:end+1]
	}
	in := csv.NewReader(bytes.NewReader(data))
	in.Comma = separator(data)
	in.Comment, in.FieldsPerRecord, in.TrimLeadingSpace = '#', -1, true
	columns := &columns{power: 1, factor: 1}
	var all []Reading
	for first := true; ; first = false {
		fields, err := in.Read()
		if errors.Is(err, io.EOF) {
			return all, nil
		}
		if err != nil {
			return nil, err
		}
		if first && heading(fields) {
			if columns, err = columnsOf(fields); err != nil {
				return nil, err
			}
			continue
		}
		line, _ := in.FieldPos(0)
		reading, err := columns.reading(fields)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", line, err)
		}
		all = append(all, reading)
	}
}

// separator returns what stands between the fields of the first line that is no
// comment.
func separator(data []byte) rune {
	for line := range bytes.Lines(data) {
		if text := bytes.TrimSpace(line); len(text) == 0 || text[0] == '#' {
			continue
		}
		for _, c := range "\t;" {
			if bytes.ContainsRune(line, c) {
				return c
			}
		}
		break
	}
	return ','
}

// heading reports whether a line has names and no power.
func heading(fields []string) bool {
	return !slices.ContainsFunc(fields, func(f string) bool { _, err := decimal(f); return err == nil })
}

// columns says where in a line the time and the power stand.
type columns struct {
	time, power int
	// factor makes watts of the power's unit.
	factor float64
}

// columnsOf finds the columns by their names.
func columnsOf(names []string) (*columns, error) {
	c := &columns{time: -1, power: -1, factor: 1}
	for i, name := range names {
		name = strings.ToLower(strings.TrimSpace(name))
		word := strings.FieldsFunc(name, func(r rune) bool { return strings.ContainsRune(" _-()[]/", r) })
		has := func(words ...string) bool {
			return slices.ContainsFunc(word, func(w string) bool { return slices.Contains(words, w) })
		}
		switch {
		case c.time < 0 && has("time", "timestamp", "datetime", "date", "epoch", "ts", "unix"):
			c.time = i
		case c.power < 0 && has("watts", "watt", "w", "mw", "kw", "power", "apower"):
			c.power = i
			switch {
			case has("mw"):
				c.factor = 1e-3
			case has("kw"):
				c.factor = 1e3
			}
		}
	}
	if c.time < 0 || c.power < 0 {
		return nil, fmt.Errorf("its heading is %q: one column must be named time or timestamp, and one watts or power", strings.Join(names, ","))
	}
	return c, nil
}

func (c *columns) reading(fields []string) (Reading, error) {
	if most := max(c.time, c.power); len(fields) <= most {
		return Reading{}, fmt.Errorf("it has %d fields where %d are needed, a time and the watts", len(fields), most+1)
	}
	at, err := instantOf(fields[c.time])
	if err != nil {
		return Reading{}, err
	}
	power, err := decimal(fields[c.power])
	if err != nil {
		return Reading{}, fmt.Errorf("%q is no power in watts", fields[c.power])
	}
	return Reading{at, power * c.factor}, nil
}

// decimal reads a number with a decimal point or comma, and the unit W behind it.
func decimal(text string) (float64, error) {
	text = strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(text), "W"))
	v, err := strconv.ParseFloat(strings.Replace(text, ",", ".", 1), 64)
	if err == nil && (math.IsNaN(v) || math.IsInf(v, 0)) {
		err = errors.New("it is no number")
	}
	return v, err
}

// timeForms are how meters write times, but for numbers. Those without a zone are of
// this machine's.
var timeForms = []string{
	time.RFC3339, "2006-01-02 15:04:05Z07:00", "2006-01-02 15:04:05 Z07:00", "2006-01-02 15:04:05 -0700", "2006-01-02T15:04:05-0700",
	"2006-01-02T15:04:05", "2006-01-02 15:04:05", "2006/01/02 15:04:05", "02.01.2006 15:04:05",
}

// Numbers of seconds since 1970 lie between these; those in smaller units are
// greater.
const (
	firstSecond = 1e9 // of the year 2001
	lastSecond  = 1e10
)

// instantOf reads a time: in one of the forms, or as seconds, milli-, micro- or
// nanoseconds since 1970.
func instantOf(text string) (time.Time, error) {
	text = strings.TrimSpace(text)
	for _, form := range timeForms {
		if t, err := time.ParseInLocation(form, text, time.Local); err == nil {
			return t, nil
		}
	}
	if v, err := decimal(text); err == nil {
		for unit := 1.0; unit <= 1e9; unit *= 1e3 {
			if seconds := v / unit; seconds >= firstSecond && seconds < lastSecond {
				whole, part := math.Modf(seconds)
				return time.Unix(int64(whole), int64(part*1e9)), nil
			}
		}
		return time.Time{}, fmt.Errorf("the time %s is no time of day: exobench needs seconds since 1970, or a date and time such as 2026-01-02T15:04:05Z", text)
	}
	return time.Time{}, fmt.Errorf("%q is no time: write it as 2026-01-02T15:04:05Z, as 2026-01-02 15:04:05 (of this machine's zone), or as seconds since 1970", text)
}
