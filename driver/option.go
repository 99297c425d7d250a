package driver

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"

	"exobench"
	"exobench/internal/textfile"
)

// In returns the value that the spec gives to the option, or its default.
func (o Option) In(s exobench.EngineSpec) string {
	if value, given := s.Options[o.Name]; given {
		return value
	}
	return o.Default
}

// On reports whether the spec turns the switch on.
func (o Option) On(s exobench.EngineSpec) bool {
	on, _ := strconv.ParseBool(o.In(s)) // CheckOptions has seen it
	return on
}

// CheckOptions reports, as a UsageError, every option of the spec that is not
// among those given, or whose value is not of its kind.
func CheckOptions(s exobench.EngineSpec, options []Option) error {
	var problems []error
	names := make([]string, 0, len(s.Options))
	for name := range s.Options {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		i := slices.IndexFunc(options, func(o Option) bool { return o.Name == name })
		if i < 0 {
			problems = append(problems, fmt.Errorf("engine %s has no option %s", s.Name, name))
			continue
		}
		if err := options[i].check(s.Options[name]); err != nil {
			problems = append(problems, err)
		}
	}
	if len(problems) == 0 {
		return nil
	}
	return UsageError{errors.Join(problems...)}
}

// check reports whether the value is of the option's kind.
func (o Option) check(value string) error {
	switch o.Kind {
	case NumberOption:
		if _, err := strconv.Atoi(value); err != nil {
			return fmt.Errorf("--%s is %q: it must be a whole number", o.Name, value)
		}
	case SwitchOption:
		if value != "true" && value != "false" {
			return fmt.Errorf("--%s is %q: it must be true or false", o.Name, value)
		}
	}
	return nil
}

// Reuse is the option of engines on which a model can be there before the run.
var Reuse = Option{Name: "reuse", Kind: SwitchOption, Default: "false", Help: "measure a model that is already there as it is, and leave it"}

// Without is the option of engines that can do without some of the fields of a
// request.
var Without = Option{Name: "without", Help: "fields of requests to leave out, such as temperature,seed (engines openai and llamacpp)"}

// WithoutOf returns the fields that the spec leaves out, which must be among
// those that the engine can do without.
func WithoutOf(s exobench.EngineSpec, fields ...string) ([]string, error) {
	var out []string
	for field := range strings.SplitSeq(Without.In(s), ",") {
		if field = strings.TrimSpace(field); field == "" {
			continue
		}
		if !slices.Contains(fields, field) {
			return nil, UsageError{fmt.Errorf("--without %s: it can leave out %s", field, strings.Join(fields, ", "))}
		}
		if !slices.Contains(out, field) {
			out = append(out, field)
		}
	}
	return out, nil
}

// WithoutNotice says which fields are left out by hand, where there are any.
func WithoutNotice(fields []string) []string {
	if len(fields) == 0 {
		return nil
	}
	return []string{"requests go without " + strings.Join(fields, ", ") + ", as --without says"}
}

// APIKeyEnv and APIKeyFile are the options of engines that may want an API key.
var (
	APIKeyEnv  = Option{Name: "api-key-env", Help: "environment variable that holds the API key (engines openai and llamacpp)"}
	APIKeyFile = Option{Name: "api-key-file", Help: "file that holds the API key (engines openai and llamacpp)"}
)

// HeaderOf returns what every request to the engine carries: Header, and the API
// key that the spec names with APIKeyEnv or APIKeyFile, where it names one, as a
// bearer token.
func (e Env) HeaderOf(s exobench.EngineSpec) (http.Header, error) {
	key, err := e.apiKey(s)
	if err != nil || key == "" {
		return e.Header, err
	}
	h := http.Header{}
	maps.Copy(h, e.Header)
	h.Set("Authorization", "Bearer "+key)
	return h, nil
}

// variable is what names of environment variables are like, and keys seldom are.
var variable = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]{0,63}$`) })

// apiKey returns the key that the spec names; it is empty where it names none.
func (e Env) apiKey(s exobench.EngineSpec) (string, error) {
	switch name, path := APIKeyEnv.In(s), APIKeyFile.In(s); {
	case name != "" && path != "":
		return "", UsageError{errors.New("--api-key-env and --api-key-file name two API keys: give one of them")}
	case name != "":
		key := e.Getenv(name)
		if key == "" {
			if !variable().MatchString(name) {
				// It may be the key itself.
				return "", UsageError{errors.New("--api-key-env takes the name of an environment variable, and what it was given is no such name: put the key into a variable")}
			}
			return "", UsageError{fmt.Errorf("--api-key-env %s: that environment variable is not set", name)}
		}
		return key, nil
	case path != "":
		// A pipe would be empty when the key is asked for again.
		text, err := textfile.Read(path)
		key := strings.TrimSpace(text)
		switch {
		case err != nil:
		case key == "":
			err = errors.New("it is empty")
		case strings.Contains(key, "\n"):
			err = errors.New("it has several lines, and a key has one")
		}
		if err != nil {
			return "", UsageError{fmt.Errorf("--api-key-file %s: %w", textfile.Name(path), err)}
		}
		return key, nil
	}
	return "", nil
}
