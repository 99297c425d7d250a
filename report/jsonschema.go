package report

import (
	"strconv"
	"time"

	"exobench"
	"exobench/metric"
	"exobench/summary"
)

// The shape of summary.json, as the package doc describes it.

// number is a float64 with the 15 digits that a float64 surely holds.
type number float64

func (n number) MarshalJSON() ([]byte, error) {
	return strconv.AppendFloat(nil, float64(n), 'g', 15, 64), nil
}

type jsonRun struct {
	Schema   int           `json:"schema"`
	RunID    string        `json:"run_id"`
	Epoch    time.Time     `json:"epoch"`
	Engines  []jsonEngine  `json:"engines"`
	Host     exobench.Host `json:"host"`
	Tool     exobench.Tool `json:"tool"`
	Plan     jsonPlan      `json:"plan"`
	State    string        `json:"state"`
	Requests int           `json:"requests"`
	Warmups  int           `json:"warmups"`
	Damaged  int           `json:"damaged_lines"`
	Warnings []string      `json:"warnings"`
	Cells    []jsonCell    `json:"cells"`
	Loads    []jsonLoad    `json:"loads"`
	Failures []jsonFailure `json:"failures"`
	Nodes    []jsonNode    `json:"nodes"`
	Notes    []jsonNote    `json:"notes"`
}

type jsonEngine struct {
	Name        string  `json:"name"`
	Version     *string `json:"version"`
	URL         string  `json:"url"`
	Label       *string `json:"label"`
	Caveat      *string `json:"caveat"`
	LifeCycle   bool    `json:"life_cycle"`
	CacheSwitch bool    `json:"cache_switch"`
	IgnoresEOS  bool    `json:"ignores_eos"`
}

// jsonPlan leaves out the texts of the prompts, which may be long.
type jsonPlan struct {
	Engines       []string        `json:"engines"`
	Models        []string        `json:"models"`
	Prompts       []string        `json:"prompts"`
	MaxTokens     exobench.Tokens `json:"max_tokens"`
	NaturalStop   bool            `json:"natural_stop"`
	Repeat        int             `json:"repeat"`
	Requests      int             `json:"requests"`
	Warmup        int             `json:"warmup"`
	Concurrency   []int           `json:"concurrency"`
	Rates         []float64       `json:"rates_rps,omitempty"`
	Arrival       string          `json:"arrival,omitempty"`
	AllPlacements bool            `json:"all_placements"`
	Cache         string          `json:"cache"`
	Seeds         exobench.Seeds  `json:"seeds"`
}

type jsonCell struct {
	Engine         string                      `json:"engine"`
	EngineVersion  *string                     `json:"engine_version"`
	Model          string                      `json:"model"`
	ModelID        string                      `json:"model_id"`
	Placement      *string                     `json:"placement"`
	Concurrency    int                         `json:"concurrency"`
	Rate           number                      `json:"rate_rps,omitempty"`
	Requests       int                         `json:"requests"`
	OK             int                         `json:"ok"`
	Outcomes       map[exobench.Outcome]int    `json:"outcomes"`
	Errors         map[exobench.Outcome]string `json:"errors"`
	TokensFrom     *string                     `json:"tokens_from"`
	Cache          summary.Cache               `json:"cache"`
	Wall           *number                     `json:"wall_s"`
	Delivered      *number                     `json:"delivered_concurrency"`
	Throughput     *number                     `json:"throughput_tokens_per_second"`
	RequestRate    *number                     `json:"requests_per_second"`
	EnergyPerToken *number                     `json:"energy_per_token_j"`
	ClientServer   *jsonClientServer           `json:"client_server"`
	Load           *number                     `json:"load_s"`
	Download       *number                     `json:"download_s"`
	Memory         jsonMemory                  `json:"memory"`
	Metrics        map[string]*jsonSample      `json:"metrics"`
	Prompts        []jsonPrompt                `json:"prompts"`
	Warnings       []string                    `json:"warnings"`
}

type jsonClientServer struct {
	Output  *jsonAgreement `json:"output_tokens"`
	Events  *jsonAgreement `json:"output_events"`
	Decode  *jsonAgreement `json:"decode_tokens_per_second"`
	Prefill *jsonAgreement `json:"prefill_tokens_per_second"`
}

type jsonAgreement struct {
	N      int    `json:"n"`
	Client number `json:"client_median"`
	Server number `json:"server_median"`
	Ratio  number `json:"ratio_median"`
	Off    number `json:"share_off"`
}

type jsonMemory struct {
	Source          *string         `json:"source"`
	Before          *exobench.Bytes `json:"before"`
	Loaded          *exobench.Bytes `json:"loaded"`
	Peak            *exobench.Bytes `json:"peak"`
	Model           *exobench.Bytes `json:"model"`
	Inference       *exobench.Bytes `json:"inference"`
	Additional      *exobench.Bytes `json:"additional"`
	LoadedAnonymous *exobench.Bytes `json:"loaded_anonymous"`
	LoadedFile      *exobench.Bytes `json:"loaded_file"`
	PeakAnonymous   *exobench.Bytes `json:"peak_anonymous"`
	PeakFile        *exobench.Bytes `json:"peak_file"`
}

type jsonSample struct {
	Unit     metric.Unit      `json:"unit"`
	Better   metric.Direction `json:"better"`
	N        int              `json:"n"`
	Median   number           `json:"median"`
	Interval *jsonInterval    `json:"interval"`
	Mean     number           `json:"mean"`
	SD       *number          `json:"sd"`
	Min      number           `json:"min"`
	Max      number           `json:"max"`
	P90      *jsonPercentile  `json:"p90"`
	P95      *jsonPercentile  `json:"p95"`
	P99      *jsonPercentile  `json:"p99"`
}

type jsonInterval struct {
	Lo         number `json:"lo"`
	Hi         number `json:"hi"`
	Confidence number `json:"confidence"`
}

type jsonPercentile struct {
	Value    number        `json:"value"`
	Interval *jsonInterval `json:"interval"`
}

type jsonPrompt struct {
	ID      string                 `json:"id"`
	N       int                    `json:"n"`
	Metrics map[string]*jsonSample `json:"metrics"`
}

type jsonLoad struct {
	Engine     string         `json:"engine"`
	Model      string         `json:"model"`
	ModelID    string         `json:"model_id"`
	Placement  *string        `json:"placement"`
	Start      number         `json:"start_s"`
	Load       number         `json:"load_s"`
	Download   number         `json:"download_s"`
	Downloaded exobench.Bytes `json:"downloaded_bytes"`
}

type jsonNode struct {
	Engine         string          `json:"engine"`
	Model          string          `json:"model"`
	Placement      *string         `json:"placement"`
	Node           string          `json:"node"`
	Before         *exobench.Bytes `json:"memory_before_bytes"`
	Loaded         *exobench.Bytes `json:"memory_loaded_bytes"`
	Peak           *exobench.Bytes `json:"memory_peak_bytes"`
	Total          *exobench.Bytes `json:"memory_total_bytes"`
	Power          *number         `json:"power_mean_watts"`
	GPU            *number         `json:"gpu_mean_fraction"`
	MaxTemperature *number         `json:"temperature_max_celsius"`
}

type jsonFailure struct {
	Engine    string         `json:"engine"`
	Model     string         `json:"model"`
	ModelID   string         `json:"model_id"`
	Placement *string        `json:"placement"`
	At        number         `json:"at_s"`
	After     exobench.Stage `json:"after"`
	Error     string         `json:"error"`
}

type jsonNote struct {
	At     number  `json:"at_s"`
	Engine *string `json:"engine"`
	Model  *string `json:"model"`
	Text   string  `json:"text"`
}
