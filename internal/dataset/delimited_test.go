package dataset

import (
	"fmt"
	"strings"
	"testing"
)

// TestCSV checks whole files.
func TestCSV(t *testing.T) {
	for _, test := range []struct {
		name, data string
		want       []string
	}{
		{"plain", "id,text,topic\n1, a ,x\n2,b, y \n", []string{`2: " a " id=1 [x]`, `3: "b" id=2 [y]`}},
		{"CRLF, no last line break", "text,topic\r\na,x\r\nb,y", []string{`2: "a" [x]`, `3: "b" [y]`}},
		{"half a CRLF at the end", "topic,text\nx,a\r", []string{`2: "a" [x]`}},
		{"quotes", "text,topic\n\"a, \"\"b\"\"\",x\n\"\",y\n\"\"\"\",z\n", []string{
			`2: "a, \"b\"" [x]`, `3: "" [y]`, `4: "\"" [z]`}},
		{"quoted line breaks are kept as they are", "text,topic\r\n\"a\r\nb\n\nc\rd\",x\r\ne,y\r\n", []string{
			`2: "a\r\nb\n\nc\rd" [x]`, `6: "e" [y]`}},
		{"CR alone", "text,topic\na\rb,x\n", []string{`2: "a\rb" [x]`}},
		{"empty lines are skipped", "\n\ntext,topic\n\n\r\na,x\n\n", []string{`6: "a" [x]`}},
		{"byte order mark", "\ufeff\"text\",topic\na,x\n", []string{`2: "a" [x]`}},
		{"names are trimmed", " text , topic\na,x\n", []string{`2: "a" [x]`}},
		{"unnamed columns", ",text,,topic\n0,a,1,x\n", []string{`2: "a" [x]`}},
		{"semicolons", "text;topic\n\"a;b, c\";x\n", []string{`2: "a;b, c" [x]`}},
		{"one column", "text\na\n\"\"\n", []string{`2: "a" []`, `3: "" []`}},
		{"field counts", "text,topic\na\na,x,\na,x\n", []string{
			`bad: in.csv:2: want 2 fields as in the header, got 1`,
			`bad: in.csv:3: want 2 fields as in the header, got 3`, `4: "a" [x]`}},
		{"bare quote", "text,topic\n5\" disk,x\na,x\n", []string{
			`bad: in.csv:2: text: a quote in a field that does not begin with one`, `3: "a" [x]`}},
		{"text after a quote", "topic,text\nx,\"a\" b\nx,a\n", []string{
			`bad: in.csv:2: text: the quote that opens on line 2 is followed by text after the closing one`, `3: "a" [x]`}},
		{"quote never closed", "topic,text\nx,\"a\ny,b\n", []string{
			`bad: in.csv:2: text: the quote that opens on line 2 is never closed`, `3: "b" [y]`}},
		{"the second quoted field is never closed", "topic,text\n\"x\ny\",\"a\nz,c\n", []string{
			`bad: in.csv:2: text: the quote that opens on line 3 is never closed`,
			`bad: in.csv:3: topic: a quote in a field that does not begin with one`, `4: "c" [z]`}},
		{"a stray quote costs one row", "topic,text\nx,\"a\ny,\"b\"\nz,c\n", []string{
			`bad: in.csv:2: text: the quote that opens on line 2 is followed by text after the closing one`,
			`3: "b" [y]`, `4: "c" [z]`}},
		{"NUL", "text,topic\na\x00,x\n", []string{`bad: in.csv:2: text: NUL byte at byte 2`}},
		{"invalid UTF-8", "text,topic,\na,\xe9,\na,,\xff\n", []string{
			`bad: in.csv:2: topic: invalid UTF-8 at byte 1; if the file is Windows-1252, say --encoding windows-1252`, `bad: in.csv:3: field 3: invalid UTF-8 at byte 1; if the file is Windows-1252, say --encoding windows-1252`}},
		{"names fit for a terminal", "text,\"a\x1b[2J\"\nb,\x00\n", []string{`bad: in.csv:2: "a\x1b[2J": NUL byte at byte 1`}},
		{"long names are not remembered", "text," + strings.Repeat("n", maxName+1) + "\na,\xff\n", []string{
			`bad: in.csv:2: field 2: invalid UTF-8 at byte 1; if the file is Windows-1252, say --encoding windows-1252`}},
		{"labels are checked", "text,topic\na,\"x\ny\"\n", []string{
			`bad: in.csv:2: topic: label "x\ny" has a control character`}},

		{"duplicate names", "text,a,a\n", []string{`final: in.csv: header: column "a" appears twice`}},
		{"header with NUL", "text,a\x00\n", []string{`final: in.csv: header: column 2: NUL byte at byte 2`}},
		{"header in Latin-1", "text,\xe9\n", []string{`final: in.csv: header: column 2: invalid UTF-8 at byte 1; if the file is Windows-1252, say --encoding windows-1252`}},
		{"header never closed", "text,\"a\n1,2\n", []string{`final: in.csv: header: the quote that opens on line 1 is never closed`}},
		{"header too wide", strings.Repeat(",", maxFields) + "\n", []string{`final: in.csv: header: 16385 columns, the limit is 16384`}},
		{"no text column", "id,body\n1,a\n", []string{`final: in.csv: no text column "text"; the columns are "id", "body"`}},
		{"no names", ",\n1,a\n", []string{`final: in.csv: no text column "text"; there are no named columns`}},
		{"no rows", "text,topic\n\n", []string{`final: in.csv: no rows`}},
		{"empty", "", []string{`final: in.csv: no rows`}},
	} {
		t.Run(test.name, func(t *testing.T) {
			compare(t, dump(text("in.csv", test.data), topicOnly), test.want)
		})
	}
}

// TestTSV checks the rule for quotes.
func TestTSV(t *testing.T) {
	for _, test := range []struct {
		name, data string
		want       []string
	}{
		{"plain", "id\ttext\ttopic\n1\ta, b; c\tx\r\n2\tb\ty", []string{`2: "a, b; c" id=1 [x]`, `3: "b" id=2 [y]`}},
		{"quotes inside", "text\ttopic\nhe said \"no\"\tx\n", []string{`2: "he said \"no\"" [x]`}},
		{"quoted", "text\ttopic\n\"a \"\"b\"\"\"\t\"x\"\n", []string{`2: "a \"b\"" [x]`}},
		{"quoted tab", "text\ttopic\n\"a\tb\"\tx\n", []string{`2: "a\tb" [x]`}},
		{"quoted line breaks", "text\ttopic\n\"a\r\n\nb \"\"c\"\"\"\tx\nd\ty\n", []string{
			`2: "a\r\n\nb \"c\"" [x]`, `5: "d" [y]`}},
		{"quoted line breaks in the last column", "topic\ttext\nx\t\"a\nb\"\ny\tc\n", []string{
			`2: "a\nb" [x]`, `4: "c" [y]`}},

		{"quotation mark, never closed", "text\ttopic\n\"Oh no\tx\nb\ty\n", []string{`2: "\"Oh no" [x]`, `3: "b" [y]`}},
		{"quotation mark in the last column", "topic\ttext\nx\t\"Oh no\ny\tb\n", []string{`2: "\"Oh no" [x]`, `3: "b" [y]`}},
		{"quotation mark, and one in the next row", "topic\ttext\nx\t\"Oh no\ny\t\"b\"\nz\tc \"d\"\n", []string{
			`2: "\"Oh no" [x]`, `3: "b" [y]`, `4: "c \"d\"" [z]`}},
		{"quotation mark, next row ends with one", "topic\ttext\nx\t\"Oh\ny\tno\"\n", []string{`2: "\"Oh" [x]`, `3: "no\"" [y]`}},
		{"quotation marks around the first words", "text\ttopic\n\"Oh\" he said\tx\n", []string{`2: "\"Oh\" he said" [x]`}},
		{"quotation marks at both ends", "text\ttopic\n\"Oh\" and \"no\"\tx\n", []string{`2: "\"Oh\" and \"no\"" [x]`}},
		{"quotation mark at the end of another column", "text\ttopic\n\"Oh\tno\"\nb\ty\n", []string{
			`2: "\"Oh" [no"]`, `3: "b" [y]`}},
		{"quotation mark in the last line", "topic\ttext\nx\t\"Oh", []string{`2: "\"Oh" [x]`}},
		{"a quotation mark alone", "text\ttopic\n\"\tx\n\"\"\ty\n\"\"\"\tz\n", []string{`2: "\"" [x]`, `3: "" [y]`, `4: "\"\"\"" [z]`}},
		{"literal line when quotes swallow too much", "text\ttopic\n\"a\nb\"\n", []string{
			`bad: in.tsv:2: want 2 fields as in the header, got 1`}},

		{"field counts", "text\ttopic\na\na\tx\t\n", []string{
			`bad: in.tsv:2: want 2 fields as in the header, got 1`,
			`bad: in.tsv:3: want 2 fields as in the header, got 3`}},
		{"empty fields", "text\ttopic\n\t\n", []string{`2: "" []`}},
		{"header", "\"text\"\ttopic \na\tx\n", []string{`2: "a" [x]`}},
		{"no rows", "text\ttopic", []string{`final: in.tsv: no rows`}},
	} {
		t.Run(test.name, func(t *testing.T) {
			compare(t, dump(text("in.tsv", test.data), topicOnly), test.want)
		})
	}
}

func TestDelimitedRowTooLong(t *testing.T) {
	long := strings.Repeat("x", 200_000)
	opts := Options{NoLabels: true, MaxRowBytes: 1000}
	compare(t, dump(text("in.csv", "text,n\na,1\n"+long+",2\nb,3\n"), opts), []string{
		`2: "a"`, `bad: in.csv:3: row longer than the limit of 1000 bytes`, `4: "b"`})
	compare(t, dump(text("in.csv", "n,text\n1,\"a\n"+strings.Repeat("2,b\n", 500)), opts)[:2], []string{
		`bad: in.csv:2: text: the quote that opens on line 2 is not closed within the limit of 1000 bytes`, `3: "b"`})
	compare(t, dump(text("in.tsv", "text\n\"a\n"+strings.Repeat("bcd\n", 500)), opts)[:2], []string{
		`2: "\"a"`, `3: "bcd"`})
	compare(t, dump(text("in.csv", long+"\n"), opts), []string{
		`final: in.csv: header longer than the limit of 1000 bytes`})
}

// TestManyFields: a row of separators takes no more memory than its bytes.
func TestManyFields(t *testing.T) {
	data := "text,topic\n" + strings.Repeat(",", 1<<20) + "\na,x\n"
	compare(t, dump(text("in.csv", data), topicOnly), []string{
		`bad: in.csv:2: want 2 fields as in the header, got 1048577`, `3: "a" [x]`})
}

// TestLargeRows reads texts of several megabytes in every format.
func TestLargeRows(t *testing.T) {
	long := strings.Repeat("long \u00e9 ", 400_000)
	want := []string{long, "b"}
	for name, data := range map[string]string{
		"in.jsonl": fmt.Sprintf("{\"text\":%q}\n{\"text\":\"b\"}\n", long),
		"in.csv":   fmt.Sprintf("text,n\n\"%s\",1\nb,2\n", long),
		"in.tsv":   fmt.Sprintf("text\tn\n%s\t1\nb\t2\n", long),
	} {
		var got []string
		for ex, err := range Rows(text(name, data), Options{NoLabels: true}) {
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, ex.Text)
		}
		if strings.Join(got, "|") != strings.Join(want, "|") {
			t.Errorf("%s: the texts are not those written", name)
		}
	}
}

// TestRecoveryIsLinear would not end in a minute if every broken quote made the
// rest of the file be read again for each following line.
func TestRecoveryIsLinear(t *testing.T) {
	const rows = 100_000
	for _, test := range []struct{ name, line string }{
		{"in.csv", "x,\"\"\"a\"\"\n"}, {"in.csv", "x,\"\"\"\"\"\n"}, {"in.csv", "\"\n"},
		{"in.tsv", "x\t\"a\n"}, {"in.tsv", "x\t\"\"\"a\"\"\n"}, {"in.tsv", "\"\n"},
	} {
		head := "topic" + string(test.line[1:2]) + "text\n"
		if test.line == "\"\n" {
			head = "text\n"
		}
		if got := len(dump(text(test.name, head+strings.Repeat(test.line, rows)), topicOnly)); got < rows/3 {
			t.Errorf("%s %q: %d results", test.name, test.line, got)
		}
	}
}
