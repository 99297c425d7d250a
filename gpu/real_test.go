//go:build unix

package gpu

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"exobench"
)

// holderVariable is the command of a program that holds GPU memory for
// TestRealDevice: it says "ok" when it is ready and after each of its orders, lines
// of standard input such as "alloc 1073741824", "free" and "quit".
const holderVariable = "EXOBENCH_GPU_HOLDER"

type holder struct {
	t   *testing.T
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
}

func startHolder(t *testing.T) *holder {
	command := strings.Fields(os.Getenv(holderVariable))
	if len(command) == 0 {
		t.Skip("there is no GPU to test with: " + holderVariable + " names no program that holds memory of one")
	}
	h := &holder{t: t, cmd: exec.Command(command[0], command[1:]...)}
	h.in, _ = h.cmd.StdinPipe()
	out, _ := h.cmd.StdoutPipe()
	h.out = bufio.NewReader(out)
	if err := h.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { h.in.Close(); h.cmd.Wait() })
	h.answer()
	return h
}

func (h *holder) answer() {
	h.t.Helper()
	if line, err := h.out.ReadString('\n'); err != nil || !strings.HasPrefix(line, "ok") {
		h.t.Fatalf("the holder says %q, %v", line, err)
	}
}

func (h *holder) order(text string) {
	h.t.Helper()
	fmt.Fprintln(h.in, text)
	h.answer()
}

// TestRealDevice holds a known amount of a real GPU's memory, and reads it.
func TestRealDevice(t *testing.T) {
	h := startHolder(t)
	clock := exobench.NewClock()
	source := Open(t.Context(), Config{Clock: clock})
	defer source.Close()
	t.Logf("devices %+v, missing %+v", source.Devices(), source.Missing())
	if len(source.Devices()) == 0 {
		t.Fatal("no device")
	}
	var out io.Writer = io.Discard
	if folder := os.Getenv("EXOBENCH_GPU_OUT"); folder != "" {
		f, err := os.Create(filepath.Join(folder, "samples.jsonl"))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		out = f
	}
	sensor := source.Sensor(func(context.Context) ([]int, error) { return []int{h.cmd.Process.Pid}, nil })
	read := func(m exobench.Moment) exobench.Values {
		t.Helper()
		began := time.Now()
		samples, err := sensor.Read(t.Context(), m)
		took := time.Since(began)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range samples {
			text, _ := json.Marshal(s)
			fmt.Fprintf(out, "%s\n", text)
		}
		if m != exobench.During {
			if len(samples) == 0 {
				t.Fatalf("%s: no sample after %v; %+v, %+v", m, took, source.nvidia.streams[0].state(), source.nvidia.streams[1].state())
			}
			t.Logf("%s: took %v, age %v: %v", m, took, clock.Now().Sub(samples[0].At), samples[0].Values)
			return samples[0].Values
		}
		return nil
	}
	get := func(v exobench.Values, q exobench.Quantity) float64 {
		t.Helper()
		x, ok := v.Get(q)
		if !ok {
			t.Errorf("%s is not known", q)
		}
		return x
	}
	const size, slack = 4 << 30, 4 << 20
	before := read(exobench.Before)
	h.order(fmt.Sprint("alloc ", size))
	loaded := read(exobench.Loaded)
	for range 20 {
		read(exobench.During)
		time.Sleep(50 * time.Millisecond)
	}
	h.order("free")
	freed := read(exobench.After)
	for _, q := range []exobench.Quantity{exobench.GPUEngine, exobench.GPUUsed} {
		if grew := get(loaded, q) - get(before, q); grew < size-slack || grew > size+slack {
			t.Errorf("%s grew by %v, want %v", q, grew, size)
		}
		if grew := get(freed, q) - get(before, q); grew < -slack || grew > slack {
			t.Errorf("%s is %v more than before after the release", q, grew)
		}
	}
	fmt.Fprintln(h.in, "quit")
	h.cmd.Wait()
	if left := get(read(exobench.After), exobench.GPUEngine); left != 0 {
		t.Errorf("a process that has ended holds %v", left)
	}
}

func BenchmarkRealRead(b *testing.B) {
	source := Open(b.Context(), Config{Clock: exobench.NewClock()})
	defer source.Close()
	if len(source.Devices()) == 0 {
		b.Skip("there is no GPU")
	}
	sensor := source.Sensor(func(context.Context) ([]int, error) { return []int{os.Getpid()}, nil })
	_, _ = sensor.Read(b.Context(), exobench.Before)
	for b.Loop() {
		_, _ = sensor.Read(b.Context(), exobench.During)
	}
}
