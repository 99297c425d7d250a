package gguf

import (
	"fmt"
	"math"
	"strings"
	"sync"

	"exobench/shape"
)

const (
	magic     = "GGUF"
	version   = 3
	alignment = 32 // of tensors, in bytes
)

// The types of metadata values.
const (
	typeUint8 uint32 = iota
	typeInt8
	typeUint16
	typeInt16
	typeUint32
	typeInt32
	typeFloat32
	typeBool
	typeString
	typeArray
	typeUint64
	typeInt64
	typeFloat64
)

// metadata is a growing list of keys with values, as in a file.
type metadata struct {
	keys  uint64
	bytes []byte
}

func (m *metadata) text(s string) {
	m.bytes = put.AppendUint64(m.bytes, uint64(len(s)))
	m.bytes = append(m.bytes, s...)
}

func (m *metadata) key(name string, kind uint32) {
	m.keys++
	m.text(name)
	m.bytes = put.AppendUint32(m.bytes, kind)
}

func (m *metadata) string(key, value string) {
	m.key(key, typeString)
	m.text(value)
}

func (m *metadata) uint32(key string, value int) {
	m.key(key, typeUint32)
	m.bytes = put.AppendUint32(m.bytes, uint32(value))
}

func (m *metadata) uint64(key string, value uint64) {
	m.key(key, typeUint64)
	m.bytes = put.AppendUint64(m.bytes, value)
}

func (m *metadata) float32(key string, value float64) {
	m.key(key, typeFloat32)
	m.bytes = put.AppendUint32(m.bytes, math.Float32bits(float32(value)))
}

func (m *metadata) bool(key string, value bool) {
	m.key(key, typeBool)
	b := byte(0)
	if value {
		b = 1
	}
	m.bytes = append(m.bytes, b)
}

// array begins an array: its n elements follow.
func (m *metadata) array(key string, kind uint32, n int) {
	m.key(key, typeArray)
	m.bytes = put.AppendUint32(m.bytes, kind)
	m.bytes = put.AppendUint64(m.bytes, uint64(n))
}

// header returns all that stands before the values of the tensors, and pads it.
func header(s shape.Shape, m mixture, o Options, list []tensor) []byte {
	var meta metadata
	meta.describe(s, m, o)
	meta.tokenizer(s)
	b := meta.encode(list)
	return append(b, make([]byte, padded(int64(len(b)))-int64(len(b)))...)
}

// headerSize returns the length of what header returns.
func headerSize(s shape.Shape, m mixture, o Options, list []tensor) int64 {
	var meta metadata
	meta.describe(s, m, o)
	return padded(int64(len(meta.encode(list))) + tokenizerSize(s))
}

// tokenizerSizes has the lengths of tokenizers in files, each worked out once: a
// large vocabulary takes a good part of a second.
var tokenizerSizes sync.Map // of tokenizerKind to func() int64

// tokenizerKind is what a tokenizer depends on.
type tokenizerKind struct {
	arch  string
	vocab int
}

func tokenizerSize(s shape.Shape) int64 {
	size, _ := tokenizerSizes.LoadOrStore(tokenizerKind{arch(s), s.Vocab}, sync.OnceValue(func() int64 {
		var meta metadata
		meta.tokenizer(s)
		return int64(len(meta.bytes))
	}))
	return size.(func() int64)()
}

// encode returns a header of the metadata and the tensors, without what pads it.
func (m *metadata) encode(list []tensor) []byte {
	b := []byte(magic)
	b = put.AppendUint32(b, version)
	b = put.AppendUint64(b, uint64(len(list)))
	b = put.AppendUint64(b, m.keys)
	b = append(b, m.bytes...)
	var offset int64
	for _, t := range list {
		b = put.AppendUint64(b, uint64(len(t.name)))
		b = append(b, t.name...)
		b = put.AppendUint32(b, uint32(len(t.dims)))
		for _, d := range t.dims {
			b = put.AppendUint64(b, d)
		}
		b = put.AppendUint32(b, t.format.id)
		b = put.AppendUint64(b, uint64(offset))
		offset += padded(t.bytes())
	}
	return b
}

func padded(size int64) int64 { return (size + alignment - 1) / alignment * alignment }

// The keys by which a file says that nobody trained it.
const (
	syntheticKey = "exobench.synthetic"
	seedKey      = "exobench.seed"
)

func (m *metadata) describe(s shape.Shape, mix mixture, o Options) {
	m.general(mix, o)
	m.shape(s)
}

func (m *metadata) general(mix mixture, o Options) {
	name := o.Name
	if name == "" {
		name = "model"
	}
	m.string("general.type", "model")
	m.string("general.name", name+" (random weights)")
	m.string("general.description", "Random weights in the shape of a model, made by exobench to measure speed. What it answers means nothing.")
	m.uint32("general.file_type", int(mix.fileType))
	m.uint32("general.quantization_version", 2)
	m.uint32("general.alignment", alignment)
	m.bool(syntheticKey, true)
	m.uint64(seedKey, o.Seed)
}

func (m *metadata) shape(s shape.Shape) {
	arch := arch(s)
	m.string("general.architecture", arch)
	for _, field := range []struct {
		key   string
		value int
	}{
		{"vocab_size", s.Vocab}, {"context_length", s.Context}, {"embedding_length", s.Hidden},
		{"block_count", s.Layers}, {"feed_forward_length", s.FFN}, {"rope.dimension_count", s.HeadDim()},
		{"attention.head_count", s.Heads}, {"attention.head_count_kv", s.KVHeads},
		{"attention.key_length", s.HeadDim()}, {"attention.value_length", s.HeadDim()},
	} {
		m.uint32(arch+"."+field.key, field.value)
	}
	m.float32(arch+".rope.freq_base", s.RopeBase)
	m.float32(arch+".attention.layer_norm_rms_epsilon", normEpsilon(s))
}

// tokens are the special tokens of an architecture, and what surrounds chat
// messages with them. llama.cpp runs the template; Ollama only compares its text
// with those of published models, and uses its own for the one it resembles.
type tokens struct {
	pre      string // llama.cpp's name for how text is cut into words
	special  []string
	bos, eos string
	addBOS   bool
	template string
}

var tokensOf = map[string]tokens{
	shape.Llama: {
		pre: "llama-bpe", bos: "<|begin_of_text|>", eos: "<|eot_id|>", addBOS: true,
		special: []string{"<|begin_of_text|>", "<|end_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"},
		template: "{% for message in messages %}{% set content = '<|start_header_id|>' + message['role'] + '<|end_header_id|>\n\n' + message['content'] | trim + '<|eot_id|>' %}" +
			"{% if loop.index0 == 0 %}{% set content = bos_token + content %}{% endif %}{{ content }}{% endfor %}" +
			"{% if add_generation_prompt %}{{ '<|start_header_id|>assistant<|end_header_id|>\n\n' }}{% endif %}",
	},
	shape.Qwen2: {
		pre: "qwen2", bos: "<|endoftext|>", eos: "<|im_end|>",
		special: []string{"<|endoftext|>", "<|im_start|>", "<|im_end|>"},
		template: "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>\n' }}{% endfor %}" +
			"{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}",
	},
}

// The types of tokens.
const (
	tokenNormal  = 1
	tokenControl = 3
)

func (m *metadata) tokenizer(s shape.Shape) {
	const prefix = "tokenizer.ggml."
	has := tokensOf[arch(s)]
	v := newVocabulary(s.Vocab, has.special)
	written := newSpelling()

	m.string(prefix+"model", "gpt2")
	m.string(prefix+"pre", has.pre)
	m.array(prefix+"tokens", typeString, len(v.tokens))
	for id, token := range v.tokens {
		if id < v.normal {
			token = written.of(token)
		}
		m.text(token)
	}
	m.array(prefix+"token_type", typeInt32, len(v.tokens))
	for id := range v.tokens {
		kind := uint32(tokenNormal)
		if id >= v.normal {
			kind = tokenControl
		}
		m.bytes = put.AppendUint32(m.bytes, kind)
	}
	m.array(prefix+"merges", typeString, len(v.merges))
	for _, pair := range v.merges {
		m.text(written.of(v.tokens[pair[0]]) + " " + written.of(v.tokens[pair[1]]))
	}
	m.uint32(prefix+"bos_token_id", v.ids[has.bos])
	m.uint32(prefix+"eos_token_id", v.ids[has.eos])
	m.uint32(prefix+"padding_token_id", v.ids[has.eos])
	m.bool(prefix+"add_bos_token", has.addBOS)
	m.string("tokenizer.chat_template", has.template)
}

// spelling is how the bytes of tokens stand in a file.
type spelling [256]string

func newSpelling() *spelling {
	s := &spelling{}
	for b, r := range byteRunes() {
		s[b] = string(r)
	}
	return s
}

func (s *spelling) of(token string) string {
	var b strings.Builder
	for i := range len(token) {
		b.WriteString(s[token[i]])
	}
	return b.String()
}

// validate reports what is wrong with the options, and returns the mixture.
func (o Options) validate() (mixture, error) {
	if len(o.Name) > maxName {
		return mixture{}, fmt.Errorf("the name has %d bytes, at most %d are allowed", len(o.Name), maxName)
	}
	if o.Workers < 0 {
		return mixture{}, fmt.Errorf("workers are %d, they cannot be negative", o.Workers)
	}
	return findMixture(o.Quant)
}

const maxName = 1024
