package faults

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"
)

// Server is a server of OpenAI's API on a socket of the loopback interface. It
// has one model, named [Model], answers well, and does what a Row says where it
// is told to.
type Server struct {
	pick    func(n int) *Row
	address string
	// Elsewhere is the URL of another origin, which must not be called; see Strays.
	Elsewhere string
	other     net.Listener

	mu       sync.Mutex
	listener net.Listener // nil while the server is away
	conns    map[net.Conn]bool
	chats    int
	strays   int
	closed   bool
	serving  sync.WaitGroup
}

// Model is the id of the one model.
const Model = "m"

// Start starts a server. pick returns what the n-th chat meets, from 1: nil is a
// good answer. The server must be closed.
func Start(pick func(n int) *Row) (*Server, error) {
	s := &Server{pick: pick, conns: map[net.Conn]bool{}}
	var err error
	if s.other, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		return nil, err
	}
	s.Elsewhere = "http://" + s.other.Addr().String()
	if s.listener, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		s.other.Close()
		return nil, err
	}
	s.address = s.listener.Addr().String()
	s.serving.Go(func() { s.accept(s.listener) })
	s.serving.Go(s.countStrays)
	return s, nil
}

// URL returns the server's base URL.
func (s *Server) URL() string { return "http://" + s.address }

// Chats returns how many chats came so far.
func (s *Server) Chats() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.chats
}

// Strays returns how many connections were made to Elsewhere.
func (s *Server) Strays() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.strays
}

// Close ends the server and all its connections.
func (s *Server) Close() {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.leave()
	s.other.Close()
	s.serving.Wait()
}

// leave ends the listener and all connections.
func (s *Server) leave() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.listener != nil {
		s.listener.Close()
		s.listener = nil
	}
	for c := range s.conns {
		c.Close()
	}
}

// restart ends the server for a while. It listens at the same address again.
func (s *Server) restart(away time.Duration) {
	s.leave()
	time.Sleep(away)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed || s.listener != nil {
		return
	}
	listener, err := net.Listen("tcp", s.address)
	if err != nil {
		return // somebody else has the port; clients see a server that stays away
	}
	s.listener = listener
	s.serving.Go(func() { s.accept(listener) })
}

func (s *Server) accept(listener net.Listener) {
	for {
		c, err := listener.Accept()
		if err != nil {
			return
		}
		s.mu.Lock()
		s.conns[c] = true
		s.mu.Unlock()
		s.serving.Go(func() { s.serve(c.(*net.TCPConn)) })
	}
}

func (s *Server) countStrays() {
	for {
		c, err := s.other.Accept()
		if err != nil {
			return
		}
		c.Close()
		s.mu.Lock()
		s.strays++
		s.mu.Unlock()
	}
}

// serve answers the requests of a connection.
func (s *Server) serve(c *net.TCPConn) {
	defer func() {
		c.Close()
		s.mu.Lock()
		delete(s.conns, c)
		s.mu.Unlock()
	}()
	conn := &Conn{TCPConn: c, reader: bufio.NewReader(c), server: s}
	for {
		request, err := http.ReadRequest(conn.reader)
		if err != nil {
			return
		}
		if _, err := io.Copy(io.Discard, request.Body); err != nil {
			return
		}
		if request.Method == http.MethodGet {
			conn.list(request.URL.Path)
			continue
		}
		row := (*Row)(nil)
		if request.URL.Path != movedPath { // which the chat before led to
			s.mu.Lock()
			s.chats++
			n := s.chats
			s.mu.Unlock()
			row = s.pick(n)
		}
		if row == nil {
			conn.stream(Good...)
			continue
		}
		row.serve(conn)
		return
	}
}

// Conn is a connection whose request was read.
type Conn struct {
	*net.TCPConn
	reader *bufio.Reader
	server *Server
}

// list answers what is asked beside chats.
func (c *Conn) list(path string) {
	if strings.HasSuffix(path, "/models") {
		c.answer(200, "application/json", `{"object":"list","data":[{"id":"`+Model+`","object":"model"}]}`)
		return
	}
	c.answer(404, "application/json", `{"error":{"message":"no such path"}}`)
}

// send writes text as it is and reports whether there is somebody to read it.
func (c *Conn) send(text string) bool {
	_, err := io.WriteString(c, text)
	return err == nil
}

// chunk writes one chunk of a body.
func (c *Conn) chunk(text string) bool { return c.send(fmt.Sprintf("%x\r\n%s\r\n", len(text), text)) }

// begin writes the head of a stream.
func (c *Conn) begin() bool {
	return c.send("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
}

// stream writes a whole stream.
func (c *Conn) stream(parts ...string) {
	c.begin()
	for _, part := range parts {
		c.chunk(part)
	}
	c.send("0\r\n\r\n")
}

// answer writes a whole answer of one piece, with more lines of its head.
func (c *Conn) answer(status int, kind, body string, head ...string) {
	c.send(fmt.Sprintf("HTTP/1.1 %d %s\r\nContent-Type: %s\r\nContent-Length: %d\r\n", status, http.StatusText(status), kind, len(body)) +
		strings.Join(append(head, "\r\n"), "\r\n") + body)
}

// forever writes a chunk again and again, for as long as there is somebody to
// read it, with a pause after each.
func (c *Conn) forever(text string, pause time.Duration) {
	for c.chunk(text) {
		time.Sleep(pause)
	}
}

// hang waits until the client hangs up.
func (c *Conn) hang() { _, _ = io.Copy(io.Discard, c.reader) }

// reset lets the client have what was sent and then breaks the connection.
func (c *Conn) reset() {
	time.Sleep(50 * time.Millisecond)
	_ = c.SetLinger(0)
}
