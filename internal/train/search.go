package train

import (
	"cmp"
	"context"
	"runtime"
	"slices"
	"sync"

	"github.com/parley-nlp/parley/internal/judge"
)

// A scope says whose texts a table is trained on.
type scope bool

const (
	pooled    scope = false // one table for the texts of all targets
	perTarget scope = true  // one table per target, for texts about that target
)

// A contender is a candidate in the search.
type contender struct {
	candidate
	scope  scope
	scores []float32 // out of fold: examples x labels; 0 where not judged
	folds  int       // that it was judged on
	loss   float64   // of its calibrated probabilities, see blend
	f1     float64   // macro-F1
	acc    float64
}

// A search finds contenders by successive halving: all are judged on one fold,
// the better ones on a second, the best on all. Jamieson and Talwalkar,
// "Non-stochastic Best Arm Identification and Hyperparameter Optimization"
// (2016). What goes on to the next round is chosen within groups, as a blend
// gains most from members that err differently.
type search struct {
	*task
	step func()           // called for each fold of each space
	use  func(i int) bool // whether example i may be trained on
}

// rounds of the search: after so many folds so many of each group go on.
var rounds = []struct{ folds, keep int }{{1, 3}, {2, 2}}

// run judges candidates and returns those that were judged on all folds, in
// the order of candidates, and the others.
func (s *search) run(ctx context.Context, candidates []candidate, sc scope) (finalists, dropped []*contender) {
	for _, c := range candidates {
		finalists = append(finalists, &contender{candidate: c, scope: sc, scores: make([]float32, len(s.examples)*len(s.labels))})
	}
	from := 0
	for _, r := range rounds {
		if len(finalists) <= r.keep || r.folds >= s.folds {
			break
		}
		s.judge(ctx, finalists, from, r.folds)
		if ctx.Err() != nil {
			return nil, nil
		}
		var out []*contender
		finalists, out = bestOfGroups(finalists, r.keep)
		for _, c := range out {
			c.scores = nil
		}
		dropped, from = append(dropped, out...), r.folds
	}
	s.judge(ctx, finalists, from, s.folds)
	return finalists, dropped
}

// bestOfGroups keeps so many contenders of each value function and kind of
// estimator, those with the least loss, in their order.
func bestOfGroups(list []*contender, keep int) (kept, out []*contender) {
	type group struct {
		value  any
		linear bool
	}
	members := map[group][]*contender{}
	for _, c := range list {
		g := group{c.Value, c.Estimator.linear()}
		members[g] = append(members[g], c)
	}
	for _, of := range members {
		slices.SortStableFunc(of, func(a, b *contender) int { return cmp.Compare(a.loss, b.loss) })
	}
	for _, c := range list {
		of := members[group{c.Value, c.Estimator.linear()}]
		if slices.Contains(of[:min(keep, len(of))], c) {
			kept = append(kept, c)
		} else {
			out = append(out, c)
		}
	}
	return kept, out
}

// judge scores the examples of folds [from, to) with every contender and rates
// the contenders.
func (s *search) judge(ctx context.Context, list []*contender, from, to int) {
	if s.docs == nil {
		s.judgeByPasses(ctx, list, from, to)
	} else {
		s.judgeInMemory(ctx, list, from, to)
	}
	if ctx.Err() != nil {
		return
	}
	slots := make(chan struct{}, runtime.GOMAXPROCS(0))
	var workers sync.WaitGroup
	for _, c := range list {
		slots <- struct{}{}
		workers.Go(func() {
			defer func() { <-slots }()
			c.folds = to
			s.rate(c)
		})
	}
	workers.Wait()
}

// judgeInMemory scores the examples of folds [from, to) with every contender,
// space by space and fold by fold.
func (s *search) judgeInMemory(ctx context.Context, list []*contender, from, to int) {
	slots := make(chan struct{}, runtime.GOMAXPROCS(0))
	var workers sync.WaitGroup
	for _, alike := range bySpace(list) {
		for f := from; f < to; f++ {
			slots <- struct{}{}
			workers.Go(func() {
				defer func() { <-slots }()
				if ctx.Err() == nil {
					s.judgeFold(ctx, alike, f)
					s.step()
				}
			})
		}
	}
	workers.Wait()
}

// bySpace groups contenders that see texts alike.
func bySpace(list []*contender) [][]*contender {
	at := map[space]int{}
	var groups [][]*contender
	for _, c := range list {
		k := c.space()
		if _, ok := at[k]; !ok {
			at[k] = len(groups)
			groups = append(groups, nil)
		}
		groups[at[k]] = append(groups[at[k]], c)
	}
	return groups
}

// judgeFold scores the examples of fold f with contenders of one space, trained
// on the other folds.
func (s *search) judgeFold(ctx context.Context, alike []*contender, f int) {
	docs := s.vectorise(s.learnt[f], alike[0].Features, alike[0].Value)
	for _, part := range s.parts(alike[0].scope) {
		training := s.labelled(func(i int) bool { return s.fold[i] != f && s.use(i) && part.has(i) })
		held := s.labelled(func(i int) bool { return s.fold[i] == f && part.has(i) })
		if len(training) == 0 || len(held) == 0 {
			continue
		}
		l := s.lessonWithout(f, docs, alike[0].space(), training)
		l.need = make([]bool, len(s.ids))
		for _, i := range held {
			rows, _ := docs.of(i)
			for _, row := range rows {
				l.need[row] = true
			}
		}
		for _, c := range alike {
			if ctx.Err() != nil {
				return
			}
			t := c.fit(l)
			for _, i := range held {
				t.score(c.scores[i*len(s.labels):][:len(s.labels)], docs, i)
			}
		}
	}
}

// A part is the examples that share a table.
type part struct {
	target int // -1 for all
	of     []int
}

func (p part) has(i int) bool { return p.target < 0 || p.of[i] == p.target }

func (t *task) parts(sc scope) []part {
	if sc == pooled {
		return []part{{target: -1}}
	}
	list := make([]part, len(t.targets))
	for i := range list {
		list[i] = part{i, t.target}
	}
	return list
}

// lesson prepares the given examples to be trained on.
func (t *task) lesson(docs *vectors, examples []int) *lesson {
	counts := t.count(docs, examples)
	return &lesson{docs: docs, texts: examples, truth: t.truth, counts: counts, size: counts.vocabularySize()}
}

// lessonWithout is the lesson of what is outside a fold: of the given examples, or of
// all that was counted.
func (t *task) lessonWithout(f int, docs *vectors, sp space, examples []int) *lesson {
	if t.counted != nil {
		return t.counted.lesson(t, sp, t.learnt[f], f)
	}
	return t.lesson(docs, examples)
}

// count counts the given examples.
func (t *task) count(docs *vectors, examples []int) *Counts {
	c := newCounts(len(t.ids), len(t.labels), docs.bits)
	for _, i := range examples {
		rows, values := docs.of(i)
		c.add(rows, values, t.truth[i])
	}
	return c
}

// rate fills in how a contender does on the folds that it was judged on.
func (s *search) rate(c *contender) {
	docs := s.evident(func(i int) bool { return s.fold[i] < c.folds && (c.scope == pooled || s.target[i] >= 0) })
	st := stacked{len(s.labels), [][]float32{c.scores}, s.truth, docs, biased(docs)}
	b, loss := st.fit()
	c.loss = loss
	truth, predicted := make([]int, len(docs)), make([]int, len(docs))
	z := make([]float64, len(s.labels))
	for k, i := range docs {
		b.logit(z, st.members, i)
		truth[k], predicted[k] = s.truth[i], argmax(z)
	}
	c.f1, c.acc = judge.MacroF1(len(s.labels), truth, predicted), judge.Accuracy(truth, predicted)
}

// evident lists the labelled examples with a known word for which keep holds:
// those whose answer depends on scores.
func (t *task) evident(keep func(i int) bool) []int {
	return t.labelled(func(i int) bool { return t.known[i] && keep(i) })
}

// biasedFrom is the number of texts from which more is fitted than a
// temperature: biases, and several members.
const biasedFrom = 300

func biased(docs []int) bool { return len(docs) >= biasedFrom }
