package power

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"exobench"
)

// Log is what a meter outside wrote: a CSV file, or a part of it.
type Log struct {
	// Path is that of the file.
	Path     string
	Readings []Reading // in order of time
}

// Reading is a power in watts at a wall time.
type Reading struct {
	At    time.Time
	Watts float64
}

// CheckLog tells what can be known before a run of the log that is read after it:
// that it is there, and that what is in it so far can be read. It may still be
// empty.
func CheckLog(path string) error {
	_, err := ReadLog(path, 0)
	return err
}

// ReadLog reads a log. Offset is added to the meter's times: by how much its clock
// is behind this machine's. A last line without an end is left out: the meter may
// be writing it.
func ReadLog(path string, offset time.Duration) (Log, error) {
	data, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return Log{}, fmt.Errorf("%s is not there: have the meter write its log there, or make an empty file of that name first", path)
	case err != nil:
		return Log{}, fmt.Errorf("the log of the power meter cannot be read: %w", err)
	}
	readings, err := parseLog(data)
	if err != nil {
		return Log{}, fmt.Errorf("%s is no log of a power meter: %w", path, err)
	}
	for i := range readings {
		readings[i].At = readings[i].At.Add(offset)
	}
	slices.SortStableFunc(readings, func(a, b Reading) int { return a.At.Compare(b.At) })
	return Log{path, readings}, nil
}

// id names the meter of a log.
func (l Log) id() string { return "csv:" + filepath.Base(l.Path) }

// Meter says what the log is of: all that the socket gives.
func (l Log) Meter() exobench.Meter {
	return exobench.Meter{
		Sensor: SensorName, Of: l.id(), Source: l.id(), Scope: exobench.WallScope, Step: l.step(),
		Text: fmt.Sprintf("the log of a meter outside, %s", l.Path),
	}
}

// step returns the median time between two readings.
func (l Log) step() time.Duration {
	var gaps []time.Duration
	for i := 1; i < len(l.Readings); i++ {
		gaps = append(gaps, l.Readings[i].At.Sub(l.Readings[i-1].At))
	}
	if len(gaps) == 0 {
		return time.Second
	}
	slices.Sort(gaps)
	return cmp.Or(gaps[len(gaps)/2], time.Second)
}

// Samples returns the readings of [from, to] as samples on the clock of a session
// with that epoch. Without any the error says which times the log has.
func (l Log) Samples(epoch time.Time, from, to exobench.Instant) ([]exobench.Sample, error) {
	var all []exobench.Sample
	for _, r := range l.Readings {
		at := exobench.Instant(r.At.Sub(epoch))
		if at < from || at > to || !at.Reached() {
			continue
		}
		s := watts(r.Watts)
		s.Sensor, s.Of, s.At = SensorName, l.id(), at
		all = append(all, s)
	}
	if len(all) > 0 {
		return all, nil
	}
	if len(l.Readings) == 0 {
		return nil, fmt.Errorf("%s holds no reading", l.Path)
	}
	first, last := l.Readings[0].At, l.Readings[len(l.Readings)-1].At
	wall := func(at exobench.Instant) time.Time { return epoch.Add(time.Duration(at)) }
	return nil, fmt.Errorf("%s holds no reading of the time of the run, %s to %s: its readings are from %s to %s; --power-csv-offset sets a clock that is off right",
		l.Path, clockText(wall(from)), clockText(wall(to)), clockText(first), clockText(last))
}

func clockText(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05Z") }
