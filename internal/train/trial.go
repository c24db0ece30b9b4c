package train

import (
	"context"
	"slices"
)

// A sample is labelled examples that are counted in a pass over documents that
// are not kept.
type sample struct {
	lens   *lens
	use    func(i int) bool
	counts *Counts
}

// count counts every sample in one pass.
func (t *task) countSamples(list []*sample) {
	for _, s := range list {
		s.counts = newCounts(len(t.ids), len(t.labels), s.lens.value.Bits())
	}
	t.documents(func(batch []numberedDocument) {
		inParallel(len(list), func(lo, hi int) {
			var v vector
			for _, s := range list[lo:hi] {
				for _, d := range batch {
					if t.truth[d.i] >= 0 && s.use(d.i) {
						v.read(d.doc, s.lens)
						s.counts.add(v.rows, v.values, t.truth[d.i])
					}
				}
			}
		})
	})
}

// A trial is contenders of one space that are trained without a fold, on the
// part of the examples that share a table, and judged on that fold.
type trial struct {
	sample
	alike  []*contender
	fold   int
	part   part
	tables []table // per contender; none: there is nothing to learn from
}

// trials lists those of the contenders on folds [from, to).
func (s *search) trials(list []*contender, from, to int) []*trial {
	var trials []*trial
	for _, alike := range bySpace(list) {
		for f := from; f < to; f++ {
			for _, p := range s.parts(alike[0].scope) {
				trials = append(trials, &trial{alike: alike, fold: f, part: p})
			}
		}
	}
	return trials
}

// judgeByPasses scores the examples of folds [from, to) with every contender,
// none of which is linear. Two passes serve as many trials as have room in
// memory.
func (s *search) judgeByPasses(ctx context.Context, list []*contender, from, to int) {
	most := 1
	for _, alike := range bySpace(list) {
		most = max(most, len(alike))
	}
	room := max(1, maxCells/max(1, len(s.ids)*len(s.labels)*(1+most)))
	for some := range slices.Chunk(s.trials(list, from, to), room) {
		if ctx.Err() == nil {
			s.try(some)
		}
	}
}

// try trains the contenders of trials and scores the folds that they have not
// seen.
func (s *search) try(trials []*trial) {
	var samples []*sample
	for k, t := range trials {
		if k > 0 && t.fold == trials[k-1].fold && t.alike[0] == trials[k-1].alike[0] { // another part
			t.lens = trials[k-1].lens
		} else {
			t.lens = s.lens(s.learnt[t.fold], t.alike[0].space())
		}
		t.use = func(i int) bool { return s.fold[i] != t.fold && s.use(i) && t.part.has(i) }
		samples = append(samples, &t.sample)
	}
	s.countSamples(samples)
	inParallel(len(trials), func(lo, hi int) {
		for _, t := range trials[lo:hi] {
			t.fit()
			s.step()
		}
	})
	s.documents(func(batch []numberedDocument) {
		inParallel(len(batch), func(lo, hi int) {
			var v vector
			for _, d := range batch[lo:hi] {
				for _, t := range trials {
					if s.truth[d.i] >= 0 && s.fold[d.i] == t.fold && t.part.has(d.i) {
						t.score(&v, d, len(s.labels))
					}
				}
			}
		})
	})
}

// fit makes the tables of counts, which are not needed any longer.
func (t *trial) fit() {
	l := &lesson{counts: t.counts, size: t.counts.vocabularySize()}
	if len(t.counts.docs) > 0 && slices.Max(t.counts.docs) > 0 {
		for _, c := range t.alike {
			t.tables = append(t.tables, c.fit(l))
		}
	}
	t.counts = nil
}

// score scores a document with every contender.
func (t *trial) score(v *vector, d numberedDocument, labels int) {
	v.read(d.doc, t.lens)
	for k, table := range t.tables {
		table.scoreVector(t.alike[k].scores[d.i*labels:][:labels], v.rows, v.values)
	}
}

// fitByPasses trains members, none of them linear, on the labelled examples for
// which use holds.
func (t *task) fitByPasses(known *seen, members []*contender, use func(i int) bool) []table {
	tables := make([]table, len(members))
	for _, alike := range bySpace(members) {
		s := &sample{lens: t.lens(known, alike[0].space()), use: use}
		t.countSamples([]*sample{s})
		l := &lesson{counts: s.counts, size: s.counts.vocabularySize()}
		for m, c := range members {
			if slices.Contains(alike, c) {
				tables[m] = c.fit(l)
			}
		}
	}
	return tables
}
