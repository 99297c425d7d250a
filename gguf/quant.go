package gguf

import (
	"fmt"
	"strings"
)

// mixture is a quantisation by the name that users give: one format for most
// matrices, and others for some.
type mixture struct {
	name     string
	fileType uint32 // general.file_type
	most     *format
}

// mixtures are those that Write knows. A file gets what llama.cpp's quantiser
// gives a real model's: Q4_0 too has its output matrix in Q6_K.
var mixtures = []mixture{
	{"f32", 0, f32}, {"f16", 1, f16}, {"q8_0", 7, q8_0},
	{"q4_0", 2, q4_0}, {"q4_1", 3, q4_1}, {"q5_0", 8, q5_0}, {"q5_1", 9, q5_1},
	{"q4_k_s", 14, q4_k}, {"q4_k_m", 15, q4_k}, {"q5_k_s", 16, q5_k}, {"q5_k_m", 17, q5_k},
	{"q6_k", 18, q6_k},
}

// fileTypes names general.file_type as llama.cpp does, in lower case.
var fileTypes = map[uint64]string{
	0: "f32", 1: "f16", 2: "q4_0", 3: "q4_1", 7: "q8_0", 8: "q5_0", 9: "q5_1",
	10: "q2_k", 11: "q3_k_s", 12: "q3_k_m", 13: "q3_k_l", 14: "q4_k_s", 15: "q4_k_m",
	16: "q5_k_s", 17: "q5_k_m", 18: "q6_k", 19: "iq2_xxs", 20: "iq2_xs", 21: "q2_k_s",
	22: "iq3_xs", 23: "iq3_xxs", 24: "iq1_s", 25: "iq4_nl", 26: "iq3_s", 27: "iq3_m",
	28: "iq2_s", 29: "iq2_m", 30: "iq4_xs", 31: "iq1_m", 32: "bf16", 36: "tq1_0", 37: "tq2_0",
	38: "mxfp4_moe",
}

// Quants returns the quantisations that Write knows. The short names of
// llama.cpp, "q4_k" for "q4_k_m" and "q5_k" for "q5_k_m", are known too, and
// names may be in any case.
func Quants() []string {
	var names []string
	for _, m := range mixtures {
		names = append(names, m.name)
	}
	return names
}

func findMixture(name string) (mixture, error) {
	want := strings.ToLower(name)
	if want == "q4_k" || want == "q5_k" {
		want += "_m"
	}
	for _, m := range mixtures {
		if m.name == want {
			return m, nil
		}
	}
	return mixture{}, fmt.Errorf("quantisation %q is not known: it must be one of %s", name, strings.Join(Quants(), ", "))
}

// role is what a matrix does, as far as the choice of its format depends on it.
type role int

const (
	other role = iota
	output
	attentionValue
	feedForwardDown
)

// choose returns the format of a matrix with rows of that length, in one of n
// layers.
func (m mixture) choose(what role, layer, n, row int) (*format, error) {
	if m.most == f32 || m.most == f16 {
		return m.most, nil
	}
	return fit(m.wanted(what, layer, n, row), row)
}

// wanted follows llama.cpp's quantiser (llama-quant.cpp) for dense models.
func (m mixture) wanted(what role, layer, n, row int) *format {
	// more says which half of the layers gets more bits in the _M mixtures: the
	// first and last eighth and every third between.
	more := layer < n/8 || layer >= 7*n/8 || (layer-n/8)%3 == 2
	medium := m.name == "q4_k_m" || m.name == "q5_k_m"
	switch {
	case what == output && (m.most == q8_0 || row%m.most.elements != 0):
		return q8_0
	case what == output:
		return q6_k
	case medium && more && (what == attentionValue || what == feedForwardDown):
		return q6_k
	case m.name == "q4_k_s" && what == attentionValue && layer < 4,
		m.name == "q4_k_s" && what == feedForwardDown && layer < n/8,
		m.most == q4_k && what == attentionValue && n == 80: // 70B models
		return q5_k
	}
	return m.most
}

// fit returns the format, or where its blocks do not divide the rows the one
// that llama.cpp takes in its place.
func fit(f *format, row int) (*format, error) {
	if row%f.elements == 0 {
		return f, nil
	}
	instead, ok := map[*format]*format{q4_k: q5_0, q5_k: q5_1, q6_k: q8_0}[f]
	if !ok {
		return nil, fmt.Errorf("%s cannot hold rows of %d numbers: they must be a multiple of %d", f.name, row, f.elements)
	}
	if row%instead.elements != 0 {
		return f16, nil
	}
	return instead, nil
}
