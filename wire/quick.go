package wire

import (
	"exobench"
	"exobench/internal/jsonscan"
)

// quick reads the usual event without allocating. Of anything unusual it says
// so, and encoding/json reads that: errors, keys of another type than they
// should be, more choices than it has room for, and what jsonscan calls
// unusual. What it reads, it reads as encoding/json would, into what a stream
// takes of an event.
//
// A null leaves text and names as they were, as encoding/json does.
type quick struct {
	jsonscan.Scanner
	id, model []byte
	choices   [4]quickChoice
	n         int // of the choices
	usage     usage
	timings   llamaTimings
}

// quickChoice has the lengths of the output's parts.
type quickChoice struct {
	content, text                          int
	reasoningContent, reasoning, toolCalls int
	finish                                 []byte
}

func (c *quickChoice) answer() int { return c.content + c.text }
func (c *quickChoice) other() int  { return c.reasoningContent + c.reasoning + c.toolCalls }

// chat reads a chatEvent and reports whether it could.
func (q *quick) chat(text []byte) bool {
	*q = quick{}
	q.Reset(text)
	for key := range q.Object {
		switch string(key) {
		case "id":
			q.name(&q.id)
		case "model":
			q.name(&q.model)
		case "choices":
			q.chatChoices()
		case "usage":
			q.chatUsage()
		case "timings":
			q.llamaTimings()
		case "error":
			q.Literal("null")
		default:
			q.Skip()
		}
	}
	return q.End()
}

func (q *quick) chatChoices() {
	if q.n > 0 { // a second array
		q.Fail()
	}
	for range q.Array {
		if q.n == len(q.choices) {
			q.Fail()
			return
		}
		q.n++
		q.choice(&q.choices[q.n-1])
	}
}

func (q *quick) choice(c *quickChoice) {
	for key := range q.Object {
		switch string(key) {
		case "delta":
			q.delta(c)
		case "text":
			q.length(&c.text)
		case "finish_reason":
			q.name(&c.finish)
		default:
			q.Skip()
		}
	}
}

func (q *quick) delta(c *quickChoice) {
	for key := range q.Object {
		switch string(key) {
		case "content":
			q.length(&c.content)
		case "reasoning_content":
			q.length(&c.reasoningContent)
		case "reasoning":
			q.length(&c.reasoning)
		case "tool_calls":
			q.lengths(&c.toolCalls)
		default:
			q.Skip()
		}
	}
}

// lengths reads an array for the length of its elements' JSON.
func (q *quick) lengths(into *int) {
	*into = 0
	for range q.Array {
		start := q.Offset()
		q.Skip()
		*into += q.Offset() - start
	}
}

func (q *quick) chatUsage() {
	u := &q.usage
	for key := range q.Object {
		switch string(key) {
		case "prompt_tokens":
			q.tokens(&u.PromptTokens)
		case "completion_tokens":
			q.tokens(&u.CompletionTokens)
		case "prompt_tokens_details":
			for key := range q.Object {
				switch string(key) {
				case "cached_tokens":
					q.tokens(&u.PromptTokensDetails.CachedTokens)
				default:
					q.Skip()
				}
			}
		default:
			q.Skip()
		}
	}
}

func (q *quick) llamaTimings() {
	t := &q.timings
	for key := range q.Object {
		switch string(key) {
		case "cache_n":
			q.tokens(&t.CacheN)
		case "prompt_n":
			q.tokens(&t.PromptN)
		case "prompt_per_second":
			q.rate(&t.PromptPerSecond)
		case "predicted_n":
			q.tokens(&t.PredictedN)
		case "predicted_per_second":
			q.rate(&t.PredictedPerSecond)
		default:
			q.Skip()
		}
	}
}

// name reads a string that is to be kept.
func (q *quick) name(into *[]byte) {
	if !q.Null() {
		*into = q.Plain()
	}
}

// length reads a string for the length of its text.
func (q *quick) length(into *int) {
	if !q.Null() {
		*into = q.Length()
	}
}

func (q *quick) tokens(into *optional[exobench.Tokens]) {
	if q.Null() {
		*into = optional[exobench.Tokens]{}
		return
	}
	*into = some(exobench.Tokens(q.Integer()))
}

func (q *quick) rate(into *optional[float64]) {
	if q.Null() {
		*into = optional[float64]{}
		return
	}
	*into = some(q.Float())
}
