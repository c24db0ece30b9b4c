package dataset

import (
	"bytes"
	"regexp"
	"unicode/utf8"
)

// A paragraph is made of lines. It ends at a blank line and at a page break, and
// besides
//
//   - a heading of Markdown is a paragraph, "# so", or underlined with = or -;
//   - a line that is nothing but a page number ("12", "- 12 -", "Page 3 of 9") or
//     a rule ("* * *") is one: what belongs to the page and not to the text stays
//     a row, and nobody has to guess what was left out;
//   - an item of a list begins with a bullet or a number and goes on over the
//     lines below it. "-", "*" and numbers count only after the end of a sentence
//     or another item: lines of prose may begin with them;
//   - a line that is indented below one that is not begins a paragraph, as books
//     do it;
//   - a line of more than wrapRunes characters was not broken by hand: it is a
//     paragraph, whatever is around it.
//
// Lines that were broken by hand are joined by a space; other than that and
// white space at their ends, the text is as it is in the file.
type paragraph struct {
	text     []byte
	lines    int
	last     []byte // the line before, without white space around it
	item     bool   // of a list
	indented bool   // the line before was
	complete bool   // nothing can follow
}

// wrapRunes is the longest line that is taken to be broken by hand.
const wrapRunes = 160

var (
	heading   = regexp.MustCompile(`^#{1,6}[ \t]`)
	furniture = regexp.MustCompile(`^(?i:page[ \t]+|p\. ?|[-–—][ \t]*)?[0-9]{1,4}([ \t]*(of|/)[ \t]*[0-9]{1,4})?([ \t]*[-–—])?$|^([-=_*~#•·][ \t]?){3,}$`)
	underline = regexp.MustCompile(`^(={3,}|-{3,})$`)
	bullet    = regexp.MustCompile(`^[•‣◦▪●○■□➢✓][ \t]*[^ \t]`)
	item      = regexp.MustCompile(`^([-*–]|[0-9]{1,3}\.|\(?([0-9]{1,3}|[a-zA-Z])\))[ \t]+[^ \t]`)
)

// clear begins the next paragraph.
func (p *paragraph) clear() {
	*p = paragraph{text: p.text[:0], last: p.last[:0]}
}

// endsBefore reports whether a line is no part of the paragraph at hand, which
// has lines.
func (p *paragraph) endsBefore(line []byte) bool {
	trimmed := bytes.TrimSpace(line)
	switch {
	case len(trimmed) == 0, line[0] == '\f':
		return true
	case p.lines == 1 && !p.item && underline.Match(trimmed):
		return false
	case p.complete, heading.Match(trimmed), furniture.Match(trimmed), bullet.Match(trimmed), isLong(trimmed):
		return true
	case item.Match(trimmed):
		return p.item || bytes.IndexByte([]byte(".:;!?"), p.last[len(p.last)-1]) >= 0
	}
	return !p.item && !p.indented && isIndented(line)
}

// add adds a line. Blank lines before the first one are passed over.
func (p *paragraph) add(line []byte) {
	trimmed := bytes.TrimSpace(line)
	if len(trimmed) == 0 {
		return
	}
	if p.lines == 1 && !p.item && underline.Match(trimmed) { // of a heading
		p.complete = true
		return
	}
	if p.lines == 0 {
		p.item = bullet.Match(trimmed) || item.Match(trimmed)
		p.complete = heading.Match(trimmed) || furniture.Match(trimmed) || isLong(trimmed)
	} else {
		p.text = append(p.text, ' ')
	}
	p.text, p.last = append(p.text, trimmed...), append(p.last[:0], trimmed...)
	p.lines, p.indented = p.lines+1, isIndented(line)
}

func isLong(line []byte) bool {
	return len(line) > wrapRunes && utf8.RuneCount(line) > wrapRunes
}

func isIndented(line []byte) bool {
	return bytes.HasPrefix(line, []byte("\t")) || bytes.HasPrefix(line, []byte("  "))
}
