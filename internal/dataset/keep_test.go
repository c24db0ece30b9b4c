package dataset

import (
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
	"testing"
)

// kept renders what rows carry along, as "date=2026 n:1.50", a colon before JSON.
func kept(t *testing.T, src Source, opts Options) []string {
	t.Helper()
	var rows []string
	for ex, err := range Rows(src, opts) {
		var parts []string
		for _, v := range ex.Kept {
			sign := "="
			if v.JSON {
				sign = ":"
			}
			parts = append(parts, v.Name+sign+v.Text)
		}
		row := strings.Join(parts, " ")
		if err != nil {
			row = err.Error()
		}
		rows = append(rows, row)
	}
	return rows
}

func TestKeep(t *testing.T) {
	const csv = "id,text,date,,n\n1,a,2026-03-02,x,1.50\n2,b,\" \"\"q\"\"\",y,\n"
	const jsonl = `{"id": 1, "text": "a", "n": 1.50, "s": "\u00e9 \"q\"", "list": [1,` + "\r" + ` {"a": 2}]}` + "\n" +
		`{"s": null, "text": "b", "new": true, "n": -0.0e1}` + "\n"
	for _, c := range []struct {
		name, file, data string
		keep             []string
		want             []string
	}{
		{"nothing", "f.csv", csv, nil, []string{"", ""}},
		{"named, in the order asked for", "f.csv", csv, []string{"n", "date", "n"}, []string{"n=1.50 date=2026-03-02", `n= date= "q"`}},
		{"all but text and id", "f.csv", csv, []string{"*"}, []string{"date=2026-03-02 n=1.50", `date= "q" n=`}},
		{"text and all", "f.csv", csv, []string{"text", "*"}, []string{"text=a date=2026-03-02 n=1.50", `text=b date= "q" n=`}},
		{"one that is not there", "f.csv", csv, []string{"dat"}, []string{`f.csv: no kept column "dat"; the columns are "id", "text", "date", "n"`}},
		{"JSON as it was written", "f.jsonl", jsonl, []string{"s", "n"}, []string{`s:"\u00e9 \"q\"" n:1.50`, `s:null n:-0.0e1`}},
		{"all of JSON, in the order of the row", "f.jsonl", jsonl, []string{"*"}, []string{`n:1.50 s:"\u00e9 \"q\"" list:[1,{"a":2}]`, `s:null new:true n:-0.0e1`}},
		{"a key that never comes", "f.jsonl", jsonl, []string{"dat"}, []string{"", ""}},
		{"the label too", "f.csv", "text,topic\na,sport\n", []string{"topic"}, []string{"topic=sport"}},
	} {
		got := kept(t, Reader(c.file, strings.NewReader(c.data)), Options{Keep: c.keep, NoLabels: c.name != "the label too"})
		if !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
}

// What cannot all be remembered is not left out silently.
func TestKeepAllOfTooMany(t *testing.T) {
	var header, row []string
	var object strings.Builder
	object.WriteString(`{"text": "a"`)
	for i := range maxColumns + 1 {
		header, row = append(header, fmt.Sprint("c", i)), append(row, "x")
		fmt.Fprintf(&object, `, "c%d": 1`, i)
	}
	csv := "text," + strings.Join(header, ",") + "\na," + strings.Join(row, ",") + "\n"
	jsonl := object.String() + "}\n" + `{"text": "b", "c1": 2}` + "\n"
	all := Options{Keep: []string{KeepAll}, NoLabels: true}
	const want = "not all columns can be kept: 1000 columns of names up to 256 bytes are the most"
	if got := kept(t, Reader("f.csv", strings.NewReader(csv)), all); len(got) != 1 || got[0] != "f.csv: header: "+want {
		t.Errorf("CSV: got %q", got)
	}
	if got := kept(t, Reader("f.jsonl", strings.NewReader(jsonl)), all); len(got) != 2 || got[0] != "f.jsonl:1: "+want || got[1] != "c1:2" {
		t.Errorf("JSONL: got %.200q", got)
	}
}

func TestKeptColumns(t *testing.T) {
	csv := Source{name: "a.csv", open: func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader("id,b,text,a\n1,2,3,4\n")), nil }}
	jsonl := func() Source {
		return Reader("-", strings.NewReader(`{"text": "x", "a": 1}`+"\n{broken\n"+strings.Repeat(`{"text": "x", "c": 1}`+"\n", surveyRows)+`{"late": 1, "text": "y"}`+"\n"))
	}
	for _, c := range []struct {
		name string
		srcs []Source
		keep []string
		want []string
		more bool
	}{
		{"none", []Source{csv}, nil, nil, false},
		{"named", []Source{csv, jsonl()}, []string{"x", "a", "x"}, []string{"x", "a"}, false},
		{"a header says all", []Source{csv}, []string{"*"}, []string{"b", "a"}, false},
		{"named before all", []Source{csv}, []string{"*", "text"}, []string{"text", "b", "a"}, false},
		{"JSONL may have more", []Source{csv, jsonl()}, []string{"*"}, []string{"b", "a", "c"}, true},
		{"an empty file is no matter yet", []Source{Reader("-", strings.NewReader("")), csv}, []string{"*"}, []string{"b", "a"}, false},
	} {
		names, more, err := KeptColumns(c.srcs, Options{Keep: c.keep, NoLabels: true})
		if err != nil || !reflect.DeepEqual(names, c.want) || more != c.more {
			t.Errorf("%s: got %q, %v, error %v, want %q, %v", c.name, names, more, err, c.want, c.more)
		}
	}
	if _, _, err := KeptColumns([]Source{file("none.csv")}, Options{Keep: []string{KeepAll}}); err == nil {
		t.Error("a file that is not there: got no error")
	}
}

// Standard input is read from its beginning after a look at it.
func TestStreamsAreReadAfterALook(t *testing.T) {
	data := strings.Repeat(`{"text": "x", "c": 1}`+"\n", 50_000)
	src := Reader("-", strings.NewReader(data))
	opts := Options{Keep: []string{KeepAll}, NoLabels: true}
	for range 2 {
		if names, _, err := KeptColumns([]Source{src}, opts); err != nil || len(names) != 1 {
			t.Fatalf("got %q, error %v", names, err)
		}
	}
	n := 0
	for ex, err := range Rows(src, opts) {
		if n++; err != nil || ex.Line != n || len(ex.Kept) != 1 {
			t.Fatalf("row %d: got %+v, error %v", n, ex, err)
		}
	}
	if n != 50_000 {
		t.Errorf("got %d rows", n)
	}
	for _, err := range Rows(src, opts) {
		if !errors.Is(err, ErrNoRows) {
			t.Errorf("read again: got error %v, want %v", err, ErrNoRows)
		}
	}
}
