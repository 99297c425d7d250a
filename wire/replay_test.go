package wire

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"exobench"
	"exobench/internal/rawserver"
)

// keeper answers the first request of each connection well and keeps the
// connection; what it then does with it is then's. It counts the requests.
type keeper struct {
	then  func(c *net.TCPConn, r *bufio.Reader)
	mu    sync.Mutex
	asked int
}

func (k *keeper) start(t *testing.T) string {
	t.Helper()
	return "http://" + rawserver.Start(t, k.serve)
}

func (k *keeper) serve(c *net.TCPConn) {
	defer c.Close()
	r := bufio.NewReader(c)
	if !k.take(r) {
		return
	}
	io.WriteString(c, strings.Replace(chunked(content("a"), finish, terminate), "Connection: close\r\n", "", 1))
	k.then(c, r)
}

func (k *keeper) take(r *bufio.Reader) bool {
	request, err := http.ReadRequest(r)
	if err != nil {
		return false
	}
	io.Copy(io.Discard, request.Body)
	k.mu.Lock()
	defer k.mu.Unlock()
	k.asked++
	return true
}

func TestARequestThatMayHaveBeenTakenIsNotSentAgain(t *testing.T) {
	for _, c := range []struct {
		name string
		end  func(c *net.TCPConn)
	}{
		{"a reset", func(c *net.TCPConn) { c.SetLinger(0) }},
		{"a close", func(*net.TCPConn) {}},
	} {
		t.Run(c.name, func(t *testing.T) {
			k := &keeper{}
			k.then = func(conn *net.TCPConn, r *bufio.Reader) {
				if k.take(r) {
					time.Sleep(20 * ms)
					c.end(conn)
				}
			}
			client := NewClient(Config{Clock: exobench.NewClock()})
			defer client.Close()
			call := Call{URL: k.start(t), Body: []byte(`{"prompt":"` + strings.Repeat("x", 5000) + `"}`), Timeout: 20 * time.Second}
			if r := client.Do(t.Context(), call); r.Outcome != exobench.OK {
				t.Fatalf("outcome %s %s", r.Outcome, r.Error)
			}
			r := client.Do(t.Context(), call)
			k.mu.Lock()
			defer k.mu.Unlock()
			if r.Outcome != exobench.ConnectError || r.Replays != 0 || k.asked != 2 {
				t.Errorf("outcome %s %s, %d replays, %d requests came", r.Outcome, r.Error, r.Replays, k.asked)
			}
		})
	}
}

// A server closes its end just as the connection is used again. net/http most
// often reads that end before; here the request is written after it in any case.
func TestARequestThatCannotHaveArrivedIsSentAgain(t *testing.T) {
	closed := make(chan struct{})
	k := &keeper{}
	var once sync.Once
	k.then = func(c *net.TCPConn, _ *bufio.Reader) {
		c.Close()
		once.Do(func() { close(closed) })
	}
	clock := exobench.NewClock()
	url := k.start(t)
	d := &dialer{clock: clock, inner: (&net.Dialer{}).DialContext}
	inner, err := d.dial(t.Context(), "tcp", strings.TrimPrefix(url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	c := inner.(*conn)
	defer c.Close()
	io.WriteString(c, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n")
	<-closed
	before := c.written.Load()
	if c.untaken(before - 1) {
		t.Error("the request that was answered counts as not taken")
	}
	if _, err := io.Copy(io.Discard, c); err != nil { // the answer, and the end
		t.Fatal(err)
	}
	io.WriteString(c, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n")
	if !c.untaken(before) {
		t.Errorf("a request counts as taken that was written after the server had closed: %d bytes written before, %d in all, %d had arrived", before, c.written.Load(), c.reached.Load()-1)
	}
}

// A request that arrives in the moment before the close may have been taken, for
// all that the client can know: it is a failure then, and is not sent again.
func TestClosedConnectionsAreReplacedAndCounted(t *testing.T) {
	k := &keeper{then: func(*net.TCPConn, *bufio.Reader) {}} // closes
	client := NewClient(Config{Clock: exobench.NewClock()})
	defer client.Close()
	call := Call{URL: k.start(t), Body: []byte("{}"), Timeout: 20 * time.Second}
	answered := 0
	const requests = 200
	for i := range requests {
		switch r := client.Do(t.Context(), call); r.Outcome {
		case exobench.OK:
			answered++
		case exobench.ConnectError:
		default:
			t.Fatalf("request %d: outcome %s %s", i, r.Outcome, r.Error)
		}
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.asked != answered || answered < requests/2 {
		t.Errorf("%d requests came, %d of %d were answered", k.asked, answered, requests)
	}
}

// A server that closes each connection after its answer, though it says that it
// keeps it, as llama-server does: once that is seen, no request meets the end of
// another's connection.
func TestAServerThatClosesAfterEachAnswerCostsNoRequest(t *testing.T) {
	k := &keeper{then: func(*net.TCPConn, *bufio.Reader) {}} // closes
	client := NewClient(Config{Clock: exobench.NewClock()})
	defer client.Close()
	call := Call{URL: k.start(t), Body: []byte("{}"), Timeout: 20 * time.Second}
	var workers sync.WaitGroup
	var replays atomic.Int64
	const width = 4
	for range width {
		workers.Go(func() {
			for range 50 {
				r := client.Do(t.Context(), call)
				replays.Add(int64(r.Replays))
				if r.Outcome != exobench.OK || r.Dial == 0 {
					t.Errorf("outcome %s %s, dial %v", r.Outcome, r.Error, r.Dial)
				}
			}
		})
	}
	workers.Wait()
	// Until the habit is seen, those that began together may meet an end.
	if n := replays.Load(); n > width {
		t.Errorf("%d replays", n)
	}
}

// A server that keeps its connections has them used again.
func TestAServerThatKeepsItsConnectionsHasThemUsedAgain(t *testing.T) {
	k := &keeper{}
	k.then = func(c *net.TCPConn, r *bufio.Reader) {
		for k.take(r) {
			io.WriteString(c, strings.Replace(chunked(content("a"), finish, terminate), "Connection: close\r\n", "", 1))
		}
	}
	client := NewClient(Config{Clock: exobench.NewClock()})
	defer client.Close()
	call := Call{URL: k.start(t), Body: []byte("{}"), Timeout: 20 * time.Second}
	for i := range 20 {
		if r := client.Do(t.Context(), call); r.Outcome != exobench.OK || (r.Dial == 0) != (i > 0) {
			t.Errorf("request %d: outcome %s %s, dial %v", i, r.Outcome, r.Error, r.Dial)
		}
	}
}
