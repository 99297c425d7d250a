package textfile

import (
	"errors"
	"fmt"
	"reflect"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// maxDepth is how deep YAML may nest. The parser's memory grows with the square
// of the depth: a hundred thousand brackets would take all of it.
const maxDepth = 64

// ParseYAML returns what each document of a text holds; empty ones are left
// out. An error is one line and says where.
func ParseYAML(text string) (documents []ast.Node, err error) {
	defer recoverYAML(&err)
	tokens := lexer.Tokenize(text)
	if line := tooDeep(tokens); line > 0 {
		return nil, fmt.Errorf("line %d nests deeper than %d levels", line, maxDepth)
	}
	file, err := parser.Parse(withoutEmpty(tokens), 0)
	if err != nil {
		return nil, sentence(err)
	}
	for _, document := range file.Docs {
		switch document.Body.(type) {
		case nil, *ast.DirectiveNode, *ast.CommentGroupNode:
		default:
			documents = append(documents, document.Body)
		}
	}
	return documents, nil
}

// DecodeYAML decodes a node. Fields that the value does not have are errors,
// since they are most often misspelt ones.
func DecodeYAML(node ast.Node, into any) (err error) {
	defer recoverYAML(&err)
	if err := yaml.NewDecoder(strings.NewReader(""), yaml.Strict()).DecodeFromNode(node, into); err != nil {
		return sentence(err)
	}
	return nil
}

// recoverYAML turns a panic into an error.
//
// Note: the library panics on some inputs that are no YAML (found by fuzzing).
func recoverYAML(err *error) {
	if recover() != nil {
		*err = errors.New("it is no YAML")
	}
}

// tooDeep returns the line on which tokens nest too deep, or 0. Deep blocks
// need as much indentation, so only what nests within a line is counted.
func tooDeep(tokens token.Tokens) int {
	flow, block, line := 0, 0, 0
	for _, t := range tokens {
		if t.Position.Line != line {
			line, block = t.Position.Line, 0
		}
		switch t.Type {
		case token.SequenceStartType, token.MappingStartType:
			flow++
		case token.SequenceEndType, token.MappingEndType:
			flow--
		case token.SequenceEntryType, token.MappingKeyType, token.TagType, token.AnchorType:
			block++
		}
		if max(flow, block) > maxDepth {
			return line
		}
	}
	return 0
}

// withoutEmpty leaves out the beginnings of documents that hold nothing.
//
// Note: at two "---" with nothing between them, the parser passes over all that
// follows and reports no error.
func withoutEmpty(tokens token.Tokens) token.Tokens {
	var kept token.Tokens
	header := -1 // in kept: a "---" that only comments follow so far
	for _, t := range tokens {
		switch {
		case t.Type == token.CommentType:
		case t.Type != token.DocumentHeaderType:
			header = -1
		default:
			if header >= 0 {
				kept = append(kept[:header], kept[header+1:]...)
			}
			header = len(kept)
		}
		kept = append(kept, t)
	}
	return kept
}

// sentence turns an error of the library into one line that says where.
func sentence(err error) error {
	text := strings.Join(strings.Fields(yaml.FormatError(err, false, false)), " ")
	var where yaml.Error
	if !errors.As(err, &where) || where.GetToken() == nil || where.GetToken().Position == nil {
		return errors.New(text)
	}
	token := where.GetToken()
	line := token.Position.Line
	var kind *yaml.TypeError
	if errors.As(err, &kind) {
		return fmt.Errorf("line %d: %q is not %s", line, token.Value, kindText(kind.DstType))
	}
	if node := new(yaml.UnexpectedNodeTypeError); errors.As(err, &node) {
		return fmt.Errorf("line %d: %q stands where something else is due: %s", line, token.Value, node.GetMessage())
	}
	return fmt.Errorf("line %d: %s", line, strings.Join(strings.Fields(where.GetMessage()), " "))
}

// kindText says what a member must be.
func kindText(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Bool:
		return "true or false"
	case reflect.Float64:
		return "a number"
	case reflect.Slice:
		return "a list"
	case reflect.Struct, reflect.Map:
		return "a group of members"
	case reflect.String:
		return "a text"
	}
	return "a whole number that it can be"
}

// Scalar returns the text of a scalar node as it is written: 0x10, 1.50, null
// and yes stay what they are, since names and prompts are text. A value that is
// left out is "". It reports false for lists, mappings, tags and aliases.
func Scalar(node ast.Node) (string, bool) {
	switch n := node.(type) {
	case *ast.StringNode:
		return n.Value, true
	case *ast.LiteralNode:
		return n.Value.Value, true
	case *ast.NullNode:
		if n.Token.Type == token.ImplicitNullType {
			return "", true
		}
		return n.Token.Value, true
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.InfinityNode, *ast.NanNode, *ast.MergeKeyNode:
		return n.GetToken().Value, true
	}
	return "", false
}

// AsText returns the node with every scalar beneath it as text, so that the
// library decodes it as it is written.
func AsText(node ast.Node) ast.Node {
	switch n := node.(type) {
	case *ast.SequenceNode:
		for i, value := range n.Values {
			n.Values[i] = AsText(value)
		}
	case *ast.MappingNode:
		for _, member := range n.Values {
			member.Value = AsText(member.Value)
		}
	case *ast.AnchorNode:
		n.Value = AsText(n.Value)
	case *ast.StringNode, *ast.LiteralNode:
	default:
		if text, ok := Scalar(node); ok {
			return &ast.StringNode{BaseNode: &ast.BaseNode{}, Token: node.GetToken(), Value: text}
		}
	}
	return node
}

// Line returns the line on which a node begins, or 0 if that is not known.
func Line(node ast.Node) int {
	if m, ok := node.(*ast.MappingNode); ok && len(m.Values) > 0 && m.Values[0].Key != nil {
		return m.Values[0].Key.GetToken().Position.Line
	}
	if node == nil || node.GetToken() == nil || node.GetToken().Position == nil {
		return 0
	}
	return node.GetToken().Position.Line
}
