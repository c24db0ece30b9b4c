package annotate

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// A console is where a session shows and asks.
type console interface {
	// size returns the width and height in cells; a height of 0 has no limit.
	size() (width, height int)
	// show shows lines in place of those before.
	show(lines []string) error
	// drop forgets what was typed before the last show.
	drop()
	// read returns what was typed, io.EOF at the end.
	read(ctx context.Context) (typed, error)
	// suspend lets the shell have the terminal until it gives it back.
	suspend() error
}

// typed is a key, a line, or that the size changed.
type typed struct {
	key     Key
	line    string
	isLine  bool
	resized bool
}

// plainWidth is how wide lines are where nobody knows.
const plainWidth = 80

// maxLine is the longest line that is read, in bytes.
const maxLine = 1 << 16

// plain is a console that is no terminal: answers are lines.
type plain struct {
	in  *bufio.Scanner
	out io.Writer
}

func newPlain(in io.Reader, out io.Writer) *plain {
	s := bufio.NewScanner(in)
	s.Buffer(nil, maxLine)
	return &plain{s, out}
}

func (p *plain) size() (int, int) { return plainWidth, 0 }
func (p *plain) drop()            {}
func (p *plain) suspend() error   { return nil }

func (p *plain) show(lines []string) error {
	_, err := fmt.Fprintf(p.out, "%s\n", strings.Join(lines, "\n"))
	return err
}

func (p *plain) read(ctx context.Context) (typed, error) {
	if err := ctx.Err(); err != nil {
		return typed{}, err
	}
	if p.in.Scan() {
		line := strings.TrimSpace(p.in.Text())
		if !utf8.ValidString(line) {
			return typed{}, errors.New("standard input: not valid UTF-8")
		}
		return typed{line: line, isLine: true}, nil
	}
	switch err := p.in.Err(); {
	case errors.Is(err, bufio.ErrTooLong):
		return typed{}, fmt.Errorf("standard input: a line is longer than %d bytes, the limit", maxLine)
	case err != nil:
		return typed{}, fmt.Errorf("standard input: %w", err)
	}
	return typed{}, io.EOF
}
