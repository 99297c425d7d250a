package embedded

// memory is exo's form of a size.
type memory struct {
	InBytes int64 `json:"inBytes"`
}

// modelCard is what exo's cluster knows about a model.
type modelCard struct {
	ModelID          string           `json:"modelId"`
	StorageSize      memory           `json:"storageSize"`
	NLayers          int              `json:"nLayers"`
	HiddenSize       int              `json:"hiddenSize"`
	SupportsTensor   bool             `json:"supportsTensor"`
	NumKeyValueHeads *int             `json:"numKeyValueHeads"`
	Tasks            []string         `json:"tasks"`
	Components       []any            `json:"components"`
	Family           string           `json:"family"`
	Quantization     string           `json:"quantization"`
	BaseModel        string           `json:"baseModel"`
	Capabilities     []string         `json:"capabilities"`
	Backends         []string         `json:"backends"`
	ReasoningDialect string           `json:"reasoningDialect"`
	ContextLength    int              `json:"contextLength"`
	UsesCFG          bool             `json:"usesCfg"`
	TrustRemoteCode  bool             `json:"trustRemoteCode"`
	IsCustom         bool             `json:"isCustom"`
	Vision           any              `json:"vision"`
	SamplingDefaults samplingDefaults `json:"samplingDefaults"`
}

// samplingDefaults are absent from all cards here: requests fall back to exo's general defaults.
type samplingDefaults struct {
	Temperature       *float64 `json:"temperature"`
	TopP              *float64 `json:"topP"`
	TopK              *int     `json:"topK"`
	MinP              *float64 `json:"minP"`
	RepetitionPenalty *float64 `json:"repetitionPenalty"`
	PresencePenalty   *float64 `json:"presencePenalty"`
	FrequencyPenalty  *float64 `json:"frequencyPenalty"`
	Thinking          any      `json:"thinking"`
	NonThinking       any      `json:"nonThinking"`
}

// card makes a model's card. A custom one has only what exo reads from a model's own files: no family, quantisation, base model
// or capabilities, and every backend.
func card(m Model, custom bool) modelCard {
	kv := m.Shape.KVHeads
	c := modelCard{
		ModelID:          m.ID,
		StorageSize:      memory{m.storageBytes()},
		NLayers:          m.Shape.Layers,
		HiddenSize:       m.Shape.Hidden,
		SupportsTensor:   m.supportsTensor(),
		NumKeyValueHeads: &kv,
		Tasks:            []string{"TextGeneration"},
		Family:           m.Family,
		Quantization:     m.Quantization,
		BaseModel:        m.BaseModel,
		Capabilities:     []string{"text"},
		Backends:         []string{"MlxMetal", "MlxCuda", "MlxCpu"},
		ReasoningDialect: "none",
		ContextLength:    m.ContextLength,
		TrustRemoteCode:  true,
	}
	if custom {
		c.Family, c.Quantization, c.BaseModel = "", "", ""
		c.Capabilities = []string{}
		c.Backends = []string{"MlxMetal", "MlxCpu", "MlxCuda", "Vllm"}
		c.TrustRemoteCode, c.IsCustom = false, true
	}
	return c
}
