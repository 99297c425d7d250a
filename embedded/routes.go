package embedded

import (
	"bytes"
	"encoding/json"
	"net/http"
)

func (s *Server) routes() *http.ServeMux {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /node_id", func(w http.ResponseWriter, r *http.Request) { writeJSON(w, http.StatusOK, s.nodeID) })
	mux.HandleFunc("GET /models", s.listModels)
	mux.HandleFunc("GET /v1/models", s.listModels)
	mux.HandleFunc("POST /models/add", s.addModel)
	mux.HandleFunc("DELETE /models/custom/{id...}", s.deleteModel)
	mux.HandleFunc("GET /instance/previews", s.previews)
	mux.HandleFunc("GET /instance/placement", s.placement)
	mux.HandleFunc("GET /instance/await", s.awaitInstance)
	mux.HandleFunc("POST /instance", s.createInstance)
	mux.HandleFunc("POST /place_instance", s.placeInstance)
	mux.HandleFunc("GET /instance/{id}", s.getInstance)
	mux.HandleFunc("DELETE /instance/{id}", s.deleteInstance)
	mux.HandleFunc("GET /state", s.state)
	mux.HandleFunc("GET /state/{path...}", s.state)
	mux.HandleFunc("POST /download/start", s.startDownload)
	mux.HandleFunc("POST /v1/chat/completions", s.chatCompletions)
	mux.HandleFunc("POST /ollama/v1/chat/completions", s.chatCompletions)
	mux.HandleFunc("POST /bench/chat/completions", s.benchCompletions)
	mux.HandleFunc("POST /v1/cancel/{id}", s.cancelCommand)
	mux.HandleFunc("GET /v1/feature-flags", func(w http.ResponseWriter, r *http.Request) {
		writeJSON(w, http.StatusOK, map[string]bool{"disaggregation": false})
	})
	mux.HandleFunc("GET /v1/instance-links", func(w http.ResponseWriter, r *http.Request) { writeJSON(w, http.StatusOK, []any{}) })
	mux.HandleFunc("/", unknownRoute)
	return mux
}

// unknownRoute answers what no route takes. In exo such requests fall to the mount that serves the dashboard's files, so a known
// path with the wrong method is treated as an unknown one: GET is not found, and everything else is not allowed.
func unknownRoute(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		writeJSON(w, http.StatusNotFound, map[string]string{"detail": "Not Found"})
		return
	}
	writeJSON(w, http.StatusMethodNotAllowed, map[string]string{"detail": "Method Not Allowed"})
}

// encode gives JSON as exo writes it: no escapes for HTML, no newline at the end.
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
	// An error here means that the client has gone, and there is nobody to tell.
	_, _ = w.Write(encode(v))
}

// writeError answers with the body that exo gives to errors of its own.
func writeError(w http.ResponseWriter, status int, message string) {
	type body struct {
		Message string  `json:"message"`
		Type    string  `json:"type"`
		Param   *string `json:"param"`
		Code    int     `json:"code"`
	}
	writeJSON(w, status, map[string]body{"error": {Message: message, Type: http.StatusText(status), Code: status}})
}

// writeCrash answers as exo does after an exception that it did not foresee.
func writeCrash(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(http.StatusInternalServerError)
	_, _ = w.Write([]byte("Internal Server Error"))
}
