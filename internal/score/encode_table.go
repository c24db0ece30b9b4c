package score

import (
	"bufio"
	"fmt"
	"io"
	"strings"
	"unicode"

	"github.com/mattn/go-runewidth"
)

// A TableStyle says how a table looks.
type TableStyle struct {
	Width  int  // of a line, in cells of a terminal; 0: as wide as it gets
	Colour bool // mark errors and what was not labelled
}

const (
	cellWidth  = 60 // of a column at most, when lines have a limit
	leastWidth = 8  // that a column is cut to
	gap        = "  "
)

// terminal knows how wide characters are. Where that depends on the language of
// the user, they are narrow: tables are to be the same for all.
var terminal = &runewidth.Condition{StrictEmojiNeutral: true}

// WriteTable writes rows that were written as JSONL as a table for people: the
// id, a column a head with the label and its probability or the reason for none,
// evidence if there is any, the columns of the input, and errors. The rows are
// read twice.
func WriteTable(w io.Writer, rows io.ReadSeeker, l Layout, style TableStyle) error {
	t := &table{layout: l, style: style}
	for r, err := range spooled(rows, l) {
		if err != nil {
			return err
		}
		t.measure(t.cells(&r))
		t.errors = t.errors || r.Err != nil
	}
	t.measure(t.header())
	t.fit()
	out := bufio.NewWriter(w)
	t.line(out, t.header(), bold)
	for r, err := range spooled(rows, l) {
		if err != nil {
			return err
		}
		t.line(out, t.cells(&r), t.mark(&r))
	}
	return out.Flush()
}

// A table knows how wide its columns are.
type table struct {
	layout Layout
	style  TableStyle
	widths []int
	errors bool // some row has one: there is a column for them
}

func (t *table) header() []string {
	cells := []string{"id"}
	for _, h := range t.layout.Heads {
		cells = append(cells, h.Name)
		if t.layout.Evidence {
			cells = append(cells, h.Name+" because of")
		}
	}
	for _, name := range t.layout.Columns {
		cells = append(cells, oneLine(name))
	}
	if t.layout.More {
		cells = append(cells, "more columns")
	}
	return append(cells, "error")
}

// cells are those of a row.
func (t *table) cells(r *Row) []string {
	cells := []string{oneLine(r.ID)}
	for _, h := range t.layout.Heads {
		answer, why := "", ""
		for i := range r.Predictions {
			if p := &r.Predictions[i]; p.Head == h.Name {
				answer, why = renderAnswer(p), renderEvidence(p.Evidence)
			}
		}
		cells = append(cells, answer)
		if t.layout.Evidence {
			cells = append(cells, why)
		}
	}
	cells = append(cells, t.columns(r)...)
	if r.Err == nil {
		return append(cells, "")
	}
	return append(cells, oneLine(r.Err.Message))
}

// columns are the cells of the input's columns.
func (t *table) columns(r *Row) []string {
	var cells []string
	known := map[string]bool{}
	for _, name := range t.layout.Columns {
		cell := ""
		if v, ok := lookUp(r, name); ok {
			cell = plainText(v)
		}
		known[name] = true
		cells = append(cells, oneLine(cell))
	}
	if !t.layout.More {
		return cells
	}
	var more []string
	for _, v := range r.Columns {
		if !known[v.Name] {
			more = append(more, oneLine(v.Name+"="+plainText(v)))
		}
	}
	return append(cells, strings.Join(more, " "))
}

// renderAnswer is the label, or the reason for none, and the probability.
func renderAnswer(p *Prediction) string {
	what := p.Label
	if what == "" {
		what = "(" + strings.ToLower(strings.ReplaceAll(p.Decision, "_", " ")) + ")"
	}
	return fmt.Sprintf("%s %.2f", oneLine(what), p.Probability)
}

func renderEvidence(terms []Evidence) string {
	var list []string
	for _, e := range terms {
		list = append(list, oneLine(e.Term))
	}
	return strings.Join(list, ", ")
}

// oneLine makes control characters, which could upset a terminal, spaces.
func oneLine(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == '\u2028' || r == '\u2029' || unicode.Is(unicode.Bidi_Control, r) {
			return ' '
		}
		return r
	}, s)
}

// measure widens the columns to the cells.
func (t *table) measure(cells []string) {
	if t.widths == nil {
		t.widths = make([]int, len(cells))
	}
	for i, cell := range cells {
		t.widths[i] = max(t.widths[i], terminal.StringWidth(cell))
	}
}

// fit cuts the widest columns until a line has its width.
func (t *table) fit() {
	if !t.errors {
		t.widths = t.widths[:len(t.widths)-1]
	}
	if t.style.Width == 0 {
		return
	}
	total := -len(gap)
	for i := range t.widths {
		t.widths[i] = min(t.widths[i], cellWidth)
		total += t.widths[i] + len(gap)
	}
	for ; total > t.style.Width; total-- {
		widest := 0
		for i, w := range t.widths {
			if w > t.widths[widest] {
				widest = i
			}
		}
		if t.widths[widest] <= leastWidth {
			return
		}
		t.widths[widest]--
	}
}

// The marks of lines, as terminals know them.
const (
	bold   = "\x1b[1m"
	red    = "\x1b[31m"
	yellow = "\x1b[33m"
	normal = "\x1b[0m"
)

// mark is that of a row: an error, or a head that has no label.
func (t *table) mark(r *Row) string {
	if r.Err != nil {
		return red
	}
	for _, p := range r.Predictions {
		if p.Label == "" {
			return yellow
		}
	}
	return ""
}

// line writes a line without white space at its end.
func (t *table) line(out *bufio.Writer, cells []string, mark string) {
	var b strings.Builder
	for i, width := range t.widths {
		text := cells[i]
		if terminal.StringWidth(text) > width {
			text = terminal.Truncate(text, width, "…")
		}
		b.WriteString(terminal.FillRight(text, width) + gap)
	}
	line := strings.TrimRight(b.String(), " ")
	if mark != "" && t.style.Colour {
		line = mark + line + normal
	}
	out.WriteString(line + "\n") // an error comes again when all is flushed
}
