package train

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"

	"github.com/parley-nlp/parley/internal/dataset"
	"github.com/parley-nlp/parley/internal/model"
)

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
	names  map[model.FeatureID]string // nil: not kept
	err    error
}

func markOf(sum contentHash) rowMark { return rowMark(sum[:len(rowMark{})]) }

// read extracts the rows' features.
func (s *Statistics) read(rows []dataset.Example) ([]countedRow, error) {
	list := make([]countedRow, len(rows))
	inParallel(len(rows), func(lo, hi int) {
		x, _ := model.NewExtractor(s.features, 0) // NewStatistics has seen the error
		check, _ := model.NewExtractor(s.features, checkSeed)
		for i := lo; i < hi; i++ {
			r := &list[i]
			r.sum, r.fold, r.labels = contentSum(rows[i]), FoldOf(rows[i], len(s.docs)), rows[i].Labels
			features := x.Extract(rows[i].Text)
			if s.strings {
				r.names = namesOf(x, features)
			}
			if r.list, r.err = countFeatures(features, check.Extract(rows[i].Text)); r.err == nil && len(r.labels) != len(s.heads) {
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

// namesOf says what the features of x's last text are called.
func namesOf(x *model.Extractor, features []model.Feature) map[model.FeatureID]string {
	names := make(map[model.FeatureID]string, len(features))
	x.Strings(
		func(i int) bool { return names[features[i].ID] == "" },
		func(i int, name string) { names[features[i].ID] = name },
	)
	return names
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
		if w := s.words.get(f.id); w != nil && w.check != f.check {
			return sharedID(f.id)
		}
	}
	numbers, err := s.numbers(r.labels)
	if err != nil {
		return err
	}
	cells := 1
	for _, l := range numbers {
		if l >= 0 {
			cells++
		}
	}
	for _, f := range r.list {
		w := s.words.make(f.id, statistic{check: f.check, kind: f.kind}, r.names[f.id], cells)
		w.at(allRows(r.fold)).texts++
		for h, l := range numbers {
			if l >= 0 {
				c := w.at(rowsOf(h, l, r.fold))
				c.texts++
				c.occurrences += uint64(f.count)
			}
		}
	}
	s.tally(r, numbers)
	return nil
}

// tally counts a row itself.
func (s *Statistics) tally(r *countedRow, numbers []int) {
	s.docs[r.fold]++
	for h, l := range numbers {
		if l >= 0 {
			s.heads[h].docs[l][r.fold]++
		}
	}
	addSum(&s.sum, r.sum, 1)
	if s.rows != nil {
		s.rows[markOf(r.sum)]++
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
