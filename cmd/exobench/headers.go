package main

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"

	"exobench"
	"exobench/driver"
	"exobench/secret"
)

// fromVariable is a header's value that stands in an environment variable, behind
// the name of a scheme where there is one: "$TOKEN", "Bearer $TOKEN".
var fromVariable = regexp.MustCompile(`^([A-Za-z][\w-]* )?\$([A-Za-z_][A-Za-z0-9_]*)$`)

// parseHeader takes a value of --header: "Name: value", or "Name: $VARIABLE" or
// "Name: Bearer $VARIABLE" for one whose value stands in the environment. A plan
// keeps the variable as it is given here, without the $ where it stands alone, and
// never a value.
func parseHeader(line string) (name, value, variable string, err error) {
	name, value, ok := strings.Cut(line, ":")
	if name = strings.TrimSpace(name); !ok || name == "" {
		// The line itself may hold a secret.
		return "", "", "", driver.UsageError{Err: fmt.Errorf("a --header must be like \"Name: value\" or \"Name: $VARIABLE\"; one of %d characters has no name and colon", len(line))}
	}
	value = strings.TrimSpace(value)
	switch {
	case fromVariable.MatchString(value):
		return name, "", strings.TrimPrefix(value, "$"), nil
	case strings.HasPrefix(value, "$"):
		return "", "", "", driver.UsageError{Err: fmt.Errorf("header %s: what follows its $ is no name of an environment variable: put the value into a variable", name)}
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
			scheme, alone, found := strings.Cut(variable, "$")
			if !found {
				scheme, alone = "", variable
			}
			if value = getenv(alone); value == "" {
				return nil, driver.UsageError{Err: fmt.Errorf("header %s: the environment variable %s is not set", name, alone)}
			}
			value = scheme + value
		}
		if value == "" {
			return nil, driver.UsageError{Err: fmt.Errorf("header %s: a plan does not keep its value: give --header again", name)}
		}
		header.Set(name, value)
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
