//go:build unix

package child

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// The test binary plays the programs that are started, and an exobench to be
// killed. What it plays is its first argument.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && plays[os.Args[1]] != nil {
		plays[os.Args[1]](os.Args[2:])
		return
	}
	os.Exit(m.Run())
}

var plays = map[string]func(args []string){
	"server":   playServer,
	"mute":     func([]string) { io.Copy(io.Discard, os.Stdin) },
	"broken":   func([]string) { fmt.Fprintln(os.Stderr, "no such\nthing"); os.Exit(3) },
	"stubborn": func([]string) { ignore(); fmt.Println("deaf"); select {} },
	"foreign":  playForeign,
	"exobench": playExobench,
}

// listen listens somewhere and says where.
func listen() {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	fmt.Printf("hello\n%shttp://%s\n", ReadyPrefix, l.Addr())
}

// playServer is one of exobench's own servers: it ends with its input.
func playServer([]string) {
	listen()
	io.Copy(io.Discard, os.Stdin)
}

func ignore() { signal.Ignore(syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP) }

// playForeign is a server that knows nothing of exobench, nor heeds a SIGTERM.
func playForeign([]string) {
	ignore()
	listen()
	select {}
}

// playExobench starts a program, says what it says, and waits to be killed.
func playExobench([]string) {
	foreign, err := Start(Command{What: "a server", Path: os.Args[0], Args: []string{"foreign"}})
	if err != nil {
		fmt.Println(err)
		return
	}
	for !strings.Contains(foreign.Output(), ReadyPrefix) {
		time.Sleep(time.Millisecond)
	}
	own, err := Serve(context.Background(), "its own server", os.Args[0], "server")
	if err != nil {
		fmt.Println(err)
		return
	}
	_, url, _ := strings.Cut(foreign.Output(), ReadyPrefix)
	url, _, _ = strings.Cut(url, "\n")
	fmt.Println(url)
	fmt.Println(own.URL)
	select {}
}

func TestAServerOfOurOwnSaysWhereItServesAndIsStopped(t *testing.T) {
	t.Parallel()
	s, err := Serve(t.Context(), "the server", os.Args[0], "server")
	if err != nil {
		t.Fatal(err)
	}
	checkListens(t, s.URL)
	if group, err := syscall.Getpgid(s.PID); err != nil || group != s.PID {
		t.Errorf("its group is %d (%v), want its own, %d", group, err, s.PID)
	}
	if !s.Running() {
		t.Error("it does not run")
	}
	if err := s.Stop(); err != nil || s.Running() {
		t.Errorf("after Stop: %v, running %v", err, s.Running())
	}
	checkGone(t, s.URL)
}

func TestAServerThatEndsAtItsStartTellsWhatItSaid(t *testing.T) {
	t.Parallel()
	_, err := Serve(t.Context(), "the server", os.Args[0], "broken")
	if want := "the server ended at its start (exit status 3): no such thing"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	if _, err := Serve(t.Context(), "the server", os.Args[0]+"-none"); err == nil || !strings.HasPrefix(err.Error(), "start the server: ") {
		t.Errorf("no such program: got %v", err)
	}
}

func TestAStartThatIsInterruptedLeavesNothing(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if s, err := Serve(ctx, "the server", os.Args[0], "mute"); err != context.Canceled {
		t.Errorf("got %+v, %v", s, err)
	}
}

func TestAProgramThatHeedsNoSignalIsKilled(t *testing.T) {
	t.Parallel()
	p, err := Start(Command{What: "a program", Path: os.Args[0], Args: []string{"stubborn"}})
	if err != nil {
		t.Fatal(err)
	}
	for !strings.Contains(p.Output(), "deaf") && p.Running() {
		time.Sleep(time.Millisecond)
	}
	took, err := p.Stop(50 * time.Millisecond)
	if took != "it heeded no SIGTERM and was killed" || err != nil || p.Running() {
		t.Errorf("got %q, %v, running %v", took, err, p.Running())
	}
	if !strings.HasPrefix(p.How(), "killed") {
		t.Errorf("it ended: %s", p.How())
	}
}

func TestAProgramThatEndsByItselfIsReaped(t *testing.T) {
	t.Parallel()
	p, err := Start(Command{What: "a program", Path: os.Args[0], Args: []string{"broken"}})
	if err != nil {
		t.Fatal(err)
	}
	if !p.Gone(time.Minute) || p.How() != "exit status 3" || !strings.Contains(p.Output(), "no such") {
		t.Errorf("it ended: %s, having said %q", p.How(), p.Output())
	}
	if took, err := p.Stop(time.Second); took != "" || err != nil {
		t.Errorf("Stop: got %q, %v", took, err)
	}
}

func TestWhatWasStartedGoesWhenExobenchIsKilled(t *testing.T) {
	t.Parallel()
	cmd := exec.Command(os.Args[0], "exobench")
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var urls []string
	lines := bufio.NewScanner(stdout)
	for len(urls) < 2 && lines.Scan() {
		urls = append(urls, lines.Text())
	}
	if len(urls) < 2 || !strings.HasPrefix(urls[0], "http") {
		t.Fatalf("no servers: %q", urls)
	}
	for _, url := range urls {
		checkListens(t, url)
	}
	cmd.Process.Kill()
	cmd.Wait()
	for _, url := range urls {
		checkGone(t, url)
	}
}

func TestOutputKeepsTheLastOfWhatIsWritten(t *testing.T) {
	t.Parallel()
	out := &output{}
	if got := out.quote(); got != "it said nothing" {
		t.Errorf("got %q of nothing", got)
	}
	for i := range 100 {
		out.Write([]byte(strings.Repeat("a", 1000) + strconv.Itoa(i) + "\n"))
	}
	out.Write([]byte("the end"))
	if got := out.String(); len(got) != outputLimit || !strings.HasSuffix(got, "a99\nthe end") {
		t.Errorf("got %d bytes, want the last %d", len(got), outputLimit)
	}
	if got := out.quote(); len(got) != quoted || !strings.HasSuffix(got, "a99 the end") {
		t.Errorf("got %q, want the last %d bytes on one line", got, quoted)
	}
}

func TestAnAnnouncementIsFoundHoweverItIsCut(t *testing.T) {
	t.Parallel()
	const text = "some words\nexobench listening on http://127.0.0.1:7\nexobench listening on http://127.0.0.1:8\n"
	for size := 1; size <= len(text); size++ {
		found := make(chan string, 1)
		a := &announcement{found: found}
		for i := 0; i < len(text); i += size {
			if n, err := a.Write([]byte(text[i:min(i+size, len(text))])); n == 0 || err != nil {
				t.Fatal(n, err)
			}
		}
		if got := <-found; got != "http://127.0.0.1:7" {
			t.Errorf("in pieces of %d: got %q", size, got)
		}
	}
}

// checkListens fails the test unless something listens at the URL.
func checkListens(t *testing.T, url string) {
	t.Helper()
	c, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	c.Close()
}

// checkGone waits until nothing listens at the URL.
func checkGone(t *testing.T, url string) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		c, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
		if err != nil {
			return
		}
		c.Close()
	}
	t.Errorf("a server still listens at %s", url)
}
