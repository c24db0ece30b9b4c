package retrain

import (
	"slices"

	"github.com/parley-nlp/parley/internal/judge"
)

// compare compares the answers of champion and challenger for a head, on the
// held-out rows whose labels count and for which use holds.
func (s *Split) compare(head int, champion, challenger answers, use func(i int) bool) (judge.HeadComparison, error) {
	name := s.Heads[head]
	labels := slices.Concat(champion.labels(name), challenger.labels(name))
	for i, r := range s.List {
		if s.judged(i, head) && use(i) {
			labels = append(labels, r.Labels[head])
		}
	}
	slices.Sort(labels)
	labels = slices.Compact(labels)
	c, err := judge.Compare(labels, s.judgements(head, champion, labels, use), s.judgements(head, challenger, labels, use))
	return judge.HeadComparison{Head: name, Comparison: c}, err
}

// judgements are the answers to the rows that compare is about, in terms of
// labels.
func (s *Split) judgements(head int, by answers, labels []string, use func(i int) bool) []judge.Judgement {
	name := s.Heads[head]
	var at []int
	for _, l := range by.labels(name) {
		k, _ := slices.BinarySearch(labels, l)
		at = append(at, k)
	}
	var list []judge.Judgement
	for i := range s.List {
		if !s.judged(i, head) || !use(i) {
			continue
		}
		r := &s.List[i]
		said, stated := by.answer(&r.Example, name)
		j := judge.Judgement{Source: s.component[i], Probabilities: make([]float64, len(labels))}
		j.Truth, _ = slices.BinarySearch(labels, r.Labels[head])
		j.Predicted, _ = slices.BinarySearch(labels, said)
		for l, p := range stated {
			j.Probabilities[at[l]] += p
		}
		list = append(list, j)
	}
	return list
}

// A FixRate is how many labels that the champion had wrong and people corrected
// the candidate has right.
type FixRate struct {
	Head string `json:"head"`
	// All are corrections that the champion has wrong: most of them the candidate
	// was trained on, so it should know them.
	All judge.Share `json:"all"`
	// Unseen are those whose sources are held out: neither they nor anything like
	// them was trained on.
	Unseen judge.Share `json:"not_trained_on"`
}

// fixRates are those of all heads that have corrections.
func (s *Split) fixRates(champion, challenger answers) []FixRate {
	var list []FixRate
	for h, name := range s.Heads {
		var all, fixed, unseen, fixedUnseen int
		for i := range s.List {
			r := &s.List[i]
			if !r.Given[h].correction() {
				continue
			}
			if said, _ := champion.answer(&r.Example, name); said == r.Labels[h] {
				continue
			}
			said, _ := challenger.answer(&r.Example, name)
			right := one(said == r.Labels[h])
			all, fixed = all+1, fixed+right
			if s.held[i] {
				unseen, fixedUnseen = unseen+1, fixedUnseen+right
			}
		}
		if all > 0 {
			list = append(list, FixRate{name, judge.NewShare(fixed, all), judge.NewShare(fixedUnseen, unseen)})
		}
	}
	return list
}

func one(b bool) int {
	if b {
		return 1
	}
	return 0
}
