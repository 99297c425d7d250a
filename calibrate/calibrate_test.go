package calibrate

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"exobench"
	"exobench/reference"
	"exobench/wire"
)

// child makes this binary a reference in a process of its own.
const child = "EXOBENCH_TEST_REFERENCE"

// bareChild makes it a bare client.
const bareChild = "EXOBENCH_TEST_BARE"

func TestMain(m *testing.M) {
	if os.Getenv(bareChild) != "" {
		if err := Bare(context.Background(), os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	if os.Getenv(child) == "" {
		os.Exit(m.Run())
	}
	s, err := reference.New(reference.Config{})
	if err != nil {
		panic(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	fmt.Println("http://" + l.Addr().String())
	go http.Serve(l, s)
	io.Copy(io.Discard, os.Stdin)
	os.Exit(0)
}

// serve runs a reference whose own schedule nobody would wait for.
func serve(t *testing.T) string {
	t.Helper()
	s, err := reference.New(reference.Config{TTFT: time.Hour, Errors: reference.Errors{Fault: reference.HTTP500}})
	if err != nil {
		t.Fatal(err)
	}
	web := httptest.NewServer(s)
	t.Cleanup(func() { web.Close(); s.Close() })
	return web.URL
}

func config(t *testing.T, dial func(context.Context, string, string) (net.Conn, error)) Config {
	clock := exobench.NewClock()
	client := wire.NewClient(wire.Config{Clock: clock, Dial: dial})
	t.Cleanup(client.Close)
	return Config{URL: serve(t), Wire: client, Clock: clock, Streams: 8, Rate: 100, Duration: 300 * time.Millisecond}
}

// spied is a reference whose lateness is scripted, and which counts the streams
// that it is asked for.
type spied struct {
	http.Handler
	streams atomic.Int64
	behind  chan reference.Behind
}

func (s *spied) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodGet {
		json.NewEncoder(w).Encode(<-s.behind)
		return
	}
	s.streams.Add(1)
	s.Handler.ServeHTTP(w, r)
}

func TestRunSaysWhatTheRoundCostAndHowLateTheReferenceWasInIt(t *testing.T) {
	server, err := reference.New(reference.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Close)
	spy := &spied{Handler: server, behind: make(chan reference.Behind, 2)}
	spy.behind <- reference.Behind{P99: time.Hour} // from before the round
	spy.behind <- reference.Behind{P50: time.Millisecond, P99: 7 * time.Millisecond, Max: time.Minute}
	web := httptest.NewServer(spy)
	t.Cleanup(web.Close)
	cfg := config(t, nil)
	cfg.URL, cfg.Warm = web.URL, true

	began, used := cfg.Clock.Now(), cpuTime()
	c, err := Run(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	took := cfg.Clock.Now().Sub(began)
	used = cpuTime() - used
	if c.Streams != 8 || c.Rate != 100 || c.Events != 8*30 || c.At < began || c.At > began.Add(took) {
		t.Errorf("got %+v, want 8 streams with 30 events each, between %d and %v later", c, began, took)
	}
	if asked := spy.streams.Load(); asked != 2*8 || len(spy.behind) != 0 || c.Behind != 7*time.Millisecond {
		t.Errorf("%d streams were asked for, the reference was %v behind; want 16 and the 7ms of the second answer", asked, c.Behind)
	}
	if c.CPUPer1000 <= 0 || c.CPUPer1000*time.Duration(c.Events)/1000 > used {
		t.Errorf("CPU time of %v for 1000 events, of %v in all for %d", c.CPUPer1000, used, c.Events)
	}
	if all := residentMemory(); c.StreamMemory < 0 || c.StreamMemory*8 > 2*all {
		t.Errorf("%v for each of 8 streams, of %v in all", c.StreamMemory, all)
	}
	if c.Kernel != (runtime.GOOS == "linux") {
		t.Errorf("stamped by the kernel: %v", c.Kernel)
	}
	// Whatever the machine does, nothing comes before it was sent nor after the end.
	const clocks = -5 * time.Microsecond // what the clocks' offset may be wrong by
	for name, spans := range map[string][]time.Duration{
		"lag": {c.LagP50, c.LagP99, c.LagMax}, "TTFT": {c.TTFTP50, c.TTFTP99}, "latency": {c.LatencyP50, c.LatencyP99},
		"inter-chunk": {c.InterChunkP50, c.InterChunkP99}, "slip": {c.SlipP50, c.SlipP99},
	} {
		if !slices.IsSorted(spans) || spans[0] < clocks || spans[len(spans)-1] > took {
			t.Errorf("%s: %v of a calibration of %v, want them in order and within it", name, spans, took)
		}
	}
}

// lazy is a connection whose reads return late.
type lazy struct {
	net.Conn
	delay time.Duration
}

func (l lazy) Read(p []byte) (int, error) {
	n, err := l.Conn.Read(p)
	time.Sleep(l.delay)
	return n, err
}

func TestReadsThatReturnLateShowInLagAndTTFT(t *testing.T) {
	const delay = 5 * time.Millisecond
	cfg := config(t, func(ctx context.Context, network, address string) (net.Conn, error) {
		c, err := new(net.Dialer).DialContext(ctx, network, address)
		return lazy{c, delay}, err
	})
	c, err := Run(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	if c.LagP50 < delay || c.TTFTP50 < delay || c.LatencyP50 < delay {
		t.Errorf("lag %v, TTFT error %v, latency error %v; want the %v by which reads are late", c.LagP50, c.TTFTP50, c.LatencyP50, delay)
	}
}

func TestRunFailsWhereItHasNoTruth(t *testing.T) {
	plain := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			io.WriteString(w, "{}")
			return
		}
		w.Header().Set("Content-Type", "text/event-stream")
		for range 30 {
			io.WriteString(w, "data: {\"choices\":[{\"delta\":{\"content\":\"x\"}}]}\n\n")
		}
		io.WriteString(w, "data: [DONE]\n\n")
	}))
	defer plain.Close()
	cfg := config(t, nil)
	cfg.URL = plain.URL
	if c, err := Run(t.Context(), cfg); err == nil || !strings.Contains(err.Error(), "no timing reference") {
		t.Errorf("a server without stamps gave %+v, error %v", c, err)
	}
	cfg.URL = "http://127.0.0.1:1"
	if _, err := Run(t.Context(), cfg); err == nil {
		t.Error("no server at all gave no error")
	}
	if _, err := Run(t.Context(), Config{}); err == nil || strings.Count(err.Error(), "\n") != 3 {
		t.Errorf("the zero Config gave %v, want four problems", err)
	}
}

func TestRunEndsWhenItIsCanceled(t *testing.T) {
	cfg := config(t, nil)
	cfg.Duration = time.Hour
	cfg.Rate = 1
	ctx, cancel := context.WithTimeoutCause(t.Context(), 100*time.Millisecond, io.ErrClosedPipe)
	defer cancel()
	if _, err := Run(ctx, cfg); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("got %v, want the cause of the end", err)
	}
}

func TestEventsAreBounded(t *testing.T) {
	for _, c := range []struct {
		says    string
		cfg     Config
		perEach int
	}{
		{"a second by default", Config{Streams: 1, Rate: 50}, 50},
		{"the duration", Config{Streams: 4, Rate: 50, Duration: 500 * time.Millisecond}, 25},
		{"enough for a gap", Config{Streams: 1, Rate: 0.1}, minEvents},
		{"no more than suffice", Config{Streams: 64, Rate: 50, Duration: time.Hour, Enough: 2000}, 33},
		{"some of each stream, however many there are", Config{Streams: 1000, Rate: 50, Duration: time.Hour, Enough: 2000}, someEvents},
		{"what the duration has where that does not suffice", Config{Streams: 1, Rate: 50, Duration: time.Second, Enough: 2000}, 50},
		{"no more than the bound in all", Config{Streams: 1000, Rate: 1000, Duration: time.Hour}, maxEvents / 1000},
	} {
		if got := c.cfg.tokens(); got != c.perEach {
			t.Errorf("%s: %d events a stream, want %d", c.says, got, c.perEach)
		}
	}
}

func TestGridKeepsTheOrderOfItsPoints(t *testing.T) {
	points := []Point{{2, 100}, {1, 200}}
	cs, err := Grid(t.Context(), config(t, nil), points)
	if err != nil || len(cs) != 2 {
		t.Fatalf("%d calibrations, error %v", len(cs), err)
	}
	for i, p := range points {
		if cs[i].Streams != p.Streams || cs[i].Rate != p.Rate {
			t.Errorf("calibration %d is of %d streams at %v, want %+v", i, cs[i].Streams, cs[i].Rate, p)
		}
	}
}

func TestClientBoundIsTheFirstLoadWithTooGreatAnError(t *testing.T) {
	const ms = time.Millisecond
	few := exobench.Calibration{Streams: 1, Rate: 50, Events: 50, InterChunkP50: ms / 2, InterChunkP99: 9 * ms, TTFTP50: 9 * ms, TTFTP99: 90 * ms}
	many := exobench.Calibration{Streams: 200, Rate: 50, Events: 10_000, InterChunkP50: ms / 2, InterChunkP99: ms, TTFTP50: 9 * ms, TTFTP99: 10 * ms}
	gaps, ttft := many, many
	gaps.Streams, gaps.InterChunkP99 = 300, ms+1
	ttft.Streams, ttft.TTFTP99 = 400, 10*ms+1
	for _, c := range []struct {
		says    string
		in      []exobench.Calibration
		streams int
	}{
		{"nothing was measured", nil, 0},
		{"a 99th percentile of few does not count, and 5 % is allowed", []exobench.Calibration{few, many}, 0},
		{"gaps of more than 5 % of 20 ms", []exobench.Calibration{few, gaps, ttft}, 300},
		{"a TTFT off by more than 5 %", []exobench.Calibration{many, ttft, gaps}, 400},
	} {
		streams, rate, ok := ClientBound(c.in)
		if streams != c.streams || ok != (c.streams > 0) || ok && rate != 50 {
			t.Errorf("%s: got %d streams at %v, %v; want %d", c.says, streams, rate, ok, c.streams)
		}
	}
}

func TestOffsetIsRefusedWhereTheClocksMovedApart(t *testing.T) {
	if o, err := between(exobench.Offset{Value: 100, Width: 7}, exobench.Offset{Value: 200, Width: 9}); err != nil || o != (exobench.Offset{Value: 150, Width: 9}) {
		t.Errorf("got %v, %v; want the middle", o, err)
	}
	if _, err := between(exobench.Offset{}, exobench.Offset{Value: -2 * drift}); err == nil {
		t.Error("clocks 2 ms apart gave no error")
	}
}

// BenchmarkGrid prints the harness's errors against a reference in another
// process.
func BenchmarkGrid(b *testing.B) {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), child+"=1")
	stdin, _ := cmd.StdinPipe()
	stdout, _ := cmd.StdoutPipe()
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	defer cmd.Wait()
	defer stdin.Close()
	url, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		b.Fatal(err)
	}
	clock := exobench.NewClock()
	client := wire.NewClient(wire.Config{Clock: clock})
	for b.Loop() {
		for _, p := range []Point{{1, 50}, {64, 50}, {256, 50}, {1000, 50}} {
			begin := time.Now()
			c, err := Run(b.Context(), Config{URL: strings.TrimSpace(url), Wire: client, Clock: clock, Streams: p.Streams, Rate: p.Rate, Warm: true})
			if err != nil {
				b.Fatal(err)
			}
			b.Logf("%4d × %g/s: lag %v %v %v, TTFT %v %v, inter-chunk %v %v, latency %v %v, rate %.2g, CPU/1000 %v, %d B/stream, behind %v, kernel %v, took %v",
				c.Streams, c.Rate, c.LagP50, c.LagP99, c.LagMax, c.TTFTP50, c.TTFTP99, c.InterChunkP50, c.InterChunkP99, c.LatencyP50, c.LatencyP99,
				c.TokenRate, c.CPUPer1000, c.StreamMemory, c.Behind, c.Kernel, time.Since(begin).Round(time.Millisecond))
		}
	}
}
