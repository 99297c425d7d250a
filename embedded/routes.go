package embedded

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
)

func (s *Server) routes() *http.ServeMux {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /node_id", func(w http.ResponseWriter, r *http.Request) {
		writeJSON(w, http.StatusOK, s.nodeID)
	})
	mux.HandleFunc("GET /models", s.listModels)
	mux.HandleFunc("GET /v1/models", s.listModels)
	mux.HandleFunc("POST /models/add", s.addModel)
	mux.HandleFunc("GET /instance/previews", s.previews)
	mux.HandleFunc("POST /instance", s.createInstance)
	mux.HandleFunc("GET /instance/{id}", s.getInstance)
	mux.HandleFunc("DELETE /instance/{id}", s.deleteInstance)
	mux.HandleFunc("GET /state", s.wholeState)
	mux.HandleFunc("GET /state/{section}", s.stateSection)
	mux.HandleFunc("GET /state/{section}/{key}", s.stateEntry)
	mux.HandleFunc("POST /v1/chat/completions", s.chatCompletions)
	mux.HandleFunc("POST /bench/chat/completions", s.benchCompletions)
	mux.HandleFunc("POST /v1/cancel/{id}", s.cancelCommand)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		writeError(w, http.StatusNotFound, fmt.Sprintf("the embedded engine has no %s %s", r.Method, r.URL.Path))
	})
	return mux
}

// maxBody bounds the body of a request: a prompt of a million tokens, about.
const maxBody = 4 << 20

// readJSON reads the body of a request, or answers 400 or 413 and returns false.
func readJSON(w http.ResponseWriter, r *http.Request, v any) bool {
	err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody)).Decode(v)
	if _, long := errors.AsType[*http.MaxBytesError](err); long {
		writeError(w, http.StatusRequestEntityTooLarge, fmt.Sprintf("the body of the request is longer than %d MiB", maxBody>>20))
		return false
	}
	if err != nil {
		writeError(w, http.StatusBadRequest, "the body of the request cannot be read: "+err.Error())
		return false
	}
	return true
}

// encode returns JSON as exo writes it: no escapes for HTML, no newline at the
// end.
func encode(v any) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		// All values are built here from types that have JSON forms.
		panic(err)
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	// An error here means that the client has gone, and there is nobody to
	// tell.
	_, _ = w.Write(encode(v))
}

// fault is an error as a body, or inside a stream.
type fault struct {
	Error faultText `json:"error"`
}

type faultText struct {
	Message string `json:"message"`
	Type    string `json:"type"`
	Code    int    `json:"code"`
}

func writeError(w http.ResponseWriter, status int, message string) {
	writeJSON(w, status, fault{faultText{message, http.StatusText(status), status}})
}
