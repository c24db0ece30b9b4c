package score

import (
	"bytes"
	"context"
	"reflect"
	"strings"
	"testing"

	"github.com/parley-nlp/parley/internal/dataset"
)

// Rows that were written are read back, error rows too.
func TestDecodeRow(t *testing.T) {
	rows, err := mustLocal(t, Options{Top: -1}).Classify(context.Background(), about("", "a late goal", "shares fell", "qwrtz"))
	if err != nil {
		t.Fatal(err)
	}
	for i := range rows {
		rows[i].ID = string(rune('a' + i))
		rows[i].Columns = []dataset.Value{{Name: "source", Text: `"the \"Times\""`, JSON: true}}
	}
	rows = append(rows, Row{ID: "bad", Err: invalid("the text is empty"), Columns: rows[0].Columns})
	e := mustEncoder(t, JSONL, Layout{})
	var b []byte
	for i := range rows {
		if b, err = e.Append(b, &rows[i]); err != nil {
			t.Fatal(err)
		}
	}
	heads := []string{rows[0].Predictions[0].Head, rows[0].Predictions[1].Head}
	var got []Row
	for ex, err := range dataset.Rows(dataset.Reader("out.jsonl", bytes.NewReader(b)), ReadOptions(0)) {
		if err != nil {
			t.Fatal(err)
		}
		r, err := DecodeRow(ex, heads)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, r)
	}
	for i := range rows {
		rows[i].Input = Input{} // which nobody asked for
		if i < len(got) && !reflect.DeepEqual(got[i], rows[i]) {
			t.Errorf("got %+v, want %+v", got[i], rows[i])
		}
	}
	if len(got) != len(rows) || got[0].Column("source") != `the "Times"` || got[0].Column("none") != "" {
		t.Errorf("%d rows, source %q", len(got), got[0].Column("source"))
	}
}

func TestDecodeRowOfSomethingElse(t *testing.T) {
	for line, want := range map[string]string{
		`{"id":"1","predictions":{}}`:                                   `f:1: no prediction of head "topic"`,
		`{"id":"1","predictions":{"topic":{"label":"a"}}}`:              `f:1: no prediction of head "topic"`,
		`{"id":"1","predictions":[1]}`:                                  `f:1: "predictions": not a row that classifier score writes`,
		`{"id":"1","error":7}`:                                          `f:1: "error": not a row that classifier score writes`,
		`{"id":"1","columns":"x","predictions":{"topic":{"scores":1}}}`: `f:1: "columns": not a row that classifier score writes`,
	} {
		for ex, err := range dataset.Rows(dataset.Reader("f", strings.NewReader(line)), ReadOptions(0)) {
			if err != nil {
				t.Fatal(err)
			}
			if _, err := DecodeRow(ex, []string{"topic"}); err == nil || !strings.HasPrefix(err.Error(), want) {
				t.Errorf("%s: error %v, want %s", line, err, want)
			}
		}
	}
}
