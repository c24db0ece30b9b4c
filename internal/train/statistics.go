package train

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"math"
	"math/bits"
	"slices"

	"github.com/parley-nlp/parley/internal/dataset"
	"github.com/parley-nlp/parley/internal/model"
)

// Statistics are what naive Bayes needs of labelled rows: integers that add up.
// Rows can be learned one by one, in any order, in parts that are merged, and be
// forgotten: what is left is what counting the rest afresh gives, byte for byte.
// They are kept per fold, and which fold a row is in depends on the row alone, so
// this holds for cross-validation too.
//
// Two values are counted: that a text has a feature, and how often. What depends on
// other texts (IDF, pruning) is not.
type Statistics struct {
	features model.Features
	heads    []headTally
	docs     []uint64           // rows per fold
	sum      contentHash        // see TrainingData
	rows     map[rowMark]uint32 // how often each row was learned
	words    map[model.FeatureID]*statistic
}

// A rowMark is the beginning of the SHA-256 of what a row says.
type rowMark [16]byte

// A headTally counts the rows of a head's labels. Labels have numbers in the order in
// which they came; those without rows are not there for anybody outside.
type headTally struct {
	name   string
	labels []string
	number map[string]int
	docs   [][]uint64 // by label and fold
}

// A statistic is what there is of a feature.
type statistic struct {
	check model.FeatureID // its id by another hash
	kind  kind
	texts []uint32 // that have it, per fold
	cells []cell
}

// A cell counts a feature in the rows of a label and a fold.
type cell struct {
	head, label uint16
	fold        uint8
	texts       uint32
	occurrences uint64
}

// Limits of statistics.
const (
	maxTallyHeads  = 64
	maxTallyLabels = 1<<16 - 1
	maxTallyRows   = 1<<32 - 1
	maxTallyFolds  = 100
)

// NewStatistics returns those of no rows.
func NewStatistics(f model.Features, heads []string, folds int) (*Statistics, error) {
	if _, err := newVocabulary(f); err != nil {
		return nil, err
	}
	switch {
	case len(heads) == 0 || len(heads) > maxTallyHeads:
		return nil, fmt.Errorf("statistics of %d heads: want 1 to %d", len(heads), maxTallyHeads)
	case folds < 2 || folds > maxTallyFolds:
		return nil, fmt.Errorf("statistics in %d folds: want 2 to %d", folds, maxTallyFolds)
	}
	s := &Statistics{features: f, docs: make([]uint64, folds), rows: map[rowMark]uint32{}, words: map[model.FeatureID]*statistic{}}
	for i, name := range heads {
		if name == "" || slices.Contains(heads[:i], name) {
			return nil, fmt.Errorf("head %q: want different names", name)
		}
		s.heads = append(s.heads, headTally{name: name, number: map[string]int{}})
	}
	return s, nil
}

// Features are those that are counted.
func (s *Statistics) Features() model.Features { return s.features }

// Heads are the names of the heads, in the order of rows' labels.
func (s *Statistics) Heads() []string {
	var names []string
	for _, h := range s.heads {
		names = append(names, h.name)
	}
	return names
}

// Folds is how many folds there are.
func (s *Statistics) Folds() int { return len(s.docs) }

// Rows is how many rows were learned and not forgotten.
func (s *Statistics) Rows() uint64 {
	n := uint64(0)
	for _, of := range s.docs {
		n += of
	}
	return n
}

// FeatureCount is how many features the rows have.
func (s *Statistics) FeatureCount() int { return len(s.words) }

// TrainingData stands for the rows, in any order: SHA-256 over the heads and the sum,
// modulo 2^256, of the SHA-256 of every row (the additive multiset hash of Clarke et
// al., "Incremental Multiset Hash Functions", 2003). A sum can be kept up while rows
// come and go. In lower-case hexadecimal.
func (s *Statistics) TrainingData() string {
	sum := s.dataSum()
	return hex.EncodeToString(sum[:])
}

func (s *Statistics) dataSum() contentHash {
	h := sha256.New()
	for _, name := range s.Heads() {
		h.Write(frame(name))
	}
	h.Write(s.sum[:])
	return contentHash(h.Sum(nil))
}

// addSum adds sum to to, modulo 2^256, or takes it away.
func addSum(to *contentHash, sum contentHash, sign int) {
	carry := uint64(0)
	for i := 0; i < len(to); i += 8 {
		a, b := binary.LittleEndian.Uint64(to[i:]), binary.LittleEndian.Uint64(sum[i:])
		if sign > 0 {
			a, carry = bits.Add64(a, b, carry)
		} else {
			a, carry = bits.Sub64(a, b, carry)
		}
		binary.LittleEndian.PutUint64(to[i:], a)
	}
}

// FoldOf is the fold of a row among so many: a hash of its group, or of its text if it
// has none, so that rows of a source stay together and no row depends on others.
func FoldOf(ex dataset.Example, folds int) int {
	return int(binary.LittleEndian.Uint64(sourceHash(ex)) % uint64(folds))
}

// sourceHash is a hash of what a row stands or falls with.
func sourceHash(ex dataset.Example) []byte {
	source := append([]byte("text\x00"), ex.Text...)
	if ex.Group != "" {
		source = append([]byte("group\x00"), ex.Group...)
	}
	sum := sha256.Sum256(source)
	return sum[:]
}

// A countedRow is a row and all that it adds.
type countedRow struct {
	sum    contentHash
	fold   int
	labels []string
	list   []feature
	err    error
}

func (r *countedRow) mark() rowMark { return rowMark(r.sum[:16]) }

// read extracts the rows' features.
func (s *Statistics) read(rows []dataset.Example) ([]countedRow, error) {
	list := make([]countedRow, len(rows))
	inParallel(len(rows), func(lo, hi int) {
		x, _ := model.NewExtractor(s.features, 0) // NewStatistics has seen the error
		check, _ := model.NewExtractor(s.features, checkSeed)
		for i := lo; i < hi; i++ {
			r := &list[i]
			r.sum, r.fold, r.labels = contentSum(rows[i]), FoldOf(rows[i], len(s.docs)), rows[i].Labels
			if r.list, r.err = countFeatures(x.Extract(rows[i].Text), check.Extract(rows[i].Text)); r.err == nil && len(r.labels) != len(s.heads) {
				r.err = fmt.Errorf("%d labels for %d heads", len(r.labels), len(s.heads))
			}
		}
	})
	for i := range list {
		if err := list[i].err; err != nil {
			return nil, fmt.Errorf("%s:%d: %w", rows[i].File, rows[i].Line, err)
		}
	}
	return list, nil
}

// Learn counts rows, whose Labels are in the order of the heads. Two features that
// share an id are an error, which names the row; rows of this call that come before
// it are counted then.
func (s *Statistics) Learn(rows []dataset.Example) error {
	for part := range batches(rows) {
		list, err := s.read(part)
		if err != nil {
			return err
		}
		for i := range list {
			if err := s.learn(&list[i]); err != nil {
				return fmt.Errorf("%s:%d: %w", part[i].File, part[i].Line, err)
			}
		}
	}
	return nil
}

func (s *Statistics) learn(r *countedRow) error {
	if s.Rows() >= maxTallyRows {
		return fmt.Errorf("more than %d rows", uint64(maxTallyRows))
	}
	for _, f := range r.list {
		if w := s.words[f.id]; w != nil && w.check != f.check {
			return sharedID(f.id)
		}
	}
	numbers, err := s.numbers(r.labels)
	if err != nil {
		return err
	}
	for _, f := range r.list {
		w := s.words[f.id]
		if w == nil {
			w = &statistic{check: f.check, kind: f.kind, texts: make([]uint32, len(s.docs))}
			s.words[f.id] = w
		}
		w.texts[r.fold]++
		for h, l := range numbers {
			if l >= 0 {
				c := w.cell(h, l, r.fold)
				c.texts++
				c.occurrences += uint64(f.count)
			}
		}
	}
	s.tally(r, numbers, 1)
	return nil
}

// tally counts a row itself, or takes it back.
func (s *Statistics) tally(r *countedRow, numbers []int, sign int) {
	s.docs[r.fold] += uint64(sign)
	for h, l := range numbers {
		if l >= 0 {
			s.heads[h].docs[l][r.fold] += uint64(sign)
		}
	}
	addSum(&s.sum, r.sum, sign)
	if s.rows[r.mark()] += uint32(sign); s.rows[r.mark()] == 0 {
		delete(s.rows, r.mark())
	}
}

// numbers are those of a row's labels, which are given to new ones; -1 for none.
func (s *Statistics) numbers(labels []string) ([]int, error) {
	list := make([]int, len(labels))
	for h, label := range labels {
		list[h] = -1
		if label == "" {
			continue
		}
		t := &s.heads[h]
		n, known := t.number[label]
		if !known {
			if n = len(t.labels); n >= maxTallyLabels {
				return nil, fmt.Errorf("head %q: more than %d labels", t.name, maxTallyLabels)
			}
			t.number[label] = n
			t.labels, t.docs = append(t.labels, label), append(t.docs, make([]uint64, len(s.docs)))
		}
		list[h] = n
	}
	return list, nil
}

// cell returns the counter of a label and fold, which is made if it is not there.
func (w *statistic) cell(head, label, fold int) *cell {
	for i := range w.cells {
		if c := &w.cells[i]; int(c.label) == label && int(c.fold) == fold && int(c.head) == head {
			return c
		}
	}
	w.cells = append(w.cells, cell{head: uint16(head), label: uint16(label), fold: uint8(fold)})
	return &w.cells[len(w.cells)-1]
}

// ErrNeverLearned: rows that are to be forgotten were never learned, or not as often.
var ErrNeverLearned = errors.New("rows to be forgotten were never learned")

// Forget takes rows back: text, group, target and labels must be those that were
// learned. If one was never learned, or is to be forgotten more often than it was
// learned, the error names it, wraps ErrNeverLearned, and nothing has changed.
func (s *Statistics) Forget(rows []dataset.Example) error {
	list, err := s.read(rows)
	if err != nil {
		return err
	}
	asked := map[rowMark]uint32{}
	for i := range list {
		if asked[list[i].mark()]++; asked[list[i].mark()] > s.rows[list[i].mark()] {
			return fmt.Errorf("%s:%d: %w", rows[i].File, rows[i].Line, ErrNeverLearned)
		}
	}
	for i := range list {
		s.forget(&list[i])
	}
	return nil
}

// forget takes back a row that was learned.
func (s *Statistics) forget(r *countedRow) {
	numbers, _ := s.numbers(r.labels) // they are there
	for _, f := range r.list {
		w := s.words[f.id]
		w.texts[r.fold]--
		for h, l := range numbers {
			if l >= 0 {
				c := w.cell(h, l, r.fold)
				c.texts--
				c.occurrences -= uint64(f.count)
			}
		}
		w.cells = slices.DeleteFunc(w.cells, func(c cell) bool { return c.texts == 0 })
		if !slices.ContainsFunc(w.texts, func(n uint32) bool { return n > 0 }) {
			delete(s.words, f.id)
		}
	}
	s.tally(r, numbers, -1)
}

// like returns an error when two statistics do not count the same things.
func (s *Statistics) like(other *Statistics) error {
	if s.features != other.features || len(s.docs) != len(other.docs) || !slices.Equal(s.Heads(), other.Heads()) {
		return fmt.Errorf("statistics of %s, %d folds, heads %q and of %s, %d folds, heads %q do not go together",
			s.features, len(s.docs), s.Heads(), other.features, len(other.docs), other.Heads())
	}
	return nil
}

// Merge adds what other counted. After an error nothing has changed.
func (s *Statistics) Merge(other *Statistics) error {
	if err := s.like(other); err != nil {
		return err
	}
	if s.Rows()+other.Rows() > maxTallyRows {
		return fmt.Errorf("more than %d rows", uint64(maxTallyRows))
	}
	for id, w := range other.words {
		if own := s.words[id]; own != nil && own.check != w.check {
			return sharedID(id)
		}
	}
	numbers, err := s.numbersOf(other)
	if err != nil {
		return err
	}
	for id, w := range other.words {
		own := s.words[id]
		if own == nil {
			own = &statistic{check: w.check, kind: w.kind, texts: make([]uint32, len(s.docs))}
			s.words[id] = own
		}
		for f, n := range w.texts {
			own.texts[f] += n
		}
		for _, c := range w.cells {
			to := own.cell(int(c.head), numbers[c.head][c.label], int(c.fold))
			to.texts += c.texts
			to.occurrences += c.occurrences
		}
	}
	for f, n := range other.docs {
		s.docs[f] += n
	}
	for h := range other.heads {
		for l, docs := range other.heads[h].docs {
			for f, n := range docs {
				s.heads[h].docs[numbers[h][l]][f] += n
			}
		}
	}
	addSum(&s.sum, other.sum, 1)
	for mark, n := range other.rows {
		s.rows[mark] += n
	}
	return nil
}

// numbersOf are what the labels of other are called here, by head and number.
func (s *Statistics) numbersOf(other *Statistics) ([][]int, error) {
	list := make([][]int, len(other.heads))
	for h := range other.heads {
		for _, label := range other.heads[h].labels {
			labels := make([]string, len(s.heads))
			labels[h] = label
			n, err := s.numbers(labels)
			if err != nil {
				return nil, err
			}
			list[h] = append(list[h], n[h])
		}
	}
	return list, nil
}

// sorted are the labels of a head that have rows, ascending, and their numbers.
func (t *headTally) sorted() (labels []string, numbers []int) {
	for _, label := range slices.Sorted(maps.Keys(t.number)) {
		n := t.number[label]
		if slices.ContainsFunc(t.docs[n], func(d uint64) bool { return d > 0 }) {
			labels, numbers = append(labels, label), append(numbers, n)
		}
	}
	return labels, numbers
}

// counts are those of a head and value, of the given features, of all folds but one
// (-1: of all), over rows ids.
func (s *Statistics) counts(head int, v model.Value, f model.Features, rows *statisticRows, without int) *Counts {
	labels, numbers := s.heads[head].sorted()
	column := make([]int, len(s.heads[head].labels))
	for at, n := range numbers {
		column[n] = at
	}
	c := newCounts(len(rows.ids), len(labels), v.Bits())
	for at, n := range numbers {
		for fold, docs := range s.heads[head].docs[n] {
			if fold != without {
				c.docs[at] += docs
			}
		}
	}
	for row, id := range rows.ids {
		w := s.words[id]
		if !w.kind.in(f) {
			continue
		}
		for _, x := range w.cells {
			if int(x.head) != head || int(x.fold) == without {
				continue
			}
			n := uint64(x.texts)
			if v == model.TF {
				n = x.occurrences
			}
			to := &c.features[row*len(labels)+column[x.label]]
			*to = uint32(min(uint64(*to)+n, math.MaxUint32))
		}
	}
	return c
}

// seen is what is known by the rows of all folds but one, -1 for all.
func (s *Statistics) seen(rows *statisticRows, without int) *seen {
	k := &seen{df: make([]uint32, len(rows.ids))}
	for fold, n := range s.docs {
		if fold != without {
			k.docs += int(n)
		}
	}
	for row, id := range rows.ids {
		for fold, n := range s.words[id].texts {
			if fold != without {
				k.df[row] += n
			}
		}
	}
	return k
}

// statisticRows number the features, as vocabulary.number does.
type statisticRows struct {
	ids   []model.FeatureID
	kinds []kind
	texts []uint32
}

func (s *Statistics) number() *statisticRows {
	type numbered struct {
		id    model.FeatureID
		texts uint32
	}
	list := make([]numbered, 0, len(s.words))
	for id, w := range s.words {
		n := numbered{id: id}
		for _, t := range w.texts {
			n.texts += t
		}
		list = append(list, n)
	}
	slices.SortFunc(list, func(a, b numbered) int {
		switch {
		case a.texts != b.texts:
			return int(int64(b.texts) - int64(a.texts))
		case a.id < b.id:
			return -1
		}
		return 1
	})
	r := &statisticRows{}
	for _, n := range list {
		r.ids, r.kinds, r.texts = append(r.ids, n.id), append(r.kinds, s.words[n.id].kind), append(r.texts, n.texts)
	}
	return r
}

// Equal reports whether two statistics are of the same rows.
func (s *Statistics) Equal(other *Statistics) bool { return bytes.Equal(s.Encode(), other.Encode()) }
