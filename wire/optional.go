package wire

import "encoding/json"

// optional is a figure that an event may lack; null is lacking too. Unlike a
// pointer it needs no memory of its own.
type optional[T any] struct {
	value T
	known bool
}

func some[T any](value T) optional[T] { return optional[T]{value: value, known: true} }

func (o *optional[T]) UnmarshalJSON(text []byte) error {
	*o = optional[T]{known: string(text) != "null"}
	return json.Unmarshal(text, &o.value)
}

// pointer returns nil for a figure that is lacking.
func (o optional[T]) pointer() *T {
	if !o.known {
		return nil
	}
	return &o.value
}
