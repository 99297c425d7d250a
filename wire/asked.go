package wire

import (
	"regexp"
	"strings"
	"sync"

	"exobench"
)

// asked is what a request asked for, as its body says: the one that was sent.
type asked struct{ body []byte }

// tokens returns the number of tokens that were asked for at most, 0 where the
// body sets no limit.
func (a asked) tokens() exobench.Tokens {
	var most optional[exobench.Tokens]
	var c cursor
	c.start(a.body, false)
	if !c.Next('{') {
		return 0
	}
	for key := range c.Object {
		switch string(key) {
		case "max_tokens", "max_completion_tokens", "n_predict":
			c.count("", &most)
		case "options":
			c.options(&most)
		default:
			c.Skip()
		}
	}
	return most.value
}

// options reads Ollama's options.
func (c *cursor) options(most *optional[exobench.Tokens]) {
	if !c.Next('{') {
		c.Skip()
		return
	}
	for key := range c.Object {
		if string(key) == "num_predict" {
			c.count("", most)
		} else {
			c.Skip()
		}
	}
}

// promptBytes returns how long the text of the prompt is at least: of the messages,
// or of a prompt without.
func (a asked) promptBytes() int {
	var c cursor
	c.start(a.body, true)
	if !c.Next('{') {
		return 0
	}
	n := 0
	for key := range c.Object {
		switch string(key) {
		case "messages":
			n += c.messageBytes()
		case "prompt":
			n += c.textBytes()
		default:
			c.Skip()
		}
	}
	return n
}

func (c *cursor) messageBytes() (n int) {
	if !c.Next('[') {
		c.Skip()
		return 0
	}
	for range c.Array {
		if !c.Next('{') {
			c.Skip()
			continue
		}
		for key := range c.Object {
			if string(key) == "content" {
				n += c.textBytes()
			} else {
				c.Skip()
			}
		}
	}
	return n
}

// textBytes returns the length of a string, 0 of anything else.
func (c *cursor) textBytes() int {
	if !c.Next('"') {
		c.Skip()
		return 0
	}
	return len(c.Plain())
}

// model returns the model that was asked for, "" where the body names none.
func (a asked) model() string {
	var c cursor
	c.start(a.body, false)
	if !c.Next('{') {
		return ""
	}
	for key := range c.Object {
		if string(key) == "model" && c.Next('"') {
			return string(c.Plain())
		}
		c.Skip()
	}
	return ""
}

// isModel reports whether a name may be one of the model that was asked for.
func (a asked) isModel(name string) bool {
	model := a.model()
	return model == "" || sameModel(model, name)
}

// What may be left out of a model's name without its being another: the kind of
// file, how its weights are stored, and the date of a version.
var modelSuffix = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`(?:\.(?:gguf|safetensors|bin)` +
		`|-\d{5}-of-\d{5}` +
		`|[-.](?:i?q\d(?:-[0-9a-z]+)*|\d+-?bits?|[bf]f?p?16|[bf]p?32|mxfp\d|nvfp\d|fp\d|int\d|w\d+a\d+|awq|gptq|exl\d|mlx|gguf|quantized|dwq|latest)` +
		`|-\d{4}-\d{2}-\d{2}|-\d{8})$`)
})

// modelSize is a number of parameters in a name.
var modelSize = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`(?:^|[^0-9a-z.])(\d+(?:\.\d+)?[bm])(?:$|[^0-9a-z])`) })

// sameModel reports whether two names are of one model, as far as names tell. Of
// a path, its base name counts; providers before a slash, tags after a colon,
// case, and how the weights are stored make no difference. Two sizes do.
func sameModel(a, b string) bool {
	if a == b {
		return true
	}
	if m, n := modelSize().FindStringSubmatch(strings.ToLower(a)), modelSize().FindStringSubmatch(strings.ToLower(b)); m != nil && n != nil && m[1] != n[1] {
		return false
	}
	return plainModel(a) == plainModel(b)
}

func plainModel(name string) string {
	name = strings.ToLower(strings.TrimSpace(name))
	name = name[strings.LastIndexAny(name, `/\`)+1:]
	if before, _, ok := strings.Cut(name, ":"); ok && before != "" {
		name = before
	}
	name, _, _ = strings.Cut(name, "@")
	name = strings.NewReplacer("_", "-", " ", "-").Replace(name)
	for {
		shorter := modelSuffix().ReplaceAllString(name, "")
		if shorter == name || shorter == "" {
			return name
		}
		name = shorter
	}
}
