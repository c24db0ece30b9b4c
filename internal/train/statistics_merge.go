package train

import (
	"errors"
	"fmt"
	"maps"

	"github.com/parley-nlp/parley/internal/dataset"
)

// ErrNeverLearned: rows that are to be forgotten were never learned, or not as often.
var ErrNeverLearned = errors.New("rows to be forgotten were never learned")

// ErrNoMarks: statistics cannot tell which rows they learned, so they cannot forget.
var ErrNoMarks = errors.New("these statistics were made to never forget: they keep no marks of their rows")

// like returns an error when two statistics do not count the same things.
func (s *Statistics) like(other *Statistics) error {
	if a, b := s.Describe(), other.Describe(); a != b {
		return fmt.Errorf("statistics of %s and of %s do not go together", a, b)
	}
	return nil
}

// Describe says what is counted. Statistics with the same description can be merged.
func (s *Statistics) Describe() string {
	text := fmt.Sprintf("%s, %d folds, heads %q", s.features, len(s.docs), s.Heads())
	if s.strings {
		text += ", with strings"
	}
	if s.rows == nil {
		text += ", without marks of rows"
	}
	return text
}

// Merge adds what other counted. After an error nothing has changed.
func (s *Statistics) Merge(other *Statistics) error {
	if err := s.like(other); err != nil {
		return err
	}
	if s.Rows()+other.Rows() > maxTallyRows {
		return fmt.Errorf("more than %d rows", uint64(maxTallyRows))
	}
	for id, w := range other.words.all {
		if own := s.words.get(id); own != nil && own.check != w.check {
			return sharedID(id)
		}
	}
	numbers, err := s.numbersOf(other)
	if err != nil {
		return err
	}
	for id, w := range other.words.all {
		own := s.words.make(id, statistic{check: w.check, kind: w.kind}, other.words.name(id), len(w.cells))
		own.plus(relabelled(w.cells, numbers))
	}
	addTo(s.docs, other.docs)
	for h := range other.heads {
		for l, docs := range other.heads[h].docs {
			addTo(s.heads[h].docs[numbers[h][l]], docs)
		}
	}
	addSum(&s.sum, other.sum, 1)
	for mark, n := range other.rows {
		s.rows[mark] += n
	}
	return nil
}

// addTo adds counts to others; of a label without rows there may be none.
func addTo(to, counts []uint64) {
	for i, n := range counts {
		to[i] += n
	}
}

// takeFrom is the inverse of addTo.
func takeFrom(from, counts []uint64) {
	for i, n := range counts {
		from[i] -= n
	}
}

// Subtract takes back what other counted. If a row of it was never learned, or not as
// often, the error wraps ErrNeverLearned and nothing has changed. Labels and features
// that no row has any longer are gone.
func (s *Statistics) Subtract(other *Statistics) error {
	if err := s.like(other); err != nil {
		return err
	}
	if s.rows == nil {
		return ErrNoMarks
	}
	if !s.contains(other) {
		return ErrNeverLearned
	}
	numbers, _ := s.numbersOf(other) // contains has seen them
	for id, w := range other.words.all {
		own := s.words.get(id)
		if own.minus(relabelled(w.cells, numbers)); own.texts() == 0 {
			s.words.drop(id)
		}
	}
	takeFrom(s.docs, other.docs)
	for h := range other.heads {
		for l, docs := range other.heads[h].docs {
			takeFrom(s.heads[h].docs[numbers[h][l]], docs)
		}
	}
	addSum(&s.sum, other.sum, -1)
	for mark, n := range other.rows {
		s.rows[mark] -= n
	}
	maps.DeleteFunc(s.rows, func(_ rowMark, n uint32) bool { return n == 0 })
	return nil
}

// contains reports whether all that other counted can be taken from s: the marks of
// its rows say that it was learned, and no count is too small, which only those of a
// forged file are.
func (s *Statistics) contains(other *Statistics) bool {
	for mark, n := range other.rows {
		if s.rows[mark] < n {
			return false
		}
	}
	numbers := make([][]int, len(other.heads))
	for h := range other.heads {
		for l, label := range other.heads[h].labels {
			n, known := s.heads[h].number[label]
			var own []uint64
			if known {
				own = s.heads[h].docs[n]
			}
			if !covers(own, other.heads[h].docs[l]) {
				return false
			}
			numbers[h] = append(numbers[h], n)
		}
	}
	for id, w := range other.words.all {
		if own := s.words.get(id); own == nil || own.check != w.check || !own.covers(relabelled(w.cells, numbers)) {
			return false
		}
	}
	return covers(s.docs, other.docs)
}

// covers reports whether no count of less is above that of more; what is not there
// counts 0.
func covers(more, less []uint64) bool {
	for i, n := range less {
		if n > 0 && (i >= len(more) || more[i] < n) {
			return false
		}
	}
	return true
}

// Forget takes rows back: text, group, target and labels must be those that were
// learned. If one was never learned, or is to be forgotten more often than it was
// learned, the error names it, wraps ErrNeverLearned, and nothing has changed.
func (s *Statistics) Forget(rows []dataset.Example) error {
	if s.rows == nil {
		return ErrNoMarks
	}
	asked := map[rowMark]uint32{}
	for i, sum := range contentSums(rows) {
		mark := markOf(sum)
		if asked[mark]++; asked[mark] > s.rows[mark] {
			return fmt.Errorf("%s:%d: %w", rows[i].File, rows[i].Line, ErrNeverLearned)
		}
	}
	gone := s.Empty()
	if err := gone.Learn(rows); err != nil {
		return err
	}
	return s.Subtract(gone)
}

// Apply learns rows and forgets others, or does neither: after an error nothing has
// changed.
func (s *Statistics) Apply(learned, forgotten []dataset.Example) error {
	if len(forgotten) > 0 && s.rows == nil {
		return ErrNoMarks
	}
	added := s.Empty()
	if err := added.Learn(learned); err != nil {
		return err
	}
	if err := s.Merge(added); err != nil || len(forgotten) == 0 {
		return err
	}
	err := s.Forget(forgotten)
	if err != nil {
		err = errors.Join(err, s.Subtract(added))
	}
	return err
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
