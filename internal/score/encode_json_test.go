package score

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/parley-nlp/parley/internal/dataset"
)

// byEncodingJSON is what encoding/json makes of a row: the encoder must write
// the same bytes.
func byEncodingJSON(r *Row, evidence bool) ([]byte, error) {
	columns := object{}
	for _, v := range r.Columns {
		text := json.RawMessage(v.Text)
		if !v.JSON {
			text = mustMarshal(v.Text)
		}
		columns = append(columns, member{v.Name, text})
	}
	if r.Err != nil {
		return marshal(struct {
			ID      string `json:"id"`
			Error   *Error `json:"error"`
			Columns object `json:"columns,omitempty"`
		}{r.ID, r.Err, columns})
	}
	predictions := object{}
	for _, p := range r.Predictions {
		var terms []any
		for _, e := range p.Evidence {
			terms = append(terms, struct {
				Term string  `json:"term"`
				Nats float64 `json:"nats"`
			}{e.Term, round(e.Nats)})
		}
		var value any = p
		if evidence {
			value = struct {
				Prediction
				Evidence []any `json:"evidence"`
			}{p, append([]any{}, terms...)}
		}
		predictions = append(predictions, member{p.Head, value})
	}
	return marshal(struct {
		ID          string `json:"id"`
		Predictions object `json:"predictions"`
		Input       Input  `json:"input"`
		Revision    string `json:"revision"`
		Columns     object `json:"columns,omitempty"`
	}{r.ID, predictions, r.Input, r.Revision, columns})
}

// An object is a JSON object whose members keep their order.
type object []member

type member struct {
	name  string
	value any
}

func (list object) MarshalJSON() ([]byte, error) {
	b := []byte{'{'}
	for i, m := range list {
		if i > 0 {
			b = append(b, ',')
		}
		value, err := marshal(m.value)
		if err != nil {
			return nil, err
		}
		b = append(append(append(b, mustMarshal(m.name)...), ':'), value...)
	}
	return append(b, '}'), nil
}

// marshal is json.Marshal without turning <, > and & into escapes.
func marshal(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), err
}

func mustMarshal(v any) []byte {
	b, err := marshal(v)
	if err != nil {
		panic(err)
	}
	return b
}

// checkJSON holds the encoder against encoding/json.
func checkJSON(t *testing.T, r *Row) {
	t.Helper()
	for _, evidence := range []bool{false, true} {
		e, err := NewEncoder(JSONL, Layout{Evidence: evidence})
		if err != nil {
			t.Fatal(err)
		}
		want, wantErr := byEncodingJSON(r, evidence)
		got, err := e.Append([]byte("before"), r)
		if (err != nil) != (wantErr != nil) {
			t.Fatalf("%+v: error %v, encoding/json says %v", r, err, wantErr)
		}
		if err != nil {
			if string(got) != "before" {
				t.Fatalf("%+v: an error left %q", r, got)
			}
			continue
		}
		if string(got) != "before"+string(want)+"\n" {
			t.Fatalf("got  %s\nwant %s", got, want)
		}
	}
}

func FuzzJSONEncoder(f *testing.F) {
	f.Add("id", "topic", "<sport>", 0.25, -1.5e-9, "v\u2028", `{"a":[1,"b"]}`, uint8(0xff))
	f.Add("\xff\xc0\x80", "\x00\b\f\n\r\t\x1f\x7f", "\\\"", 1e21, 1e-7, "\u2029é👍", "1.50", uint8(0))
	f.Add("", "", "", math.Inf(1), math.NaN(), "", "null", uint8(3))
	f.Fuzz(func(t *testing.T, id, head, label string, p, nats float64, plain, value string, has uint8) {
		r := Row{ID: id, Revision: label, Input: Input{Tokens: int(has), KnownTokens: -int(has), Truncated: has&1 != 0}}
		prediction := Prediction{Head: head, Label: label, Probability: p, Decision: head}
		if has&2 != 0 {
			prediction.Scores = []Score{{label, p}, {head, nats}}
		}
		if has&4 != 0 {
			prediction.LabelSet = []string{label, id}
		}
		if has&8 != 0 {
			prediction.TargetWeights, prediction.Evidence = Pooled, []Evidence{{label, nats}, {plain, p}}
		}
		r.Predictions = []Prediction{prediction, {Head: id, LabelSet: []string{}, Scores: []Score{}}}
		if has&16 != 0 {
			r.Columns = append(r.Columns, dataset.Value{Name: head, Text: plain})
		}
		if compact := new(bytes.Buffer); has&32 != 0 && json.Compact(compact, []byte(value)) == nil {
			r.Columns = append(r.Columns, dataset.Value{Name: "json", Text: compact.String(), JSON: true})
		}
		if has&64 != 0 {
			r.Err = &Error{head, plain}
		}
		checkJSON(t, &r)
	})
}

func TestJSONEncoderWritesTheNumbersOfEncodingJSON(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	for range 20_000 {
		f := math.Float64frombits(rng.Uint64())
		if rng.IntN(2) == 0 {
			f = math.Round(rng.Float64()*1e6) / 1e6
		}
		want, err := json.Marshal(f)
		if err != nil {
			continue
		}
		if got := appendFloat(nil, f); string(got) != string(want) {
			t.Fatalf("got %s, want %s", got, want)
		}
	}
}

func TestJSONEncoderOnRowsOfModels(t *testing.T) {
	for _, r := range answers(t, 300) {
		checkJSON(t, &r)
	}
}

// answers returns rows as a model with targets and sets answers them.
func answers(t testing.TB, n int) []Row {
	t.Helper()
	var documents []Document
	rng := rand.New(rand.NewPCG(7, 8))
	for i := range n {
		documents = append(documents, Document{paragraph(rng, i%3), targets[i%2]})
	}
	rows, err := mustLocalWith(t, targetModel(t), Options{Top: 2, Evidence: 3}).Classify(context.Background(), documents)
	if err != nil {
		t.Fatal(err)
	}
	for i := range rows {
		rows[i].ID = fmt.Sprintf("data/texts.jsonl:%d", i+1)
	}
	return rows
}

func BenchmarkEncode(b *testing.B) {
	rows := answers(b, 1000)
	for _, f := range []Format{JSONL, CSV} {
		b.Run(string(f), func(b *testing.B) {
			l, err := LayoutOf(context.Background(), mustLocalWith(b, targetModel(b), Options{}), Options{})
			if err != nil {
				b.Fatal(err)
			}
			e, err := NewEncoder(f, l)
			if err != nil {
				b.Fatal(err)
			}
			measure(b, rows, func(buf []byte, r *Row) ([]byte, error) { return e.Append(buf, r) })
		})
	}
	b.Run("encoding/json", func(b *testing.B) {
		measure(b, rows, func(buf []byte, r *Row) ([]byte, error) {
			line, err := byEncodingJSON(r, false)
			return append(append(buf, line...), '\n'), err
		})
	})
}

// measure encodes rows, one an operation.
func measure(b *testing.B, rows []Row, encode func([]byte, *Row) ([]byte, error)) {
	b.ReportAllocs()
	var buf []byte
	var bytes, i int
	for b.Loop() {
		var err error
		if buf, err = encode(buf[:0], &rows[i%len(rows)]); err != nil {
			b.Fatal(err)
		}
		bytes += len(buf)
		i++
	}
	b.SetBytes(int64(bytes / i))
	b.ReportMetric(float64(i)/b.Elapsed().Seconds(), "rows/s")
}
