package reference

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"
)

// child makes this binary a reference, as the benchmark needs it: in a process
// of its own.
const child = "EXOBENCH_TEST_REFERENCE"

func TestMain(m *testing.M) {
	if os.Getenv(child) == "" {
		os.Exit(m.Run())
	}
	s, err := New(Config{})
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

// startChild returns its URL, and what ends it and returns its CPU time.
func startChild(b *testing.B) (url string, end func() time.Duration) {
	var err error
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), child+"=1")
	stdin, _ := cmd.StdinPipe()
	stdout, _ := cmd.StdoutPipe()
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	url, err = bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		b.Fatal(err)
	}
	return strings.TrimSpace(url), func() time.Duration {
		stdin.Close()
		cmd.Wait()
		return cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	}
}

// BenchmarkBehind says how late the reference's writes are while a sink reads
// its streams, in microseconds.
func BenchmarkBehind(b *testing.B) {
	for _, load := range []struct{ streams, rate int }{{1, 50}, {64, 50}, {256, 50}, {1000, 50}, {1000, 100}} {
		b.Run(fmt.Sprintf("%dx%d", load.streams, load.rate), func(b *testing.B) {
			url, end := startChild(b)
			for b.Loop() {
				sink(b, url, load.streams, load.rate)
			}
			response, err := http.Get(url + "/reference/behind")
			if err != nil {
				b.Fatal(err)
			}
			defer response.Body.Close()
			var late Behind
			if err := json.NewDecoder(response.Body).Decode(&late); err != nil {
				b.Fatal(err)
			}
			b.ReportMetric(float64(end().Microseconds())/float64(late.Events), "cpu-µs/event")
			b.ReportMetric(float64(late.P50)/1e3, "p50-µs")
			b.ReportMetric(float64(late.P99)/1e3, "p99-µs")
			b.ReportMetric(float64(late.Max)/1e3, "max-µs")
			b.ReportMetric(float64(late.Events)/float64(b.N), "events/op")
		})
	}
}

// sink reads streams of two seconds.
func sink(b *testing.B, url string, streams, rate int) {
	body := fmt.Sprintf(`{"stream":true,"max_tokens":%d,"reference":{"ttft_ms":400,"interval_ms":%g}}`, 2*rate, 1000/float64(rate))
	var all sync.WaitGroup
	defer all.Wait()
	for range streams {
		all.Go(func() {
			conn, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
			if err != nil {
				b.Error(err)
				return
			}
			defer conn.Close()
			fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s", bench, len(body), body)
			if _, err := io.Copy(io.Discard, conn); err != nil {
				b.Error(err)
			}
		})
		time.Sleep(time.Second / time.Duration(rate*streams))
	}
}
