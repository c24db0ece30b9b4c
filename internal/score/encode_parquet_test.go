package score

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
	"testing"

	"github.com/parquet-go/parquet-go"

	"github.com/parley-nlp/parley/internal/dataset"
)

// spool returns rows as JSONL.
func spool(t testing.TB, l Layout, rows ...Row) *bytes.Reader {
	t.Helper()
	return bytes.NewReader([]byte(encode(t, mustEncoder(t, JSONL, Layout{Evidence: l.Evidence}), rows...)))
}

func writeParquet(t testing.TB, l Layout, rows ...Row) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := WriteParquet(&b, spool(t, l, rows...), l); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// A scored is a row of exampleLayout as other programs read it.
type scored struct {
	ID            string   `parquet:"id"`
	Topic         *string  `parquet:"topic_label,optional"`
	Probability   *float64 `parquet:"topic_probability,optional"`
	TopicEvidence *string  `parquet:"topic_evidence,optional,json"`
	Stance        *string  `parquet:"stance_label,optional"`
	Decision      *string  `parquet:"stance_decision,optional"`
	Scores        *string  `parquet:"stance_scores,optional,json"`
	Weights       *string  `parquet:"stance_target_weights,optional"`
	Set           []string `parquet:"stance_label_set,optional,list"`
	Tokens        *int32   `parquet:"tokens,optional"`
	Truncated     *bool    `parquet:"truncated,optional"`
	Revision      *string  `parquet:"revision,optional"`
	Code          *string  `parquet:"error_code,optional"`
	Message       *string  `parquet:"error_message,optional"`
	Date          *string  `parquet:"date,optional"`
	N             *float64 `parquet:"n,optional"`
}

func TestParquet(t *testing.T) {
	rows := exampleRows()
	rows[1].Predictions[0].LabelSet = []string{}
	rows[2].Columns[0] = dataset.Value{Name: "n", Text: "7", JSON: true}
	data := writeParquet(t, exampleLayout, rows...)
	f, err := parquet.OpenFile(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	want := `id topic_label topic_probability topic_decision topic_evidence stance_label stance_probability stance_decision stance_scores ` +
		`stance_target_weights stance_label_set stance_evidence tokens known_tokens truncated revision error_code error_message date input.id n x`
	var names []string
	for _, c := range f.Root().Columns() {
		names = append(names, c.Name())
	}
	if got := strings.Join(names, " "); got != want {
		t.Errorf("got columns %s, want %s", got, want)
	}
	for name, want := range map[string]string{
		"topic_probability": "DOUBLE", "tokens": "INT(32,true)", "truncated": "BOOLEAN", "stance_scores": "JSON",
		"date": "STRING", "n": "DOUBLE", "x": "JSON", "input.id": "STRING",
	} {
		if got := f.Root().Column(name).Type().String(); got != want {
			t.Errorf("%s: got type %s, want %s", name, got, want)
		}
	}
	got, err := parquet.Read[any](bytes.NewReader(data), int64(len(data)))
	if err != nil || len(got) != 3 {
		t.Fatalf("got %d rows, error %v", len(got), err)
	}
	for i, want := range []string{
		`1 sport, ball 0.75 <nil> 3 true abc <nil> <nil> 2026-03-02 1.5 say "hi" <nil>`,
		`2 sport, ball 0.75 <nil> 0 false abc <nil> <nil> plain <nil> <nil> [1 2]`,
		"f:3 <nil> <nil> <nil> <nil> <nil> <nil> INVALID_ARGUMENT f:3: two\nlines <nil> 7 <nil> <nil>",
	} {
		var cells []string
		for _, name := range strings.Fields("id topic_label topic_probability stance_label tokens truncated revision error_code error_message date n input.id x") {
			cell := got[i].(map[string]any)[name]
			if b, ok := cell.([]byte); ok {
				cell = string(b)
			}
			cells = append(cells, fmt.Sprint(cell))
		}
		if got := strings.Join(cells, " "); got != want {
			t.Errorf("row %d: got %s, want %s", i, got, want)
		}
	}
}

// A program that knows the columns reads them with their types.
func TestParquetForOtherPrograms(t *testing.T) {
	rows := exampleRows()
	rows[2].Columns = nil
	rows[1].Predictions[0].LabelSet = []string{}
	data := writeParquet(t, exampleLayout, rows...)
	got, err := parquet.Read[scored](bytes.NewReader(data), int64(len(data)))
	if err != nil || len(got) != 3 {
		t.Fatalf("got %d rows, error %v", len(got), err)
	}
	if p := got[0]; *p.Topic != "sport, ball" || *p.Probability != 0.75 || p.Stance != nil || *p.Decision != "AMBIGUOUS" || *p.Weights != Pooled || *p.Tokens != 3 || !*p.Truncated || *p.N != 1.5 {
		t.Errorf("got %+v", p)
	}
	if *got[0].Scores != `[{"label":"pro","probability":0.5},{"label":"con","probability":0.5}]` || *got[0].TopicEvidence != `[{"term":"goal","nats":1.25}]` {
		t.Errorf("got scores %s, evidence %s", *got[0].Scores, *got[0].TopicEvidence)
	}
	if set := got[0].Set; !reflect.DeepEqual(set, []string{"pro", "con"}) {
		t.Errorf("got the label set %v", set)
	}
	if got[2].Topic != nil || got[2].Tokens != nil || *got[2].Code != "INVALID_ARGUMENT" {
		t.Errorf("got %+v", got[2])
	}
}

func TestTypesOfColumns(t *testing.T) {
	for _, c := range []struct {
		values string
		want   columnType
	}{
		{"null null", noType}, {"true null false", boolType}, {"1 -2 null", intType}, {"1 2.5", doubleType}, {"1e3 2", doubleType},
		{`"a" null`, textType}, {`"a" 1`, jsonType}, {"true 1", jsonType}, {"[1]", jsonType}, {`{} "a"`, jsonType},
		{"9007199254740993", bigType}, {"1 9007199254740993", bigType}, {"9007199254740993 0.5", jsonType}, {"0.5 9007199254740993", jsonType},
		{"9223372036854775808", jsonType}, {"-0", jsonType}, {"0.12345678901234567890", jsonType}, {"0.00000000001", doubleType}, {"1e999", jsonType},
	} {
		var got columnType
		for _, v := range strings.Fields(c.values) {
			got = join(got, typeOf(v))
		}
		if got != c.want {
			t.Errorf("%s: got type %d, want %d", c.values, got, c.want)
		}
	}
}

// Many rows: what is read back by the reader of input is what was written, in
// groups of rows that fit into memory.
func TestParquetIsReadBack(t *testing.T) {
	rows := answers(t, 200)
	long := strings.Repeat("x", 1<<20)
	for i := range rows {
		rows[i].Columns = []dataset.Value{{Name: "n", Text: fmt.Sprint(i), JSON: true}, {Name: "long", Text: long[:i*2500]}}
	}
	l := Layout{Heads: []HeadLayout{{Name: "topic"}, {Name: "stance", Targets: true, Sets: true}}, More: true}
	data := writeParquet(t, l, rows...)
	if again := writeParquet(t, l, rows...); !bytes.Equal(again, data) {
		t.Error("the same rows give other bytes")
	}
	f, err := parquet.OpenFile(bytes.NewReader(data), int64(len(data)))
	if err != nil || len(f.RowGroups()) < 2 {
		t.Errorf("got %d groups of rows, error %v", len(f.RowGroups()), err)
	}
	i := 0
	opts := dataset.Options{Columns: dataset.Columns{Text: "id", Target: "stance_label"}, NoLabels: true, Keep: []string{"n", "stance_probability"}}
	for ex, err := range dataset.Rows(dataset.Reader("f.parquet", bytes.NewReader(data)), opts) {
		r := rows[i]
		if err != nil || ex.Text != r.ID || ex.Target != r.Predictions[1].Label || ex.Kept[0].Text != fmt.Sprint(i) {
			t.Fatalf("row %d: got %+v, error %v", i, ex, err)
		}
		i++
	}
	if i != len(rows) {
		t.Errorf("got %d rows", i)
	}
}

func TestSpoolsThatAreNone(t *testing.T) {
	good := `{"id":"1","predictions":{"topic":{"label":"a"}}}` + "\n"
	l := Layout{Heads: []HeadLayout{{Name: "topic"}}}
	for _, c := range []struct{ spool, want string }{
		{good + `{"id":"2"`, "row 2: unexpected EOF"},
		{good + "{broken\n", "row 2: invalid character 'b' looking for beginning of object key string"},
		{strings.ReplaceAll(good, "topic", "tone"), `row 1: "1" has a head that the others do not have`},
	} {
		for name, write := range map[string]func(io.ReadSeeker) error{
			"parquet": func(r io.ReadSeeker) error { return WriteParquet(io.Discard, r, l) },
			"table":   func(r io.ReadSeeker) error { return WriteTable(io.Discard, r, l, TableStyle{}) },
		} {
			if err := write(strings.NewReader(c.spool)); err == nil || err.Error() != c.want {
				t.Errorf("%s of %s: got error %v, want %s", name, c.spool, err, c.want)
			}
		}
	}
	for _, room := range []int{0, 100} {
		if err := WriteParquet(&fullDisk{room}, strings.NewReader(good), l); !errors.Is(err, errFull) {
			t.Errorf("parquet with room for %d bytes: got error %v", room, err)
		}
	}
	if err := WriteTable(&fullDisk{5}, strings.NewReader(good), l, TableStyle{}); !errors.Is(err, errFull) {
		t.Errorf("table: got error %v", err)
	}
}

func BenchmarkWriteParquet(b *testing.B) {
	rows := answers(b, 1000)
	l := Layout{Heads: []HeadLayout{{Name: "topic"}, {Name: "stance", Targets: true, Sets: true}}}
	in := spool(b, l, rows...)
	for b.Loop() {
		if err := WriteParquet(io.Discard, in, l); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(1000*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
}
