package resource

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// childEnv makes the test binary play an engine: it takes one order a line on
// its standard input and answers each with one line, "ok" where nothing else is said.
const childEnv = "EXOBENCH_RESOURCE_CHILD"

// readerEnv makes it read the memory of the process with that id.
const readerEnv = "EXOBENCH_RESOURCE_READER"

// engineEnv makes it find the engine at that address, and read its memory.
const engineEnv = "EXOBENCH_RESOURCE_ENGINE"

// finderEnv makes it find the listener at that address.
const finderEnv = "EXOBENCH_RESOURCE_FINDER"

func TestMain(m *testing.M) {
	if os.Getenv(childEnv) != "" {
		play(os.Stdin, os.Stdout)
		return
	}
	if pid, err := strconv.Atoi(os.Getenv(readerEnv)); err == nil {
		fmt.Println(Tree{PID: pid}.Read(context.Background()))
		return
	}
	if address := os.Getenv(engineEnv); address != "" {
		e, err := FindEngine(context.Background(), address)
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(strings.Join(e.Notices(), "\n"))
		fmt.Println(e.Tree.Read(context.Background()))
		return
	}
	if address := os.Getenv(finderEnv); address != "" {
		fmt.Println(FindListener(context.Background(), address))
		return
	}
	os.Exit(m.Run())
}

// play carries out the orders:
//
//	touch N      take N MiB of anonymous memory
//	map PATH     map a file and read every page of it
//	free         give back what was taken or mapped last
//	fork         start another of its kind; its pid is the answer
//	fork group, fork session  start it in a process group, or session, of its own
//	give ORDER   have the last one carry out ORDER
//	first ORDER  have the first one carry out ORDER
//	share        start another that inherits the listening socket
//	listen ADDR  listen, with others if need be; the address is the answer
//	dial ADDR    connect, and stay connected
//	pid          its pid is the answer
//	stay         go on for a minute once there are no more orders
//	leave        end at once, and leave the others running
func play(in io.Reader, out io.Writer) {
	var kept [][]byte
	var child, first *engine
	var socket net.Listener
	var connections []net.Conn
	var stays time.Duration
	orders := bufio.NewScanner(in)
	for orders.Scan() {
		order, argument, _ := strings.Cut(orders.Text(), " ")
		answer := "ok"
		switch order {
		case "touch":
			kept = append(kept, touched(argument))
		case "map":
			kept = append(kept, mapped(argument))
		case "free":
			if err := syscall.Munmap(kept[len(kept)-1]); err != nil {
				panic(err)
			}
			kept = kept[:len(kept)-1]
		case "fork":
			child = must(startEngine(&syscall.SysProcAttr{Setpgid: argument == "group", Setsid: argument == "session"}))
			first = cmp.Or(first, child)
			answer = strconv.Itoa(child.pid)
		case "give":
			answer = child.order(argument)
		case "first":
			answer = first.order(argument)
		case "stay":
			stays = time.Minute
		case "pid":
			answer = strconv.Itoa(os.Getpid())
		case "dial":
			connections = append(connections, must(net.Dial("tcp", argument)))
		case "leave":
			fmt.Fprintln(out, answer)
			os.Exit(0)
		case "listen":
			socket = must(reusing.Listen(context.Background(), "tcp", argument))
			answer = socket.Addr().String()
		case "share":
			child = must(startEngine(nil, must(socket.(*net.TCPListener).File())))
			answer = strconv.Itoa(child.pid)
		}
		fmt.Fprintln(out, answer)
	}
	time.Sleep(stays)
	for _, k := range kept {
		k[0]++ // alive until here
	}
	runtime.KeepAlive(connections)
}

// reusing lets several listen at one address.
var reusing = net.ListenConfig{Control: func(_, _ string, c syscall.RawConn) error {
	var failed error
	err := c.Control(func(fd uintptr) { failed = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_REUSEPORT, 1) })
	return errors.Join(err, failed)
}}

func touched(mebibytes string) []byte {
	memory := must(syscall.Mmap(-1, 0, must(strconv.Atoi(mebibytes))<<20,
		syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE))
	for i := 0; i < len(memory); i += 4096 {
		memory[i] = 1
	}
	return memory
}

func mapped(path string) []byte {
	file := must(os.Open(path))
	size := int(must(file.Stat()).Size())
	memory := must(syscall.Mmap(int(file.Fd()), 0, size,
		syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_PRIVATE))
	for i := 0; i < len(memory); i += 4096 {
		lastByte = memory[i]
	}
	return memory
}

// lastByte keeps the compiler from dropping the reads of a mapped file.
var lastByte byte

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

// engine is a child process that plays.
type engine struct {
	pid     int
	command *exec.Cmd
	in      io.WriteCloser
	out     *bufio.Reader
}

func startEngine(how *syscall.SysProcAttr, files ...*os.File) (*engine, error) {
	return startProgram(os.Args[0], how, files...)
}

func startProgram(path string, how *syscall.SysProcAttr, files ...*os.File) (*engine, error) {
	command := exec.Command(path)
	command.SysProcAttr = how
	command.Env = append(os.Environ(), childEnv+"=1")
	command.ExtraFiles = files
	command.Stderr = os.Stderr
	in, err := command.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := command.Start(); err != nil {
		return nil, err
	}
	e := &engine{pid: command.Process.Pid, command: command, in: in, out: bufio.NewReader(out)}
	e.order("be ready")
	return e, nil
}

func (e *engine) order(text string) string {
	fmt.Fprintln(e.in, text)
	return strings.TrimSpace(must(e.out.ReadString('\n')))
}

// newEngine starts an engine that ends with the test.
func newEngine(t testing.TB) *engine {
	t.Helper()
	return newProgram(t, os.Args[0], nil)
}

func newProgram(t testing.TB, path string, how *syscall.SysProcAttr) *engine {
	t.Helper()
	e, err := startProgram(path, how)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		e.in.Close()
		e.command.Wait()
	})
	return e
}
