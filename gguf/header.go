package gguf

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"math"
	"math/bits"
	"strings"
)

// Header is what a GGUF file says of itself before its values.
type Header struct {
	Version      uint32
	Architecture string // such as "llama"
	Name         string // general.name; empty where the file has none
	// Quant is the file's mixture of formats in lower case, such as "q4_k_m";
	// empty where the file does not say or names one that is not known.
	Quant     string
	Context   int64 // longest context in tokens; 0: not said
	Synthetic bool  // made by Write: its weights are random
	// Metadata has all keys. Values are uint64, int64, float64, bool and string,
	// of whichever width in the file, and Array.
	Metadata map[string]any
	Tensors  []Tensor
}

// Array stands for an array in the metadata; its elements are not kept.
type Array struct{ Len uint64 }

// Tensor is an entry of a header.
type Tensor struct {
	Name   string
	Dims   []uint64 // row length first
	Format string   // as ggml calls it in lower case, such as "q4_k"; "type 99" if not known
	Offset uint64   // from the start of the values
}

// Uint returns a number of the metadata that is not negative; 0 where there is
// none of that key.
func (h Header) Uint(key string) uint64 {
	switch n := h.Metadata[key].(type) {
	case uint64:
		return n
	case int64:
		return uint64(max(0, n))
	}
	return 0
}

// Parameters returns how many weights the model has. Factors of the rotary
// embedding, which are no weights, do not count.
func (h Header) Parameters() uint64 {
	var total uint64
	for _, t := range h.Tensors {
		if t.Name != ropeFactors {
			total += t.elements()
		}
	}
	return total
}

// Bytes returns the size of the tensor's values; it is not known of a format that
// is not.
func (t Tensor) Bytes() (uint64, bool) {
	b, ok := blocks[t.Format]
	if !ok {
		return 0, false
	}
	return t.elements() / b.elements * b.bytes, true
}

// BytesPerValue returns how many bytes a number takes in a format, by the name
// that ggml gives it in whatever case, its share of the block's scales included.
func BytesPerValue(format string) (float64, bool) {
	b, ok := blocks[strings.ToLower(format)]
	return float64(b.bytes) / float64(b.elements), ok
}

func (t Tensor) elements() uint64 {
	n := uint64(1)
	for _, d := range t.Dims {
		n *= d
	}
	return n
}

// The bounds of what ReadHeader takes for a header. Real ones have some dozen
// keys, at most thousands of tensors, and 20 MB for large vocabularies.
const (
	maxHeader   = 1 << 30 // bytes
	maxText     = 1 << 20 // bytes of a string that is kept
	maxKept     = 64 << 20
	maxKeys     = 1 << 16
	maxTensors  = 1 << 17
	maxNesting  = 4
	maxDims     = 4
	maxElements = 1 << 50 // of all tensors
)

// ReadHeader reads the header of a GGUF file of version 2 or 3. Memory stays
// below some 200 MB whatever r holds.
func ReadHeader(r io.Reader) (Header, error) {
	d := &headerReader{r: bufio.NewReaderSize(io.LimitReader(r, maxHeader), 1<<16)}
	h, err := d.header()
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return Header{}, fmt.Errorf("read GGUF header: %w", err)
	}
	return h, nil
}

// headerReader reads values until one fails: then err is set, and all further
// values are zero.
type headerReader struct {
	r    *bufio.Reader
	kept int // bytes of strings
	err  error
}

func (d *headerReader) fail(format string, args ...any) {
	if d.err == nil {
		d.err = fmt.Errorf(format, args...)
	}
}

func (d *headerReader) header() (Header, error) {
	if got := string(d.read(4)); got != magic && d.err == nil {
		return Header{}, fmt.Errorf("not a GGUF file: it begins with %q", got)
	}
	h := Header{Version: uint32(d.uint(4)), Metadata: map[string]any{}}
	if d.err == nil && h.Version != 2 && h.Version != 3 {
		if swapped := bits.ReverseBytes32(h.Version); swapped == 2 || swapped == 3 {
			return Header{}, errors.New("the file is big-endian, which is not supported")
		}
		return Header{}, fmt.Errorf("version %d is not supported", h.Version)
	}
	tensors, keys := d.uint(8), d.uint(8)
	if tensors > maxTensors || keys > maxKeys {
		d.fail("%d keys and %d tensors are too many", keys, tensors)
	}
	for i := uint64(0); i < keys && d.err == nil; i++ {
		key := d.text()
		value := d.value(uint32(d.uint(4)), 0)
		if _, twice := h.Metadata[key]; twice {
			d.fail("key %q stands twice", key)
		}
		h.Metadata[key] = value
	}
	var elements uint64
	for i := uint64(0); i < tensors && d.err == nil; i++ {
		t := d.tensor()
		h.Tensors = append(h.Tensors, t)
		if elements += t.elements(); elements > maxElements {
			d.fail("the tensors are too large")
		}
	}
	h.describe()
	return h, d.err
}

// describe takes the fields from the metadata.
func (h *Header) describe() {
	h.Architecture, _ = h.Metadata["general.architecture"].(string)
	h.Name, _ = h.Metadata["general.name"].(string)
	if kind, ok := h.Metadata["general.file_type"].(uint64); ok {
		h.Quant = fileTypes[kind]
	}
	if context, ok := h.Metadata[h.Architecture+".context_length"].(uint64); ok && context <= math.MaxInt64 {
		h.Context = int64(context)
	}
	h.Synthetic, _ = h.Metadata[syntheticKey].(bool)
}

// tensor reads an entry. Its elements are at most maxElements.
func (d *headerReader) tensor() Tensor {
	t := Tensor{Name: d.text()}
	dims := d.uint(4)
	if dims > maxDims {
		d.fail("tensor %q has %d dimensions", t.Name, dims)
		return t
	}
	product := uint64(1)
	for range dims {
		n := d.uint(8)
		high, low := bits.Mul64(product, n)
		if high > 0 || low > maxElements {
			d.fail("tensor %q is too large", t.Name)
		}
		product = low
		t.Dims = append(t.Dims, n)
	}
	kind := uint32(d.uint(4))
	t.Format = formatNames[kind]
	if t.Format == "" {
		t.Format = fmt.Sprintf("type %d", kind)
	}
	t.Offset = d.uint(8)
	return t
}

// value reads a value of the metadata.
func (d *headerReader) value(kind uint32, nested int) any {
	switch kind {
	case typeUint8, typeUint16, typeUint32, typeUint64:
		return d.uint(widths[kind])
	case typeInt8, typeInt16, typeInt32, typeInt64:
		unused := 64 - 8*widths[kind]
		return int64(d.uint(widths[kind])<<unused) >> unused
	case typeFloat32:
		return float64(math.Float32frombits(uint32(d.uint(4))))
	case typeFloat64:
		return math.Float64frombits(d.uint(8))
	case typeBool:
		return d.uint(1) != 0
	case typeString:
		return d.text()
	case typeArray:
		return d.array(nested)
	}
	d.fail("type %d of a value is not known", kind)
	return nil
}

// widths are the bytes of the values of fixed size, by type.
var widths = map[uint32]int{
	typeUint8: 1, typeInt8: 1, typeBool: 1, typeUint16: 2, typeInt16: 2,
	typeUint32: 4, typeInt32: 4, typeFloat32: 4, typeUint64: 8, typeInt64: 8, typeFloat64: 8,
}

// array skips the elements of an array.
func (d *headerReader) array(nested int) Array {
	kind, n := uint32(d.uint(4)), d.uint(8)
	switch width, fixed := widths[kind]; {
	case d.err != nil:
	case fixed && n > maxHeader:
		d.fail("an array of %d elements is too long", n)
	case fixed:
		d.skip(n * uint64(width))
	case kind == typeString:
		for i := uint64(0); i < n && d.err == nil; i++ {
			d.skip(d.uint(8))
		}
	case kind == typeArray && nested < maxNesting:
		for i := uint64(0); i < n && d.err == nil; i++ {
			d.array(nested + 1)
		}
	case kind == typeArray:
		d.fail("arrays are nested too deeply")
	default:
		d.fail("type %d of an array's elements is not known", kind)
	}
	return Array{Len: n}
}

// text reads a string. What is not UTF-8 in it is replaced.
func (d *headerReader) text() string {
	n := d.uint(8)
	if n > maxText || d.kept+int(n) > maxKept {
		d.fail("a string of %d bytes is too long", n)
		return ""
	}
	d.kept += int(n)
	return strings.ToValidUTF8(string(d.read(int(n))), "\uFFFD")
}

// uint reads an unsigned number of that many bytes.
func (d *headerReader) uint(width int) uint64 {
	var eight [8]byte
	copy(eight[:], d.read(width))
	return put.Uint64(eight[:])
}

func (d *headerReader) read(n int) []byte {
	if d.err != nil {
		return nil
	}
	b := make([]byte, n)
	if _, d.err = io.ReadFull(d.r, b); d.err != nil {
		return nil
	}
	return b
}

func (d *headerReader) skip(n uint64) {
	if d.err != nil {
		return
	}
	if n > maxHeader {
		d.fail("an element of %d bytes is too long", n)
		return
	}
	_, d.err = d.r.Discard(int(n))
}
