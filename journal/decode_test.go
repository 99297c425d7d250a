package journal

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"exobench"
)

// recorded is the journal of a short run of the embedded engine, with two requests
// that timed out in another.
func recorded(t testing.TB) []string {
	t.Helper()
	text, err := os.ReadFile("testdata/recorded.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for line := range bytes.Lines(text) {
		object, err := unseal(bytes.TrimSuffix(line, []byte("\n")))
		if err != nil {
			t.Fatal(err)
		}
		lines = append(lines, string(object))
	}
	return lines
}

// sealedText returns the text of a journal with a line for each object.
func sealedText(objects ...string) []byte {
	var text []byte
	for _, object := range objects {
		text = append(text, seal([]byte(object))...)
	}
	return text
}

// unusual are lines that a Writer does not make, or seldom.
var unusual = []string{
	`{"type":"request"}`,
	`{"type":"request","seq":1,"chunks":[],"delays_ns":[],"server":{}}`,
	`{"type":"request","seq":-0,"repeat":-0,"server":{"decode_tps":1.5e3,"prefill_tps":0.25}}`,
	`{"type":"request","server":{"prompt_tokens":5,"output_tokens":6,"peak_memory_bytes":7,"prefix_cache":"exact","load_time_ns":8}}`,
	`{"type":"request","server":{"x":1,"prompt_tokens":5},"x":"y"}`,
	`{"type":"request","error":"\"503\":\t\u003cbusy\u003e é \u00e9 \ud83d\ude00 \ud83d"}`,
	"{\"type\":\"request\",\"error\":\"gr\xfc\xdf\",\"server_id\":\"\xff\",\"model\":\"grüß\"}",
	"{\"type\":\"request\",\"error\":\"a\tb\"}",
	`{"type":"request","error":"\x"}`, `{"type":"request","error":"\u12"}`, `{"type":"request","error":"\`, `{"type":"request","error":"`,
	`{"type":"request","SEQ":1}`, `{"type":"request","ſeq":1}`, `{"type":"request","\u0073eq":1}`, `{"type":"request","seq":1,"Seq":2}`,
	`{"type":"request","seq":1,"seq":2}`, `{"type":"request","server":{"prompt_tokens":5},"server":{"output_tokens":6}}`,
	`{"type":"request","chunks":[1,2,3,4],"chunks":[5,6]}`, `{"type":"request","delays_ns":[1,2,3],"delays_ns":[4,null]}`,
	`{"type":"request","seq":null,"prompt_id":null,"prompt_tokens":null,"chunks":null,"delays_ns":null,"server":null}`,
	`{"type":"request","chunks":[null,1]}`, `{"type":"request","chunks":[1]}`, `{"type":"request","chunks":[1,]}`, `{"type":"request","chunks":[1,2}`,
	`{"type":"request","chunks":{}}`, `{"type":"request","chunks":[1.0,2]}`, `{"type":"request","chunks":[1e2,2]}`, `{"type":"request","chunks":[-5,2]}`,
	`{"type":"request","chunks":[9223372036854775807,1,1,1]}`, `{"type":"request","delays_ns":[9223372036854775808]}`,
	`{"type":"request","seq":01}`, `{"type":"request","seq":-}`, `{"type":"request","seq":+1}`, `{"type":"request","seq":1.5}`, `{"type":"request","seq":"1"}`,
	`{"type":"request","sent_ns":999999999999999999}`, `{"type":"request","sent_ns":-9223372036854775808}`, `{"type":"request","sent_ns":9223372036854775808}`,
	`{"type":"request","server":{"decode_tps":1e999}}`, `{"type":"request","server":{"decode_tps":.5}}`, `{"type":"request","server":{"decode_tps":5.}}`,
	`{"type":"request","server":{"decode_tps":1e}}`, `{"type":"request","server":{"decode_tps":0x10}}`, `{"type":"request","server":{"decode_tps":Inf}}`,
	`{"type":"request","server":{"decode_tps":1_0}}`, `{"type":"request","server":{"decode_tps":00.5}}`,
	`{"type":"request","x":true,"y":false,"z":null,"n":-1.5e-3,"s":"\n","seq":1}`, `{"type":"request","x":tru}`, `{"type":"request","x":01}`, `{"type":"request","x":}`,
	`{"type":"request","x":{"seq":2},"y":[1,{}],"seq":1}`, `{"type":"request","x":{"seq":2,}}`, `{"type":"request","x y":1}`,
	`{"type":"request","seq":1,}`, `{"type":"request","seq":1}}`, `{"type":"request","seq":1} x`, `{"type":"request","seq":1`, `{"type":"request",}`,
	`{"type":"request" , "seq" : 1 }`, "{\"type\":\"request\",\"seq\":1} \t\r", `{"seq":1,"type":"request"}`, `{"type":"request","type":"note","seq":1}`, `{"type":"request","type":5}`,
	`{"type":"sample","at_ns":5,"step":1,"moment":"during","block":2,"sensor":"nodes","of":"studio","span_ns":6,"values":{"node_used_bytes":7,"node_power_watts":41.5}}`,
	`{"type":"sample","at_ns":5,"moment":"\u0064uring","x":[]}`, `{"type":"sample","step":1.0}`, `{"type":"sample"}`,
	`{"type":"sample","values":{}}`, `{"type":"sample","values":null}`, `{"type":"sample","values":[]}`, `{"type":"sample","values":{"a":null}}`, `{"type":"sample","values":{"a":"1"}}`,
	`{"type":"sample","values":{"a":1,"a":2}}`, `{"type":"sample","values":{"a":1},"values":{"b":2}}`, `{"type":"sample","values":{"a":1e3,"\u0062":-0,"c":1e999}}`,
	"{\"type\":\"sample\",\"values\":{\"gr\xfc\xdf\":1}}", `{"type":"sample","values":{"a":1,}}`, `{"type":"sample","values":{"a"}}`, `{"type":"sample","values":{"a":1`, `{"type":"sample","values":{ "a" : 1 }}`,
	`{"type":"end","at_ns":5}`, `{"type":"from-the-future"}`, `{"type":""}`, `{"type":5}`, `{}`, `[]`, `null`, ``, ` `, `{"type":"request"`,
}

// check compares what a batch makes of a line with what encoding/json does; the
// batch is used for many lines, so what one leaves behind shows in the next.
func check(t *testing.T, b *batch, line string) {
	t.Helper()
	got, err := b.entry([]byte(line))
	b.records.used, b.samples.used = 0, 0
	want, wantErr := slow(line)
	if (err != nil) != (wantErr != nil) || err != nil && err.Error() != wantErr.Error() {
		t.Fatalf("%q: error %v, want %v", line, err, wantErr)
	}
	if !reflect.DeepEqual(got, want) {
		t.Fatalf("%q (-want +got):\n%s", line, cmp.Diff(want, got))
	}
}

// slow is entry by encoding/json alone.
func slow(line string) (exobench.Entry, error) {
	name, err := typeOf([]byte(line))
	if err != nil {
		return nil, err
	}
	k := kindsByName[string(name)]
	if k == nil && len(name) == 0 {
		return nil, fmt.Errorf(`no "type"`)
	}
	if k == nil {
		return nil, nil
	}
	entry := k.entry()
	if err := json.Unmarshal([]byte(line), entry); err != nil {
		return nil, err
	}
	return entry, nil
}

// lineOf returns an entry's line, without its checksum and newline.
func lineOf(t testing.TB, e exobench.Entry) []byte {
	t.Helper()
	object, err := unseal(bytes.TrimSuffix(sealedLine(t, e), []byte("\n")))
	if err != nil {
		t.Fatal(err)
	}
	return object
}

// sealedLine returns an entry's line.
func sealedLine(t testing.TB, e exobench.Entry) []byte {
	t.Helper()
	k, err := kindOf(e)
	if err != nil {
		t.Fatal(err)
	}
	line, err := encode(k, e)
	if err != nil {
		t.Fatal(err)
	}
	return line
}

func TestLinesAreReadAsEncodingJSONReadsThem(t *testing.T) {
	lines := append(recorded(t), unusual...)
	for _, e := range entries() {
		lines = append(lines, string(lineOf(t, e)))
	}
	b := new(batch)
	for _, line := range lines {
		check(t, b, line)
		check(t, b, line+"\n")
	}
	// Each of them damaged: cut, a byte changed, left out or doubled, or two lines
	// put together.
	const seed = 20260101
	random := rand.New(rand.NewPCG(seed, seed))
	for range 50_000 {
		line := lines[random.IntN(len(lines))]
		if line == "" {
			continue
		}
		at := random.IntN(len(line))
		switch random.IntN(5) {
		case 0:
			line = line[:at]
		case 1:
			const bytes = "\"\\{}[]:,0123456789.-+eEtfn \x00\x1f\x80\xffSſ"
			line = line[:at] + string(bytes[random.IntN(len(bytes))]) + line[at+1:]
		case 2:
			line = line[:at] + line[at+1:]
		case 3:
			line = line[:at+1] + line[at:]
		case 4:
			other := lines[random.IntN(len(lines))]
			line = line[:at] + other[random.IntN(len(other)+1):]
		}
		check(t, b, line)
	}
}

// Else members that a newer version adds would be skipped.
func TestTheTablesHaveEveryMember(t *testing.T) {
	for _, c := range []struct {
		of    any
		names []string
	}{
		{exobench.Record{}, names(recordMembers)},
		{exobench.ServerStats{}, append([]string{"type"}, names(serverMembers)...)},
		{exobench.Doubt{}, append([]string{"type"}, names(doubtMembers)...)},
		{exobench.Sample{}, names(sampleMembers)},
		{exobench.Doubt{}, append([]string{"type"}, names(doubtMembers)...)},
	} {
		want := []string{"type"}
		for _, f := range reflect.VisibleFields(reflect.TypeOf(c.of)) {
			name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			want = append(want, name)
		}
		if diff := cmp.Diff(want, c.names); diff != "" {
			t.Errorf("members of %T (-want +got):\n%s", c.of, diff)
		}
	}
}

func names[T any](table []member[T]) []string {
	var all []string
	for _, m := range table {
		all = append(all, m.name)
	}
	return all
}

func TestUsualLinesAreNotLeftToEncodingJSON(t *testing.T) {
	b := new(batch)
	usual := 0
	for _, line := range recorded(t) {
		name, _ := typeOf([]byte(line))
		k := kindsByName[string(name)]
		if k.usual == nil {
			continue
		}
		usual++
		if k.usual(b, []byte(line)) == nil {
			t.Errorf("left to encoding/json: %s", line)
		}
	}
	if usual < 20 {
		t.Errorf("%d requests and samples", usual)
	}
}

// The parser's tables must hold all of an entry: a filled one is read back whole.
func TestFilledEntriesAreReadBack(t *testing.T) {
	var r exobench.Record
	fill(reflect.ValueOf(&r).Elem(), new(int64))
	r.Chunks = exobench.Chunks{{At: 5, Bytes: 6}, {At: 7, Bytes: 8}}
	var s exobench.Sample
	fill(reflect.ValueOf(&s).Elem(), new(int64))
	for _, want := range []exobench.Entry{&r, &s} {
		k, _ := kindOf(want)
		got := k.usual(new(batch), lineOf(t, want))
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", k.name, diff)
		}
	}
}

func TestASampleTakesNoMemoryOfItsOwn(t *testing.T) {
	b, line := new(batch), lineOf(t, typical["sample"])
	allocations := testing.AllocsPerRun(100, func() {
		b.samples.used = 0
		if b.sample(line) == nil {
			t.Fatal("not read")
		}
	})
	if allocations != 0 {
		t.Errorf("%v allocations a sample", allocations)
	}
}

// fill gives every field another value.
func fill(v reflect.Value, next *int64) {
	*next++
	switch v.Kind() {
	case reflect.Int, reflect.Int64:
		v.SetInt(*next)
	case reflect.Float64:
		v.SetFloat(float64(*next) + 0.5)
	case reflect.String:
		v.SetString(fmt.Sprint("text ", *next))
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem(), next)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		for i := range 2 {
			fill(v.Index(i), next)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			fill(v.Field(i), next)
		}
	}
}

func TestACloneSharesNothing(t *testing.T) {
	var r exobench.Record
	var m exobench.Sample
	fill(reflect.ValueOf(&r).Elem(), new(int64))
	fill(reflect.ValueOf(&m).Elem(), new(int64))
	record, sample := r.Clone(), m.Clone()
	for _, c := range []struct{ a, b any }{{&r, record}, {&m, sample}} {
		if where := shared(reflect.ValueOf(c.a).Elem(), reflect.ValueOf(c.b).Elem(), ""); where != "" {
			t.Errorf("%T: %s is shared", c.a, where)
		}
		if !reflect.DeepEqual(c.a, c.b) {
			t.Errorf("clone %+v of %+v", c.b, c.a)
		}
	}
}

// shared names a pointer that two values have in common.
func shared(a, b reflect.Value, path string) string {
	switch a.Kind() {
	case reflect.Pointer:
		if a.Pointer() == b.Pointer() {
			return path
		}
		return shared(a.Elem(), b.Elem(), path)
	case reflect.Slice:
		if a.Pointer() == b.Pointer() {
			return path
		}
	case reflect.Struct:
		for i := range a.NumField() {
			if where := shared(a.Field(i), b.Field(i), path+"."+a.Type().Field(i).Name); where != "" {
				return where
			}
		}
	}
	return ""
}

// Batches are read, decoded and handed over out of step with each other.
func TestEntriesOfManyBatchesComeInOrder(t *testing.T) {
	var text bytes.Buffer
	text.Write(sealedText(`{"type":"header","schema":2}`))
	const requests = 3000
	damaged := 0
	for seq := range requests {
		r := exobench.Record{Seq: seq, PromptID: fmt.Sprint("prompt ", seq%7), Chunks: make(exobench.Chunks, seq%300), CachedTokens: new(exobench.Tokens(seq))}
		for i := range r.Chunks {
			r.Chunks[i].At = exobench.Instant(seq * i)
		}
		text.Write(sealedLine(t, &r))
		if seq%500 == 250 { // a line longer than a batch
			text.Write(sealedText(fmt.Sprintf(`{"type":"note","text":"%s"}`, strings.Repeat("long ", 3*batchSize/5))))
		}
		if seq%700 == 350 {
			text.WriteString("{\"type\":\"request\",\"seq\n")
			damaged++
		}
	}
	r := NewReader(&text)
	seq, notes := 0, 0
	for e := range r.All() {
		switch e := e.(type) {
		case *exobench.Record:
			if e.Seq != seq || *e.CachedTokens != exobench.Tokens(seq) || len(e.Chunks) != seq%300 || e.PromptID != fmt.Sprint("prompt ", seq%7) {
				t.Fatalf("record %d: %+v", seq, e)
			}
			for i, c := range e.Chunks {
				if c.At != exobench.Instant(seq*i) {
					t.Fatalf("record %d, chunk %d: %+v", seq, i, c)
				}
			}
			seq++
		case *exobench.Note:
			notes++
		}
	}
	if r.Err() != nil || seq != requests || notes != 6 || len(r.Damaged()) != damaged {
		t.Errorf("%d requests, %d notes, damaged %v, err %v", seq, notes, r.Damaged(), r.Err())
	}
	// Requests 0 to 350 and a note come before the first damaged line.
	if line := r.Damaged()[0].Line; line != 1+351+1+1 {
		t.Errorf("the first damaged line is number %d", line)
	}
}

func TestALoopMayEndEarly(t *testing.T) {
	text := append(sealedText(`{"type":"header","schema":2}`), bytes.Repeat(sealedText(`{"type":"request","seq":1}`), 100_000)...)
	r := NewReader(bytes.NewReader(text))
	n := 0
	for range r.All() {
		if n++; n == 50_000 {
			break
		}
	}
	if n != 50_000 || r.Err() != nil {
		t.Errorf("%d entries, err %v", n, r.Err())
	}
}

func FuzzLine(f *testing.F) {
	for _, line := range append(recorded(f), unusual...) {
		f.Add(line)
	}
	b := new(batch)
	f.Fuzz(func(t *testing.T, line string) { check(t, b, line) })
}

func BenchmarkLine(bench *testing.B) {
	for _, kind := range []string{"request", "sample"} {
		for _, c := range []struct {
			name string
			read func(*batch, []byte) bool
		}{
			{"usual", func(b *batch, line []byte) bool {
				b.records.used, b.samples.used = 0, 0
				return kindsByName[kind].usual(b, line) != nil
			}},
			{"json", func(_ *batch, line []byte) bool {
				_, err := slow(string(line))
				return err == nil
			}},
		} {
			bench.Run(kind+"/"+c.name, func(bench *testing.B) {
				line := lineOf(bench, typical[kind])
				bench.SetBytes(int64(len(line)))
				bench.ReportAllocs()
				b := new(batch)
				for bench.Loop() {
					if !c.read(b, line) {
						bench.Fatal("not read")
					}
				}
			})
		}
	}
}

// typical are entries as most are: a request of 20 events with statistics.
var typical = map[string]exobench.Entry{
	"request": func() *exobench.Record {
		r := &exobench.Record{
			Seq: 123456, Block: 32, PromptID: "artificial-intelligence", Repeat: 12, Outcome: exobench.OK, HTTPStatus: 200,
			FinishReason: "length", ServerID: "4e341a25-d445-44d8-8952-c91c0bd5d8da", ServerModel: "mlx-community/Llama-3.2-1B-Instruct-4bit",
			Scheduled: 1_234_567_890_123, Sent: 1_234_567_890_125, Headers: 1_234_569_890_125, FirstChunk: 1_234_587_890_125, FirstToken: 1_234_587_890_125,
			FirstAnswer: 1_234_587_890_125, LastToken: 1_234_787_890_125, Done: 1_234_787_890_125, Ended: 1_234_787_990_125,
			PromptTokens: new(exobench.Tokens(42)), CachedTokens: new(exobench.Tokens(0)), OutputTokens: new(exobench.Tokens(20)), TokensFrom: exobench.FromUsage,
			Server: &exobench.ServerStats{PrefillTPS: new(1234.5678901234), DecodeTPS: new(98.7654321098765), PrefixCache: "none"},
		}
		for i := range 20 {
			r.Chunks = append(r.Chunks, exobench.Chunk{At: r.FirstToken + exobench.Instant(i*10_526_315+i*i*1234), Bytes: 2 + i%7})
			r.Delays = append(r.Delays, int64(20_000+i*12_345))
		}
		return r
	}(),
	"sample": &exobench.Sample{At: 1_234_567_890_123, Step: 3, Moment: exobench.During, Block: 32, Sensor: "processes", Values: exobench.Values{
		{Quantity: exobench.PSS, Value: 3_222_241_416}, {Quantity: exobench.RSS, Value: 3_223_289_992}, {Quantity: exobench.Anonymous, Value: 1_074_757_768},
		{Quantity: exobench.File, Value: 2_147_483_648}, {Quantity: exobench.Processes, Value: 3},
	}},
}
