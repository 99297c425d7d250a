package embedded

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
)

// request is a placement asked for in exo's terms.
type request struct {
	sharding string
	meta     string
	minNodes int
	nodes    []string // that must take part
}

// place puts a model on this node when a request can be met, with the reasons that exo gives when it cannot.
func (s *Server) place(m Model, r request) (placement, error) {
	for _, n := range r.nodes {
		if n != s.nodeID {
			r.minNodes = 2 // another node would be needed
		}
	}
	free, err := availableMemory()
	if err != nil {
		return placement{}, err
	}
	switch {
	case r.minNodes > 1 || free < m.storageBytes():
		return placement{}, errors.New("No cycles found with sufficient memory")
	case r.sharding == "Tensor" && !m.supportsTensor():
		return placement{}, fmt.Errorf("Requested Tensor sharding but this model does not support tensor parallelism: %s", m.ID)
	case r.meta == "MlxJaccl":
		// The link between nodes that Jaccl needs exists on Metal only, and this node has no such backend.
		return placement{}, fmt.Errorf("No cycle where every node supports a backend in ['MlxMetal'] for %s", m.ID)
	}
	return s.newPlacement(m), nil
}

// preview is one candidate. Its sharding and meta are those asked for: on a single node exo places a pipeline ring whatever was
// asked, and says so only inside the instance.
type preview struct {
	ModelID           string           `json:"model_id"`
	Sharding          string           `json:"sharding"`
	InstanceMeta      string           `json:"instance_meta"`
	Instance          *placement       `json:"instance"`
	MemoryDeltaByNode map[string]int64 `json:"memory_delta_by_node"`
	Error             *string          `json:"error"`
}

func (s *Server) previews(w http.ResponseWriter, r *http.Request) {
	id, ok := queryText(w, r, "model_id")
	if !ok {
		return
	}
	m, ok := s.model(id)
	if !ok {
		writeError(w, http.StatusBadRequest, "Failed to load model card: the node has no card for "+id)
		return
	}
	list := []preview{}
	for _, sharding := range []string{"Pipeline", "Tensor"} {
		for _, meta := range []string{"MlxRing", "MlxJaccl"} {
			c := preview{ModelID: id, Sharding: sharding, InstanceMeta: meta}
			p, err := s.place(m, request{sharding, meta, 1, r.URL.Query()["node_ids"]})
			if err != nil {
				text := err.Error()
				c.Error = &text
			} else {
				c.Instance = &p
				c.MemoryDeltaByNode = map[string]int64{s.nodeID: m.storageBytes()}
			}
			list = append(list, c)
		}
	}
	writeJSON(w, http.StatusOK, map[string]any{"previews": list})
}

func (s *Server) placement(w http.ResponseWriter, r *http.Request) {
	id, ok := queryText(w, r, "model_id")
	if !ok {
		return
	}
	q := r.URL.Query()
	f := fields{object: map[string]any{}, loc: []any{"query"}, problems: &[]problem{}}
	for name := range q {
		f.object[name] = q.Get(name)
	}
	req := placementRequest(f)
	if f.rejected(w) {
		return
	}
	m, ok := s.model(id)
	if !ok {
		writeCrash(w)
		return
	}
	p, err := s.place(m, req)
	if err != nil {
		writeError(w, http.StatusBadRequest, err.Error())
		return
	}
	writeJSON(w, http.StatusOK, p)
}

func placementRequest(f fields) request {
	r := request{
		sharding: f.choice("sharding", "Pipeline", "Tensor"),
		meta:     f.choice("instance_meta", "MlxRing", "MlxJaccl"),
		minNodes: 1,
	}
	if n := f.integer("min_nodes"); n != nil {
		r.minNodes = *n
	}
	return r
}

// queryText reads a query parameter that must be there.
func queryText(w http.ResponseWriter, r *http.Request, name string) (string, bool) {
	if !r.URL.Query().Has(name) {
		writeJSON(w, http.StatusUnprocessableEntity, map[string]any{"detail": []problem{
			{Type: "missing", Loc: []any{"query", name}, Msg: "Field required"}}})
		return "", false
	}
	return r.URL.Query().Get(name), true
}

// querySeconds reads a number of seconds between 0 and 300; absent is 0.
func querySeconds(w http.ResponseWriter, r *http.Request, name string) (float64, bool) {
	text := r.URL.Query().Get(name)
	if text == "" {
		return 0, true
	}
	p := problem{Loc: []any{"query", name}, Input: text}
	x, err := strconv.ParseFloat(text, 64)
	switch {
	case err != nil:
		p.Type, p.Msg = "float_parsing", "Input should be a valid number, unable to parse string as a number"
	case x < 0:
		p.Type, p.Msg, p.Ctx = "greater_than_equal", "Input should be greater than or equal to 0", map[string]string{"ge": "0.0"}
	case x > 300:
		p.Type, p.Msg, p.Ctx = "less_than_equal", "Input should be less than or equal to 300", map[string]string{"le": "300.0"}
	default:
		return x, true
	}
	writeJSON(w, http.StatusUnprocessableEntity, map[string]any{"detail": []problem{p}})
	return 0, false
}
