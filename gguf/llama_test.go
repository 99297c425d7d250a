package gguf

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"exobench/shape"
)

// These tests ask the real llama.cpp. They look for its programs in
// $EXOBENCH_LLAMA_BIN and in PATH.

func llama(t *testing.T, program string) string {
	t.Helper()
	if path := filepath.Join(os.Getenv("EXOBENCH_LLAMA_BIN"), program); filepath.IsAbs(path) {
		if _, err := os.Stat(path); err == nil {
			return path
		}
	}
	path, err := exec.LookPath(program)
	if err != nil {
		t.Skipf("%s is not installed: set EXOBENCH_LLAMA_BIN to the folder that has it", program)
	}
	return path
}

func writeFile(t *testing.T, s shape.Shape, quant string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "model.gguf")
	if err := os.WriteFile(path, write(t, s, Options{Name: "Small", Quant: quant, Seed: 3}), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestLlamaServerAnswersWithEveryFile(t *testing.T) {
	program := llama(t, "llama-server")
	for _, s := range []shape.Shape{small, smallQwen()} {
		for _, quant := range Quants() {
			t.Run(arch(s)+" "+quant, func(t *testing.T) {
				checkAnswer(t, startServer(t, program, writeFile(t, s, quant)), s)
			})
		}
	}
}

// checkAnswer asks for tokens and how likely each was. Logits are about normal,
// so that the likeliest of some are a few e-folds above all being alike; weights
// in the wrong place or not a number show as anything else.
func checkAnswer(t *testing.T, url string, s shape.Shape) {
	t.Helper()
	var answer struct {
		Predicted     int `json:"tokens_predicted"`
		Probabilities []struct {
			Logprob *float64 `json:"logprob"`
			Top     []struct {
				ID      int      `json:"id"`
				Logprob *float64 `json:"logprob"`
			} `json:"top_logprobs"`
		} `json:"completion_probabilities"`
	}
	post(t, url+"/completion", `{"prompt": "Explain the process of photosynthesis.", "n_predict": 16, "ignore_eos": true, "n_probs": 5, "temperature": 1, "seed": 1}`, &answer)
	if answer.Predicted != 16 || len(answer.Probabilities) == 0 {
		t.Fatalf("%d tokens, %d with probabilities, want 16", answer.Predicted, len(answer.Probabilities))
	}
	firsts := map[int]bool{}
	for _, p := range answer.Probabilities {
		if len(p.Top) == 0 || p.Top[0].Logprob == nil {
			t.Fatalf("probabilities are missing: %+v", p)
		}
		if above := *p.Top[0].Logprob + math.Log(float64(s.Vocab)); above < 1 || above > 6 {
			t.Errorf("the likeliest token is exp(%.2f) times likelier than all on average", above)
		}
		firsts[p.Top[0].ID] = true
	}
	if len(firsts) < 4 {
		t.Errorf("only %d different tokens are likeliest", len(firsts))
	}
}

func TestLlamaServerCutsTextIntoTheTokensThatWereTaught(t *testing.T) {
	program := llama(t, "llama-server")
	for _, s := range []shape.Shape{small, smallQwen()} {
		s.Vocab, s.Layers = 32768, 1
		url := startServer(t, program, writeFile(t, s, "q8_0"))
		v := newVocabulary(s.Vocab, tokensOf[arch(s)].special)
		const text = sample + " Grüße — 世界 \x01"
		var cut struct{ Tokens []int }
		post(t, url+"/tokenize", encodeJSON(t, map[string]any{"content": text}), &cut)
		var want []int
		for _, piece := range pieces.FindAllString(text, -1) {
			if s.Arch == shape.Qwen2 && piece[0] >= '0' && piece[0] <= '9' {
				for i := range len(piece) { // digit by digit
					want = append(want, v.split(piece[i:i+1])...)
				}
				continue
			}
			want = append(want, v.split(piece)...)
		}
		if diff := cmp.Diff(want, cut.Tokens); diff != "" {
			t.Errorf("%s: tokens differ:\n%s", arch(s), diff)
		}
		var back struct{ Content string }
		post(t, url+"/detokenize", encodeJSON(t, map[string]any{"tokens": cut.Tokens}), &back)
		if back.Content != text {
			t.Errorf("%s: the text comes back as %q", arch(s), back.Content)
		}
		// llama-server adds the token that begins a text itself, and takes the
		// template's away.
		var chat struct{ Prompt string }
		post(t, url+"/apply-template", `{"messages": [{"role": "user", "content": "Hello"}]}`, &chat)
		if want := map[string]string{
			shape.Llama: "<|start_header_id|>user<|end_header_id|>\n\nHello<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n",
			shape.Qwen2: "<|im_start|>user\nHello<|im_end|>\n<|im_start|>assistant\n",
		}[arch(s)]; chat.Prompt != want {
			t.Errorf("%s: the chat is %q, want %q", arch(s), chat.Prompt, want)
		}
	}
}

// What llama.cpp makes of the same shape in 16 bits must have the formats that
// Write chooses.
func TestMixturesAreThoseOfLlamaQuantize(t *testing.T) {
	program := llama(t, "llama-quantize")
	deep, odd := small, smallQwen()
	deep.Layers, deep.Tied = 18, false
	odd.Hidden, odd.Heads, odd.KVHeads, odd.FFN = 288, 9, 3, 512 // no multiple of 256
	for _, s := range []shape.Shape{small, deep, smallQwen(), odd} {
		from := writeFile(t, s, "f16")
		for _, quant := range Quants() {
			to := filepath.Join(t.TempDir(), "out.gguf")
			quantize(t, program, from, to, quant)
			want := readFormats(t, to)
			if diff := cmp.Diff(want, readFormats(t, writeFile(t, s, quant))); diff != "" {
				t.Errorf("%s of %+v: formats differ:\n%s", quant, s, diff)
			}
		}
	}
}

func readFormats(t *testing.T, path string) map[string]string {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	h, err := ReadHeader(file)
	if err != nil {
		t.Fatal(err)
	}
	formats := map[string]string{"file": h.Quant}
	for _, tensor := range h.Tensors {
		formats[tensor.Name] = tensor.Format
	}
	return formats
}

func quantize(t *testing.T, program, from, to, quant string) {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), program, "--allow-requantize", from, to, quant, "1").CombinedOutput()
	if err != nil {
		t.Fatalf("llama-quantize to %s: %v\n%s", quant, err, out)
	}
}

// ggml and this package's tests must find the same numbers in the blocks.
func TestLlamaQuantizeDecodesTheSameNumbers(t *testing.T) {
	program := llama(t, "llama-quantize")
	for _, quant := range Quants() {
		from := writeFile(t, small, quant)
		to := filepath.Join(t.TempDir(), "out.gguf")
		quantize(t, program, from, to, "f32")
		want, got := readValues(t, to), readValues(t, from)
		if len(want) != len(got) {
			t.Fatalf("%s: %d tensors, want %d", quant, len(got), len(want))
		}
		for name, values := range want {
			if i := firstDifference(values, got[name]); i >= 0 {
				t.Errorf("%s: number %d of %s is %g, ggml says %g", quant, i, name, got[name][i], values[i])
			}
		}
	}
}

// firstDifference allows for ggml's arithmetic of 32 bits.
func firstDifference(a, b []float64) int {
	for i := range a {
		if math.Abs(a[i]-b[i]) > 1e-6*math.Abs(a[i])+1e-7 {
			return i
		}
	}
	return -1
}

func readValues(t *testing.T, path string) map[string][]float64 {
	t.Helper()
	file, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	h, err := ReadHeader(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	size := func(tensor Tensor) (*format, int) {
		f := formats[slices.IndexFunc(formats, func(f *format) bool { return f.name == tensor.Format })]
		return f, int(f.size(int64(tensor.elements())))
	}
	var end int
	for _, tensor := range h.Tensors {
		_, n := size(tensor)
		end = max(end, int(padded(int64(tensor.Offset)+int64(n))))
	}
	values := map[string][]float64{}
	for _, tensor := range h.Tensors {
		f, n := size(tensor)
		at := len(file) - end + int(tensor.Offset)
		values[tensor.Name] = decode(f, file[at:at+n])
	}
	return values
}

// startServer starts a llama-server on the loopback interface, which ends with
// the test, and returns its URL when it has loaded the model.
func startServer(t *testing.T, program, model string) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().(*net.TCPAddr)
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithTimeout(context.Background(), 2*time.Minute)
	var log bytes.Buffer
	server := exec.CommandContext(ctx, program, "-m", model, "--host", "127.0.0.1", "--port", fmt.Sprint(address.Port),
		"-t", "1", "-c", "1024", "-np", "1")
	server.Stdout, server.Stderr = &log, &log
	if err := server.Start(); err != nil {
		stop()
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		_ = server.Wait() // it is killed
		close(ended)
	}()
	t.Cleanup(func() {
		stop()
		<-ended
		if t.Failed() {
			t.Logf("llama-server said:\n%s", log.String())
		}
	})
	url := "http://" + address.String()
	for {
		if response, err := http.Get(url + "/health"); err == nil {
			response.Body.Close()
			if response.StatusCode == http.StatusOK {
				return url
			}
		}
		select {
		case <-ended:
			t.Fatal("llama-server ended")
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func post(t *testing.T, url, body string, answer any) {
	t.Helper()
	response, err := http.Post(url, "application/json", bytes.NewReader([]byte(body)))
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s, %v, %s", url, response.Status, err, text)
	}
	if err := json.Unmarshal(text, answer); err != nil {
		t.Fatalf("%s: %v in %s", url, err, text)
	}
}

func encodeJSON(t *testing.T, value any) string {
	t.Helper()
	text, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
