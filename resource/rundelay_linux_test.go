package resource

import (
	"maps"
	"runtime"
	"testing"
	"time"
)

func TestThreadsOfAFixture(t *testing.T) {
	proc := newFakeProc(t)
	proc.write("self/task/11/schedstat", "123456 789 10\n")
	proc.write("self/task/12/schedstat", "0 0 0\n") // as of a kernel without CONFIG_SCHED_INFO
	proc.write("self/task/13/schedstat", "what\n")
	proc.write("self/task/14/stat", "")
	want := threads{11: {ran: 123456, waited: 789, times: 10}}
	if got := proc.root.threads("self"); !maps.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	if got := proc.root.threads("9999"); got != nil {
		t.Errorf("of a process that is not there: %v", got)
	}
}

// Two threads that must share one core cannot both run all the time.
func TestAThreadThatWaitsForACoreIsSeen(t *testing.T) {
	before := ownThreads()
	if len(before) == 0 {
		t.Skip("this kernel does not count run delays")
	}
	d := runDelays{read: ownThreads, last: before}
	halt := make(chan struct{})
	for range 2 * runtime.NumCPU() {
		shell(t, "while :; do :; done")
	}
	go func() {
		for {
			select {
			case <-halt:
				return
			default:
			}
		}
	}()
	defer close(halt)
	for deadline := time.Now().Add(30 * time.Second); d.waited == 0; {
		if time.Now().After(deadline) {
			t.Fatal("no wait was seen on a machine with twice as many busy processes as cores")
		}
		time.Sleep(5 * time.Millisecond)
		d.look()
	}
	if d.longest <= 0 || d.ran <= 0 {
		t.Errorf("waited %v, longest %v, ran %v", d.waited, d.longest, d.ran)
	}
}
