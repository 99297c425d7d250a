package wire

import "testing"

func TestNamesOfOneModel(t *testing.T) {
	for _, c := range []struct {
		asked, says string
		same        bool
	}{
		{"llama-3.2-1b", "llama-3.2-1b", true},
		{"Llama-3.2-1B", "llama-3.2-1b", true},
		{"meta-llama/Llama-3.2-1B-Instruct", "Llama-3.2-1B-Instruct", true},
		{"openrouter/meta-llama/Llama-3.2-1B", "meta-llama/llama-3.2-1b:free", true},
		{"llama-3.2-1b", "/models/Llama-3.2-1B-Q4_K_M.gguf", true},
		{"llama-3.2-1b", `C:\models\llama-3.2-1b.Q8_0.gguf`, true},
		{"llama-3.2-1b", "llama-3.2-1b-IQ2_XXS-00001-of-00003.gguf", true},
		{"mlx-community/Llama-3.2-1B-Instruct-4bit", "Llama-3.2-1B-Instruct", true},
		{"Llama-3.2-1B-Instruct-bf16", "llama_3.2_1b_instruct", true},
		{"qwen3:0.6b", "qwen3", true},
		{"qwen3", "qwen3:latest", true},
		{"gpt-4o", "gpt-4o-2024-08-06", true},
		{"model@q4_k_m", "model", true},
		{"Qwen2.5-7B-Instruct-AWQ", "qwen2.5-7b-instruct-gptq-int4", true},
		{"llama-3.2-1b", "llama-3.2-3b", false},
		{"llama3.2:1b", "llama3.2:3b", false},
		{"gpt-4o", "gpt-4o-mini", false},
		{"gpt-4", "gpt-4o", false},
		{"qwen3-8b", "llama-3.1-8b", false},
		{"mistral", "mixtral", false},
		{"a/", "b/", true}, // no name says nothing
	} {
		if got := sameModel(c.asked, c.says); got != c.same {
			t.Errorf("%q and %q are the same: %v (%q, %q)", c.asked, c.says, got, plainModel(c.asked), plainModel(c.says))
		}
		if got := sameModel(c.says, c.asked); got != c.same {
			t.Errorf("the other way around, %q and %q: %v", c.says, c.asked, got)
		}
	}
}
