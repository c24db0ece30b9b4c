package train

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/parley-nlp/parley/internal/exact"
	"github.com/parley-nlp/parley/internal/judge"
	"github.com/parley-nlp/parley/internal/model"
)

// A cut says in how many sources a feature must occur to be known, by family:
// see kind.words. Near-copies of a text are one source.
type cut [model.MaxWords + 1]uint8

// MaxMinSources bounds Config.MinSources.
const MaxMinSources = 20

// without returns what would be known if features of fewer sources were not.
func (s *seen) without(c cut, kinds []kind) *seen {
	if slices.Max(c[:]) <= 1 {
		return s
	}
	kept := *s
	kept.df = slices.Clone(s.df)
	for row, n := range s.sources {
		if n < c[kinds[row].words] {
			kept.df[row] = 0
		}
	}
	return &kept
}

// countSources decides how far sources are counted, as memory allows.
func (c *corpus) countSources(cfg *Config, report *Report) error {
	c.sourceLimit = cfg.sourceLimit()
	cells := len(c.ids) * int(c.sourceLimit) * cmp.Or(cfg.Folds, 5)
	switch {
	case cells <= maxCells || c.sourceLimit <= 1 || c.counted != nil:
		return nil
	case cfg.MinSources > 1:
		return fmt.Errorf("%d features, %d sources of each in %d folds: more than memory is planned for (%d)", len(c.ids), c.sourceLimit, cmp.Or(cfg.Folds, 5), maxCells)
	}
	report.warn("%d features: too many to find those of a single source: nothing was pruned", len(c.ids))
	cfg.Prune, c.sourceLimit = false, 0
	return nil
}

// knowsWords reports whether any single word is known.
func (c *corpus) knowsWords(s *seen) bool {
	for row, df := range s.df {
		if df > 0 && c.kinds[row].words == 1 {
			return true
		}
	}
	return false
}

// A sourceCounter counts the different sources that have each row, up to a
// limit. The order of documents does not matter.
type sourceCounter struct {
	limit int
	found []uint32 // per row at most limit, one more than their numbers; 0 for none
}

func newSourceCounter(rows int, limit uint8) *sourceCounter {
	return &sourceCounter{int(limit), make([]uint32, rows*int(limit))}
}

// add counts the features of a document.
func (c *sourceCounter) add(d document, source int) {
	for _, o := range d {
		for k, s := range c.found[int(o.row)*c.limit:][:c.limit] {
			if s == 0 {
				c.found[int(o.row)*c.limit+k] = uint32(source) + 1
			}
			if s == 0 || s == uint32(source)+1 {
				break
			}
		}
	}
}

// counts returns the number of sources per row.
func (c *sourceCounter) counts() []uint8 {
	counts := make([]uint8, len(c.found)/c.limit)
	for row := range counts {
		for _, s := range c.found[row*c.limit:][:c.limit] {
			if s != 0 {
				counts[row]++
			}
		}
	}
	return counts
}

const (
	// pruneLoss is by how much the out-of-fold loss may rise when n-grams that
	// only one source has are left out, as a share of it, and pruneF1 by how much
	// macro-F1 may fall. Most n-grams are such: without them a model is a
	// fraction of the size, and faster, as it is nearer to the processor.
	pruneLoss = 0.005
	pruneF1   = 0.002
	// mostCut is what a family is cut to.
	mostCut = 2
)

// prunable are the families that may be cut, those of most rows first: words of
// three, characters, words of two. Single words tell what a model has seen.
var prunable = []int{3, 0, 2}

// prune leaves out n-grams of few sources, family by family, as long as no head
// suffers, and there are enough texts to tell.
func prune(ctx context.Context, heads []*trainedHead, step func()) {
	var before []standing
	for _, h := range heads {
		if h.folds == 0 || !biased(h.evident(func(int) bool { return true })) {
			return
		}
		before = append(before, h.standing())
	}
	for _, family := range prunable {
		c := heads[0].cut
		if c[family] >= mostCut || !slices.ContainsFunc(heads, func(h *trainedHead) bool { return h.reads(family) }) {
			continue
		}
		c[family] = mostCut
		var tried []ensemble
		for i, h := range heads {
			e := h.pruned(ctx, c, step)
			if ctx.Err() != nil {
				return
			}
			if !e.standing().asGoodAs(before[i]) {
				break
			}
			tried = append(tried, e)
		}
		if len(tried) == len(heads) {
			for i, h := range heads {
				h.ensemble = tried[i]
			}
		}
	}
}

// reads reports whether a member has features of the family.
func (e *ensemble) reads(family int) bool {
	return slices.ContainsFunc(slices.Concat(e.pooled, e.aimed), func(c *contender) bool {
		return kind{words: uint8(family)}.in(c.Features)
	})
}

// pruned returns the ensemble trained without the features that c cuts.
func (e *ensemble) pruned(ctx context.Context, c cut, step func()) ensemble {
	p := e.fresh()
	t := e.task.with(c)
	p.task = t
	s := &search{task: t, step: step, use: func(int) bool { return true }}
	s.judge(ctx, p.pooled, 0, t.folds)
	s.judge(ctx, p.aimed, 0, t.folds)
	p.blend(t.evident(func(int) bool { return true }))
	return p
}

// with returns the task with a stricter cut.
func (t *task) with(c cut) *task {
	stricter := *t
	stricter.cut, stricter.learnt = c, make([]*seen, len(t.learnt))
	for f, s := range t.learnt {
		stricter.learnt[f] = s.without(c, t.kinds)
	}
	return &stricter
}

// A standing is how an ensemble does out of fold.
type standing struct{ loss, f1 float64 }

func (e *ensemble) standing() standing {
	list := e.judge()
	s := standing{}
	for _, j := range list {
		s.loss -= exact.Log(max(j.Probabilities[j.Truth], leastProbability))
	}
	truth, predicted := split(list)
	s.f1 = judge.MacroF1(len(e.labels), truth, predicted)
	return s
}

func (s standing) asGoodAs(before standing) bool {
	return s.loss <= before.loss+float64(pruneLoss*before.loss) && s.f1 >= before.f1-pruneF1
}
