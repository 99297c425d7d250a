package main

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/mattn/go-shellwords"
	"github.com/spf13/pflag"

	"exobench"
)

// variantLoads is how often variants are loaded unless somebody says otherwise: two
// rounds there and two back.
const variantLoads = 4

// applyVariants makes variants of the plan's one engine, as --ab says. They are
// engines of the plan, which tells them apart by their names, and run in turn.
func (f *planFlags) applyVariants(p *exobench.Plan) error {
	if len(f.variants) == 0 {
		return nil
	}
	if len(f.variants) < 2 {
		return errors.New("--ab is given once: a comparison needs two variants or more")
	}
	if len(p.Engines) != 1 || p.Engines[0].Variant != "" {
		return fmt.Errorf("--ab makes variants of one engine, and the engines are %s: name one with --engine", strings.Join(labels(p.Engines), ", "))
	}
	base := p.Engines[0]
	if base.Name == auto {
		return errors.New("--ab makes variants of one engine: name it with --engine")
	}
	p.Engines = nil
	for _, text := range f.variants {
		f.secrets.AddURL(text)
		spec, err := variantOf(base, text)
		if err != nil {
			return fmt.Errorf("--ab %s: %w", text, err)
		}
		if slices.Contains(labels(p.Engines), spec.Label()) {
			return fmt.Errorf("--ab names %s twice", spec.Variant)
		}
		p.Engines = append(p.Engines, spec)
	}
	if !f.changed("loads") && p.LoadCount() == 1 {
		p.Loads = variantLoads
	}
	return nil
}

// variantOf returns the engine with what NAME=FLAGS says changed.
func variantOf(base exobench.EngineSpec, text string) (exobench.EngineSpec, error) {
	name, line, ok := strings.Cut(text, "=")
	if name = strings.TrimSpace(name); !ok || name == "" || strings.HasPrefix(name, "-") {
		return base, errors.New("it must be NAME='--flag value ...'")
	}
	words, err := shellwords.Parse(line)
	if err != nil {
		return base, fmt.Errorf("%q cannot be taken apart: %w", line, err)
	}
	flags := pflag.NewFlagSet(name, pflag.ContinueOnError)
	flags.SetOutput(io.Discard)
	url := flags.String("url", base.URL, "")
	for _, o := range optionsOf(base.Name) {
		flags.String(o.Name, "", "")
		if option := flags.Lookup(o.Name); o.Default == "true" || o.Default == "false" {
			option.NoOptDefVal = "true"
		}
	}
	if err := flags.Parse(words); err != nil {
		return base, fmt.Errorf("%w; a variant of %s can have --url and its options: %s", err, base.Name, strings.Join(slices.Sorted(maps.Keys(optionNames(base.Name))), ", "))
	}
	if flags.NArg() > 0 {
		return base, fmt.Errorf("%q is no flag", flags.Arg(0))
	}
	spec := base
	spec.Variant, spec.URL, spec.Options = name, *url, maps.Clone(base.Options)
	if spec.Options == nil {
		spec.Options = map[string]string{}
	}
	flags.Visit(func(flag *pflag.Flag) {
		if flag.Name != "url" {
			spec.Options[flag.Name] = flag.Value.String()
		}
	})
	return spec, nil
}

func optionNames(engine string) map[string]bool {
	names := map[string]bool{}
	for _, o := range optionsOf(engine) {
		names["--"+o.Name] = true
	}
	return names
}
