// Package cut cuts files into pieces that workers read at the same time, so that
// the rows of all pieces are those of the files, each with its own line number.
//
// Files of JSON lines that are neither packed nor in another encoding than UTF-8
// are cut every so many bytes: a line belongs to the piece in which it begins.
// Which number it has is known once the line ends of the pieces before it have
// been counted, which workers do too, before they read rows. All other files are
// read whole, each by one worker: a quote in CSV may span lines, packed bytes
// cannot be entered in the middle.
//
//	place.File -> Chunk -> Scanned -> Piece -> dataset.Source
package cut

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"path"
	"strings"
	"unicode/utf8"

	"github.com/parley-nlp/parley/internal/dataset"

	"github.com/parley-nlp/parley/beam/internal/place"
)

// A Chunk is the bytes From to To of a file, number Index of Of.
type Chunk struct {
	Part      int // number among the chunks of all files
	File      int // number of the file
	Name, URL string
	Index, Of int
	From, To  int64
}

// Count is how many chunks of size bytes there are of files.
func Count(files []place.File, format dataset.Format, size int64) (n int64) {
	for _, f := range files {
		n += count(f, format, size)
	}
	return n
}

func count(f place.File, format dataset.Format, size int64) int64 {
	if !mayBeCut(f.Name, format) || f.Bytes == 0 {
		return 1
	}
	return (f.Bytes-1)/size + 1
}

// Chunks cuts files into chunks of size bytes.
func Chunks(files []place.File, format dataset.Format, size int64) []Chunk {
	var list []Chunk
	for i, f := range files {
		n := count(f, format, size)
		for k := range n {
			list = append(list, Chunk{
				Part: len(list), File: i, Name: f.Name, URL: f.URL,
				Index: int(k), Of: int(n), From: f.Bytes * k / n, To: f.Bytes * (k + 1) / n,
			})
		}
	}
	return list
}

// mayBeCut reports whether a file may be JSON lines that are not packed; whether
// it is, its bytes tell.
func mayBeCut(name string, format dataset.Format) bool {
	ext := strings.ToLower(path.Ext(name))
	return ext != ".gz" && ext != ".zst" &&
		(format == dataset.FormatJSONL || format == dataset.FormatAuto && (ext == ".jsonl" || ext == ".ndjson"))
}

// A Piece is what one worker reads: the lines that begin in the bytes From to To
// of a file, or the whole file.
type Piece struct {
	Part      int
	Name, URL string
	Whole     bool
	From, To  int64
	Before    int64 // line ends before From
}

// Whole is the piece of a chunk that is its whole file.
func (c Chunk) Whole() Piece { return Piece{Part: c.Part, Name: c.Name, URL: c.URL, Whole: true} }

// A Scanned is what a look at a chunk shows.
type Scanned struct {
	Chunk
	Lines   int64 // line ends
	Plain   bool  // of the first chunk of a file: dataset.Cuttable
	Beyond  bool  // there are bytes beyond ASCII,
	Invalid bool  // the first of which is no UTF-8
}

// Scan counts the line ends of a chunk.
func (c Chunk) Scan(ctx context.Context, o dataset.Options) (Scanned, error) {
	s := Scanned{Chunk: c}
	if c.Index == 0 {
		var err error
		if s.Plain, err = dataset.Cuttable(c.Whole().Source(ctx), o); err != nil {
			return s, err
		}
	}
	r, err := place.Open(ctx, c.URL, c.From)
	if err != nil {
		return s, err
	}
	defer r.Close()
	b := bufio.NewReaderSize(r, 64<<10)
	for left := c.To - c.From; left > 0; {
		block, err := b.Peek(int(min(left, 64<<10)))
		if len(block) == 0 {
			return s, lost(c.Name, err)
		}
		s.Lines += int64(bytes.Count(block, []byte{'\n'}))
		if at := beyondASCII(block); at >= 0 && !s.Beyond {
			if at > 0 { // what follows may lie beyond the block
				s.Lines -= int64(bytes.Count(block[at:], []byte{'\n'}))
				block = block[:at]
			} else {
				first, _ := b.Peek(utf8.UTFMax)
				r, n := utf8.DecodeRune(first)
				s.Beyond, s.Invalid = true, r == utf8.RuneError && n <= 1
			}
		}
		b.Discard(len(block))
		left -= int64(len(block))
	}
	return s, nil
}

// lost is the error of a file that ends early.
func lost(name string, err error) error {
	if err == nil || err == io.EOF {
		err = errors.New("it has become shorter")
	}
	return &placeError{name, err}
}

type placeError struct {
	name string
	err  error
}

func (e *placeError) Error() string { return e.name + ": " + e.err.Error() }
func (e *placeError) Unwrap() error { return e.err }

// beyondASCII is the place of the first byte that is not ASCII, -1 when all are.
func beyondASCII(b []byte) int {
	for i, c := range b {
		if c >= utf8.RuneSelf {
			return i
		}
	}
	return -1
}

// Pieces makes the pieces of the chunks of one file, which must be all, in their
// order. A file that turns out not to be one that can be cut is the first piece.
func Pieces(chunks []Scanned) []Piece {
	first := chunks[0]
	whole := !first.Plain
	for _, s := range chunks {
		if s.Beyond { // the first such byte tells the encoding of the rest
			whole = whole || s.Invalid
			break
		}
	}
	var list []Piece
	lines := int64(0)
	for _, s := range chunks {
		p := Piece{Part: s.Part, Name: s.Name, URL: s.URL, From: s.From, To: s.To, Before: lines}
		if whole {
			p.From, p.To, p.Whole = 0, 0, s.Index == 0
		}
		list, lines = append(list, p), lines+s.Lines
	}
	return list
}
