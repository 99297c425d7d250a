package local

import (
	"net"
	"os"
	"slices"
	"strings"
	"testing"

	"exobench"
)

func TestTheProcessThatListensIsFoundAndItsMemoryRead(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	s := Find(t.Context(), address)
	// Tests of other packages may run beside this one, in one group of processes.
	s.Notices = slices.DeleteFunc(s.Notices, func(text string) bool { return strings.HasPrefix(text, "not counted as the engine's memory") })
	if s.PID() != os.Getpid() || len(s.Notices) != 0 || len(s.Sensors()) != 1 {
		t.Fatalf("got %+v, want process %d and its sensor", s, os.Getpid())
	}
	samples, err := s.Sensors()[0].Read(t.Context(), exobench.Loaded)
	if err != nil || len(samples) != 1 {
		t.Fatalf("got %+v, %v", samples, err)
	}
	if rss, ok := samples[0].Values.Get(exobench.RSS); !ok || rss < 1<<20 {
		t.Errorf("RSS %v, %v", rss, ok)
	}
	listener.Close()
	s = Find(t.Context(), address)
	if s.PID() != 0 || s.Sensors() != nil || len(s.Notices) != 1 || !strings.HasPrefix(s.Notices[0], "the engine's memory is not measured: ") {
		t.Errorf("where nothing listens: got %+v", s)
	}
}

func TestSomeMemoryIsFree(t *testing.T) {
	if free := FreeMemory(t.Context()); free < 1<<20 {
		t.Errorf("got %v", free)
	}
}
