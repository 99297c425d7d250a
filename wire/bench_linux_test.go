package wire

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"exobench"
)

// The benchmarks' server is this binary once more, on a CPU of its own where
// there are two or more.
const serverEnv = "EXOBENCH_WIRE_BENCH_SERVER"

func TestMain(m *testing.M) {
	if os.Getenv(serverEnv) != "" {
		pin(1)
		serveBench()
		return
	}
	m.Run()
}

// pin keeps every thread of this process on one CPU of those it may use.
func pin(nth int) (undo func()) {
	var all unix.CPUSet
	if unix.SchedGetaffinity(0, &all) != nil || all.Count() < 2 {
		return func() {}
	}
	var one unix.CPUSet
	for cpu, seen := 0, 0; ; cpu++ {
		if !all.IsSet(cpu) {
			continue
		}
		if seen == nth {
			one.Set(cpu)
			break
		}
		seen++
	}
	set := func(cpus *unix.CPUSet) {
		threads, _ := os.ReadDir("/proc/self/task")
		for _, thread := range threads {
			id, _ := strconv.Atoi(thread.Name())
			unix.SchedSetaffinity(id, cpus)
		}
	}
	set(&one)
	return func() { set(&all) }
}

// serveBench streams as the query of each request says: so many writes, so many
// events a write, so long between the writes. It prints its address, and ends
// with its standard input.
func serveBench() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	fmt.Println(listener.Addr())
	go func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			go serveBenchConn(c)
		}
	}()
	io.Copy(io.Discard, os.Stdin)
}

func serveBenchConn(c net.Conn) {
	defer c.Close()
	r := bufio.NewReaderSize(c, 512)
	for {
		request, err := http.ReadRequest(r)
		if err != nil {
			return
		}
		io.Copy(io.Discard, request.Body)
		number := func(key string) int { n, _ := strconv.Atoi(request.URL.Query().Get(key)); return n }
		io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
		block := []byte(strings.Repeat(httpChunk(benchEvent), number("per")))
		every := time.Duration(number("us")) * time.Microsecond
		due := time.Now()
		for range number("writes") {
			if _, err := c.Write(block); err != nil {
				return
			}
			if every > 0 {
				due = due.Add(every)
				time.Sleep(time.Until(due))
			}
		}
		io.WriteString(c, httpChunk(finish)+httpChunk(terminate)+"0\r\n\r\n")
	}
}

func httpChunk(text string) string { return fmt.Sprintf("%x\r\n%s\r\n", len(text), text) }

// benchServer starts the server; the URL it returns lacks the query.
func benchServer(b testing.TB) string {
	b.Helper()
	server := exec.Command(os.Args[0])
	server.Env = append(os.Environ(), serverEnv+"=1")
	server.Stderr = os.Stderr
	in, err := server.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	out, err := server.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := server.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { in.Close(); server.Wait() })
	address, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		b.Fatal(err)
	}
	return "http://" + strings.TrimSpace(address) + "/"
}

func query(writes, per int, every time.Duration) string {
	return "?" + url.Values{
		"writes": {strconv.Itoa(writes)}, "per": {strconv.Itoa(per)}, "us": {strconv.Itoa(int(every.Microseconds()))},
	}.Encode()
}

// together runs so many calls at once.
func together(b testing.TB, client *Client, streams int, call Call) []exobench.Record {
	b.Helper()
	records := make([]exobench.Record, streams)
	var group sync.WaitGroup
	for i := range records {
		group.Go(func() { records[i] = client.Do(b.Context(), call) })
	}
	group.Wait()
	for _, r := range records {
		if r.Outcome != exobench.OK {
			b.Fatalf("outcome %s: %s", r.Outcome, r.Error)
		}
	}
	return records
}

func cpuTime() time.Duration {
	var u unix.Rusage
	unix.Getrusage(unix.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkStreams measures what an event costs the client in all, from the
// kernel to the record, where the server writes 64 at once.
func BenchmarkStreams(b *testing.B) {
	for _, streams := range []int{1, 64, 1000} {
		b.Run(strconv.Itoa(streams), func(b *testing.B) {
			base := benchServer(b)
			defer pin(0)()
			defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
			client := NewClient(Config{Clock: exobench.NewClock()})
			defer client.Close()
			const per = 64
			writes := max(20, 5000/streams)
			call := Call{URL: base + query(writes, per, 0)}
			together(b, client, streams, call) // dials
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			start, events := cpuTime(), 0
			for b.Loop() {
				together(b, client, streams, call)
				events += streams * writes * per
			}
			spent := cpuTime() - start
			runtime.ReadMemStats(&after)
			b.ReportMetric(float64(spent.Nanoseconds())/float64(events), "cpu-ns/event")
			b.ReportMetric(float64(events)/spent.Seconds()/1e6, "Mevents/s/core")
			b.ReportMetric(float64(after.Mallocs-before.Mallocs)/float64(events), "allocs/event")
			b.ReportMetric(float64(after.TotalAlloc-before.TotalAlloc)/float64(events), "B/event")
		})
	}
}

// BenchmarkDelay measures how far reads lie behind the kernel's stamps, in
// streams of 50 events a second.
func BenchmarkDelay(b *testing.B) {
	for _, streams := range []int{64, 256, 1000} {
		b.Run(strconv.Itoa(streams), func(b *testing.B) {
			base := benchServer(b)
			defer pin(0)()
			client := NewClient(Config{Clock: exobench.NewClock()})
			defer client.Close()
			var delays []int64
			var unstamped int
			start, events := cpuTime(), 0
			for b.Loop() {
				for _, r := range together(b, client, streams, Call{URL: base + query(200, 1, 20*time.Millisecond)}) {
					delays = append(delays, r.Delays...)
					events += len(r.Chunks)
					if r.Delays == nil {
						unstamped++
					}
				}
			}
			b.ReportMetric(float64((cpuTime()-start).Microseconds())/float64(events), "cpu-µs/event")
			slices.Sort(delays)
			if len(delays) == 0 {
				b.Fatal("no kernel stamps")
			}
			quantile := func(p float64) float64 { return float64(delays[int(p*float64(len(delays)-1))]) / 1000 }
			b.ReportMetric(quantile(0.5), "p50-µs")
			b.ReportMetric(quantile(0.99), "p99-µs")
			b.ReportMetric(quantile(1), "max-µs")
			b.ReportMetric(float64(unstamped), "unstamped-streams")
		})
	}
}

// BenchmarkMemory measures what an open stream of one event a second takes:
// resident memory of the process, kernel buffers apart.
func BenchmarkMemory(b *testing.B) {
	for _, streams := range []int{1000, 10000} {
		b.Run(strconv.Itoa(streams), func(b *testing.B) {
			var limit unix.Rlimit
			unix.Getrlimit(unix.RLIMIT_NOFILE, &limit)
			if limit.Cur < uint64(streams)+100 {
				b.Skipf("only %d files may be open", limit.Cur)
			}
			base := benchServer(b)
			client := NewClient(Config{Clock: exobench.NewClock()})
			defer client.Close()
			for b.Loop() {
				debug.FreeOSMemory()
				before := resident(b)
				ended := make(chan struct{})
				go func() {
					defer close(ended)
					together(b, client, streams, Call{URL: base + query(10, 1, time.Second)})
				}()
				time.Sleep(8 * time.Second)
				var m runtime.MemStats
				runtime.ReadMemStats(&m)
				b.ReportMetric(float64(resident(b)-before)/float64(streams)/1000, "rss-KB/stream")
				b.ReportMetric(float64(m.StackInuse)/float64(streams)/1000, "stack-KB/stream")
				b.ReportMetric(float64(m.HeapAlloc)/float64(streams)/1000, "heap-KB/stream")
				<-ended
			}
		})
	}
}

func resident(b testing.TB) int {
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		b.Fatal(err)
	}
	pages, _ := strconv.Atoi(strings.Fields(string(text))[1])
	return pages * os.Getpagesize()
}

// BenchmarkLoop measures the loop of a stream without the connection, in reads
// of 15 events.
func BenchmarkLoop(b *testing.B) {
	const reads, perRead = 50, 15
	x := newExchange(b)
	body := &block{text: bytes.Repeat([]byte(benchEvent), perRead), to: x.arrivals, epoch: x.client.clock.Epoch()}
	b.ReportAllocs()
	for b.Loop() {
		answer := newCapture()
		body.times = reads
		if err := x.read(body, answer); err != nil {
			b.Fatal(err)
		}
		answer.free()
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/reads/perRead, "ns/event")
}

// BenchmarkRead measures one read of a socket that has something to read, of
// package net's connection and of ours.
func BenchmarkRead(b *testing.B) {
	for _, kind := range []string{"net", "stamped"} {
		b.Run(kind, func(b *testing.B) {
			ours, theirs := pair(b, exobench.NewClock())
			var reader io.Reader = ours
			if kind == "net" {
				reader = ours.Conn
			}
			one := make([]byte, 256)
			rest := 0
			for b.Loop() {
				if rest == 0 {
					b.StopTimer()
					theirs.Write(make([]byte, 256*512))
					rest = 512
					b.StartTimer()
				}
				io.ReadFull(reader, one)
				rest--
			}
		})
	}
}
