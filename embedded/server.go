package embedded

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"net/http"
	"os"
	"sync"

	"exobench/internal/loopback"
)

// Server is one exo node. Its state lives in memory and ends with it.
type Server struct {
	config   Config
	nodeID   string
	nodeName string
	compute  sync.Mutex // held for a pass by the runner that computes

	mu        sync.Mutex
	added     []Model              // over the API
	complete  map[string]bool      // ids of models that are downloaded
	instances map[string]*instance // by instance id
	order     []string             // instance ids, oldest first
	runners   map[string]tagged    // states by runner id
	commands  map[string]*task     // running completions by command id
	closed    bool
	watch     func(tagged) // sees each state of each runner; for tests, since a poll may miss one

	background sync.WaitGroup
}

// New makes a server and starts the instances of Config.Preload. It does not
// listen.
func New(config Config) (*Server, error) {
	if err := config.Validate(); err != nil {
		return nil, fmt.Errorf("embedded engine: %w", err)
	}
	s := &Server{
		config:    config,
		nodeID:    newNodeID(),
		nodeName:  config.NodeName,
		complete:  map[string]bool{},
		instances: map[string]*instance{},
		runners:   map[string]tagged{},
		commands:  map[string]*task{},
	}
	if s.nodeName == "" {
		host, err := os.Hostname()
		if err != nil {
			return nil, fmt.Errorf("name the node: %w", err)
		}
		s.nodeName = host
	}
	for _, id := range config.Preload {
		model, listed := s.model(id)
		if !listed {
			model = *find(config.Addable, id)
			s.added = append(s.added, model)
		}
		s.start(s.newPlacement(model), model)
	}
	return s, nil
}

// Handler serves the API, on the names of the loopback interface only, and with
// the token only where there is one.
func (s *Server) Handler() http.Handler {
	guarded := loopback.Guard(s.routes(), "the embedded engine", s.config.Token)
	product := "exobench-embedded"
	if s.config.Version != "" {
		product += "/" + s.config.Version
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Server", product)
		guarded.ServeHTTP(w, r)
	})
}

// Close ends all streams and frees all models. It returns when the memory has
// been handed back.
func (s *Server) Close() error {
	s.mu.Lock()
	s.closed = true
	var ids []string
	for id := range s.instances {
		ids = append(ids, id)
	}
	s.mu.Unlock()
	for _, id := range ids {
		s.remove(id)
	}
	s.background.Wait()
	return nil
}

func newNodeID() string {
	var b [16]byte
	rand.Read(b[:])
	return hex.EncodeToString(b[:])
}

// newID returns a random (version 4) UUID.
func newID() string {
	var b [16]byte
	rand.Read(b[:])
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
