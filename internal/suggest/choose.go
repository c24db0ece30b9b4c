package suggest

import (
	"cmp"
	"slices"

	"github.com/parley-nlp/parley/internal/copies"
)

const (
	// clustered is how many candidates are clustered for each text of the batch,
	// and leastSure what share of all they may be where the model has a say, unless that
	// is less than twice the batch.
	clustered = 10
	leastSure = .25
)

// mostPerLabel is how many texts of one predicted label a batch of n may have, of a
// head with so many labels: five of twenty, or as many as there must be when the
// labels are few.
func mostPerLabel(n, labels int) int {
	most := (n + 3) / 4
	if labels > 0 {
		most = max(most, (n+labels-1)/labels)
	}
	return most
}

// A Batch is what was chosen.
type Batch struct {
	Items  []Item // random ones first
	Counts Counts
}

// Batch chooses texts of the pool.
func (p *Pool) Batch() *Batch {
	p.counts.Texts = len(p.seen)
	b := &Batch{Items: p.drawn()}
	b.Items = append(b.Items, p.chosen(b.Items)...)
	b.Counts = p.counts
	return b
}

// drawn are the random items. None is left out for being like another: that would
// change the probabilities.
func (p *Pool) drawn() []Item {
	list := p.sample.first()
	var items []Item
	for _, d := range list {
		d.row.Answers = p.answers(&d.row)
		items = append(items, Item{
			Row: d.row, Selection: Random, Copies: d.copies, Uncertainty: uncertainty(d.row.Answers),
			SelectionProbability: float64(len(list)) / float64(len(p.seen)) / d.stands,
		})
	}
	return items
}

// answers are those that count for a row: the model's, or else its own.
func (p *Pool) answers(r *Row) []Answer {
	if p.ask != nil {
		return p.ask.answers(r.Text, r.Target)
	}
	return answersTo(r.Answers, p.cfg.Heads)
}

// chosen are the other items: candidates in the order of their worth, without
// those that are like others and those whose label is full. When nothing else is
// left, texts of full labels are better than none.
func (p *Pool) chosen(before []Item) []Item {
	left := p.ranked()
	s := p.newSelection(left, before)
	var items []Item
	for len(before)+len(items) < p.cfg.N && len(left) > 0 {
		at := slices.IndexFunc(left, func(c *candidate) bool { return !s.full(c.Answers) })
		if at < 0 {
			s.most++
			continue
		}
		c := left[at]
		left = slices.Delete(left, at, at+1)
		if s.drawn[c.key()] {
			continue
		}
		if s.alike(c.Text) {
			p.counts.Alike++
			continue
		}
		s.note(&c.Row)
		items = append(items, Item{Row: c.Row, Selection: Uncertain, Uncertainty: c.uncertainty})
	}
	return items
}

// ranked are the candidates in the order of their worth. The least sure ones are
// clustered, the surer the lighter, into as many clusters as there are texts in the
// batch; first come those that lie at the middle of a cluster, the least sure of
// them first. Zhdanov, "Diverse mini-batch Active Learning" (2019).
func (p *Pool) ranked() []*candidate {
	list := p.kept.all()
	n := clustered * p.cfg.N
	if len(list) > 0 && len(list[0].Answers) > 0 {
		n = min(n, max(2*p.cfg.N, int(leastSure*float64(len(p.seen)))))
	}
	top := list[:min(len(list), n)]
	spread(top, min(p.cfg.N, maxClusters))
	slices.SortFunc(top, func(a, b *candidate) int { return cmp.Or(cmp.Compare(a.rank, b.rank), compareCandidates(a, b)) })
	return list
}

// A selection is a batch in the making.
type selection struct {
	most     int // texts of a predicted label
	of       map[headLabel]int
	drawn    map[key]bool // random items
	index    *copies.Index
	shingler *copies.Shingler
}

type headLabel struct{ head, label string }

// newSelection is the selection of the items before, for which candidates are left.
func (p *Pool) newSelection(left []*candidate, before []Item) *selection {
	s := &selection{of: map[headLabel]int{}, drawn: map[key]bool{}, index: copies.NewIndex(), shingler: p.shingler, most: p.cfg.N}
	fewest := 0
	for _, c := range left {
		for _, a := range c.Answers {
			if n := len(a.Scores); fewest == 0 || n < fewest {
				fewest = n
			}
		}
	}
	if fewest > 0 {
		s.most = mostPerLabel(p.cfg.N, fewest)
	}
	for i := range before {
		s.note(&before[i].Row)
		s.drawn[before[i].key()] = true
	}
	return s
}

// full reports whether the batch has enough texts of one of the labels predicted.
func (s *selection) full(answers []Answer) bool {
	return slices.ContainsFunc(answers, func(a Answer) bool { return s.of[headLabel{a.Head, a.Scores[0].Label}] >= s.most })
}

// alike reports whether the batch has a text that is nearly the same.
func (s *selection) alike(text string) bool {
	list := s.shingler.Shingles(text)
	return len(s.index.Find(len(list), list)) > 0
}

// note counts a text as chosen.
func (s *selection) note(r *Row) {
	list := s.shingler.Shingles(r.Text)
	s.index.Add(len(list), list)
	for _, a := range r.Answers {
		s.of[headLabel{a.Head, a.Scores[0].Label}]++
	}
}
