package driver

import (
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"exobench"
	"exobench/catalogue"
)

func TestOptionsTakeTheSpecsValueOrTheirDefault(t *testing.T) {
	t.Parallel()
	pull := Option{Name: "pull", Kind: SwitchOption}
	nodes := Option{Name: "nodes", Kind: NumberOption, Default: "1"}
	all := []Option{pull, nodes, {Name: "quant"}}
	spec := exobench.EngineSpec{Name: "x", Options: map[string]string{"pull": "true", "quant": ""}}
	if err := CheckOptions(spec, all); err != nil {
		t.Error(err)
	}
	if !pull.On(spec) || pull.On(exobench.EngineSpec{}) || nodes.In(spec) != "1" {
		t.Errorf("pull %v, without %v, nodes %q", pull.On(spec), pull.On(exobench.EngineSpec{}), nodes.In(spec))
	}
	spec.Options = map[string]string{"pull": "perhaps", "nodes": "two", "speed": "9"}
	err := CheckOptions(spec, all)
	for _, want := range []string{`--pull is "perhaps"`, `--nodes is "two"`, "engine x has no option speed"} {
		if _, usage := errors.AsType[UsageError](err); !usage || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want a UsageError with %q", err, want)
		}
	}
}

func TestAPIKeysComeFromWhereTheSpecSays(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(path, []byte(" from the file\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	empty, long := path+"-empty", path+"-long"
	if err := errors.Join(os.WriteFile(empty, []byte(" \n"), 0o600), os.WriteFile(long, []byte("two\nlines\n"), 0o600)); err != nil {
		t.Fatal(err)
	}
	given := http.Header{"X-Team": {"bench"}}
	env := Env{Header: given, Getenv: func(name string) string { return map[string]string{"KEY": "from the environment"}[name] }}
	for _, c := range []struct {
		options    map[string]string
		key, wrong string
	}{
		{nil, "", ""},
		{map[string]string{"api-key-env": "KEY"}, "from the environment", ""},
		{map[string]string{"api-key-file": path}, "from the file", ""},
		{map[string]string{"api-key-env": "sk-live-0123"}, "", "--api-key-env takes the name of an environment variable"},
		{map[string]string{"api-key-env": "NONE"}, "", "--api-key-env NONE: that environment variable is not set"},
		{map[string]string{"api-key-file": path + "s"}, "", "s: no such file"},
		{map[string]string{"api-key-file": "/dev/zero"}, "", "it is a device"},
		{map[string]string{"api-key-file": empty}, "", "it is empty"},
		{map[string]string{"api-key-file": long}, "", "several lines"},
		{map[string]string{"api-key-env": "KEY", "api-key-file": path}, "", "give one of them"},
	} {
		header, err := env.HeaderOf(exobench.EngineSpec{Options: c.options})
		key := strings.TrimPrefix(header.Get("Authorization"), "Bearer ")
		_, usage := errors.AsType[UsageError](err)
		if header.Get("X-Team") != "bench" || len(given) != 1 {
			t.Errorf("%v: got %v, and %v is left of what was given", c.options, header, given)
		}
		if key != c.key || usage != (c.wrong != "") || usage && !strings.Contains(err.Error(), c.wrong) {
			t.Errorf("%v: got %q, %v; want %q, %q", c.options, key, err, c.key, c.wrong)
		}
	}
}

func TestAnUnknownModelIsToldWithTheNearest(t *testing.T) {
	t.Parallel()
	models, err := catalogue.Load("")
	if err != nil {
		t.Fatal(err)
	}
	env := Env{Catalogue: models}
	if m, ok := env.FindModel("mlx-community/llama-3.2-1b-instruct-4bit"); !ok || m.Name != "llama-3.2-1b" {
		t.Errorf("an id of exo's: got %+v, %v", m, ok)
	}
	for name, want := range map[string]string{"lama-3.2-1b": "did you mean llama-3.2-1b", "something else": "the catalogue has llama-3.1-8b"} {
		if err := env.UnknownModel(name); !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q in it", name, err, want)
		}
	}
	if err := env.UnknownModel("something else", "something"); !strings.Contains(err.Error(), "did you mean something?") {
		t.Errorf("got %v", err)
	}
}

func TestWhatIsNotKnownOfAnOfferIsNotToldAsANo(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		offer Offer
		free  exobench.Bytes
		fits  *bool
		why   string
	}{
		{"it fits", Offer{Size: 1 << 30}, 2 << 30, new(true), "1.00 GiB of 2.00 GiB free"},
		{"it does not", Offer{Size: 2 << 30}, 1 << 30, new(false), "2.00 GiB of 1.00 GiB free"},
		{"it is loaded", Offer{Size: 2 << 30, Loaded: new(true)}, 1 << 30, new(true), "loaded"},
		{"its size is not known", Offer{}, 1 << 30, nil, "unknown"},
		{"what is free is not known", Offer{Size: 1 << 30, Loaded: new(false)}, 0, nil, "unknown"},
	} {
		c.offer.Fit(c.free)
		if (c.offer.Fits == nil) != (c.fits == nil) || c.fits != nil && *c.offer.Fits != *c.fits || c.offer.Why != c.why {
			t.Errorf("%s: fits %v, %q", c.name, c.offer.Fits, c.offer.Why)
		}
	}
}

func TestListsOfNamesAreCutShort(t *testing.T) {
	t.Parallel()
	for want, names := range map[string]string{"none": "", "a, b": "a b", "a, b, c, d, e, f, g, h and 2 more": "a b c d e f g h i j"} {
		if got := List(strings.Fields(names)); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
