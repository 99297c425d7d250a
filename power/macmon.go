package power

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"time"

	"exobench"
	"exobench/internal/panics"
)

const (
	macmonEvery = 500 * time.Millisecond
	// macmonKept is how many samples are kept that nobody has asked for: of ten
	// minutes.
	macmonKept = 2400
	// macmonLine is longer than any line: one tells of each core.
	macmonLine = 1 << 20
)

// macmon is a program that prints a line of JSON at a time: what the whole Mac
// draws, which its power controller measures, and what its processors do, which
// Apple's energy model estimates. macmon puts the second in the place of the first
// where that is smaller.
type macmon struct {
	path  string
	clock exobench.Clock

	cmd   *exec.Cmd
	ended chan struct{}

	mu      sync.Mutex // of what follows
	samples []exobench.Sample
	failure error
}

// macmonFigures are the members of a line that are read, in watts.
type macmonFigures struct {
	System *float64 `json:"sys_power"`
	// All is the sum of processor, GPU and neural engine.
	All *float64 `json:"all_power"`
}

// The meters of macmon.
const (
	macmonSystem = "macmon:system"
	macmonChip   = "macmon:chip"
)

func findMacmon(r Roots, clock exobench.Clock) ([]meter, []Missing) {
	switch {
	case r.Macmon != "":
		return []meter{&macmon{path: r.Macmon, clock: clock}}, nil
	case r.Mac:
		return nil, []Missing{{ID: "macmon", Why: "macmon is not installed, without which only root can read a Mac's power", Enable: "brew install macmon"}}
	}
	return nil, nil
}

func (m *macmon) describe() exobench.Meter { return m.describeAll()[0] }

func (m *macmon) describeAll() []exobench.Meter {
	return []exobench.Meter{
		{Sensor: SensorName, Of: macmonSystem, Source: "macmon system", Scope: exobench.NodeScope, Step: macmonEvery, Text: "the Mac's power controller, by macmon"},
		{Sensor: SensorName, Of: macmonChip, Source: "macmon chip", Scope: exobench.PackageScope, Estimated: true, Step: macmonEvery,
			Text: "Apple's energy model of processor, GPU and neural engine, by macmon"},
	}
}

func (m *macmon) every() time.Duration { return macmonEvery }

// start starts the program. It goes with its output's reader, however exobench
// ends.
func (m *macmon) start() error {
	m.cmd = exec.Command(m.path, "pipe", "-i", strconv.FormatInt(macmonEvery.Milliseconds(), 10))
	m.cmd.WaitDelay = time.Second
	var said bytes.Buffer
	m.cmd.Stderr = &said
	stdout, err := m.cmd.StdoutPipe()
	if err == nil {
		err = m.cmd.Start()
	}
	if err != nil {
		return fmt.Errorf("start macmon: %w", err)
	}
	m.ended = make(chan struct{})
	go panics.Caught(func() {
		defer close(m.ended)
		failure := m.follow(stdout)
		if failure != nil {
			_ = m.cmd.Process.Kill()
		}
		err := m.cmd.Wait()
		if failure == nil {
			failure = fmt.Errorf("macmon ended (%v): %s", err, firstLine(said.String()))
		}
		m.mu.Lock()
		m.failure = failure
		m.mu.Unlock()
	})()
	return nil
}

func firstLine(text string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(text), "\n")
	if line == "" {
		return "it said nothing"
	}
	return line
}

// follow reads lines until there are no more.
func (m *macmon) follow(out io.Reader) error {
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, macmonLine)
	for lines.Scan() {
		at := m.clock.Now()
		var figures macmonFigures
		if err := json.Unmarshal(lines.Bytes(), &figures); err != nil {
			return fmt.Errorf("macmon printed what is no JSON: %w", err)
		}
		m.keep(figures.samples(at)...)
	}
	return lines.Err()
}

// samples are those of a line. A power of 0 is one that macmon could not read. The
// system's is of the instant, the chip's a mean over the time since the line
// before.
func (f macmonFigures) samples(at exobench.Instant) []exobench.Sample {
	var all []exobench.Sample
	add := func(of string, power *float64, span time.Duration) {
		if power != nil && *power > 0 {
			s := watts(*power)
			s.Of, s.At, s.Span = of, at, span
			all = append(all, s)
		}
	}
	add(macmonSystem, f.System, 0)
	add(macmonChip, f.All, macmonEvery)
	return all
}

func (m *macmon) keep(samples ...exobench.Sample) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.samples = append(m.samples, samples...)
	if over := len(m.samples) - macmonKept; over > 0 {
		m.samples = append(m.samples[:0], m.samples[over:]...)
	}
}

// read returns what was printed since.
func (m *macmon) read(context.Context, func() exobench.Instant) ([]exobench.Sample, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	samples := m.samples
	m.samples = nil
	if len(samples) == 0 && m.failure != nil {
		return nil, m.failure
	}
	return samples, nil
}

// close ends the program and waits until it is gone.
func (m *macmon) close() error {
	if m.cmd == nil {
		return nil
	}
	err := m.cmd.Process.Kill()
	<-m.ended
	if err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("end macmon: %w", err)
	}
	return nil
}
