package wire

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"exobench"
)

// pair returns the two ends of a connection over loopback; ours is stamped.
func pair(t testing.TB, clock exobench.Clock) (ours *conn, theirs *net.TCPConn) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	near, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	far, err := listener.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { near.Close(); far.Close() })
	ours = newConn(near, clock, new(atomic.Int64))
	ours.to.Store(new(arrivals))
	return ours, far.(*net.TCPConn)
}

func needKernel(t testing.TB) {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("the kernel stamps on Linux only")
	}
}

func TestAnAbsurdStampIsNoStamp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		clock := exobench.NewClock()
		time.Sleep(time.Minute)
		now := time.Now()
		for _, c := range []struct {
			name  string
			stamp int64
			delay int64
		}{
			{"none", 0, noDelay},
			{"5 µs before the read", now.UnixNano() - 5000, 5000},
			{"at the read", now.UnixNano(), 0},
			{"after the read", now.UnixNano() + 1, noDelay},
			{"2 s before", now.UnixNano() - 2e9, noDelay},
		} {
			a := arrivedAt(clock.Epoch(), now, c.stamp)
			if a.delay != c.delay || a.user != clock.Now() || a.at() != clock.Now()-exobench.Instant(max(c.delay, 0)) {
				t.Errorf("%s: delay %d, user %d, at %d, now %d", c.name, a.delay, a.user, a.at(), clock.Now())
			}
		}
	})
}

func TestReadsEndAsThoseOfPackageNet(t *testing.T) {
	for _, c := range []struct {
		name string
		end  func(ours net.Conn, theirs *net.TCPConn)
	}{
		{"end of file", func(_ net.Conn, theirs *net.TCPConn) { theirs.CloseWrite() }},
		{"reset", func(_ net.Conn, theirs *net.TCPConn) { theirs.SetLinger(0); theirs.Close() }},
		{"closed by us", func(ours net.Conn, _ *net.TCPConn) { ours.Close() }},
		{"deadline", func(ours net.Conn, _ *net.TCPConn) { ours.SetReadDeadline(time.Now().Add(-time.Second)) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			var texts [2]string
			for i := range texts {
				ours, theirs := pair(t, exobench.NewClock())
				var reader net.Conn = ours
				if i == 1 {
					reader = ours.Conn
				}
				if n, err := reader.Read(nil); n != 0 || err != nil {
					t.Errorf("an empty read: %d, %v", n, err)
				}
				ended := make(chan error, 1)
				go func() { // blocks in the read, most likely, when the end comes
					n, err := reader.Read(make([]byte, 10))
					if n != 0 {
						t.Errorf("%d bytes", n)
					}
					ended <- err
				}()
				time.Sleep(5 * time.Millisecond)
				c.end(ours, theirs)
				err := <-ended
				if err == nil {
					t.Fatal("no error")
				}
				var op *net.OpError
				var timeout net.Error
				text := err.Error()
				if errors.As(err, &op) {
					text = op.Op + " " + op.Net + " " + op.Err.Error()
				}
				texts[i] = strings.Join([]string{text, yes(errors.Is(err, io.EOF)), yes(errors.Is(err, net.ErrClosed)),
					yes(errors.Is(err, os.ErrDeadlineExceeded)), yes(errors.As(err, &timeout) && timeout.Timeout())}, ", ")
			}
			if texts[0] != texts[1] {
				t.Errorf("ours %q, package net's %q", texts[0], texts[1])
			}
		})
	}
}

func yes(b bool) string { return map[bool]string{true: "yes", false: "no"}[b] }

func TestAHalfClosedConnectionMayStillBeWrittenTo(t *testing.T) {
	ours, theirs := pair(t, exobench.NewClock())
	theirs.Write([]byte("x"))
	theirs.CloseWrite()
	if got, err := io.ReadAll(ours); string(got) != "x" || err != nil {
		t.Errorf("read %q, %v", got, err)
	}
	ours.Write([]byte("hello"))
	ours.Close()
	if got, err := io.ReadAll(theirs); string(got) != "hello" || err != nil {
		t.Errorf("they read %q, %v", got, err)
	}
}

// streaming is a server that streams events a few ms apart and notes when it
// wrote each.
type streaming struct {
	clock exobench.Clock
	mu    sync.Mutex
	wrote []exobench.Instant
}

// start forgets the writes of the request before.
func (s *streaming) start() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.wrote = nil
}

func (s *streaming) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	io.Copy(io.Discard, r.Body)
	w.Header().Set("Content-Type", "text/event-stream")
	for range 5 {
		time.Sleep(3 * time.Millisecond)
		s.mu.Lock()
		s.wrote = append(s.wrote, s.clock.Now())
		s.mu.Unlock()
		io.WriteString(w, content("a"))
		w.(http.Flusher).Flush()
	}
	io.WriteString(w, finish+terminate)
}

func TestStreamsHaveTheKernelsInstants(t *testing.T) {
	needKernel(t)
	for _, c := range []struct {
		name  string
		start func(http.Handler) *httptest.Server
	}{
		{"plain", httptest.NewServer},
		{"TLS", httptest.NewTLSServer},
	} {
		t.Run(c.name, func(t *testing.T) {
			clock := exobench.NewClock()
			handler := &streaming{clock: clock}
			server := c.start(handler)
			defer server.Close()
			client := NewClient(Config{Clock: clock, Insecure: true})
			defer client.Close()
			var dials int
			var last exobench.Record
			for range 3 { // the second and third on the connection of the first
				handler.start()
				last = client.Do(t.Context(), Call{URL: server.URL, Body: []byte("{}"), Timeout: 20 * time.Second})
				if last.Outcome != exobench.OK || len(last.Chunks) != 5 {
					t.Fatalf("outcome %s %s, %d chunks", last.Outcome, last.Error, len(last.Chunks))
				}
				if last.Dial > 0 {
					dials++
				}
			}
			if dials != 1 {
				t.Errorf("%d connections for 3 requests in a row, want 1", dials)
			}
			if !client.KernelStamps() || len(last.Delays) != len(last.Chunks) {
				t.Fatalf("kernel stamps %v, %d delays of %d chunks", client.KernelStamps(), len(last.Delays), len(last.Chunks))
			}
			handler.mu.Lock()
			defer handler.mu.Unlock()
			for i, chunk := range last.Chunks {
				if wrote := handler.wrote[i]; chunk.At < wrote-1000 || last.Delays[i] < 0 || chunk.At.Add(time.Duration(last.Delays[i])) > last.Ended {
					t.Errorf("chunk %d: written at %d, stamped at %d with delay %d, stream ended at %d", i, wrote, chunk.At, last.Delays[i], last.Ended)
				}
			}
			if last.FirstToken != last.Chunks[0].At || last.LastToken != last.Chunks[4].At || last.Headers > last.FirstToken || last.Headers <= last.Sent {
				t.Errorf("sent %d, headers %d, first token %d, last %d, chunks %v", last.Sent, last.Headers, last.FirstToken, last.LastToken, last.Chunks)
			}
		})
	}
}

func TestAPipeHasNoKernelStamps(t *testing.T) {
	inBubble(t, func(w io.Writer, flush func()) {
		io.WriteString(w, content("a")+finish+terminate)
	}, func(t *testing.T, c *Client) {
		r := c.Do(t.Context(), Call{URL: "http://engine/v1"})
		if r.Outcome != exobench.OK || r.Delays != nil || c.KernelStamps() {
			t.Errorf("outcome %s, delays %v, kernel stamps %v", r.Outcome, r.Delays, c.KernelStamps())
		}
	})
}

func TestAMissingStampPutsTheWholeAnswerOnTheUsersAxis(t *testing.T) {
	answer := newCapture()
	for i, delay := range []int64{500, noDelay, 500} {
		n := copy(answer.spare(), content("a"))
		answer.note(n, arrival{user: exobench.Instant(1000 * (i + 1)), delay: delay})
	}
	var r exobench.Record
	parse(answer, &r, &Call{})
	if r.Delays != nil || len(r.Chunks) != 3 || r.Chunks[0].At != 1000 || r.Chunks[2].At != 3000 {
		t.Errorf("delays %v, chunks %v", r.Delays, r.Chunks)
	}
}

func TestCancelAndTimeoutEndABlockedRead(t *testing.T) {
	for _, start := range []func(http.Handler) *httptest.Server{httptest.NewServer, httptest.NewTLSServer} {
		client := NewClient(Config{Clock: exobench.NewClock(), Insecure: true})
		ctx, cancel := context.WithCancel(t.Context())
		server := start(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			io.Copy(io.Discard, r.Body)
			io.WriteString(w, content("a"))
			w.(http.Flusher).Flush()
			for client.Events() == 0 { // until the client has it
				time.Sleep(time.Millisecond)
			}
			cancel()
			<-r.Context().Done()
		}))
		if r := client.Do(ctx, Call{URL: server.URL}); r.Outcome != exobench.Canceled || len(r.Chunks) != 1 {
			t.Errorf("outcome %s %s, %d chunks", r.Outcome, r.Error, len(r.Chunks))
		}
		if r := client.Do(t.Context(), Call{URL: server.URL, Timeout: 30 * time.Millisecond}); r.Outcome != exobench.Timeout {
			t.Errorf("outcome %s %s", r.Outcome, r.Error)
		}
		client.Close()
		server.Close()
	}
}

func TestARedirectKeepsItsStamps(t *testing.T) {
	clock := exobench.NewClock()
	server := httptest.NewServer(redirecting(http.StatusTemporaryRedirect, &streaming{clock: clock}))
	defer server.Close()
	client := NewClient(Config{Clock: clock})
	defer client.Close()
	r := client.Do(t.Context(), Call{URL: server.URL + "/first", Body: []byte("{}")})
	if r.Outcome != exobench.OK || len(r.Chunks) != 5 || r.Chunks[0].At <= r.Sent {
		t.Errorf("outcome %s %s, chunks %v", r.Outcome, r.Error, r.Chunks)
	}
}

func TestEventsBeforeAHalfArrivedOneKeepTheirInstant(t *testing.T) {
	const pause = 30 * time.Millisecond
	split := content("b")
	answer := chunked(content("a"), split, finish, terminate)
	cut := strings.Index(answer, split) + len(split)/2 // in mid-chunk
	synctest.Test(t, func(t *testing.T) {
		dial := func(context.Context, string, string) (net.Conn, error) {
			near, far := net.Pipe()
			go func() {
				defer far.Close()
				if _, err := http.ReadRequest(bufio.NewReader(far)); err != nil {
					return
				}
				io.WriteString(far, answer[:cut])
				time.Sleep(pause)
				io.WriteString(far, answer[cut:])
			}()
			return near, nil
		}
		client := NewClient(Config{Clock: exobench.NewClock(), Dial: dial})
		defer client.Close()
		r := client.Do(t.Context(), Call{URL: "http://engine/v1"})
		if r.Outcome != exobench.OK || len(r.Chunks) != 2 || r.Chunks[0].At.Sub(r.Sent) != 0 || r.Chunks[1].At.Sub(r.Chunks[0].At) != pause {
			t.Errorf("outcome %s %s, sent %d, chunks %v: want the first at once and the second %v later", r.Outcome, r.Error, r.Sent, r.Chunks, pause)
		}
	})
}

// block is a body that has the same bytes so many times.
type block struct {
	text  []byte
	times int
	to    *arrivals
	epoch time.Time
}

func (b *block) Read(p []byte) (int, error) {
	if b.times == 0 {
		return 0, io.EOF
	}
	b.times--
	n := copy(p, b.text)
	b.to.note(n, arrivedAt(b.epoch, time.Now(), time.Now().UnixNano()-1000))
	return n, nil
}

func newExchange(t testing.TB) *exchange {
	client := NewClient(Config{Clock: exobench.NewClock()})
	_, watchdog := watch(t.Context(), client.clock, time.Hour, time.Hour)
	t.Cleanup(watchdog.stop)
	return &exchange{client: client, watchdog: watchdog, arrivals: new(arrivals), plain: true}
}

func TestTheLoopAllocatesNothing(t *testing.T) {
	x := newExchange(t)
	body := &block{text: []byte(content("hello")), to: x.arrivals, epoch: x.client.clock.Epoch()}
	answer := newCapture()
	run := func() {
		// The buffers are kept, since the collector may empty the pool.
		for i := range answer.segments {
			answer.segments[i] = answer.segments[i][:0]
		}
		body.times = 20
		*answer = capture{segments: answer.segments[:min(1, len(answer.segments))], marks: answer.marks[:0]}
		x.read(body, answer)
	}
	if n := testing.AllocsPerRun(50, run); n != 0 {
		t.Errorf("%v allocations in 20 reads", n)
	}
	if len(answer.marks) != 20 {
		t.Errorf("%d marks of 20 reads", len(answer.marks))
	}
}

func TestAReadOfASocketAllocatesNothing(t *testing.T) {
	ours, theirs := pair(t, exobench.NewClock())
	text, buffer := []byte(content("hello")), make([]byte, 4096)
	if n := testing.AllocsPerRun(200, func() {
		theirs.Write(text)
		ours.Read(buffer)
	}); n != 0 {
		t.Errorf("%v allocations a read", n)
	}
	if !bytes.HasPrefix(buffer, text) {
		t.Errorf("read %q", buffer)
	}
}
