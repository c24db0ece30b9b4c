package dataset

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

// report renders a Set.
func report(s *Set) []string {
	lines := []string{fmt.Sprintf("heads %q", s.Heads)}
	for _, ex := range s.Examples {
		lines = append(lines, ex.File+":"+show(ex))
	}
	for _, e := range s.RowErrors {
		lines = append(lines, "bad: "+e.Error())
	}
	for _, w := range s.Warnings {
		lines = append(lines, w.String())
	}
	return lines
}

func TestReadAll(t *testing.T) {
	srcs := []Source{
		text("a.csv", "id,text,stance,topic,x,y\n1,a,,t,,\n2, ,,t,,\n3,b,for,,,\n4,c,,,,\n5,d\n"),
		text("b.jsonl", `{"text":"a","topic":"t","id":6}
{"text":"b","stance":"against","topic":"u","id":1}
{"text":"b","stance":"against","target":"else","z":null}
[]
{"text":"\n"}
{"text":"e"}
`),
	}
	s, err := ReadAll(srcs, Options{})
	if err != nil {
		t.Fatal(err)
	}
	compare(t, report(s), []string{
		`heads ["topic" "stance"]`,
		`a.csv:2: "a" id=1 [t] []`,
		`a.csv:4: "b" id=3 [] [for]`,
		`b.jsonl:1: "a" id=6 [t] []`,
		`b.jsonl:2: "b" id=1 [u] [against]`,
		`b.jsonl:3: "b" target=else [] [against]`,
		`bad: a.csv:6: want 6 fields as in the header, got 2`,
		`bad: b.jsonl:4: want a JSON object, got array`,
		`empty text in 2 rows: a.csv:3; b.jsonl:5`,
		`no label in 2 rows: a.csv:5; b.jsonl:6`,
		`duplicate text in 1 row: a.csv:2 and b.jsonl:1`,
		`conflicting labels in 1 row: a.csv:4 and b.jsonl:2 (stance "for" and "against")`,
		`duplicate id in 1 row: a.csv:2 and b.jsonl:2 ("1")`,
		`unused columns: a.csv ("x", "y")`,
		`unused columns: b.jsonl ("z")`,
	})
}

// TestHeads checks which heads a Set has.
func TestHeads(t *testing.T) {
	for _, test := range []struct {
		name  string
		opts  Options
		files []string
		want  []string
	}{
		{"one of the usual heads", Options{}, []string{"text,stance\na,x\n"},
			[]string{`heads ["stance"]`, `1.csv:2: "a" [x]`}},
		{"each in another file", Options{}, []string{"text,stance\na,x\n", "text,topic\nb,y\n"},
			[]string{`heads ["topic" "stance"]`, `1.csv:2: "a" [] [x]`, `2.csv:2: "b" [y] []`}},
		{"chosen heads, in the order asked", Options{Heads: []string{"z", "a"}}, []string{"text,a,z,topic\nb,1,2,t\n"},
			[]string{`heads ["z" "a"]`, `1.csv:2: "b" [2] [1]`, `unused columns: 1.csv ("topic")`}},
		{"a source without one of them", Options{Heads: []string{"z", "a"}}, []string{"text,a\nb,1\n", "text,z\nc,2\n"},
			[]string{`heads ["z" "a"]`, `1.csv:2: "b" [] [1]`, `2.csv:2: "c" [2] []`}},
		{"no labels", Options{NoLabels: true}, []string{"text,topic\na,x\na,y\n,z\n"},
			[]string{`heads []`, `1.csv:2: "a"`, `1.csv:3: "a"`, `empty text in 1 row: 1.csv:4`,
				`duplicate text in 1 row: 1.csv:2 and 1.csv:3`, `unused columns: 1.csv ("topic")`}},
		{"renamed columns", Options{Columns: Columns{Text: "body", ID: "no", Group: "doc", Target: "doc"}},
			[]string{"body,no,doc,topic,id\na,1,d,x,2\n"},
			[]string{`heads ["topic"]`, `1.csv:2: "a" id=1 group=d target=d [x]`, `unused columns: 1.csv ("id")`}},
		{"nothing usable", Options{}, []string{"text,topic\na,\n"},
			[]string{`heads ["topic"]`, `no label in 1 row: 1.csv:2`}},
	} {
		t.Run(test.name, func(t *testing.T) {
			s, err := ReadAll(csvs(test.files), test.opts)
			if err != nil {
				t.Fatal(err)
			}
			compare(t, report(s), test.want)
		})
	}
}

func csvs(files []string) []Source {
	var srcs []Source
	for i, data := range files {
		srcs = append(srcs, text(fmt.Sprintf("%d.csv", i+1), data))
	}
	return srcs
}

func TestReadAllErrors(t *testing.T) {
	good := "text,topic\na,x\n"
	for _, test := range []struct {
		opts  Options
		files []string
		want  string
	}{
		{Options{}, nil, `no files to read`},
		{Options{}, []string{good, "text,topic\n"}, `2.csv: no rows`},
		{Options{}, []string{"text,a\nb,c\n"}, `1.csv: no label column "topic" or "stance"; the columns are "text", "a"`},
		{Options{Heads: []string{"topic", "b"}}, []string{good}, `1.csv: no label column "b"; the columns are "text", "topic"`},
		{Options{Heads: []string{"b"}}, []string{good, good}, `1.csv and 1 other file: no label column "b"; the columns are "text", "topic"`},
		{Options{Heads: []string{"b"}}, []string{good, good, good}, `1.csv and 2 other files: no label column "b"; the columns are "text", "topic"`},
		{Options{Columns: Columns{Group: "doc"}}, []string{good, good}, `1.csv and 1 other file: no group column "doc"; the columns are "text", "topic"`},
		{Options{Columns: Columns{Text: "body"}}, []string{good}, `1.csv: no text column "body"; the columns are "text", "topic"`},
		{Options{Heads: []string{"a", "a"}}, []string{good}, `head "a" is wanted twice`},
		{Options{Heads: []string{""}}, []string{good}, `a head has no name`},
		{Options{Heads: []string{"text"}}, []string{good}, `column "text" is wanted as the text and as a head`},
	} {
		if _, err := ReadAll(csvs(test.files), test.opts); err == nil || err.Error() != test.want {
			t.Errorf("got error %v\nwant      %s", err, test.want)
		}
	}
	_, err := ReadAll(csvs([]string{""}), Options{})
	if !errors.Is(err, ErrNoRows) {
		t.Errorf("got error %v, want ErrNoRows", err)
	}
	for _, err := range Rows(text("in.csv", good), Options{Heads: []string{""}}) {
		if err == nil || err.Error() != "a head has no name" {
			t.Errorf("Rows: got error %v", err)
		}
	}
}

// TestNamedColumns: Rows too wants a column that was named explicitly.
func TestNamedColumns(t *testing.T) {
	opts := Options{NoLabels: true, Columns: Columns{ID: "no"}}
	compare(t, dump(text("in.csv", "text,id\na,1\n"), opts), []string{
		`final: in.csv: no id column "no"; the columns are "text", "id"`})
	compare(t, dump(text("in.jsonl", `{"text":"a","id":1}`), opts), []string{
		`1: "a"`, `final: in.jsonl: no id column "no"; the columns are "text", "id"`})
	compare(t, dump(text("in.jsonl", "{\"text\":\"a\"}\n{\"text\":\"b\",\"no\":2}"), opts), []string{`1: "a"`, `2: "b" id=2`})
}

// TestWarningsKeepFewCases: the count is of all.
func TestWarningsKeepFewCases(t *testing.T) {
	s, err := ReadAll(csvs([]string{"text,topic\n" + strings.Repeat("a,x\n", 8)}), Options{})
	if err != nil {
		t.Fatal(err)
	}
	if len(s.Examples) != 8 {
		t.Errorf("%d examples, want 8", len(s.Examples))
	}
	compare(t, report(s)[9:], []string{"duplicate text in 7 rows: 1.csv:2 and 1.csv:3; 1.csv:2 and 1.csv:4; " +
		"1.csv:2 and 1.csv:5; 1.csv:2 and 1.csv:6; 1.csv:2 and 1.csv:7; and 2 more"})
}

// TestConflictInSeveralHeads names each.
func TestConflictInSeveralHeads(t *testing.T) {
	s, err := ReadAll(csvs([]string{"text,topic,stance\na,x,p\na,y,q\na,x,\n"}), Options{})
	if err != nil {
		t.Fatal(err)
	}
	compare(t, report(s)[4:], []string{
		`duplicate text in 1 row: 1.csv:2 and 1.csv:4`,
		`conflicting labels in 1 row: 1.csv:2 and 1.csv:3 (topic "x" and "y", stance "p" and "q")`})
}

// wide returns a CSV file with n columns c0, c1, ... and a row.
func wide(n int) string {
	var names []string
	for i := range n {
		names = append(names, fmt.Sprintf("c%d", i))
	}
	return strings.Join(names, ",") + "\n" + strings.Repeat(",", n-1) + "\n"
}

func TestLongListsAreCut(t *testing.T) {
	err := lastError(text("in.csv", wide(23)), Options{})
	ce := columnError(t, err)
	if len(ce.Have) != 20 || ce.More != 3 || !strings.HasSuffix(err.Error(), `, "c19" and 3 more`) {
		t.Errorf("got %v", err)
	}
	s, err := ReadAll(csvs([]string{"text,topic," + strings.Replace(wide(21), "\n", "\na,x,", 1)}), Options{})
	if err != nil {
		t.Fatal(err)
	}
	w := s.Warnings[0]
	if w.Count != 21 || !strings.HasSuffix(w.String(), `, "c19" and 1 more)`) {
		t.Errorf("got %v", w)
	}
}

// rowsOf repeats a line with a number in it.
func rowsOf(n int, format string) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, format, i)
	}
	return b.String()
}

// TestHint checks the guesses from the first rows.
func TestHint(t *testing.T) {
	seven := "news,sport,art,film,music,food,law"
	for _, test := range []struct {
		name string
		src  Source
		opts Options
		want string
	}{
		{"text and head", text("in.csv", "no,category,body\n1,news,a long one\n2,sport,another text\n"), Options{},
			"--text-field body --head no --head category"},
		{"numbers do not repeat", text("in.csv", "no,category,body\n"+rowsOf(12, "%d,c%[1]d,a text with words\n")), Options{}, "--text-field body"},
		{"few distinct values", text("in.jsonl", rowsOf(11, "{\"n\":%d,\"cat\":\"x\",\"body\":\"some words\"}\n")+
			rowsOf(1, "{\"cat\":\"y\",\"n\":%d}\n")), Options{}, "--text-field body --head cat"},
		{"text is there", text("in.csv", "text,category\nab,x\ncd,y\n"), Options{}, "--head category"},
		{"heads are there", text("in.csv", "body,topic\na b c,x\nd e f,y\n"), Options{}, "--text-field body"},
		{"labels are not wanted", text("in.csv", "body,category\na b c,x\nd e f,y\n"), Options{NoLabels: true}, "--text-field body"},
		{"id, group and target are no heads", text("in.csv", "id,group,target,text\n1,1,1,a\n2,2,2,b\n"), Options{}, ""},
		{"one value is no head", text("in.csv", "text,c\na,x\nb,x\nc,\n"), Options{}, ""},
		{"values too long", text("in.csv", "text,c\na,x\nb,"+strings.Repeat("y", 65)+"\n"), Options{}, ""},
		{"lists are no labels", text("in.jsonl", "{\"text\":\"a\",\"c\":\"x\"}\n{\"text\":\"b\",\"c\":\"y\"}\n{\"text\":\"b\",\"c\":[]}"), Options{}, ""},
		{"sorted by label", text("in.csv", "text,c\n"+strings.Repeat("a,x\n", 100)+"b,y\n"), Options{}, "--head c"},
		{"empty in the first hundred rows", text("in.csv", "text,c\n"+strings.Repeat("a,\n", 100)+"b,x\nb,y\n"), Options{}, ""},
		{"many values after the first hundred rows", text("in.csv", "text,c,d\n"+strings.Repeat("a,x,x\na,y,x\n", 50)+rowsOf(60, "a,%d,x\n")), Options{}, "--head c"},
		{"names with spaces", text("in.csv", "the text,"+seven+"\na b,1,1,1,1,1,1,1\n"), Options{}, "--text-field the text"},
		{"null and empty are no values", text("in.jsonl", `{"text":"a","c":null}`+"\n"+`{"text":"b","c":""}`+"\n"+`{"text":"c","c":true}`), Options{}, ""},
		{"booleans", text("in.jsonl", `{"text":"a","c":false}`+"\n"+`{"text":"c","c":true}`), Options{}, "--head c"},
	} {
		_, err := ReadAll([]Source{test.src}, test.opts)
		if got := strings.Join(columnError(t, err).Hint(), " "); got != test.want {
			t.Errorf("%s: got %q, want %q", test.name, got, test.want)
		}
	}
}

// TestSameInputSameSet: nothing depends on the order of a map.
func TestSameInputSameSet(t *testing.T) {
	read := func() string {
		s, err := ReadAll([]Source{text("in.jsonl", `{"text":"a","topic":"x","k1":1,"k2":2,"k3":3}
{"k5":1,"k4":1,"text":"a","topic":"y"}`)}, Options{})
		if err != nil {
			t.Fatal(err)
		}
		return strings.Join(report(s), "\n")
	}
	first := read()
	for range 20 {
		if again := read(); again != first {
			t.Fatalf("got\n%s\nthen\n%s", first, again)
		}
	}
}
