package embedded

import (
	"fmt"
	"math"
	"net/http"
	"slices"
	"strings"
	"time"
)

// memory is exo's form of a size.
type memory struct {
	InBytes int64 `json:"inBytes"`
}

// modelCard is what an instance says about its model.
type modelCard struct {
	ModelID       string `json:"modelId"`
	StorageSize   memory `json:"storageSize"`
	NLayers       int    `json:"nLayers"`
	HiddenSize    int    `json:"hiddenSize"`
	ContextLength int    `json:"contextLength"`
}

func card(m Model) modelCard {
	return modelCard{m.ID, memory{m.storageBytes()}, m.Shape.Layers, m.Shape.Hidden, m.Shape.Context}
}

// listedModel is an entry of the model list: OpenAI's fields first, then exo's.
type listedModel struct {
	ID                   string   `json:"id"`
	Object               string   `json:"object"`
	Created              int64    `json:"created"`
	OwnedBy              string   `json:"owned_by"`
	HuggingFaceID        string   `json:"hugging_face_id"`
	Name                 string   `json:"name"`
	ContextLength        int      `json:"context_length"`
	StorageSizeMegabytes int64    `json:"storage_size_megabytes"`
	Tasks                []string `json:"tasks"`
	IsCustom             bool     `json:"is_custom"`
	Quantization         string   `json:"quantization"`
	BaseModel            string   `json:"base_model"`
}

func listed(m Model, custom bool) listedModel {
	return listedModel{
		ID:                   m.ID,
		Object:               "model",
		Created:              time.Now().Unix(),
		OwnedBy:              "exobench",
		HuggingFaceID:        m.ID,
		Name:                 m.ID[strings.LastIndex(m.ID, "/")+1:],
		ContextLength:        m.Shape.Context,
		StorageSizeMegabytes: int64(math.RoundToEven(float64(m.storageBytes()) / (1 << 20))),
		Tasks:                []string{"TextGeneration"},
		IsCustom:             custom,
		Quantization:         m.Quantization,
		BaseModel:            m.BaseModel,
	}
}

// find returns the model of that id, or nil.
func find(models []Model, id string) *Model {
	i := slices.IndexFunc(models, func(m Model) bool { return m.ID == id })
	if i < 0 {
		return nil
	}
	return &models[i]
}

// model returns a model that the node has a card for.
func (s *Server) model(id string) (Model, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, list := range [][]Model{s.config.Models, s.added} {
		if m := find(list, id); m != nil {
			return *m, true
		}
	}
	return Model{}, false
}

func (s *Server) listModels(w http.ResponseWriter, r *http.Request) {
	downloaded := r.URL.Query().Get("status") == "downloaded"
	list := []listedModel{}
	s.mu.Lock()
	for _, models := range [][]Model{s.config.Models, s.added} {
		for _, m := range models {
			if !downloaded || s.complete[m.ID] {
				list = append(list, listed(m, find(s.added, m.ID) != nil))
			}
		}
	}
	s.mu.Unlock()
	writeJSON(w, http.StatusOK, struct {
		Object string        `json:"object"`
		Data   []listedModel `json:"data"`
	}{"list", list})
}

// addModel makes a card for one of Config.Addable. A model that has one
// already keeps it.
func (s *Server) addModel(w http.ResponseWriter, r *http.Request) {
	var body struct {
		ModelID string `json:"model_id"`
	}
	if !readJSON(w, r, &body) {
		return
	}
	m, known := s.model(body.ModelID)
	if !known {
		addable := find(s.config.Addable, body.ModelID)
		if addable == nil {
			writeError(w, http.StatusBadRequest, fmt.Sprintf("the embedded engine has no stand-in for %q", body.ModelID))
			return
		}
		m = *addable
	}
	s.mu.Lock()
	if !known && find(s.added, m.ID) == nil {
		s.added = append(s.added, m)
	}
	custom := find(s.added, m.ID) != nil
	s.mu.Unlock()
	writeJSON(w, http.StatusOK, listed(m, custom))
}
