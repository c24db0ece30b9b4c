package train

import (
	"cmp"
	"context"
	"slices"

	"github.com/parley-nlp/parley/internal/dataset"
	"github.com/parley-nlp/parley/internal/judge"
)

// A keywordRule is what a person with a list of words would do, the baseline
// that a model has to beat: a text gets the label of which it has the most
// keywords; of equal ones, or without any, the most frequent label.
type keywordRule struct {
	labelsOf map[uint32][]int // by row of a word
	common   []int            // the labels, most frequent first
}

// keywordsPerLabel is the length of the list.
const keywordsPerLabel = 20

// newKeywordRule takes as keywords of a label the words that most of its texts
// have and few others: by the difference of the shares. counts are of binary
// values.
func newKeywordRule(counts *Counts, kinds []kind) *keywordRule {
	k := &keywordRule{labelsOf: map[uint32][]int{}}
	for label, words := range rankWords(counts, kinds) {
		k.common = append(k.common, label)
		for _, w := range words[:min(len(words), keywordsPerLabel)] {
			k.labelsOf[w.row] = append(k.labelsOf[w.row], label)
		}
	}
	slices.SortStableFunc(k.common, func(a, b int) int { return cmp.Compare(counts.docs[b], counts.docs[a]) })
	return k
}

// A rankedWord is a row, and by how much more of a label's texts have the word
// than of all others.
type rankedWord struct {
	row  uint32
	lead float64
}

// rankWords returns for every label the words that could be its keywords, best
// first.
func rankWords(counts *Counts, kinds []kind) [][]rankedWord {
	all := uint64(0)
	for _, n := range counts.docs {
		all += n
	}
	words := make([][]rankedWord, counts.labels)
	for i, k := range kinds {
		if !k.counted {
			continue
		}
		row := counts.row(i)
		sum := total(row)
		for label, n := range row {
			here := share(uint64(n), counts.docs[label])
			elsewhere := share(sum-uint64(n), all-counts.docs[label])
			if here > elsewhere {
				words[label] = append(words[label], rankedWord{uint32(i), here - elsewhere})
			}
		}
	}
	for _, list := range words {
		slices.SortStableFunc(list, func(a, b rankedWord) int { return cmp.Compare(b.lead, a.lead) })
	}
	return words
}

func share(n, all uint64) float64 { return float64(n) / float64(max(all, 1)) }

// predict returns the label of a document, given its rows.
func (k *keywordRule) predict(rows []uint32) int {
	found := make([]int, len(k.common))
	for _, row := range rows {
		for _, label := range k.labelsOf[row] {
			found[label]++
		}
	}
	best := k.common[0]
	for _, label := range k.common {
		if found[label] > found[best] {
			best = label
		}
	}
	return best
}

// outOfFoldKeywords judges every labelled example of the given folds by keywords
// of the other folds.
func (t *task) outOfFoldKeywords(folds ...int) (truth, predicted []int, err error) {
	w := t.words()
	own, all := w.countFolds()
	rules := map[int]*keywordRule{} // by fold
	for _, f := range folds {
		if err := all.subtract(own[f]); err != nil {
			return nil, nil, err
		}
		rules[f] = newKeywordRule(all, w.kinds)
		all.merge(own[f])
	}
	t.documents(func(batch []numberedDocument) {
		for _, d := range batch {
			if rule := rules[t.fold[d.i]]; rule != nil && t.truth[d.i] >= 0 {
				truth, predicted = append(truth, t.truth[d.i]), append(predicted, rule.predict(w.of(d.doc)))
			}
		}
	})
	return truth, predicted, nil
}

// taskWords are the features of a task that can be keywords, numbered.
type taskWords struct {
	*task
	kinds  []kind   // of each word
	number []uint32 // per row: its word's number + 1, or 0
	found  []uint32 // scratch of of
}

func (t *task) words() *taskWords {
	w := &taskWords{task: t, number: make([]uint32, len(t.ids))}
	for row, k := range t.corpus.kinds {
		if k.counted {
			w.kinds = append(w.kinds, k)
			w.number[row] = uint32(len(w.kinds))
		}
	}
	return w
}

// of lists the words of a document. The slice is valid until the next call.
func (w *taskWords) of(d document) []uint32 {
	w.found = w.found[:0]
	for _, o := range d {
		if n := w.number[o.row]; n > 0 {
			w.found = append(w.found, n-1)
		}
	}
	return w.found
}

// countFolds counts the texts of each fold that have a word, and those of all
// folds.
func (w *taskWords) countFolds() (own []*Counts, all *Counts) {
	all = newCounts(len(w.kinds), len(w.labels), 0)
	for range w.folds {
		own = append(own, newCounts(len(w.kinds), len(w.labels), 0))
	}
	var ones []float32
	w.documents(func(batch []numberedDocument) {
		for _, d := range batch {
			if w.truth[d.i] < 0 {
				continue
			}
			rows := w.of(d.doc)
			for len(ones) < len(rows) {
				ones = append(ones, 1)
			}
			own[w.fold[d.i]].add(rows, ones[:len(rows)], w.truth[d.i])
		}
	})
	for _, c := range own {
		all.merge(c)
	}
	return own, all
}

// A Baseline is how good a simple rule is.
type Baseline struct {
	Accuracy float64 `json:"accuracy"`
	MacroF1  float64 `json:"macro_f1"`
}

func newBaseline(labels int, truth, predicted []int) Baseline {
	return Baseline{judge.Accuracy(truth, predicted), judge.MacroF1(labels, truth, predicted)}
}

// KeywordBaseline judges held examples by keywords of training examples, for
// every head.
func KeywordBaseline(training, held []dataset.Example, heads []string) ([]Baseline, error) {
	examples := slices.Concat(training, held)
	c, err := newCorpus(context.Background(), examples, singleWords)
	if err != nil {
		return nil, err
	}
	fold := make([]int, len(examples))
	for i := range held {
		fold[len(training)+i] = 1
	}
	var list []Baseline
	for i, name := range heads {
		t := newTask(c, name, i)
		t.fold, t.folds = fold, 2
		truth, predicted, err := t.outOfFoldKeywords(1)
		if err != nil {
			return nil, err
		}
		list = append(list, newBaseline(len(t.labels), truth, predicted))
	}
	return list, nil
}
