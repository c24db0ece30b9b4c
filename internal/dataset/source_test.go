package dataset

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"testing/iotest"

	"github.com/klauspost/compress/zstd"
)

// TestFormats reads the same three rows from every file of testdata/formats.
func TestFormats(t *testing.T) {
	want, err := os.ReadFile("testdata/formats.want")
	if err != nil {
		t.Fatal(err)
	}
	names, err := filepath.Glob("testdata/formats/*")
	if err != nil || len(names) == 0 {
		t.Fatalf("no files in testdata/formats: %v", err)
	}
	for _, name := range names {
		srcs, err := Files([]string{name}, nil)
		if err != nil {
			t.Fatal(err)
		}
		t.Run(filepath.Base(name), func(t *testing.T) {
			var got []string
			for _, line := range dump(srcs[0], Options{}) {
				_, row, _ := strings.Cut(line, ": ")
				got = append(got, row)
			}
			compare(t, got, strings.Split(strings.TrimSpace(string(want)), "\n"))
		})
	}
}

// TestFormatWinsOverName: the option decides, then the name, then the data.
func TestFormatWinsOverName(t *testing.T) {
	for _, test := range []struct {
		name   string
		format Format
		data   string
		want   string
	}{
		{"in.csv", FormatJSONL, "{\"text\":\"a,b\"}", `1: "a,b"`},
		{"in.jsonl", FormatCSV, "text,n\na,1", `2: "a"`},
		{"in.jsonl", FormatTSV, "text\tn\na\t1", `2: "a"`},
		{"IN.TSV.GZ", FormatAuto, "text\nhe said \"a\"", `2: "he said \"a\""`},
		{"-", FormatAuto, "\n {\"text\":\"a\"}", `2: "a"`},
		{"-", FormatAuto, "text\tn\na\t1", `2: "a"`},
		{"-", FormatAuto, "text;n\na;1", `2: "a"`},
		{"-", FormatAuto, "text\na", `2: "a"`},
		{"-", FormatAuto, "[1]", "final: -: the file begins with a JSON array: want one object a line"},
	} {
		compare(t, dump(text(test.name, test.data), Options{NoLabels: true, Format: test.format}), []string{test.want})
	}
}

func names(srcs []Source) []string {
	var names []string
	for _, s := range srcs {
		names = append(names, s.Name())
	}
	return names
}

// tree writes files into a new directory and makes it the current one.
func tree(t *testing.T, files ...string) {
	t.Helper()
	t.Chdir(t.TempDir())
	for _, name := range files {
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte("{\"text\":\"a\"}\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func TestFiles(t *testing.T) {
	tree(t, "d/b.jsonl", "d/a.csv.gz", "d/B.TSV", "d/c/x.tab", "d/c.ndjson.zst", "d/README.md", "d/e.gz",
		"d/.hidden.csv", "d/.git/x.csv", "other.txt", "none/README")
	if err := os.Symlink("../other.txt", "d/link.csv"); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("..", "d/up.csv"); err != nil {
		t.Fatal(err)
	}
	srcs, err := Files([]string{"other.txt", "-", "d"}, strings.NewReader("text\nstdin\n"))
	if err != nil {
		t.Fatal(err)
	}
	compare(t, names(srcs), []string{"other.txt", "-", filepath.Join("d", "B.TSV"), filepath.Join("d", "a.csv.gz"),
		filepath.Join("d", "b.jsonl"), filepath.Join("d", "c", "x.tab"), filepath.Join("d", "c.ndjson.zst"),
		filepath.Join("d", "link.csv")})
	compare(t, dump(srcs[1], Options{NoLabels: true}), []string{`2: "stdin"`})

	for _, test := range []struct {
		paths []string
		stdin io.Reader
		want  string
	}{
		{[]string{"nosuch.csv"}, nil, "nosuch.csv: no such file or directory"},
		{[]string{"none"}, nil, "none: no data files (.jsonl, .ndjson, .csv, .tsv or .tab, also with .gz or .zst, or .parquet)"},
		{[]string{"-"}, nil, "-: there is no standard input"},
		{[]string{"-", "-"}, strings.NewReader(""), "-: standard input is given twice"},
	} {
		if _, err := Files(test.paths, test.stdin); err == nil || err.Error() != test.want {
			t.Errorf("Files(%q): got error %v, want %s", test.paths, err, test.want)
		}
	}
}

func TestBrokenLinkIsAnError(t *testing.T) {
	tree(t, "d/a.csv")
	if err := os.Symlink("nosuch", "d/b.csv"); err != nil {
		t.Fatal(err)
	}
	if _, err := Files([]string{"d"}, nil); err == nil || err.Error() != "d/b.csv: no such file or directory" {
		t.Errorf("got error %v", err)
	}
}

func TestFS(t *testing.T) {
	fsys := fstest.MapFS{
		"b/rows.csv": {Data: []byte("text\nb\n")},
		"a.jsonl":    {Data: []byte("{\"text\":\"a\"}\n")},
		"c.txt":      {Data: []byte("c")},
	}
	srcs, err := FS(fsys)
	if err != nil {
		t.Fatal(err)
	}
	compare(t, names(srcs), []string{"a.jsonl", "b/rows.csv"})
	for range 2 { // a source can be read again
		compare(t, dump(srcs[1], Options{NoLabels: true}), []string{`2: "b"`})
	}
	if _, err := FS(fstest.MapFS{"c.txt": {}}); err == nil || !strings.HasPrefix(err.Error(), ".: no data files (") {
		t.Errorf("got error %v", err)
	}
}

func TestOpenErrors(t *testing.T) {
	tree(t, "d/a.csv", "a.csv")
	if err := os.Remove("a.csv"); err != nil {
		t.Fatal(err)
	}
	denied := Source{name: "x.csv", open: func() (io.ReadCloser, error) {
		return nil, &fs.PathError{Op: "open", Path: "/somewhere/x.csv", Err: fs.ErrPermission}
	}}
	for _, test := range []struct {
		src  Source
		want string
	}{
		{file("d"), "d: is a directory"},
		{file("a.csv"), "a.csv: no such file or directory"},
		{denied, "x.csv: permission denied"},
		{Reader("x.csv", iotest.ErrReader(errors.New("cable cut"))), "x.csv: cable cut"},
		{Reader("x.csv", idle{}), "x.csv: multiple Read calls return no data or error"},
	} {
		compare(t, dump(test.src, Options{}), []string{"final: " + test.want})
	}
}

// idle is a reader that never gives anything.
type idle struct{}

func (idle) Read([]byte) (int, error) { return 0, nil }

func gzipped(data string) string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	io.WriteString(w, data)
	w.Close()
	return b.String()
}

func zstded(t *testing.T, data string, opts ...zstd.EOption) string {
	var b bytes.Buffer
	w, err := zstd.NewWriter(&b, opts...)
	if err != nil {
		t.Fatal(err)
	}
	io.WriteString(w, data)
	w.Close()
	return b.String()
}

// TestBrokenCompression: rows before the break are read, half a row is not.
func TestBrokenCompression(t *testing.T) {
	const rows = "{\"text\":\"a\"}\n{\"text\":\"b\"}\n{\"text\":\"c\"}"
	gz, zst := gzipped(rows), zstded(t, rows)
	read := []string{`1: "a"`, `2: "b"`}
	for _, test := range []struct {
		name, data string
		rows       []string
		want       string
	}{
		{"truncated gzip", gz[:len(gz)-8], read, "in.jsonl: gzip data broken after row 2 (line 2): unexpected EOF"},
		{"gzip checksum", gz[:len(gz)-8] + "12345678", read, "in.jsonl: gzip data broken after row 2 (line 2): gzip: invalid checksum"},
		{"garbage after gzip", gz + "x", read, "in.jsonl: gzip data broken after row 2 (line 2): unexpected EOF"},
		{"gzip header", gz[:5], nil, "in.jsonl: gzip data broken before the first row: unexpected EOF"},
		{"gzip block", gz[:10] + "\xff\xff\xff", nil, "in.jsonl: gzip data broken before the first row: flate: corrupt input before offset 1"},
		{"truncated zstd", zst[:len(zst)-6], nil, "in.jsonl: zstd data broken before the first row: unexpected EOF"},
		{"zstd checksum", zst[:len(zst)-4] + "1234", nil, "in.jsonl: zstd data broken before the first row: CRC check failed"},
		{"zstd header", zst[:5], nil, "in.jsonl: zstd data broken before the first row: unexpected EOF"},
		{"zstd window", "\x28\xb5\x2f\xfd\x00\xa8", nil, "in.jsonl: zstd data broken before the first row: window size exceeded"},
	} {
		t.Run(test.name, func(t *testing.T) {
			compare(t, dump(text("in.jsonl", test.data), Options{NoLabels: true}), append(test.rows, "final: "+test.want))
		})
	}
}

// TestReadFailure: the same for a plain file.
func TestReadFailure(t *testing.T) {
	r := io.MultiReader(strings.NewReader("text\na\nb"), iotest.ErrReader(errors.New("cable cut")))
	compare(t, dump(Reader("in.csv", r), Options{NoLabels: true}), []string{
		`2: "a"`, `final: in.csv: reading failed after row 1 (line 2): cable cut`})
}

// TestSmallReads: where reads end makes no difference.
func TestSmallReads(t *testing.T) {
	const data = "\ufefftext\ttopic\n\"a\n\"\"b\"\tx\r\n\"c\ty\r\n\n\"d\te\"\tz"
	for _, format := range []Format{FormatTSV, FormatCSV, FormatJSONL} {
		opts := Options{Format: format}
		want := dump(text("in", data), opts)
		for _, wrap := range []func(io.Reader) io.Reader{iotest.OneByteReader, iotest.HalfReader, iotest.DataErrReader} {
			compare(t, dump(Reader("in", wrap(strings.NewReader(data))), opts), want)
		}
	}
}

// TestStopping: a caller may stop, and the file is closed then.
func TestStopping(t *testing.T) {
	closed := 0
	src := Source{name: "in.csv", open: func() (io.ReadCloser, error) {
		return &closer{strings.NewReader("text\na\nb\n"), &closed}, nil
	}}
	for range Rows(src, Options{}) {
		break
	}
	for range Rows(src, Options{}) {
	}
	if closed != 2 {
		t.Errorf("closed %d times, want 2", closed)
	}
}

type closer struct {
	io.Reader
	n *int
}

func (c *closer) Close() error { *c.n++; return nil }

// TestMemoryIsBounded reads rows far beyond the limit.
func TestMemoryIsBounded(t *testing.T) {
	const size, limit = 1 << 20, 32 << 10
	for _, test := range []struct{ name, head, fill string }{
		{"in.jsonl", "", "x"}, {"in.csv", "text,n\n", "x"}, {"in.csv", "text,n\n\"", "\n"},
		{"in.tsv", "text\tn\n\"", "xy\n"}, {"in.tsv", "text\tn\n", "\t"}, {"in.csv", "", ","},
	} {
		r := io.MultiReader(strings.NewReader(test.head), io.LimitReader(&endless{[]byte(test.fill), 0}, size))
		rd, err := open(Reader(test.name, r), Options{NoLabels: true, MaxRowBytes: limit})
		if err != nil {
			continue // the header
		}
		for ex, err := range rd.rows {
			if err == nil && len(ex.Text) > limit {
				t.Errorf("%s: text of %d bytes", test.name, len(ex.Text))
			}
		}
		if got, want := cap(rd.in.buf), limit+128<<10; got > want {
			t.Errorf("%s %q: buffer of %d bytes, want at most %d", test.name, test.fill, got, want)
		}
	}
}

// endless repeats a pattern.
type endless struct {
	pattern []byte
	at      int
}

func (e *endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = e.pattern[e.at%len(e.pattern)]
		e.at++
	}
	return len(p), nil
}

func TestByteSize(t *testing.T) {
	for n, want := range map[int]string{64 << 20: "64 MiB", 3 << 10: "3 KiB", 1<<20 + 1: "1048577 bytes", 1: "1 byte"} {
		if got := byteSize(n); got != want {
			t.Errorf("byteSize(%d) = %s, want %s", n, got, want)
		}
	}
}
