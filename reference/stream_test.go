package reference

import (
	"io"
	"net"
	"runtime"
	"testing"
	"time"

	"exobench"
)

// connected returns both ends of a TCP connection that holds some tens of KiB.
func connected(t *testing.T) (near, far net.Conn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if far, err = net.Dial("tcp", l.Addr().String()); err != nil {
		t.Fatal(err)
	}
	if near, err = l.Accept(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { near.Close(); far.Close() })
	near.(*net.TCPConn).SetWriteBuffer(1 << 14)
	far.(*net.TCPConn).SetReadBuffer(1 << 14)
	return near, far
}

func streamOf(t *testing.T, c Config, conn net.Conn) *stream {
	t.Helper()
	socket, err := newSocket(conn)
	if err != nil {
		t.Fatal(err)
	}
	w := task{Config: c.filled(), model: "m"}
	return newStream(w, newFrames(w, exo, "id", 1), conn, socket, exobench.Monotonic(), 1)
}

func TestEmissionAllocatesNothing(t *testing.T) {
	near, far := connected(t)
	go io.Copy(io.Discard, far)
	s := streamOf(t, Config{Tokens: 1 << 20}, near)
	now, late := newClock(), new(lateness)
	if n := testing.AllocsPerRun(500, func() {
		if !s.step(now, late) {
			t.Error("the stream ended")
		}
	}); n != 0 {
		t.Errorf("%v allocations per event, want 0", n)
	}
}

func TestAClientThatDoesNotReadIsGivenUpAndBlocksNobody(t *testing.T) {
	near, _ := connected(t)
	s := streamOf(t, Config{Tokens: 1 << 20, PerChunk: 1 << 12, Patience: 20 * time.Millisecond}, near)
	now, late := newClock(), new(lateness)
	// A step that waited for the client would end only when this hangs up.
	hangup := time.AfterFunc(time.Minute, func() { near.Close() })
	for s.step(now, late) {
	}
	if !hangup.Stop() {
		t.Error("a step waited for the client, or the stream was never given up")
	}
	if b := late.take(); b.Late != 1 || b.Aborted != 1 {
		t.Errorf("behind is %+v, want one late and aborted stream", b)
	}
}

func TestAnEventThatTheSocketTookInPartsArrivesWhole(t *testing.T) {
	near, far := connected(t)
	s := streamOf(t, Config{Tokens: 1 << 18, PerChunk: 1 << 16, Patience: time.Hour}, near)
	full, size := make(chan struct{}), make(chan int64)
	go func() {
		<-full
		n, _ := io.Copy(io.Discard, far)
		size <- n
	}()
	now, late := newClock(), new(lateness)
	want := int64(3*len(s.middle.bytes) + len(s.last.bytes))
	if !s.step(now, late) || len(s.rest) == 0 {
		t.Fatalf("the socket took all of %d bytes: the test shows nothing", len(s.middle.bytes))
	}
	close(full)
	for s.step(now, late) {
		runtime.Gosched()
	}
	near.Close()
	if got := <-size; got != want {
		t.Errorf("%d bytes arrived of %d", got, want)
	}
	if b := late.take(); b.Late != 1 || b.Aborted != 0 {
		t.Errorf("behind is %+v, want one late stream", b)
	}
}

func TestNumbersAreRightAligned(t *testing.T) {
	for n, want := range map[int64]string{0: "                  0", 12345: "              12345", 1<<63 - 1: "9223372036854775807"} {
		field := make([]byte, stampWidth)
		putNumber(field, n)
		if string(field) != want {
			t.Errorf("%d is written as %q, want %q", n, field, want)
		}
	}
}
