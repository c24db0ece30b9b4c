package predictionlog

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// Forget erases the rows whose text matches from the log at path and its older
// files, and returns how many. It overwrites them with spaces, where they are:
// a server may be writing the log, and a full disk is no hindrance. Readers skip
// such lines. What was erased is so on the disk when Forget returns.
//
// Forget can be interrupted at any moment and run again: a row that it has begun
// to erase begins with Erasing, is skipped by readers, and is erased by whichever
// Forget comes next. Rows that wait in the queue of a server are not in the file
// yet; Log.Forget waits for them. A log that is not there, or that is no file, has
// no rows. If a file fails, the others are gone through all the same.
func Forget(ctx context.Context, path string, match Match) (erased int, err error) {
	var done []fs.FileInfo
	for fresh := true; fresh && ctx.Err() == nil; { // files move on while a server rotates them
		fresh = false
		names, listErr := files(path)
		if listErr != nil {
			return erased, fmt.Errorf("prediction log: %w", listErr)
		}
		for _, name := range names {
			n, info, fileErr := forgetIn(ctx, name, match, done)
			erased += n
			if fileErr != nil {
				err = errors.Join(err, fmt.Errorf("prediction log: %w", fileErr))
			}
			if info != nil {
				done, fresh = append(done, info), true
			}
		}
	}
	return erased, errors.Join(err, ctx.Err())
}

// Forget does what the function does, once what is queued has been written. A nil
// log has no rows.
func (l *Log) Forget(ctx context.Context, match Match) (erased int, err error) {
	if l == nil {
		return 0, nil
	}
	if err := l.flush(ctx); err != nil {
		return 0, err
	}
	return Forget(ctx, l.cfg.Path, match)
}

// flush waits until the rows that are queued have been written, or could not be.
func (l *Log) flush(ctx context.Context) error {
	flushed := make(chan struct{})
	if err := l.enqueue(ctx, &Row{flushed: flushed}); err != nil {
		return err
	}
	select {
	case <-flushed:
	case <-l.done:
	case <-ctx.Done():
		return ctx.Err()
	}
	return nil
}

// enqueue waits for a place in the queue. After Close there is no queue.
func (l *Log) enqueue(ctx context.Context, r *Row) error {
	l.mu.RLock()
	defer l.mu.RUnlock()
	if l.end {
		return nil
	}
	select {
	case l.queue <- r:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// files are the names of a log's files, the newest first: while they are gone
// through, a server may rename them the other way.
func files(path string) ([]string, error) {
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	var numbers []int
	for _, e := range entries {
		digits, found := strings.CutPrefix(e.Name(), filepath.Base(path)+".")
		if n, err := strconv.Atoi(digits); found && err == nil && n > 0 && strconv.Itoa(n) == digits {
			numbers = append(numbers, n)
		}
	}
	slices.Sort(numbers)
	names := []string{path}
	for _, n := range numbers {
		names = append(names, fmt.Sprintf("%s.%d", path, n))
	}
	return names, nil
}

// forgetIn is Forget for one file. info is nil if that is not there, no regular
// file, or among those that are done.
func forgetIn(ctx context.Context, name string, match Match, done []fs.FileInfo) (erased int, info fs.FileInfo, err error) {
	if stat, err := os.Stat(name); errors.Is(err, fs.ErrNotExist) || err == nil && !stat.Mode().IsRegular() {
		return 0, nil, nil // to open a pipe would wait for its other end
	}
	f, err := os.OpenFile(name, os.O_RDWR, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil, nil // moved on
	}
	if err != nil {
		return 0, nil, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	info, err = f.Stat()
	if err != nil {
		return 0, nil, err
	}
	if slices.ContainsFunc(done, func(d fs.FileInfo) bool { return os.SameFile(d, info) }) {
		return 0, nil, nil
	}
	erased, err = (&eraser{ctx: ctx, f: f, match: match}).run()
	if err != nil {
		err = fmt.Errorf("%s: %w", name, err)
	}
	return erased, info, err
}

// An eraser erases rows of a file.
type eraser struct {
	ctx   context.Context
	f     *os.File
	match Match
	found []span
}

// A span is where a row is in the file, without the end of its line.
type span struct{ from, to int64 }

// run looks for rows while the writer goes on. Then it has the file for itself, to
// look at what came meanwhile and to erase: rows that were written cannot be taken
// back by the writer then, and the last one is whole unless its writer died.
func (e *eraser) run() (int, error) {
	end, err := e.scan(0, false)
	if err != nil {
		return 0, err
	}
	if err := lock(e.ctx, e.f); err != nil {
		return 0, fmt.Errorf("lock: %w", err)
	}
	defer unlock(e.f)
	if e.found, err = e.stillThere(); err != nil {
		return 0, err
	}
	if _, err := e.scan(end, true); err != nil {
		return 0, err
	}
	if len(e.found) == 0 {
		return 0, nil
	}
	return e.erase()
}

// maxLine is how long a row may be.
const maxLine = 128 << 20

// scan looks for rows from an offset on, and returns the offset after the last whole
// line. One without an end counts only if it is the last for sure.
func (e *eraser) scan(from int64, last bool) (int64, error) {
	lines := bufio.NewScanner(io.NewSectionReader(e.f, from, 1<<62))
	lines.Buffer(make([]byte, 64<<10), maxLine)
	lines.Split(func(data []byte, atEOF bool) (int, []byte, error) {
		if i := bytes.IndexByte(data, '\n'); i >= 0 {
			return i + 1, data[:i+1], nil
		}
		if atEOF && last && len(data) > 0 {
			return len(data), data, nil
		}
		return 0, nil, nil
	})
	for n := 0; lines.Scan(); n++ {
		line := lines.Bytes()
		row := bytes.TrimSuffix(line, []byte("\n"))
		if e.wanted(row) {
			e.found = append(e.found, span{from, from + int64(len(row))})
		}
		from += int64(len(line))
		if n%1024 == 0 && e.ctx.Err() != nil {
			return from, e.ctx.Err()
		}
	}
	if err := lines.Err(); err != nil {
		return from, fmt.Errorf("at byte %d: %w", from, err)
	}
	return from, nil
}

// wanted tells whether a row is to be erased.
func (e *eraser) wanted(line []byte) bool {
	if len(line) == 0 {
		return false
	}
	if line[0] == Erasing {
		return true
	}
	var row struct {
		Text  string `json:"text"`
		Input Input  `json:"input"`
	}
	if err := json.Unmarshal(line, &row); err != nil {
		return slices.ContainsFunc(broken(line), func(text string) bool { return e.match(text, true) })
	}
	return e.match(row.Text, row.Input.Truncated)
}

// broken are the beginnings of texts in a line that is no row: its writer died
// before its end, and another may have gone on in the same line.
func broken(line []byte) []string {
	var texts []string
	for rest := line; ; {
		_, after, found := bytes.Cut(rest, []byte(`"text":"`))
		if !found {
			return texts
		}
		for _, end := range []int{stringEnd(after), bytes.Index(after, []byte(`{"id":"`))} {
			if end < 0 {
				continue
			}
			for cut := range min(end, len(`\u0000`)) + 1 { // an escape may be incomplete
				var text string
				if json.Unmarshal(slices.Concat([]byte{'"'}, after[:end-cut], []byte{'"'}), &text) == nil && text != "" {
					texts = append(texts, strings.TrimRight(text, "\uFFFD")) // half a character
					break
				}
			}
		}
		rest = after
	}
}

// stringEnd is the offset of the quotation mark that ends a JSON string, or of the
// end of the bytes.
func stringEnd(b []byte) int {
	for i := 0; i < len(b); i++ {
		switch b[i] {
		case '"':
			return i
		case '\\':
			i++
		}
	}
	return len(b)
}

// stillThere are the rows found that are as they were: the writer takes back what it
// could not write whole.
func (e *eraser) stillThere() ([]span, error) {
	var there []span
	for _, s := range e.found {
		line := make([]byte, s.to-s.from)
		_, err := e.f.ReadAt(line, s.from)
		if err != nil && !errors.Is(err, io.EOF) {
			return nil, err
		}
		if err == nil && bytes.IndexByte(line, '\n') < 0 && e.wanted(line) {
			there = append(there, s)
		}
	}
	return there, nil
}

// Erasing begins a row that is being erased: the sign CANCEL, with which no row of
// any format begins.
const Erasing = 0x18

// erase overwrites the rows found. Each step is on the disk before the next, so
// that at every moment a row is whole, or skipped by readers.
func (e *eraser) erase() (int, error) {
	for _, step := range []func(span) error{
		func(s span) error { return e.put(s.from, []byte{Erasing}) },
		func(s span) error { return e.blank(s.from+1, s.to) },
		func(s span) error { return e.blank(s.from, s.from+1) },
	} {
		for _, s := range e.found {
			if err := step(s); err != nil {
				return 0, err
			}
		}
		if err := e.f.Sync(); err != nil {
			return 0, err
		}
	}
	return len(e.found), nil
}

// blank overwrites bytes with spaces.
func (e *eraser) blank(from, to int64) error {
	spaces := bytes.Repeat([]byte{' '}, int(min(to-from, 64<<10)))
	for from < to {
		part := spaces[:min(to-from, int64(len(spaces)))]
		if err := e.put(from, part); err != nil {
			return err
		}
		from += int64(len(part))
	}
	return nil
}

func (e *eraser) put(at int64, b []byte) error {
	_, err := e.f.WriteAt(b, at)
	return err
}
