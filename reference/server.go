package reference

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"exobench/alarm"
	"exobench/internal/loopback"
	"exobench/internal/panics"
)

// modelID is the one model that the reference says it has.
const modelID = "reference"

// headTime bounds the writing of a response's head into an empty socket.
const headTime = time.Second

// Server is a timing reference. It is safe for concurrent use.
type Server struct {
	config     Config
	clock      clock
	late       lateness
	schedulers []*scheduler
	running    sync.WaitGroup
	handler    http.Handler
	requests   atomic.Uint64
}

// New returns a server, which must be closed.
func New(cfg Config) (*Server, error) {
	if err := cfg.Validate(); err != nil {
		return nil, fmt.Errorf("reference: %w", err)
	}
	s := &Server{config: cfg.filled(), clock: newClock()}
	for range s.config.Schedulers {
		wake, err := alarm.New()
		if err != nil {
			s.Close()
			return nil, fmt.Errorf("reference: %w", err)
		}
		one := &scheduler{clock: s.clock, early: spinTime, late: &s.late, alarm: wake}
		if s.config.Relaxed {
			one.early = 0
		}
		s.schedulers = append(s.schedulers, one)
		s.running.Go(panics.Caught(one.run))
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/chat/completions", func(w http.ResponseWriter, r *http.Request) { s.chat(w, r, openAI) })
	mux.HandleFunc("POST /bench/chat/completions", func(w http.ResponseWriter, r *http.Request) { s.chat(w, r, exo) })
	mux.HandleFunc("GET /v1/models", models)
	mux.HandleFunc("GET /reference/behind", func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, http.StatusOK, s.Behind()) })
	s.handler = loopback.Guard(mux, "the timing reference", s.config.Token)
	return s, nil
}

// ServeHTTP implements [http.Handler], on the names of the loopback interface
// only. Streams need HTTP/1.1 without TLS.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.handler.ServeHTTP(w, r) }

// Behind returns how late the writes were since it, or GET /reference/behind,
// was last asked.
func (s *Server) Behind() Behind { return s.late.take() }

// Close cuts all streams off and waits until nothing of the server runs.
func (s *Server) Close() {
	for _, one := range s.schedulers {
		one.close()
	}
	s.running.Wait()
}

// chat answers a request with a stream.
func (s *Server) chat(w http.ResponseWriter, r *http.Request, f format) {
	arrival := s.clock.now()
	t, err := s.config.read(w, r)
	if _, long := errors.AsType[*http.MaxBytesError](err); long {
		writeError(w, http.StatusRequestEntityTooLarge, fmt.Sprintf("the body of the request is longer than %d MiB", maxBody>>20))
		return
	}
	if err != nil {
		writeError(w, http.StatusBadRequest, err.Error())
		return
	}
	number := s.requests.Add(1)
	if share := t.Errors.Share; share > 0 && rand.New(rand.NewPCG(number, t.Jitter.Seed)).Float64() >= share {
		t.Errors = Errors{}
	}
	if t.Errors.Fault == HTTP500 {
		writeError(w, http.StatusInternalServerError, "injected by the reference")
		return
	}
	fr := newFrames(t, f, fmt.Sprintf("reference-%d", number), time.Now().Unix())
	conn, socket, err := hijack(w, r)
	if err != nil {
		writeError(w, http.StatusHTTPVersionNotSupported, err.Error())
		return
	}
	if !begin(conn, fr.head) {
		s.late.aborted.Add(1)
		return
	}
	seed := number
	if t.fixed {
		seed = 0
	}
	one := s.schedulers[number%uint64(len(s.schedulers))]
	if !one.add(newStream(t, fr, conn, socket, arrival, seed)) {
		_ = conn.Close()
	}
}

// hijack takes the connection over from net/http.
func hijack(w http.ResponseWriter, r *http.Request) (net.Conn, *socket, error) {
	if r.ProtoMajor != 1 || r.ProtoMinor < 1 || r.TLS != nil {
		return nil, nil, fmt.Errorf("the reference streams over plain HTTP/1.1, not %s", r.Proto)
	}
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return nil, nil, fmt.Errorf("take the connection over: %w", err)
	}
	socket, err := newSocket(conn)
	if err != nil {
		_ = conn.Close()
		return nil, nil, err
	}
	return conn, socket, nil
}

// begin writes the head of a response. It reports false, with the connection
// closed, where the client did not take it.
func begin(conn net.Conn, head []byte) bool {
	_ = conn.SetDeadline(time.Now().Add(headTime))
	if _, err := conn.Write(head); err != nil {
		_ = conn.Close()
		return false
	}
	_ = conn.SetDeadline(time.Time{})
	return true
}

func models(w http.ResponseWriter, _ *http.Request) {
	type model struct {
		ID      string `json:"id"`
		Object  string `json:"object"`
		OwnedBy string `json:"owned_by"`
	}
	writeJSON(w, http.StatusOK, struct {
		Object string  `json:"object"`
		Data   []model `json:"data"`
	}{"list", []model{{modelID, "model", "exobench"}}})
}

func writeError(w http.ResponseWriter, status int, text string) {
	type problem struct {
		Message string `json:"message"`
		Type    string `json:"type"`
		Code    int    `json:"code"`
	}
	writeJSON(w, status, struct {
		Error problem `json:"error"`
	}{problem{text, http.StatusText(status), status}})
}

// writeJSON answers; a client that went away is nobody to tell of it.
func writeJSON(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}
