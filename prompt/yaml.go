package prompt

import (
	"errors"
	"fmt"

	"github.com/goccy/go-yaml/ast"

	"exobench/internal/textfile"
)

// parseYAML returns the items of each document of the text.
func parseYAML(text string) ([]entry, error) {
	documents, err := textfile.ParseYAML(text)
	if err != nil {
		return nil, fmt.Errorf("%w (it must be a list of texts, or of objects with a prompt)", err)
	}
	var entries []entry
	for _, document := range documents {
		list, ok := document.(*ast.SequenceNode)
		if !ok {
			return nil, fmt.Errorf("line %d: it must be a list of texts, or of objects with a prompt: begin each with \"- \"", textfile.Line(document))
		}
		read := yamlReader{anchors: map[string]ast.Node{}}
		for _, item := range list.Values {
			e, err := read.item(item)
			if err != nil {
				return nil, fmt.Errorf("line %d: prompt %d %w", textfile.Line(item), len(entries)+1, err)
			}
			e.line = textfile.Line(item)
			entries = append(entries, e)
		}
	}
	return entries, nil
}

// yamlReader reads the items of one document.
type yamlReader struct{ anchors map[string]ast.Node }

// item reads a text, or an object with a prompt.
func (r yamlReader) item(node ast.Node) (entry, error) {
	node, err := r.resolve(node)
	if err != nil {
		return entry{}, err
	}
	object, ok := node.(*ast.MappingNode)
	if !ok {
		text, ok := textfile.Scalar(node)
		if !ok {
			return entry{}, errors.New("must be a text, or an object with a prompt")
		}
		return entry{text: text}, nil
	}
	var e entry
	found := members{}
	for _, member := range object.Values {
		name, ok := textfile.Scalar(member.Key)
		if !ok {
			return e, errors.New(`has a member that is neither "id" nor "prompt"`)
		}
		if err := found.add(name); err != nil {
			return e, err
		}
		value, err := r.resolve(member.Value)
		if err != nil {
			return e, err
		}
		text, ok := textfile.Scalar(value)
		switch {
		case name != "id" && name != "prompt":
			continue
		case !ok:
			return e, fmt.Errorf("has a %q that is no text", name)
		case name == "id":
			e.id = text
		default:
			e.text = text
		}
	}
	return e, found.check()
}

// resolve follows anchors and aliases to what they name. An anchor is known
// once its value is, so that none can name itself.
func (r yamlReader) resolve(node ast.Node) (ast.Node, error) {
	switch n := node.(type) {
	case *ast.AnchorNode:
		value, err := r.resolve(n.Value)
		if err != nil {
			return nil, err
		}
		r.anchors[n.Name.GetToken().Value] = value
		return value, nil
	case *ast.AliasNode:
		name := n.Value.GetToken().Value
		value, ok := r.anchors[name]
		if !ok {
			return nil, fmt.Errorf("has the alias *%s, which no anchor before it explains", name)
		}
		return value, nil
	case *ast.TagNode:
		if tag := n.Start.Value; tag != "!!str" {
			return nil, fmt.Errorf("has the tag %s: leave it out", tag)
		}
		return r.resolve(n.Value)
	}
	return node, nil
}
