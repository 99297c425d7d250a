package main

import (
	"fmt"
	"net/http"
	"strings"

	"exobench"
	"exobench/driver"
	"exobench/secret"
)

// parseHeader takes a value of --header: "Name: value", or "Name: $VARIABLE"
// for one whose value stands in the environment. A plan keeps the name of the
// variable and never a value.
func parseHeader(line string) (name, value, variable string, err error) {
	name, value, ok := strings.Cut(line, ":")
	if name = strings.TrimSpace(name); !ok || name == "" {
		// The line itself may hold a secret.
		return "", "", "", driver.UsageError{Err: fmt.Errorf("a --header must be like \"Name: value\" or \"Name: $VARIABLE\"; one of %d characters has no name and colon", len(line))}
	}
	value = strings.TrimSpace(value)
	if variable, ok := strings.CutPrefix(value, "$"); ok {
		return name, "", variable, nil
	}
	return name, value, "", nil
}

// headerOf returns the headers that a spec wants, with their values: of those
// that name a variable from the environment, of the others as the command line
// gave them.
func headerOf(spec exobench.EngineSpec, given map[string]string, getenv func(string) string) (http.Header, error) {
	header := http.Header{}
	for name, variable := range spec.Headers {
		value := given[name]
		if variable != "" {
			value = getenv(variable)
		}
		switch {
		case value != "":
			header.Set(name, value)
		case variable != "":
			return nil, driver.UsageError{Err: fmt.Errorf("header %s: the environment variable %s is not set", name, variable)}
		default:
			return nil, driver.UsageError{Err: fmt.Errorf("header %s: a plan does not keep its value: give --header again", name)}
		}
	}
	return header, nil
}

// hideAddresses takes out of the addresses of a plan's engines what no plan may
// keep, and keeps the whole ones for the calls of this process.
func (f *planFlags) hideAddresses(specs []exobench.EngineSpec) {
	for i := range specs {
		spec := &specs[i]
		shown, hidden := secret.Shown(spec.URL)
		if !hidden {
			continue
		}
		f.secrets.AddURL(spec.URL)
		if f.addresses == nil {
			f.addresses = map[string]string{}
		}
		f.addresses[spec.Label()] = spec.URL
		spec.URL, spec.URLSecret = shown, true
	}
}

// reached returns the spec with the address that calls go to, and has what its
// calls carry hidden from now on.
func (o *opener) reached(spec exobench.EngineSpec, env driver.Env) (exobench.EngineSpec, error) {
	// That the key cannot be had is told by the driver.
	if header, err := env.HeaderOf(spec); err == nil {
		o.secrets.AddHeader(header, append(labels(o.plan.Engines), o.plan.Models...)...)
	}
	if !spec.URLSecret {
		return spec, nil
	}
	address, known := o.addresses[spec.Label()]
	if !known {
		return spec, driver.UsageError{Err: fmt.Errorf("engine %s: its address %s had a user or a key, which a plan does not keep: give the whole of it again with --url", spec.Label(), spec.URL)}
	}
	spec.URL = address
	return spec, nil
}
