package dataset

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/parquet-go/parquet-go"
)

// parquetMagic begins and ends a Parquet file.
const parquetMagic = "PAR1"

// maxFooter limits the description at the end of a Parquet file: it is held in
// memory.
const maxFooter = 64 << 20

// parquetBatch is how many rows are read at a time.
const parquetBatch = 64

// parquetRows reads the flat columns of a Parquet file, those that are no lists,
// maps or groups. Rows count from 1; their numbers stand where other formats
// have lines. What parquet-go does not survive is an error of the file.
type parquetRows struct {
	file   *parquet.File
	max    int // bytes of a row
	wanted []*parquetColumn
	group  int // of rows, that is read next
	rows   parquet.RowReadSeekCloser
	batch  []parquet.Row
	at, n  int // of the batch
	row    int // number of the last row
}

// A parquetColumn is one that is read.
type parquetColumn struct {
	*column
	leaf   int // its place among all leaves
	render renderer
	buf    []byte
}

func isParquet(head []byte) bool { return string(head) == parquetMagic }

// parquetFile makes f a file that can be read at any place, by way of a
// temporary one if it is a stream. begun is f from its beginning.
func parquetFile(f io.Reader, begun io.Reader) (io.ReaderAt, int64, func(), error) {
	c, isCounted := f.(counted)
	if isCounted {
		f = c.ReadCloser
	}
	if file, ok := f.(*os.File); ok {
		if info, err := file.Stat(); err == nil && info.Mode().IsRegular() {
			if isCounted {
				return countedAt{file, c.n}, info.Size(), func() {}, nil
			}
			return file, info.Size(), func() {}, nil
		}
	}
	tmp, err := os.CreateTemp("", "classifier-*.parquet")
	if err != nil {
		return nil, 0, nil, err
	}
	remove := func() { tmp.Close(); os.Remove(tmp.Name()) }
	size, err := io.Copy(tmp, begun)
	if err != nil {
		remove()
		return nil, 0, nil, err
	}
	return tmp, size, remove, nil
}

// newParquet opens the file and registers its columns.
func newParquet(r *reader, at io.ReaderAt, size int64) (p *parquetRows, err error) {
	defer survive(&err)
	if err := checkFooter(at, size); err != nil {
		return nil, err
	}
	file, err := parquet.OpenFile(at, size, parquet.SkipPageIndex(true), parquet.SkipBloomFilters(true))
	if err != nil {
		return nil, fmt.Errorf("broken Parquet: %w", err)
	}
	p = &parquetRows{file: file, max: r.in.max}
	var all []*parquetColumn
	for _, c := range file.Root().Columns() {
		column, err := parquetHeader(r, c)
		if err != nil {
			return nil, err
		}
		if column != nil {
			all = append(all, column)
		}
	}
	for _, c := range all {
		if c.wanted || r.table.keepAll || !r.text.has { // all, to guess which may be the text
			p.wanted = append(p.wanted, c)
		}
	}
	return p, nil
}

// checkFooter makes sure that the description which the file has at its end is
// there and not too long: parquet-go would believe its length.
func checkFooter(at io.ReaderAt, size int64) error {
	var tail [8]byte
	if size < int64(len(parquetMagic)+len(tail)) {
		return errors.New("broken Parquet: the file ends early")
	}
	if _, err := at.ReadAt(tail[:], size-int64(len(tail))); err != nil {
		return err
	}
	length := int64(binary.LittleEndian.Uint32(tail[:]))
	switch {
	case string(tail[4:]) != parquetMagic:
		return errors.New("broken Parquet: the file ends early")
	case length > size-int64(len(parquetMagic)+len(tail)):
		return errors.New("broken Parquet: the footer is longer than the file")
	case length > maxFooter:
		return fmt.Errorf("the Parquet footer is longer than the limit of %s", byteSize(maxFooter))
	}
	return nil
}

// parquetHeader registers a column of the file. It is nil for a list, a map or a
// group that nobody asks for.
func parquetHeader(r *reader, c *parquet.Column) (*parquetColumn, error) {
	render := rendererOf(c)
	if render == nil {
		wanted := r.table.byName[c.Name()]
		if wanted != nil && wanted.wanted && wanted != r.id && wanted != r.group && wanted != r.target || r.table.keepAll {
			return nil, fmt.Errorf("column %q is no plain column: %s cannot be read", c.Name(), parquetKind(c))
		}
		return nil, nil
	}
	column := r.table.column([]byte(c.Name()))
	if column == nil {
		if r.table.keepAll {
			return nil, fmt.Errorf("header: %w", errKeepAll)
		}
		return nil, nil
	}
	return &parquetColumn{column: column, leaf: c.Index(), render: render}, nil
}

// parquetKind says what a column is that cannot be read.
func parquetKind(c *parquet.Column) string {
	switch {
	case c.Repeated():
		return "a repeated value"
	case !c.Leaf():
		return "a list, a map or a group"
	}
	return c.Type().String()
}

// next reads the next row into t.
func (p *parquetRows) next(t *table) (err error) {
	defer survive(&err)
	for p.at == p.n {
		if err := p.read(); err != nil {
			return err
		}
	}
	row := p.batch[p.at]
	p.at++
	p.row++
	t.begin(p.row)
	size := 0
	for i, c := range p.wanted {
		v := value{jsonNull, []byte("null")}
		if !row[i].IsNull() {
			c.buf, v.kind = c.render(c.buf[:0], row[i])
			v.raw = c.buf
		}
		if size += len(v.raw); size > p.max {
			return badRow("row longer than the limit of " + byteSize(p.max))
		}
		if msg := badText(v.raw); msg != "" {
			return badRow(fieldName(c.name) + ": " + msg)
		}
		t.set(c.column, v)
	}
	return nil
}

// badText says what is wrong with the bytes of a value, "" if nothing.
func badText(b []byte) string {
	if i := bytes.IndexByte(b, 0); i >= 0 {
		return fmt.Sprintf("NUL byte at byte %d", i+1)
	}
	if i := invalidUTF8(b); i >= 0 {
		return fmt.Sprintf("invalid UTF-8 at byte %d", i+1)
	}
	return ""
}

// read reads the next rows of the group at hand, or goes on to the next group.
func (p *parquetRows) read() error {
	if p.rows == nil {
		groups := p.file.RowGroups()
		if p.group == len(groups) || len(p.wanted) == 0 {
			return io.EOF
		}
		chunks := groups[p.group].ColumnChunks()
		var wanted []parquet.ColumnChunk
		for _, c := range p.wanted {
			wanted = append(wanted, chunks[c.leaf])
		}
		p.rows, p.group = parquet.NewColumnChunkRowReader(wanted), p.group+1
	}
	if p.batch == nil {
		p.batch = make([]parquet.Row, parquetBatch)
	}
	n, err := p.rows.ReadRows(p.batch)
	p.at, p.n = 0, n
	switch {
	case err == io.EOF:
		err = p.rows.Close()
		p.rows = nil
	case err == nil && n == 0:
		err = io.ErrNoProgress
	}
	if err != nil {
		return &readError{err}
	}
	return p.check()
}

// check makes sure that the rows have a value of each column: columns of a broken
// file may differ in length.
func (p *parquetRows) check() error {
	for _, row := range p.batch[:p.n] {
		if len(row) != len(p.wanted) {
			return &readError{errors.New("columns of different lengths")}
		}
	}
	return nil
}

func (p *parquetRows) close() {
	if p.rows != nil {
		p.rows.Close()
	}
}

// survive makes an error of a panic: parquet-go has no promise about what broken
// files do to it.
func survive(err *error) {
	if p := recover(); p != nil {
		*err = &readError{fmt.Errorf("%v", p)}
	}
}
