package main

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"exobench"
	"exobench/summary"
)

// A machine that draws 100 W at its socket, by a log whose clock is 90 s ahead, and
// whose processor's counter goes on by 20 W of the time of its readings.
func TestTheEnergyOfARunIsThatOfItsMeters(t *testing.T) {
	dir := t.TempDir()
	zone := filepath.Join(dir, "class/powercap/intel-rapl:0")
	if err := os.MkdirAll(zone, 0o777); err != nil {
		t.Fatal(err)
	}
	counter := filepath.Join(zone, "energy_uj")
	for path, text := range map[string]string{filepath.Join(zone, "name"): "package-0\n", counter: "1\n", filepath.Join(dir, "log.csv"): plugLog(time.Now().Add(90*time.Second), 100)} {
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	began, done := time.Now(), make(chan struct{})
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		for {
			select {
			case <-done:
				return
			case <-time.After(20 * time.Millisecond):
				_ = os.WriteFile(counter, fmt.Appendf(nil, "%012d\n", time.Since(began).Microseconds()*20), 0o666)
			}
		}
	}()
	t.Setenv("HOST_SYS", dir)
	out := exobenchIn(t, dir, "run", "--engine", "embedded", "--models-file", tinyModels(t), "--model", "tiny-a", "--duration", "3s", "--no-calibrate",
		"--idle-power", "1s", "--power-csv", filepath.Join(dir, "log.csv"), "--power-csv-offset", "-90s", "--quiet", "--json", "--out", filepath.Join(dir, "out"))
	close(done)
	<-stopped
	var run struct {
		Cells []struct {
			Energy []summary.Energy `json:"energy"`
		} `json:"cells"`
	}
	if err := json.Unmarshal([]byte(out.stdout), &run); err != nil || len(run.Cells) != 1 || len(run.Cells[0].Energy) != 2 {
		t.Fatalf("code %d, %v: %.2000s%s", out.code, err, out.stdout, out.stderr)
	}
	wall, chip := run.Cells[0].Energy[0], run.Cells[0].Energy[1]
	if wall.Scope != exobench.WallScope || !wall.Chosen || wall.Power == nil || math.Abs(*wall.Power-100) > 1e-6 || wall.Idle == nil || math.Abs(*wall.AboveIdle) > 1e-6 {
		t.Errorf("the socket: %+v", wall)
	}
	if chip.Scope != exobench.PackageScope || chip.Chosen || chip.Power == nil || *chip.Power <= 0 {
		t.Errorf("the processor: %+v", chip)
	}
}

// plugLog is that of a meter that told a power from a while before an instant until a
// while after it.
func plugLog(at time.Time, watts float64) string {
	var text strings.Builder
	text.WriteString("timestamp,watts\n")
	for i := -60; i < 600; i++ {
		fmt.Fprintf(&text, "%s,%g\n", at.Add(time.Duration(i)*time.Second/2).UTC().Format(time.RFC3339Nano), watts)
	}
	return text.String()
}

func TestAnEngineOnThisMachineIsNotElsewhere(t *testing.T) {
	for address, want := range map[string]bool{
		"": false, "http://127.0.0.1:8080": false, "http://localhost:1/v1": false, "http://[::1]:52415": false, "http://192.0.2.7:52415": true, "http://%zz": false,
	} {
		if got := elsewhere(t.Context(), address); got != want {
			t.Errorf("%s: %v", address, got)
		}
	}
}
