package embedded

import (
	"math"
	"net/http"
	"slices"
	"strings"
	"time"
)

// listedModel is an entry of the model list.
type listedModel struct {
	ID                   string   `json:"id"`
	Object               string   `json:"object"`
	Created              int64    `json:"created"`
	OwnedBy              string   `json:"owned_by"`
	HuggingFaceID        string   `json:"hugging_face_id"`
	Name                 string   `json:"name"`
	Description          string   `json:"description"`
	ContextLength        int      `json:"context_length"`
	Tags                 []string `json:"tags"`
	StorageSizeMegabytes int64    `json:"storage_size_megabytes"`
	SupportsTensor       bool     `json:"supports_tensor"`
	Tasks                []string `json:"tasks"`
	IsCustom             bool     `json:"is_custom"`
	Family               string   `json:"family"`
	Quantization         string   `json:"quantization"`
	BaseModel            string   `json:"base_model"`
	Capabilities         []string `json:"capabilities"`
	ReasoningDialect     string   `json:"reasoning_dialect"`
}

func listed(c modelCard) listedModel {
	return listedModel{
		ID:                   c.ModelID,
		Object:               "model",
		Created:              time.Now().Unix(),
		OwnedBy:              "exo",
		HuggingFaceID:        c.ModelID,
		Name:                 c.ModelID[strings.LastIndex(c.ModelID, "/")+1:],
		ContextLength:        c.ContextLength,
		Tags:                 []string{},
		StorageSizeMegabytes: int64(math.RoundToEven(float64(c.StorageSize.InBytes) / (1 << 20))),
		SupportsTensor:       c.SupportsTensor,
		Tasks:                c.Tasks,
		IsCustom:             c.IsCustom,
		Family:               c.Family,
		Quantization:         c.Quantization,
		BaseModel:            c.BaseModel,
		Capabilities:         c.Capabilities,
		ReasoningDialect:     c.ReasoningDialect,
	}
}

func find(models []Model, id string) *Model {
	i := slices.IndexFunc(models, func(m Model) bool { return m.ID == id })
	if i < 0 {
		return nil
	}
	return &models[i]
}

// cards gives all cards that the node has; s.mu is held.
func (s *Server) cards() []modelCard {
	var cards []modelCard
	for _, m := range s.config.Models {
		if find(s.custom, m.ID) == nil {
			cards = append(cards, card(m, false))
		}
	}
	for _, m := range s.custom {
		cards = append(cards, card(m, true))
	}
	return cards
}

// model gives the model of a card that the node has.
func (s *Server) model(id string) (Model, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, list := range [][]Model{s.custom, s.config.Models} {
		if m := find(list, id); m != nil {
			return *m, true
		}
	}
	return Model{}, false
}

// cardOf gives the card of a model that the node has.
func (s *Server) cardOf(m Model) modelCard {
	s.mu.Lock()
	defer s.mu.Unlock()
	return card(m, find(s.custom, m.ID) != nil)
}

func (s *Server) listModels(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	list := []listedModel{}
	for _, c := range s.cards() {
		if r.URL.Query().Get("status") == "downloaded" && !slices.Contains(s.completed, c.ModelID) {
			continue
		}
		list = append(list, listed(c))
	}
	s.mu.Unlock()
	writeJSON(w, http.StatusOK, struct {
		Object string        `json:"object"`
		Data   []listedModel `json:"data"`
	}{"list", list})
}

func (s *Server) addModel(w http.ResponseWriter, r *http.Request) {
	f := body(r)
	id := f.text("model_id", true)
	if f.rejected(w) {
		return
	}
	m := find(s.config.Addable, id)
	if m == nil {
		m = find(s.config.Models, id)
	}
	if m == nil {
		writeError(w, http.StatusBadRequest, "Failed to fetch model: the embedded engine has no stand-in for "+id)
		return
	}
	s.mu.Lock()
	if find(s.custom, id) == nil {
		s.custom = append(s.custom, *m)
		s.changed()
	}
	s.mu.Unlock()
	entry := listed(card(*m, true))
	// exo's answer leaves these at their defaults, although the card has a context length.
	entry.ContextLength, entry.Capabilities = 0, []string{}
	writeJSON(w, http.StatusOK, entry)
}

func (s *Server) deleteModel(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("id")
	s.mu.Lock()
	i := slices.IndexFunc(s.custom, func(m Model) bool { return m.ID == id })
	if i >= 0 {
		s.custom = slices.Delete(s.custom, i, i+1)
		s.changed()
	}
	s.mu.Unlock()
	if i < 0 {
		writeError(w, http.StatusNotFound, "Custom model card not found")
		return
	}
	writeJSON(w, http.StatusOK, map[string]string{"message": "Model card deleted", "model_id": id})
}
