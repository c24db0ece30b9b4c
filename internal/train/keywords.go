package train

import (
	"cmp"
	"context"
	"slices"

	"github.com/parley-nlp/parley/internal/dataset"
	"github.com/parley-nlp/parley/internal/model"
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

// predict returns the label of a document.
func (k *keywordRule) predict(d document) int {
	found := make([]int, len(k.common))
	for _, o := range d {
		for _, label := range k.labelsOf[o.row] {
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

// outOfFoldKeywords judges every labelled example by keywords of the other
// folds.
func (t *task) outOfFoldKeywords() []judgement {
	y := t.keywordTally()
	var list []judgement
	for f := range t.folds {
		list = append(list, y.judge(f)...)
	}
	return list
}

// keywordTally counts in how many documents of each label a word is.
func (t *task) keywordTally() *tally {
	return t.tally(candidate{Features: model.Features{Words: 1}, Value: model.Binary})
}

// judge judges the labelled examples of fold f by keywords of the other folds.
func (y *tally) judge(f int) []judgement {
	y.eachIn(f, func(i int) { y.counts.subtract(y.docs[i], y.truth[i], y.value) })
	rule := newKeywordRule(y.counts, y.kinds)
	var list []judgement
	y.eachIn(f, func(i int) {
		list = append(list, judgement{truth: y.truth[i], predicted: rule.predict(y.docs[i]), source: y.component[i]})
		y.counts.add(y.docs[i], y.truth[i], y.value)
	})
	return list
}

// KeywordBaseline judges held examples by keywords of training examples, for
// every head. Of the metrics those of probabilities are 0.
func KeywordBaseline(training, held []dataset.Example, heads []string) ([]Metrics, error) {
	examples := slices.Concat(training, held)
	c, err := newCorpus(context.Background(), examples, model.Features{Words: 1})
	if err != nil {
		return nil, err
	}
	component, fold := groups(examples), make([]int, len(examples))
	for i := range held {
		fold[len(training)+i] = 1
	}
	var list []Metrics
	for i, name := range heads {
		t := newTask(c, name, i)
		t.component, t.fold, t.folds = component, fold, 2
		judged := t.keywordTally().judge(1)
		m := Metrics{Examples: len(judged), Confusion: confusion(len(t.labels), judged)}
		m.tabulate(t.labels)
		m.AccuracyInterval, m.MacroF1Interval = bootstrap(len(t.labels), judged)
		list = append(list, m)
	}
	return list, nil
}
