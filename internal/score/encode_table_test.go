package score

import (
	"bytes"
	"strings"
	"testing"

	"github.com/mattn/go-runewidth"
)

func TestTable(t *testing.T) {
	rows := exampleRows()
	rows[0].Columns[0].Text = "wide 平和\x1b[2J"
	for _, c := range []struct {
		style TableStyle
		want  []string
	}{
		{TableStyle{}, []string{
			`id   topic             topic because of  stance            stance because of  date           id        n     more columns  error`,
			`1    sport, ball 0.75  goal              (ambiguous) 0.50                     wide 平和 [2J  say "hi"  1.50`,
			`2    sport, ball 0.75  goal              (ambiguous) 0.50                     plain                          x=[1,2]`,
			`f:3                                                                                                     7                  f:3: two lines`,
		}},
		{TableStyle{Width: 100, Colour: true}, []string{
			bold + `id   topic      topic be…  stance     stance be…  date        id        n     more colu…  error` + normal,
			yellow + `1    sport, b…  goal       (ambiguo…              wide 平和…  say "hi"  1.50` + normal,
			yellow + `2    sport, b…  goal       (ambiguo…              plain                       x=[1,2]` + normal,
			red + `f:3                                                                      7                f:3: two …` + normal,
		}},
	} {
		var b bytes.Buffer
		if err := WriteTable(&b, spool(t, exampleLayout, rows...), exampleLayout, c.style); err != nil {
			t.Fatal(err)
		}
		if got, want := b.String(), strings.Join(c.want, "\n")+"\n"; got != want {
			t.Errorf("got\n%s\nwant\n%s", got, want)
		}
	}
}

// However narrow a terminal is, a line is not wider, unless columns would have
// next to nothing.
func TestTableFits(t *testing.T) {
	for _, width := range []int{60, 80, 120, 1000} {
		var b bytes.Buffer
		l := Layout{Heads: exampleLayout.Heads, Columns: []string{"date"}}
		if err := WriteTable(&b, spool(t, l, exampleRows()...), l, TableStyle{Width: width}); err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(b.String()) {
			if got := runewidth.StringWidth(strings.TrimSuffix(line, "\n")); got > width {
				t.Errorf("%d cells of %d: %s", got, width, line)
			}
		}
	}
}

func TestTableOfLongCells(t *testing.T) {
	var b bytes.Buffer
	rows := []Row{{ID: strings.Repeat("x", 200)}, {ID: "a\nb\u202ec\u2028d"}}
	if err := WriteTable(&b, spool(t, Layout{}, rows...), Layout{}, TableStyle{Width: 200}); err != nil {
		t.Fatal(err)
	}
	if got, want := b.String(), "id\n"+strings.Repeat("x", cellWidth-1)+"…\na b c d\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
