package dataset

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"math"

	"github.com/klauspost/compress/zstd"
)

// maxZstdMemory bounds the window that a zstd file may ask for. The format
// allows terabytes; "zstd --ultra -22 --long=27" needs 128 MiB.
const maxZstdMemory = 256 << 20

// An input is the decompressed bytes of one source, read by lines. The unread
// bytes stay in one buffer, so a caller can look at as many lines as fit in the
// limit before it consumes any.
type input struct {
	r     io.Reader
	file  io.ReaderAt // of a Parquet file, which is not read by lines
	size  int64       // of that
	kind  string      // "gzip", "zstd" or "", for errors
	close func()

	buf  []byte
	pos  int   // buf[:pos] is consumed
	err  error // from r, once it has reported one
	idle int   // reads in a row that gave nothing

	encoding Encoding // that the data is converted from, if it is

	line int // number of the line that begins at pos, from 1
	max  int // limit of a row in bytes, without its line end
}

// errLong is returned for a line that ends beyond the limit.
var errLong = errors.New("too long")

// newInput opens src and finds out how it is compressed. What the first bytes
// say counts, not the name: files are renamed, and some downloads unpacked.
func newInput(src Source, opts Options) (*input, error) {
	f, err := src.open()
	if err != nil {
		return nil, fileError(src.name, err)
	}
	in := &input{close: func() { f.Close() }, line: 1, max: DefaultMaxRowBytes}
	if opts.MaxRowBytes > 0 {
		in.max = min(opts.MaxRowBytes, math.MaxInt/4)
	}
	if src.line > 0 {
		in.r, in.line = f, src.line
		return in, nil
	}
	br := bufio.NewReader(f)
	head, err := br.Peek(4)
	if err != nil && err != io.EOF {
		in.close()
		return nil, fileError(src.name, err)
	}
	if auto := opts.Format == FormatAuto || opts.Format == FormatParquet; auto && isParquet(head) {
		return in, in.openParquet(src, f, br)
	}
	if err := in.decompress(br, head); err != nil {
		in.close()
		return nil, fmt.Errorf("%s: %s data: %w", src.name, in.kind, err)
	}
	if err := in.convert(opts.Encoding); err != nil {
		in.close()
		return nil, fmt.Errorf("%s: %w", src.name, err)
	}
	return in, nil
}

// openParquet sets in.file.
func (in *input) openParquet(src Source, f, begun io.Reader) (err error) {
	closeFile, remove := in.close, func() {}
	if in.file, in.size, remove, err = parquetFile(f, begun); err != nil {
		closeFile()
		return fileError(src.name, err)
	}
	in.close = func() { remove(); closeFile() }
	return nil
}

// decompress sets in.r by the magic bytes at the start.
func (in *input) decompress(r io.Reader, head []byte) error {
	closeFile := in.close
	switch {
	case isGzip(head):
		in.kind = "gzip"
		in.r = &lazyGzip{file: r}
	case isZstd(head):
		in.kind = "zstd"
		z, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1),
			zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxMemory(maxZstdMemory))
		if err != nil {
			return err
		}
		in.r = z
		in.close = func() { z.Close(); closeFile() }
	default:
		in.r = r
	}
	return nil
}

// A lazyGzip reads the gzip header with the first data, so that a broken header
// is reported like any other break.
type lazyGzip struct {
	file io.Reader
	z    *gzip.Reader
}

func (l *lazyGzip) Read(p []byte) (int, error) {
	if l.z == nil {
		z, err := gzip.NewReader(l.file)
		if err != nil {
			return 0, err
		}
		l.z = z
	}
	return l.z.Read(p)
}

func isGzip(head []byte) bool {
	return bytes.HasPrefix(head, []byte{0x1f, 0x8b})
}

// isZstd also knows the skippable frame that may come first.
func isZstd(head []byte) bool {
	return bytes.HasPrefix(head, []byte{0x28, 0xb5, 0x2f, 0xfd}) ||
		len(head) >= 4 && head[0]&0xf0 == 0x50 && bytes.Equal(head[1:4], []byte{0x2a, 0x4d, 0x18})
}

// data returns the bytes that are read and not consumed. They are valid until
// the next call of lineEnd.
func (in *input) data() []byte { return in.buf[in.pos:] }

// lineEnd returns the offset in data after the line that begins at offset from,
// its line break included. The error is io.EOF when nothing follows, errLong
// when data up to there would pass the limit, or what broke the reader: half a
// line before that is not returned.
func (in *input) lineEnd(from int) (int, error) {
	for scanned := from; ; {
		if i := bytes.IndexByte(in.data()[scanned:], '\n'); i >= 0 {
			return in.within(scanned + i + 1)
		}
		scanned = len(in.data())
		switch {
		case in.err == io.EOF && scanned == from:
			return 0, io.EOF
		case in.err == io.EOF:
			return in.within(scanned)
		case in.err != nil:
			return 0, in.err
		case scanned > in.max+len("\r\n"):
			return 0, errLong
		}
		in.fill()
	}
}

// peekLine returns the first line that is not blank, nor being erased if those are passed
// over, or as much of it as the limit allows, and consumes nothing.
func (in *input) peekLine(passErased bool) ([]byte, error) {
	for from := 0; ; {
		end, err := in.lineEnd(from)
		if err == errLong {
			return in.data()[from:], nil
		}
		if err != nil {
			return nil, err
		}
		if line := in.data()[from:end]; len(bytes.TrimSpace(line)) > 0 && !(passErased && line[0] == erasing) {
			return bytes.TrimLeft(line, " \r\n"), nil
		}
		from = end
	}
}

// within checks data()[:end] against the limit.
func (in *input) within(end int) (int, error) {
	if len(trimEOL(in.data()[:end])) > in.max {
		return 0, errLong
	}
	return end, nil
}

// consume moves on by n bytes.
func (in *input) consume(n int) {
	in.line += bytes.Count(in.data()[:n], []byte("\n"))
	in.pos += n
}

// skipLine consumes the line at hand, however long, without keeping it.
func (in *input) skipLine() {
	for {
		if i := bytes.IndexByte(in.data(), '\n'); i >= 0 {
			in.consume(i + 1)
			return
		}
		in.pos = len(in.buf)
		if in.err != nil {
			return
		}
		in.fill()
	}
}

// fill reads once more behind the unread bytes.
func (in *input) fill() {
	if len(in.buf) == cap(in.buf) {
		in.makeRoom()
	}
	n, err := in.r.Read(in.buf[len(in.buf):cap(in.buf)])
	in.buf = in.buf[:len(in.buf)+n]
	if in.idle++; n > 0 {
		in.idle = 0
	} else if err == nil && in.idle == 100 {
		err = io.ErrNoProgress
	}
	if err != nil && err != io.EOF {
		err = &readError{err}
	}
	in.err = err
}

// A readError is an error of the file or its compression, as opposed to one of
// what the rows say.
type readError struct{ err error }

func (e *readError) Error() string { return e.err.Error() }

// makeRoom moves the unread bytes to the front, into a larger buffer when they
// fill more than half of it. No more than max bytes and a line break are unread
// then (see lineEnd), so max plus one chunk is the most that is ever needed.
func (in *input) makeRoom() {
	const chunk = 64 << 10
	unread, to := in.data(), in.buf[:0]
	if size := min(2*cap(in.buf)+chunk, in.max+chunk); len(unread) >= cap(in.buf)/2 && size > cap(in.buf) {
		to = make([]byte, 0, size)
	}
	in.buf, in.pos = append(to, unread...), 0
}

// trimEOL cuts "\n" or "\r\n" off a line, and "\r" off one that the end of the
// file has cut between the two.
func trimEOL(line []byte) []byte {
	line = bytes.TrimSuffix(line, []byte("\n"))
	return bytes.TrimSuffix(line, []byte("\r"))
}
