package main

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/mattn/go-shellwords"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"exobench"
	"exobench/planfile"
)

// variantLoads is how often variants are loaded unless somebody says otherwise: two
// rounds there and two back.
const variantLoads = 4

// moreVariants takes arguments that follow --ab for variants as well.
func (f *planFlags) moreVariants(cmd *cobra.Command, args []string) error {
	if len(f.variants) == 0 || slices.ContainsFunc(args, func(arg string) bool { return !strings.Contains(arg, "=") }) {
		return noArgs(cmd, args)
	}
	f.variants = append(f.variants, args...)
	return nil
}

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
	url, plan := flags.String("url", "", ""), flags.String("plan", "", "")
	for _, o := range optionsOf(base.Name) {
		flags.String(o.Name, "", "")
		if option := flags.Lookup(o.Name); o.Default == "true" || o.Default == "false" {
			option.NoOptDefVal = "true"
		}
	}
	if err := flags.Parse(words); err != nil {
		return base, fmt.Errorf("%w; a variant of %s can have --url, --plan FILE for the engine of another plan, and its options: %s", err, base.Name, strings.Join(slices.Sorted(maps.Keys(optionNames(base.Name))), ", "))
	}
	if flags.NArg() > 0 {
		return base, fmt.Errorf("%q is no flag", flags.Arg(0))
	}
	spec := base
	if *plan != "" {
		if spec, err = engineOf(*plan, base.Name); err != nil {
			return base, err
		}
	}
	spec.Variant, spec.Options = name, maps.Clone(spec.Options)
	if spec.Options == nil {
		spec.Options = map[string]string{}
	}
	flags.Visit(func(flag *pflag.Flag) {
		switch flag.Name {
		case "url":
			spec.URL, spec.URLSecret = *url, false
		case "plan":
		default:
			spec.Options[flag.Name] = flag.Value.String()
		}
	})
	return spec, nil
}

// engineOf returns the engine of a plan file: where it answers, its options and its
// headers. What else the file has is not that of a variant.
func engineOf(file, name string) (exobench.EngineSpec, error) {
	p, err := planfile.ReadFile(file, defaultPlan())
	if err != nil {
		return exobench.EngineSpec{}, err
	}
	if len(p.Engines) != 1 || p.Engines[0].Name != name {
		return exobench.EngineSpec{}, fmt.Errorf("plan file %s has the engines %s: a variant of %s takes its engine from a plan of %s alone", file, strings.Join(labels(p.Engines), ", "), name, name)
	}
	return p.Engines[0], nil
}

func optionNames(engine string) map[string]bool {
	names := map[string]bool{}
	for _, o := range optionsOf(engine) {
		names["--"+o.Name] = true
	}
	return names
}
