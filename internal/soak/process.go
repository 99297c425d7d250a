package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// Exit codes, as the README has them; codeKilled is that of no exit.
const (
	codeKilled      = -1
	codeDone        = 0
	codeFailed      = 1
	codeInterrupted = 130
)

// Bounds of a process built with -race.
const (
	mostMemory = 512 << 10 // KiB
	mostTime   = 2 * time.Minute
	orphanTime = 15 * time.Second
)

// hearSignals has what is started hear the signals that it is ended by: a program
// that is started in the background or by nohup ignores some, and so would they.
func hearSignals() {
	heard := make(chan os.Signal, 1)
	signal.Notify(heard, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	go func() {
		for s := range heard {
			if s != syscall.SIGHUP {
				os.Exit(codeInterrupted)
			}
		}
	}()
}

// marker is the variable that tells the processes of one start from all others.
const marker = "EXOBENCH_SOAK"

// ending is how a process is ended before its time; a nil signal is not at all.
type ending struct {
	signal syscall.Signal
	after  time.Duration
}

// ending draws one. The last process of a run is left alone.
func (s *soak) ending(last bool) ending {
	signals := []syscall.Signal{syscall.SIGKILL, syscall.SIGKILL, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP}
	e := ending{signals[s.random.IntN(len(signals))], time.Duration(s.random.IntN(2500)) * time.Millisecond}
	if s.random.IntN(2) == 0 || last {
		e.signal = 0
	}
	return e
}

// process is one that has ended.
type process struct {
	out, output string
	id, signal  string // the signal that was sent while it ran, if one was
	code        int
}

// start runs exobench to its end.
func (s *soak) start(out string, args []string, end ending) process {
	s.processes++
	p := process{out: out, id: fmt.Sprintf("%s/%d", s.dir, s.processes)}
	cmd := exec.Command(s.program, args...)
	cmd.Dir, cmd.Env = s.dir, append(os.Environ(), marker+"="+p.id)
	var output bytes.Buffer
	cmd.Stdout, cmd.Stderr = &output, &output
	cmd.WaitDelay = orphanTime
	if err := cmd.Start(); err != nil {
		s.violation(out, "it does not start: %v", err)
		return p
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = cmd.Wait() // its code is looked at
	}()
	limit := time.After(mostTime)
	if end.signal != 0 {
		select {
		case <-ended:
		case <-time.After(end.after):
			if cmd.Process.Signal(end.signal) == nil {
				p.signal = end.signal.String()
				s.kills++
			}
		}
	}
	select {
	case <-ended:
	case <-limit:
		s.violation(out, "it goes on for more than %v", mostTime)
		_ = cmd.Process.Kill()
		<-ended
	}
	p.code, p.output = cmd.ProcessState.ExitCode(), output.String()
	if usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
		s.peak = max(s.peak, usage.Maxrss)
		if usage.Maxrss > mostMemory {
			s.violation(out, "it took %d MiB", usage.Maxrss>>10)
		}
	}
	return p
}

// check holds a process against what must hold of each.
func (s *soak) check(p process) {
	how := fmt.Sprintf("exit code %d", p.code)
	if p.signal != "" {
		how += " after " + p.signal
	}
	s.codes[how]++
	known := p.code == codeDone || p.code == codeFailed
	switch {
	case p.signal == syscall.SIGKILL.String():
		known = known || p.code == codeKilled
	case p.signal != "":
		// Before the first instructions, a signal ends any process.
		known = known || p.code == codeInterrupted || p.code == codeKilled && p.output == ""
	}
	if !known {
		s.violation(p.out, "%s\n%s", how, p.output)
	}
	for _, trouble := range []string{"DATA RACE", "panic:", "fatal error:"} {
		if strings.Contains(p.output, trouble) {
			s.violation(p.out, "%s\n%s", trouble, p.output)
		}
	}
	for deadline := time.Now().Add(orphanTime); len(left(p.id)) > 0; time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			s.violation(p.out, "processes %v are left", left(p.id))
			return
		}
	}
}

// left returns the processes that a start has left behind, on systems with a
// /proc.
func left(id string) (pids []string) {
	all, _ := filepath.Glob("/proc/[0-9]*/environ") // the pattern is good
	for _, path := range all {
		text, err := os.ReadFile(path)
		if err == nil && bytes.Contains(append(text, 0), []byte(marker+"="+id+"\x00")) {
			pids = append(pids, filepath.Base(filepath.Dir(path)))
		}
	}
	return pids
}

// violation tells of something that must not be.
func (s *soak) violation(out, format string, args ...any) {
	s.wrong++
	fmt.Printf("WRONG in %s: %s\n", out, fmt.Sprintf(format, args...))
}
