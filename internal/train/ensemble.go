package train

import (
	"context"
	"slices"

	"github.com/parley-nlp/parley/internal/exact"
	"github.com/parley-nlp/parley/internal/judge"
	"github.com/parley-nlp/parley/internal/model"
)

// An ensemble is what a head is made of: members whose scores are blended for
// all texts, and members with a table per target that are added for texts about
// a known target.
type ensemble struct {
	*task
	pooled []*contender
	aimed  []*contender // none: texts about any target are scored alike
	// pooledBlend makes logits of the pooled members' scores. The first weight
	// of targetBlend is that of these logits, the others are those of the
	// target members.
	pooledBlend, targetBlend blend
	curve                    model.Curve
	decision                 []float64 // weights per label; nil: all alike
}

// choose searches the candidates and forms an ensemble of the best. It also
// returns all that were tried and how many the budget did not allow.
func (t *task) choose(ctx context.Context, cfg *Config, step func()) (e ensemble, tried []*contender, left int) {
	candidates, left := t.affordable(cfg.candidates(), cfg.Budget)
	s := &search{task: t, step: step, use: func(int) bool { return true }}
	pool, dropped := s.run(ctx, candidates, pooled)
	tried = append(slices.Clone(pool), dropped...)
	var targetPool []*contender
	if len(t.targets) > 0 && cfg.Members > 1 && ctx.Err() == nil {
		targetPool, dropped = s.run(ctx, candidates, perTarget)
		tried = append(append(tried, targetPool...), dropped...)
	}
	if ctx.Err() != nil {
		return ensemble{}, nil, 0
	}
	return t.form(pool, targetPool, cfg.Members), tried, left
}

// form chooses the members among finalists and blends them.
func (t *task) form(pool, targetPool []*contender, most int) ensemble {
	e := ensemble{task: t}
	docs := t.evident(func(int) bool { return true })
	if !biased(docs) {
		most = 1
	}
	e.pooled = t.pick(pool, stacked{labels: len(t.labels), truth: t.truth, docs: docs, biased: biased(docs)}, most)
	e.blend(docs)
	if len(targetPool) == 0 {
		return e
	}
	aimed := t.evident(func(i int) bool { return t.target[i] >= 0 })
	base := e.pooledLogits()
	s := stacked{len(t.labels), [][]float32{base}, t.truth, aimed, biased(aimed)}
	_, without := s.fit()
	chosen, b, loss := s.choose(scoresOf(targetPool), max(1, most-1))
	if len(chosen) == 0 || b.weights[0] < minPooledWeight {
		// Texts about different targets may mean the opposite by the same words:
		// then the pooled table is of no use to the others.
		s.members = nil
		chosen, _, loss = s.choose(scoresOf(targetPool), max(1, most-1))
	}
	if len(chosen) == 0 || loss > without-float64(worthwhile*without) {
		return e
	}
	for _, c := range chosen {
		e.aimed = append(e.aimed, targetPool[c])
	}
	e.blend(docs)
	return e
}

// minPooledWeight is the least weight of the pooled logits among the scores of
// a target: it is the unit of the others.
const minPooledWeight = 0.02

// pick returns the members that go best together.
func (t *task) pick(pool []*contender, s stacked, most int) []*contender {
	chosen, _, _ := s.choose(scoresOf(pool), most)
	var list []*contender
	for _, c := range chosen {
		list = append(list, pool[c])
	}
	if len(list) == 0 { // none is better than the prior
		list = pool[:1]
	}
	return list
}

func scoresOf(list []*contender) [][]float32 {
	var scores [][]float32
	for _, c := range list {
		scores = append(scores, c.scores)
	}
	return scores
}

// blend fits the blends to the given examples.
func (e *ensemble) blend(docs []int) {
	s := stacked{len(e.labels), scoresOf(e.pooled), e.truth, docs, biased(docs)}
	e.pooledBlend, _ = s.fit()
	e.pooledBlend.clamp()
	if len(e.aimed) == 0 {
		return
	}
	aimed := slices.DeleteFunc(slices.Clone(docs), func(i int) bool { return e.target[i] < 0 })
	s = stacked{len(e.labels), append([][]float32{e.pooledLogits()}, scoresOf(e.aimed)...), e.truth, aimed, biased(aimed)}
	e.targetBlend, _ = s.fit()
	if e.targetBlend.weights[0] < minPooledWeight {
		s.members = s.members[1:]
		b, _ := s.fit()
		e.targetBlend = blend{append([]float64{minPooledWeight}, b.weights...), b.bias}
	}
	e.targetBlend.clamp()
}

// clamp lifts weights below 0 to 0: with the last fold taken out a member may
// lose its use.
func (b *blend) clamp() {
	for i, w := range b.weights {
		b.weights[i] = max(w, 0)
	}
}

// pooledLogits are the logits of the pooled blend: examples x labels.
func (e *ensemble) pooledLogits() []float32 {
	n := len(e.labels)
	logits, z := make([]float32, len(e.examples)*n), make([]float64, n)
	members := scoresOf(e.pooled)
	for i := range e.examples {
		e.pooledBlend.logit(z, members, i)
		for l, x := range z {
			logits[i*n+l] = float32(x)
		}
	}
	return logits
}

// probabilities says what the ensemble answers to the given examples, as a
// served model would: by the prior of the training examples when there is no
// known word.
func (e *ensemble) probabilities(examples, training []int) [][]float64 {
	prior := e.shares(training)
	targetPrior := map[int][]float64{}
	base := e.pooledLogits()
	targetMembers := append([][]float32{base}, scoresOf(e.aimed)...)
	var list [][]float64
	for _, i := range examples {
		target := e.target[i]
		if len(e.aimed) == 0 {
			target = -1
		}
		p, z := make([]float64, len(e.labels)), make([]float64, len(e.labels))
		switch {
		case !e.known[i] && target < 0:
			copy(p, prior)
		case !e.known[i]:
			if targetPrior[target] == nil {
				targetPrior[target] = e.shares(slices.DeleteFunc(slices.Clone(training), func(i int) bool { return e.target[i] != target }))
			}
			copy(p, targetPrior[target])
		case target < 0:
			e.pooledBlend.logit(z, scoresOf(e.pooled), i)
			exact.Softmax(p, z, 1)
			e.curve.Apply(p)
		default:
			e.targetBlend.logit(z, targetMembers, i)
			exact.Softmax(p, z, 1)
			e.curve.Apply(p)
		}
		list = append(list, p)
	}
	return list
}

// judge answers every labelled example, fold by fold, by tables trained on the
// other folds and blends fitted to the other folds.
func (e *ensemble) judge() []judge.Judgement {
	folds := make([][]judge.Judgement, e.folds)
	inParallel(e.folds, func(lo, hi int) {
		for f := lo; f < hi; f++ {
			folds[f] = e.judgeFold(f)
		}
	})
	return slices.Concat(folds...)
}

func (e *ensemble) judgeFold(f int) []judge.Judgement {
	held := e.labelled(func(i int) bool { return e.fold[i] == f })
	training := e.labelled(func(i int) bool { return e.fold[i] != f })
	part := *e
	part.blend(e.evident(func(i int) bool { return e.fold[i] != f }))
	var list []judge.Judgement
	for k, p := range part.probabilities(held, training) {
		list = append(list, e.judgement(held[k], p))
	}
	return list
}

// judged lists the examples of what judge returns.
func (e *ensemble) judged() []int {
	var list []int
	for f := range e.folds {
		list = append(list, e.labelled(func(i int) bool { return e.fold[i] == f })...)
	}
	return list
}
