package score

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"io"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/parley-nlp/parley/internal/dataset"
)

func mustEncoder(t testing.TB, f Format, l Layout) Encoder {
	t.Helper()
	e, err := NewEncoder(f, l)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// encode returns the header and the rows.
func encode(t testing.TB, e Encoder, rows ...Row) string {
	t.Helper()
	b := e.Header()
	for i := range rows {
		var err error
		if b, err = e.Append(b, &rows[i]); err != nil {
			t.Fatal(err)
		}
	}
	return string(b)
}

// example is a layout with everything, and rows of it.
var exampleLayout = Layout{
	Heads:    []HeadLayout{{Name: "topic"}, {Name: "stance", Scores: true, Targets: true, Sets: true}},
	Evidence: true, Columns: []string{"date", "id", "n"}, More: true,
}

func exampleRows() []Row {
	topic := Prediction{Head: "topic", Label: "sport, ball", Probability: 0.75, Decision: "LABELED", Evidence: []Evidence{{"goal", 1.25}}}
	stance := Prediction{
		Head: "stance", Probability: 0.5, Decision: "AMBIGUOUS", TargetWeights: Pooled,
		Scores: []Score{{"pro", 0.5}, {"con", 0.5}}, LabelSet: []string{"pro", "con"},
	}
	return []Row{
		{ID: "1", Predictions: []Prediction{topic, stance}, Input: Input{3, 2, true}, Revision: "abc", Columns: []dataset.Value{
			{Name: "date", Text: "2026-03-02"}, {Name: "id", Text: `"say \"hi\""`, JSON: true}, {Name: "n", Text: "1.50", JSON: true},
		}},
		{ID: "2", Predictions: []Prediction{stance, topic}, Revision: "abc", Columns: []dataset.Value{
			{Name: "n", Text: "null", JSON: true}, {Name: "x", Text: "[1,2]", JSON: true}, {Name: "date", Text: `"plain"`, JSON: true},
		}},
		{ID: "f:3", Err: invalid("f:3: two\nlines"), Columns: []dataset.Value{{Name: "n", Text: " 7"}}},
	}
}

func TestCSV(t *testing.T) {
	want := strings.Join([]string{
		`id,topic_label,topic_probability,topic_decision,topic_evidence,` +
			`stance_label,stance_probability,stance_decision,stance_scores,stance_target_weights,stance_label_set,stance_evidence,` +
			`tokens,known_tokens,truncated,revision,error_code,error_message,date,input.id,n,more_columns`,
		`1,"sport, ball",0.75,LABELED,"[{""term"":""goal"",""nats"":1.25}]",` +
			`,0.5,AMBIGUOUS,"[{""label"":""pro"",""probability"":0.5},{""label"":""con"",""probability"":0.5}]",POOLED,"[""pro"",""con""]",[],` +
			`3,2,true,abc,,,2026-03-02,"say ""hi""",1.50,`,
		`2,"sport, ball",0.75,LABELED,"[{""term"":""goal"",""nats"":1.25}]",` +
			`,0.5,AMBIGUOUS,"[{""label"":""pro"",""probability"":0.5},{""label"":""con"",""probability"":0.5}]",POOLED,"[""pro"",""con""]",[],` +
			`0,0,false,abc,,,plain,,,"{""x"":[1,2]}"`,
		`f:3,,,,,,,,,,,,,,,,INVALID_ARGUMENT,"f:3: two` + "\nlines\",,,\" 7\",\n",
	}, "\n")
	if got := encode(t, mustEncoder(t, CSV, exampleLayout), exampleRows()...); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestTSVQuotesTabsAndQuotes(t *testing.T) {
	e := mustEncoder(t, TSV, Layout{Columns: []string{"a\tb", "c"}})
	got := encode(t, e, Row{ID: "1,2", Columns: []dataset.Value{{Name: "a\tb", Text: `"so"`}, {Name: "c", Text: "x\ty"}}})
	want := "id\ttokens\tknown_tokens\ttruncated\trevision\terror_code\terror_message\t\"a\tb\"\tc\n" +
		"1,2\t0\t0\tfalse\t\t\t\t\"\"\"so\"\"\"\t\"x\ty\"\n"
	if got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

func TestCSVOfAnotherHeadFails(t *testing.T) {
	for _, f := range []Format{CSV, TSV} {
		e := mustEncoder(t, f, Layout{Heads: []HeadLayout{{Name: "topic"}}})
		b, err := e.Append([]byte("x"), &Row{ID: "7", Predictions: []Prediction{{Head: "tone"}}})
		if want := `row "7" has a head "tone" that the header does not have`; err == nil || err.Error() != want || string(b) != "x" {
			t.Errorf("%s: got %q, error %v, want %s", f, b, err, want)
		}
	}
}

func TestFormatsWithoutAnEncoder(t *testing.T) {
	for _, f := range []Format{Parquet, Table, ""} {
		if e, err := NewEncoder(f, Layout{}); err == nil {
			t.Errorf("%q: got %v, want an error", f, e)
		}
	}
}

// The layout that one answer shows is that of every row.
func TestLayoutOf(t *testing.T) {
	for _, c := range []struct {
		options Options
		want    Layout
	}{
		{Options{}, Layout{Heads: []HeadLayout{{Name: "topic"}, {Name: "stance", Targets: true, Sets: true}}}},
		{Options{Top: -1, Evidence: 1}, Layout{Heads: []HeadLayout{{Name: "topic", Scores: true}, {Name: "stance", Scores: true, Targets: true, Sets: true}}, Evidence: true}},
		{Options{Top: 1, Heads: []string{"stance"}}, Layout{Heads: []HeadLayout{{Name: "stance", Targets: true, Sets: true}}}},
	} {
		m := targetModel(t)
		for name, classifier := range map[string]Classifier{"local": mustLocalWith(t, m, c.options), "remote": mustRemote(t, startWith(t, m), c.options)} {
			got, err := LayoutOf(context.Background(), classifier, c.options)
			if err != nil || !reflect.DeepEqual(got, c.want) {
				t.Errorf("%s %+v: got %+v, error %v, want %+v", name, c.options, got, err, c.want)
			}
		}
	}
	if _, err := LayoutOf(context.Background(), mustRemote(t, start(t), Options{Heads: []string{"tone"}}), Options{}); err == nil {
		t.Error("a head that is not there: got no error")
	}
}

// Rows of a model, read back by encoding/csv and by our own reader.
func TestCSVIsReadBack(t *testing.T) {
	rows := answers(t, 100)
	rows[3].ID, rows[4].ID, rows[5].ID = "a,\"b\"", "line\nbreak", "tab\t; cr\rend"
	l, err := LayoutOf(context.Background(), mustLocalWith(t, targetModel(t), Options{}), Options{})
	if err != nil {
		t.Fatal(err)
	}
	out := encode(t, mustEncoder(t, CSV, l), rows...)
	records, err := csv.NewReader(strings.NewReader(out)).ReadAll()
	if err != nil || len(records) != len(rows)+1 {
		t.Fatalf("got %d records, error %v", len(records), err)
	}
	i := 0
	opts := dataset.Options{Columns: dataset.Columns{Text: "id", ID: "stance_label", Target: "topic_label"}, NoLabels: true}
	for ex, err := range dataset.Rows(dataset.Reader("f.csv", strings.NewReader(out)), opts) {
		if r := rows[i]; err != nil || ex.Text != r.ID || ex.Target != r.Predictions[0].Label || ex.ID != r.Predictions[1].Label {
			t.Fatalf("row %d: got %+v, error %v, want %+v", i, ex, err, r)
		}
		if got := records[i+1][1]; got != rows[i].Predictions[0].Label {
			t.Fatalf("row %d: got %q", i, got)
		}
		i++
	}
	if i != len(rows) {
		t.Errorf("got %d rows, want %d", i, len(rows))
	}
}

// Every cell comes back as it was, whatever it holds.
func FuzzCSVEncoder(f *testing.F) {
	f.Add("id", "a,b", "\"", " x", `"\u00e9\n"`)
	f.Add("", "\n", "a\"b\"", "\t", `[1, 2]`)
	f.Fuzz(func(t *testing.T, id, name, plain, label, value string) {
		for _, s := range []*string{&id, &name, &plain, &label, &value} {
			*s = strings.ReplaceAll(*s, "\r", "") // encoding/csv drops it before "\n"
		}
		values := []dataset.Value{{Name: "plain", Text: plain}, {Name: name, Text: label}}
		var text string
		if utf8.ValidString(value) && json.Unmarshal([]byte(value), &text) == nil {
			values = append(values, dataset.Value{Name: "json", Text: strings.TrimSpace(value), JSON: true})
		}
		l := Layout{Heads: []HeadLayout{{Name: name}}, Columns: []string{"plain", name, "json"}}
		for format, comma := range map[Format]rune{CSV: ',', TSV: '\t'} {
			out := encode(t, mustEncoder(t, format, l), Row{ID: id, Revision: label, Predictions: []Prediction{{Head: name, Label: label}}, Columns: values})
			r := csv.NewReader(bytes.NewReader([]byte(out)))
			r.Comma = comma
			header, err := r.Read()
			if err != nil || !reflect.DeepEqual(header, l.Names()) {
				t.Fatalf("got header %q, error %v, want %q", header, err, l.Names())
			}
			got, err := r.Read()
			first := plain // of two columns of one name, the first counts
			if name != "plain" {
				first = label
			}
			if err != nil || got[0] != id || got[1] != label || got[7] != label || got[10] != plain || got[11] != first {
				t.Fatalf("got %q, error %v, want id %q, label %q, plain %q", got, err, id, label, plain)
			}
			if name != "json" && name != "plain" && len(values) == 3 && got[12] != text && text != "" {
				t.Fatalf("got %q, want %q", got[12], text)
			}
			if _, err := r.Read(); err != io.EOF {
				t.Fatalf("got error %v, want the end", err)
			}
		}
	})
}
