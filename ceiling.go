package exobench

// Ceiling is what bounds the speed at which an engine decodes a model: each token
// needs the weights and the keys and values of all positions before it from
// memory. See package ceiling.
type Ceiling struct {
	At      Instant `json:"at_ns"`
	Session int     `json:"session"`
	// Engine is the name of an engine of the header, Model that of its model.
	Engine string `json:"engine"`
	Model  string `json:"model"`
	// Weights are read for each token, and Position for each position before it,
	// at most Window of them; 0 is no bound. Position is 0 where it is not known.
	Weights  Bytes        `json:"weights_read_bytes"`
	Position Bytes        `json:"kv_position_bytes,omitempty"`
	Window   Tokens       `json:"window_tokens,omitempty"`
	Basis    CeilingBasis `json:"basis"`
	Bandwidth
}

// Bandwidth is how fast a memory can be read.
type Bandwidth struct {
	// PerSecond is in bytes/s.
	PerSecond float64       `json:"bandwidth_bytes_per_second"`
	From      BandwidthFrom `json:"bandwidth_from"`
	// Of says what has it: "this machine's CPU, 8 threads", "Apple M4 Max".
	Of string `json:"bandwidth_of,omitempty"`
	// GPU is set where it is that of a GPU's own memory.
	GPU bool `json:"bandwidth_of_gpu,omitempty"`
	// Source is where a published one stands, with its date.
	Source string `json:"bandwidth_source,omitempty"`
}

// BandwidthFrom says how a bandwidth is known.
type BandwidthFrom string

// The ways.
const (
	BandwidthMeasured  BandwidthFrom = "measured"  // by exobench, before the run
	BandwidthPublished BandwidthFrom = "published" // by the maker
	BandwidthGiven     BandwidthFrom = "given"     // by the plan
)

// CeilingBasis says what the bytes of a token were worked out from.
type CeilingBasis string

// The bases, from the most to the least exact.
const (
	CeilingOfFile  CeilingBasis = "file"  // the tensors of the model's own file
	CeilingOfShape CeilingBasis = "shape" // the catalogue's shape and the size of the weights
	CeilingOfSize  CeilingBasis = "size"  // the size of the weights alone
)
