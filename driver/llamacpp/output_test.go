package llamacpp

import "testing"

// The texts are what llama-server b11669 wrote, cut short.
func TestTheReasonIsTheLineThatSaysWhy(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, text, want string }{
		{"a file cut short", `0.00.013.855 E common_fit_params: encountered an error while trying to fit params to free device memory: failed to load model
0.00.013.983 E llama_model_load: error loading model: tensor 'blk.2.attn_output.weight' data is not within the file bounds, model is corrupted or incomplete
0.00.014.027 E srv    load_model: failed to load model, 'trunc.gguf'
0.00.014.041 I srv    operator(): operator(): cleaning up before exit...
0.00.014.406 E srv  llama_server: exiting due to model loading error
`, "llama_model_load: error loading model: tensor 'blk.2.attn_output.weight' data is not within the file bounds, model is corrupted or incomplete"},
		{"too large a context", `0.00.389.176 E ggml_backend_cpu_buffer_type_alloc_buffer: failed to allocate buffer of size 8192000000
0.00.409.802 E llama_init_from_model: failed to initialize the context: failed to allocate buffer for kv cache
0.00.409.898 E srv    load_model: failed to create_context with model 'tiny.gguf'
0.00.410.326 E srv  llama_server: exiting due to model loading error
`, "llama_init_from_model: failed to initialize the context: failed to allocate buffer for kv cache"},
		{"an unknown argument", "error: invalid argument: --bogus\n", "error: invalid argument: --bogus"},
		{"a bad value", "error while handling argument \"-c\": stoi\n\nusage:\n-c,    --ctx-size N    size of the prompt context\n\nto show complete usage, run with -h\n", `error while handling argument "-c": stoi`},
		{"a port in use", `0.00.038.733 E srv         start: couldn't bind HTTP server socket, hostname: 127.0.0.1, port: 18933
0.00.047.573 E srv  llama_server: exiting due to HTTP server error
`, "srv start: couldn't bind HTTP server socket, hostname: 127.0.0.1, port: 18933"},
		{"words not known", "one\n  two  words \n\n", "two words"},
		{"nothing", "", "it said nothing"},
	} {
		if got := reason(c.text); got != c.want {
			t.Errorf("%s: got %s, want %s", c.name, got, c.want)
		}
	}
}

func TestBuildsAreNamedAsTheServerNamesThem(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"version: 0.7.0 (build 11669, commit Debian)\nbuilt with GNU 16.2.0 for Linux x86_64\n": "b11669-Debian",
		"version: 4589 (eb7cf15a)\nbuilt with cc for x86_64-linux-gnu\n":                        "b4589-eb7cf15a",
		"something else": "",
	} {
		if got := buildName(text); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}
