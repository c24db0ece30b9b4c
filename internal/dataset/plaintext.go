package dataset

import (
	"bytes"
	"io"
)

// A Split says what a row of plain text is.
type Split int

// The ways to split. Blank lines are no rows.
const (
	SplitLines      Split = iota // a line, as it is
	SplitParagraphs              // a paragraph: see paragraph.go
)

// plainText reads the rows of a text. Its columns are "text", and "group" for
// the name of the file, by whatever names they are asked for.
type plainText struct {
	in          *input
	text, group *column
	name        []byte
	split       Split
	para        paragraph // at hand
}

func newPlainText(r *reader, split Split) *plainText {
	p := &plainText{in: r.in, name: []byte(r.name), split: split}
	p.text, p.group = r.table.column([]byte(r.text.name)), r.table.column([]byte(r.group.name))
	return p
}

// next reads the next row into t.
func (p *plainText) next(t *table) error {
	read := p.line
	if p.split == SplitParagraphs {
		read = p.paragraph
	}
	text, err := read(t)
	if err != nil {
		return err
	}
	if msg := p.in.badBytes(text); msg != "" {
		return badRow(msg)
	}
	t.set(p.text, value{plain, text})
	if p.group != p.text {
		t.set(p.group, value{plain, p.name})
	}
	return nil
}

// line reads a line that is not blank.
func (p *plainText) line(t *table) ([]byte, error) {
	for {
		line, end, err := p.peek()
		if err == errLong {
			return nil, p.tooLong(t)
		}
		if err != nil {
			return nil, err
		}
		begins := p.in.line
		p.in.consume(end)
		if len(bytes.TrimSpace(line)) > 0 {
			t.begin(begins)
			return line, nil
		}
	}
}

// peek returns the next line, and its length with its line break.
func (p *plainText) peek() ([]byte, int, error) {
	end, err := p.in.lineEnd(0)
	if err != nil {
		return nil, 0, err
	}
	return bytes.TrimPrefix(trimEOL(p.in.data()[:end]), []byte(mark)), end, nil
}

// tooLong skips the line at hand.
func (p *plainText) tooLong(t *table) error {
	t.begin(p.in.line)
	p.in.skipLine()
	return badRow("row longer than the limit of " + byteSize(p.in.max))
}

// paragraph reads a paragraph.
func (p *plainText) paragraph(t *table) ([]byte, error) {
	p.para.clear()
	for {
		line, end, err := p.peek()
		switch {
		case err == errLong && p.para.lines == 0:
			return nil, p.tooLong(t)
		case (err == io.EOF || err == errLong) && p.para.lines > 0:
			return p.para.text, nil
		case err != nil:
			return nil, err
		}
		if p.para.lines > 0 && p.para.endsBefore(line) {
			return p.para.text, nil
		}
		if p.para.lines == 0 {
			t.begin(p.in.line)
		}
		p.para.add(line)
		p.in.consume(end)
		if len(p.para.text) > p.in.max {
			return nil, p.skipParagraph()
		}
		if p.para.complete {
			return p.para.text, nil
		}
	}
}

// skipParagraph passes over the rest of a paragraph that is too long.
func (p *plainText) skipParagraph() error {
	for {
		line, end, err := p.peek()
		if err != nil || p.para.endsBefore(line) {
			return badRow("paragraph longer than the limit of " + byteSize(p.in.max))
		}
		p.para.clear()
		p.para.add(line)
		p.in.consume(end)
	}
}
