package train

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/parley-nlp/parley/internal/model"
)

// A file of statistics is: statisticsMagic, then numbers as uvarints (binary.Uvarint),
// strings with their length before them, and at the end the SHA-256 of all that. Heads
// come in their order, labels, features and marks of rows ascending, cells by head,
// label and fold: the same rows make the same bytes. Strings of features and marks of
// rows are there if the statistics keep them.
const statisticsMagic = "parley statistics 1\n"

// ErrStatistics: the bytes are no file of statistics, or a damaged one.
var ErrStatistics = errors.New("not a file of statistics")

// Sum is the SHA-256 of what Encode returns, in lower-case hexadecimal.
func (s *Statistics) Sum() string {
	sum := sha256.Sum256(s.Encode())
	return hex.EncodeToString(sum[:])
}

// Encode returns the statistics as a file.
func (s *Statistics) Encode() []byte {
	e := &encoder{b: []byte(statisticsMagic)}
	e.numbers(uint64(s.features.Words), uint64(s.features.CharMin), uint64(s.features.CharMax))
	e.numbers(bit(s.strings), bit(s.rows != nil), uint64(len(s.docs)), uint64(len(s.heads)))
	e.numbers(s.docs...)
	e.b = append(e.b, s.sum[:]...)
	renumbered := make([][]int, len(s.heads))
	for h := range s.heads {
		t := &s.heads[h]
		labels, numbers := t.sorted()
		renumbered[h] = make([]int, len(t.labels))
		e.string(t.name)
		e.numbers(uint64(len(labels)))
		for at, n := range numbers {
			renumbered[h][n] = at
			e.string(labels[at])
			e.numbers(t.docs[n]...)
		}
	}
	if s.rows != nil {
		e.rows(s.rows)
	}
	e.words(s, renumbered)
	return checked(e.b)
}

// checked adds the check sum.
func checked(b []byte) []byte {
	sum := sha256.Sum256(b)
	return append(b, sum[:]...)
}

type encoder struct{ b []byte }

func (e *encoder) numbers(list ...uint64) {
	for _, n := range list {
		e.b = binary.AppendUvarint(e.b, n)
	}
}

func (e *encoder) string(s string) {
	e.numbers(uint64(len(s)))
	e.b = append(e.b, s...)
}

func (e *encoder) rows(rows map[rowMark]uint32) {
	e.numbers(uint64(len(rows)))
	for _, mark := range slices.SortedFunc(maps.Keys(rows), func(a, b rowMark) int { return bytes.Compare(a[:], b[:]) }) {
		e.b = append(e.b, mark[:]...)
		e.numbers(uint64(rows[mark]))
	}
}

func bit(b bool) uint64 {
	if b {
		return 1
	}
	return 0
}

func (e *encoder) words(s *Statistics, renumbered [][]int) {
	e.numbers(uint64(s.words.size()))
	last := model.FeatureID(0)
	for id, w := range s.words.sorted {
		e.numbers(uint64(id - last))
		last = id
		e.b = binary.LittleEndian.AppendUint64(e.b, uint64(w.check))
		e.numbers(uint64(w.kind.words), bit(w.kind.counted))
		if s.strings {
			e.string(s.words.name(id))
		}
		for fold := range s.docs {
			e.numbers(uint64(w.has(allRows(fold)).texts))
		}
		cells := relabelled(w.ofLabels(), renumbered)
		e.numbers(uint64(len(cells)))
		for _, c := range cells {
			e.numbers(uint64(c.key.head()), uint64(c.key.label()), uint64(c.key.fold()), uint64(c.texts), c.occurrences)
		}
	}
}

// ReadStatistics reads a file that Encode wrote, and that has the SHA-256 sum, in
// hexadecimal; "" for any. Errors of what is in it are ErrStatistics.
func ReadStatistics(path, sum string) (*Statistics, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	if is := sha256.Sum256(data); sum != "" && !strings.EqualFold(hex.EncodeToString(is[:]), sum) {
		return nil, fmt.Errorf("%s: %w: its SHA-256 is %x, not %s", path, ErrStatistics, is, sum)
	}
	s, err := DecodeStatistics(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return s, nil
}

// DecodeStatistics reads what Encode wrote. Anything else is ErrStatistics: a file is
// taken only if it is whole, in order, and adds up.
func DecodeStatistics(data []byte) (*Statistics, error) {
	body := len(data) - sha256.Size
	if body < len(statisticsMagic) || !bytes.HasPrefix(data, []byte(statisticsMagic)) {
		return nil, ErrStatistics
	}
	if sum := sha256.Sum256(data[:body]); !bytes.Equal(sum[:], data[body:]) {
		return nil, fmt.Errorf("%w: its check sum is wrong", ErrStatistics)
	}
	d := &decoder{b: data[len(statisticsMagic):body]}
	s, err := d.statistics()
	if err == nil && len(d.b) > 0 {
		err = errors.New("there is something after its end")
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrStatistics, err)
	}
	// What is not in canonical form would be written otherwise.
	if !bytes.Equal(s.Encode(), data) {
		return nil, fmt.Errorf("%w: it is not in order", ErrStatistics)
	}
	return s, nil
}

// A decoder takes bytes off the front. After the first failure all that it returns
// is zero.
type decoder struct {
	b   []byte
	err error
}

func (d *decoder) fail(what string) {
	if d.err == nil {
		d.err = errors.New(what)
	}
	d.b = nil
}

// number reads one that is at most most.
func (d *decoder) number(most uint64) uint64 {
	n, size := binary.Uvarint(d.b)
	if size <= 0 || n > most {
		d.fail("a number is cut off or too large")
		return 0
	}
	d.b = d.b[size:]
	return n
}

// count reads how many things follow, each of at least size bytes.
func (d *decoder) count(most uint64, size int) int {
	return int(d.number(min(most, uint64(len(d.b)/size))))
}

func (d *decoder) bytes(n int) []byte {
	if n > len(d.b) {
		d.fail("it is cut off")
		return make([]byte, n)
	}
	b := d.b[:n]
	d.b = d.b[n:]
	return b
}

const maxTallyName = 1 << 16

func (d *decoder) string() string {
	return string(d.bytes(d.count(maxTallyName, 1)))
}

func (d *decoder) statistics() (*Statistics, error) {
	var f model.Features
	f.Words, f.CharMin, f.CharMax = int(d.number(1<<10)), int(d.number(1<<10)), int(d.number(1<<10))
	named, marks := d.number(1) == 1, d.number(1) == 1
	folds := int(d.number(maxTallyFolds))
	heads := d.count(maxTallyHeads, 1)
	docs := make([]uint64, folds)
	for i := range docs {
		docs[i] = d.number(maxTallyRows)
	}
	sum := contentHash(d.bytes(sha256.Size))
	tallies := make([]headTally, heads)
	var names []string
	for h := range tallies {
		tallies[h] = d.tally(folds)
		names = append(names, tallies[h].name)
	}
	if d.err != nil {
		return nil, d.err
	}
	s, err := NewStatistics(f, names, folds)
	if err != nil {
		return nil, err
	}
	s.docs, s.sum, s.heads, s.strings = docs, sum, tallies, named
	if d.rows(s.rows, marks); !marks {
		s.rows = nil
	}
	id := model.FeatureID(0)
	for i := range d.count(maxTallyRows, 12+folds) {
		if id += model.FeatureID(d.number(1<<64 - 1)); d.word(s, id) != i {
			d.fail("features are not in order")
			break
		}
	}
	if d.err != nil {
		return nil, d.err
	}
	return s, s.check()
}

func (d *decoder) rows(rows map[rowMark]uint32, any bool) {
	if !any {
		return
	}
	for range d.count(maxTallyRows, len(rowMark{})+1) {
		mark := rowMark(d.bytes(len(rowMark{})))
		rows[mark] = uint32(d.number(maxTallyRows))
	}
}

func (d *decoder) tally(folds int) headTally {
	t := headTally{name: d.string(), number: map[string]int{}}
	for range d.count(maxTallyLabels, 1+folds) {
		label := d.string()
		if label == "" || !utf8.ValidString(label) {
			d.fail("a label is empty or not UTF-8")
		}
		t.number[label] = len(t.labels)
		docs := make([]uint64, folds)
		for f := range docs {
			docs[f] = d.number(maxTallyRows)
		}
		t.labels, t.docs = append(t.labels, label), append(t.docs, docs)
	}
	return t
}

// word reads a feature and returns its number.
func (d *decoder) word(s *Statistics, id model.FeatureID) int {
	w := statistic{check: model.FeatureID(binary.LittleEndian.Uint64(d.bytes(8)))}
	w.kind.words, w.kind.counted = uint8(d.number(model.MaxWords)), d.number(1) == 1
	name := ""
	if s.strings {
		name = d.string()
	}
	var all, of []cell
	for fold := range s.docs {
		if n := d.number(maxTallyRows); n > 0 {
			all = append(all, cell{key: allRows(fold), texts: uint32(n)})
		}
	}
	for range d.count(1<<32, 5) {
		head, label, fold := int(d.number(uint64(len(s.heads)-1))), int(d.number(maxTallyLabels)), int(d.number(uint64(len(s.docs)-1)))
		texts := d.number(maxTallyRows)
		of = append(of, cell{rowsOf(head, label, fold), uint32(texts), d.number(texts * maxOccurrences)})
		if label >= len(s.heads[head].labels) {
			d.fail("a feature has a label that is not there")
			break
		}
	}
	if len(all) == 0 {
		d.fail("a feature is in no row")
		return -1
	}
	cells := slices.Concat(all, of)
	if !slices.IsSortedFunc(cells, func(a, b cell) int { return cmp.Or(cmp.Compare(a.key, b.key), -1) }) {
		d.fail("what is counted of a feature is not in order")
		return -1
	}
	if s.words.get(id) != nil {
		return -1
	}
	made := s.words.make(id, w, name, len(cells))
	made.cells = append(made.cells, cells...)
	return len(s.words.list) - 1
}

// check sees that the counts can be those of rows.
func (s *Statistics) check() error {
	marked := uint64(0)
	for _, n := range s.rows {
		if marked += uint64(n); n == 0 {
			return errors.New("a row is marked that was not learned")
		}
	}
	if s.rows != nil && marked != s.Rows() {
		return fmt.Errorf("%d rows are marked, %d counted", marked, s.Rows())
	}
	if s.Rows() > maxTallyRows {
		return fmt.Errorf("more than %d rows", uint64(maxTallyRows))
	}
	for h := range s.heads {
		for f := range s.docs {
			labelled := uint64(0)
			for _, docs := range s.heads[h].docs {
				labelled += docs[f]
			}
			if labelled > s.docs[f] {
				return errors.New("a fold has more labels than rows")
			}
		}
	}
	for _, w := range s.words.all {
		if err := w.agrees(s); err != nil {
			return err
		}
	}
	return nil
}

// agrees sees that a feature is in no more rows than there are.
func (w *statistic) agrees(s *Statistics) error {
	for _, c := range w.ofAll() {
		if uint64(c.texts) > s.docs[c.key.fold()] {
			return errors.New("a feature is in more rows than there are")
		}
	}
	for _, c := range w.ofLabels() {
		rows := s.heads[c.key.head()].docs[c.key.label()][c.key.fold()]
		if c.texts == 0 || c.texts > w.has(allRows(c.key.fold())).texts || uint64(c.texts) > rows || c.occurrences < uint64(c.texts) {
			return errors.New("a feature is counted more often than it occurs")
		}
	}
	return nil
}
