package gguf

import (
	"strings"
	"testing"
)

func TestMixturesGiveMoreBitsWhereLlamaCppDoes(t *testing.T) {
	t.Parallel()
	// Half of 32 layers: 0-3, every third from 6 on, 28-31.
	more := map[int]bool{0: true, 1: true, 2: true, 3: true, 6: true, 9: true, 12: true, 15: true,
		18: true, 21: true, 24: true, 27: true, 28: true, 29: true, 30: true, 31: true}
	check := func(quant string, what role, layer, row int, want *format) {
		t.Helper()
		m, err := findMixture(quant)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := m.choose(what, layer, 32, row); err != nil || got != want {
			t.Errorf("%s, role %d, layer %d, rows of %d: %v, %v, want %s", quant, what, layer, row, got, err, want.name)
		}
	}
	for layer := range 32 {
		want := q4_k
		if more[layer] {
			want = q6_k
		}
		check("q4_k_m", attentionValue, layer, 4096, want)
		check("q4_k_m", feedForwardDown, layer, 14336, want)
		check("q4_k_m", other, layer, 4096, q4_k)
	}
	check("q4_k_s", attentionValue, 3, 4096, q5_k)
	check("q4_k_s", attentionValue, 4, 4096, q4_k)
	check("q4_k_s", feedForwardDown, 3, 4096, q5_k)
	check("q4_k_s", feedForwardDown, 4, 4096, q4_k)
	check("q4_0", output, 0, 4096, q6_k)
	check("q4_0", output, 0, 4064, q8_0) // no multiple of 256
	check("q8_0", output, 0, 4096, q8_0)
	check("f16", output, 0, 4096, f16)
	check("Q4_K", output, 0, 4096, q6_k)
	check("q4_k_m", other, 0, 4064, q5_0)
	check("q6_k", other, 0, 4064, q8_0)
	check("q5_k_m", other, 0, 100, f16) // no multiple of 32 either
}

func TestRowsThatNoBlockDividesAreRefused(t *testing.T) {
	t.Parallel()
	s := small
	s.FFN = 100
	_, err := Size(s, Options{Quant: "q4_0"})
	if err == nil || !strings.Contains(err.Error(), "ffn_down.weight: q4_0 cannot hold rows of 100") {
		t.Errorf("Size is %v", err)
	}
}

func TestUnknownQuantisationsAreRefusedWithTheKnownOnes(t *testing.T) {
	t.Parallel()
	_, err := Size(small, Options{Quant: "q3_k_m"})
	if err == nil || !strings.Contains(err.Error(), "q4_k_m") {
		t.Errorf("Size is %v, want the known names in it", err)
	}
}
