// Package planfile writes plans as YAML for people to read and change, with a
// comment on each member, and reads them back.
//
// A plan that was written gives the same plan when it is read, and so the same
// run. Members that a file leaves out keep the values of the plan that is read
// into; unknown members are errors, since they are most often misspelt ones.
package planfile

import (
	"errors"
	"fmt"

	"exobench/internal/textfile"

	"github.com/goccy/go-yaml/ast"

	"exobench"
)

// ReadFile reads a plan file over the plan base.
func ReadFile(path string, base exobench.Plan) (exobench.Plan, error) {
	text, err := textfile.Read(path)
	if err == nil {
		base, err = Read(text, base)
	}
	if err != nil {
		return base, fmt.Errorf("plan file %s: %w", path, err)
	}
	return base, nil
}

// Read reads a plan over the plan base, which it leaves as it is. A list, and a
// stop, that the text gives takes the place of base's.
func Read(text string, base exobench.Plan) (exobench.Plan, error) {
	documents, err := textfile.ParseYAML(text)
	switch {
	case err != nil:
		return base, err
	case len(documents) == 0:
		return base, errors.New("it is empty: `exobench plan` prints one to start from")
	case len(documents) > 1:
		return base, fmt.Errorf("it holds %d documents: a plan is one", len(documents))
	}
	given := members(documents[0])
	if given == nil {
		return base, errors.New("it is no plan: `exobench plan` prints one to start from")
	}
	p := base
	if given["engines"] != nil {
		p.Engines = nil
	}
	if given["models"] != nil {
		p.Models = nil
	}
	if given["traffic"] != nil {
		p.Traffic = nil
	}
	if given["stop"] != nil {
		p.Stop = exobench.Stop{}
	}
	if workload := members(given["workload"]); workload["prompts"] != nil || workload["prompt_files"] != nil {
		p.Workload.Prompts, p.Workload.PromptFiles = nil, nil
	}
	if err := textfile.DecodeYAML(documents[0], &p); err != nil {
		return base, err
	}
	return p, nil
}

// members returns the members of a mapping by name; nil where the node is none.
func members(node ast.Node) map[string]ast.Node {
	all := map[string]ast.Node{}
	switch n := node.(type) {
	case *ast.MappingNode:
		for _, pair := range n.Values {
			all[pair.Key.GetToken().Value] = pair.Value
		}
	case *ast.MappingValueNode:
		all[n.Key.GetToken().Value] = n.Value
	default:
		return nil
	}
	return all
}
