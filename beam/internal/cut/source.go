package cut

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"strings"

	"github.com/parley-nlp/parley/internal/dataset"

	"github.com/parley-nlp/parley/beam/internal/place"
)

// Source is what the rows of the piece are read from.
func (p Piece) Source(ctx context.Context) dataset.Source {
	if p.Whole {
		return dataset.Opener(p.Name, func() (io.ReadCloser, error) { return place.Open(ctx, p.URL, 0) })
	}
	if p.From == p.To { // of a file that is read whole as another piece
		return dataset.Part(p.Name, 1, func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader("")), nil })
	}
	line := int(p.Before) + 1
	if p.From == 0 {
		return dataset.Part(p.Name, line, func() (io.ReadCloser, error) { return p.open(ctx, 0) })
	}
	// The line that begins before the piece is the last one's. Its end is that of
	// line number `line`, unless it is the byte before the piece, which counts
	// among those before it: then the piece begins with line `line`.
	ends, err := p.endsBefore(ctx)
	if err != nil {
		return dataset.Opener(p.Name, func() (io.ReadCloser, error) { return nil, err })
	}
	if !ends {
		line++
	}
	return dataset.Part(p.Name, line, func() (io.ReadCloser, error) { return p.open(ctx, p.From-1) })
}

// endsBefore reports whether the byte before the piece is a line end.
func (p Piece) endsBefore(ctx context.Context) (bool, error) {
	r, err := place.Open(ctx, p.URL, p.From-1)
	if err != nil {
		return false, err
	}
	defer r.Close()
	var b [1]byte
	if _, err := io.ReadFull(r, b[:]); err != nil {
		return false, lost(p.Name, err)
	}
	return b[0] == '\n', nil
}

// open opens the lines that begin in the piece; what comes before the first line
// end is skipped unless the piece begins where the file does.
func (p Piece) open(ctx context.Context, from int64) (io.ReadCloser, error) {
	f, err := place.Open(ctx, p.URL, from)
	if err != nil {
		return nil, err
	}
	l := &lines{r: bufio.NewReaderSize(f, 64<<10), file: f, left: p.To - from}
	if p.From > 0 {
		err = l.skipLine()
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return l, nil
}

// A lines reads up to a place, and on to the end of the line there.
type lines struct {
	r    *bufio.Reader
	file io.Closer
	left int64 // bytes up to the place; not positive: behind it
	last byte  // that was read
}

// skipLine drops bytes up to the first line end.
func (l *lines) skipLine() error {
	for l.left > 0 {
		b, err := l.r.ReadSlice('\n')
		l.left -= int64(len(b))
		if len(b) > 0 {
			l.last = b[len(b)-1]
		}
		switch {
		case err == nil:
			return nil
		case err == io.EOF:
			l.left, l.last = 0, '\n'
			return nil
		case err != bufio.ErrBufferFull:
			return err
		}
	}
	l.last = '\n' // no line begins in the piece
	return nil
}

func (l *lines) Read(b []byte) (int, error) {
	if len(b) == 0 {
		return 0, nil
	}
	if l.left > 0 {
		n, err := l.r.Read(b[:min(int64(len(b)), l.left)])
		if l.left -= int64(n); n > 0 {
			l.last = b[n-1]
		}
		return n, err
	}
	if l.last == '\n' {
		return 0, io.EOF
	}
	n, err := l.r.Read(b)
	if at := bytes.IndexByte(b[:n], '\n'); at >= 0 {
		n = at + 1
	}
	if n > 0 {
		l.last = b[n-1]
	}
	return n, err
}

func (l *lines) Close() error { return l.file.Close() }
