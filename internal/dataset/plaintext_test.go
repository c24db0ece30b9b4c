package dataset

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

func TestPlainTextLines(t *testing.T) {
	opts := Options{NoLabels: true, Format: FormatText}
	compare(t, dump(text("notes", mark+"First line\r\n\n  indented \n \t\nlast, \"quoted\"\tand so"), opts), []string{
		`1: "First line" group=notes`, `3: "  indented " group=notes`, `5: "last, \"quoted\"\tand so" group=notes`,
	})
	compare(t, dump(text("notes", "a\x00b\n\xffz\nfine\n"), opts), []string{
		"bad: notes:1: NUL byte at byte 2", "bad: notes:2: invalid UTF-8 at byte 1; if the file is Windows-1252, say --encoding windows-1252", `3: "fine" group=notes`,
	})
	opts.MaxRowBytes = 10
	compare(t, dump(text("notes", strings.Repeat("x", 200_000)+"\nfine\n"), opts), []string{
		"bad: notes:1: row longer than the limit of 10 bytes", `2: "fine" group=notes`,
	})
	compare(t, dump(text("notes", " \n\n"), opts), []string{"final: notes: no rows"})
	compare(t, dump(text("notes", ""), opts), []string{"final: notes: no rows"})
	opts.Columns = Columns{Text: "body", Group: "source", ID: "nr"}
	compare(t, dump(text("notes", "a\n"), opts), []string{`final: notes: no id column "nr"; the columns are "body", "source"`})
	opts.Columns.ID, opts.Keep = "", []string{"source"}
	if got := kept(t, text("notes", "a\n"), opts); len(got) != 1 || got[0] != "source=notes" {
		t.Errorf("got %q", got)
	}
}

// A file called *.txt is text unless it clearly is something else.
func TestTextFiles(t *testing.T) {
	for _, c := range []struct{ name, data, want string }{
		{"a.txt", "Some text, and more; so\n", `1: "Some text, and more; so" group=a.txt`},
		{"a.TXT.gz", "The text says\n", `1: "The text says" group=a.TXT.gz`},
		{"a.text", "Tabs\tare text\n", `1: "Tabs\tare text" group=a.text`},
		{"a.txt", "id;text\n1;x\n", `2: "x" id=1`},
		{"a.txt", "id\t\"text\"\n1\tx\n", `2: "x" id=1`},
		{"a.txt", "text\nx\n", `2: "x"`},
		{"a.txt", `{"text": "x"}` + "\n", `1: "x"`},
		{"a.md", "text\nx\n", `2: "x"`},
	} {
		compare(t, dump(text(c.name, c.data), Options{NoLabels: true}), []string{c.want})
	}
}

func TestParagraphs(t *testing.T) {
	long := strings.TrimSpace(strings.Repeat("word ", 40))
	for _, c := range []struct {
		name, data string
		want       []string
	}{
		{"blank lines and lines broken by hand", "One line\nand another  \n \t\n\n  Third\n", []string{`1: "One line and another"`, `5: "Third"`}},
		{"CRLF and no end", "a\r\nb\r\n\r\nc", []string{`1: "a b"`, `4: "c"`}},
		{"headings", "# One\ntext\ngoes on\n## Two\nTitle\n=====\ntext\n\nSub\n---\nmore", []string{
			`1: "# One"`, `2: "text goes on"`, `4: "## Two"`, `5: "Title"`, `7: "text"`, `9: "Sub"`, `11: "more"`}},
		{"bullets", "What we want:\n- bread\n  and butter\n- peace\n\n• one\n•two\ngoes on\n", []string{
			`1: "What we want:"`, `2: "- bread and butter"`, `4: "- peace"`, `6: "• one"`, `7: "•two goes on"`}},
		{"numbers", "Steps.\n1. Open it\n2. Close it,\n  slowly\n(a) so\nb) or so\n", []string{
			`1: "Steps."`, `2: "1. Open it"`, `3: "2. Close it, slowly"`, `5: "(a) so"`, `6: "b) or so"`}},
		{"lines of prose that look like items", "It cost him\n- so he said -\nabout\n100. His wife and\nJ. Smith left\n2025 was over.\nA. Jones stayed", []string{
			`1: "It cost him - so he said - about 100. His wife and J. Smith left 2025 was over. A. Jones stayed"`}},
		{"what belongs to the page", "end of a page\n- 12 -\n\fThe Paper\nPage 3 of 9\nnext page\n* * *\nafter", []string{
			`1: "end of a page"`, `2: "- 12 -"`, `3: "The Paper"`, `4: "Page 3 of 9"`, `5: "next page"`, `6: "* * *"`, `7: "after"`}},
		{"long lines", "Title\n" + long + "\n" + long + "\nshort\nlines\n", []string{
			`1: "Title"`, `2: "` + long + `"`, `3: "` + long + `"`, `4: "short lines"`}},
		{"indented beginnings", "  A book begins\nand goes on.\n  Next it\n\tis another", []string{
			`1: "A book begins and goes on."`, `3: "Next it is another"`}},
		{"a mark and bad bytes", mark + "one\ntwo\x00\n\nfine", []string{"bad: in:1: NUL byte at byte 8", `4: "fine"`}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := dump(text("in", c.data), Options{NoLabels: true, Format: FormatText, Split: SplitParagraphs})
			for i := range got {
				got[i] = strings.TrimSuffix(got[i], " group=in")
			}
			compare(t, got, c.want)
		})
	}
}

func TestLongParagraphs(t *testing.T) {
	data := "first\n\n" + strings.Repeat("twelve bytes\n", 20) + "\n" + strings.Repeat("x", 200_000) + "\nlast\n"
	compare(t, dump(text("in", data), Options{NoLabels: true, Format: FormatText, Split: SplitParagraphs, MaxRowBytes: 100}), []string{
		`1: "first" group=in`, "bad: in:3: paragraph longer than the limit of 100 bytes",
		"bad: in:24: row longer than the limit of 100 bytes", `25: "last" group=in`,
	})
}

// Nothing of a text is lost but white space and the lines under headings.
func FuzzPlainText(f *testing.F) {
	f.Add("# a\nb\n\n- c\n- d\n12\n\fe\n===\n")
	f.Add("a\n---\n  b\nc.\n1. d\n2) e\r\n\r\n")
	f.Add("\x180 ") // in JSON lines this would be a row that is being erased
	f.Fuzz(func(t *testing.T, data string) {
		if !utf8.ValidString(data) || strings.ContainsAny(data, "\x00\r") || guessUTF16([]byte(data)) != "" {
			return
		}
		drop := func(r rune) rune {
			if unicode.IsSpace(r) || r == '=' || r == '-' || r == '\ufeff' {
				return -1
			}
			return r
		}
		for _, split := range []Split{SplitLines, SplitParagraphs} {
			var all strings.Builder
			last := 0
			for ex, err := range Rows(text("in", data), Options{NoLabels: true, Format: FormatText, Split: split}) {
				if err != nil {
					if strings.TrimSpace(data) != "" && strings.Trim(data, mark) != "" && all.Len() > 0 {
						t.Fatalf("error %v", err)
					}
					continue
				}
				if ex.Line <= last || ex.Group != "in" || strings.TrimSpace(ex.Text) == "" {
					t.Fatalf("line %d after %d, group %q, text %q", ex.Line, last, ex.Group, ex.Text)
				}
				last = ex.Line
				all.WriteString(ex.Text)
			}
			if got, want := strings.Map(drop, all.String()), strings.Map(drop, data); got != want {
				t.Fatalf("split %d: got %q, want %q", split, got, want)
			}
		}
	})
}

func FuzzPlainTextBytes(f *testing.F) {
	f.Add([]byte("a\n\n- b\n"), true)
	f.Fuzz(func(t *testing.T, data []byte, paragraphs bool) {
		split := SplitLines
		if paragraphs {
			split = SplitParagraphs
		}
		readChecked(t, data, Options{NoLabels: true, Format: FormatText, Split: split})
	})
}
