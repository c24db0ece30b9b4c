package train

import (
	"context"

	"github.com/parley-nlp/parley/internal/judge"
)

// nested validates the choice itself: each fold is judged by an ensemble that
// was chosen, blended and trained on the other folds alone. The whole is
// repeated, each time dealt anew. Varma and Simon, "Bias in error estimation
// when using cross-validation for model selection" (2006).
func (t *task) nested(ctx context.Context, cfg *Config, step func()) [][]judge.Judgement {
	var repeats [][]judge.Judgement
	asked := *t
	asked.cut = cfg.cut()
	for r := range cfg.Nested {
		outer := asked.dealt(t.component, folds(t.component, [][]int{t.truth}, t.folds, uint64(r+1)), t.folds)
		var list []judge.Judgement
		for f := range outer.folds {
			list = append(list, outer.judgeChoice(ctx, cfg, f, step)...)
			if ctx.Err() != nil {
				return nil
			}
		}
		repeats = append(repeats, list)
	}
	return repeats
}

// judgeChoice judges fold f by an ensemble that was chosen on the others.
func (t *task) judgeChoice(ctx context.Context, cfg *Config, f int, step func()) []judge.Judgement {
	inner := t.without(f)
	chosen, _, _ := inner.choose(ctx, cfg, step)
	if ctx.Err() != nil {
		return nil
	}
	if cfg.Prune {
		h := &trainedHead{ensemble: chosen}
		prune(ctx, []*trainedHead{h}, step)
		chosen = h.ensemble
	}
	judged := chosen.judge()
	chosen.curve = chosen.straighten(judged)
	if cfg.Objective == MacroF1 {
		chosen.decision = chosen.decide(judged)
	}
	t = t.with(chosen.cut)
	s := &search{task: t, step: step, use: func(int) bool { return true }}
	e := chosen.fresh()
	e.task = t
	s.judge(ctx, e.pooled, f, f+1)
	s.judge(ctx, e.aimed, f, f+1)
	held := t.labelled(func(i int) bool { return t.fold[i] == f })
	training := t.labelled(func(i int) bool { return t.fold[i] != f })
	var list []judge.Judgement
	for k, p := range e.probabilities(held, training) {
		j := t.judgement(held[k], p)
		j.Predicted = best(p, chosen.decision)
		list = append(list, j)
	}
	return list
}

// learningParts are the eighths of the sources that the points of a learning
// curve are trained on.
var learningParts = []int{1, 2, 4}

// learningCurve judges the ensemble's members when trained on parts of the data;
// full is how all of it did.
func (e *ensemble) learningCurve(ctx context.Context, step func(), full judge.Metrics) []judge.LearningPoint {
	if e.counted != nil { // a part of the sample is no part of what was counted
		return nil
	}
	n := len(e.labelled(func(int) bool { return true }))
	trained := func(eighths int) int { return n * (e.folds - 1) / e.folds * eighths / 8 }
	var points []judge.LearningPoint
	for _, eighths := range learningParts {
		if trained(eighths) < 2*len(e.labels) || ctx.Err() != nil {
			continue
		}
		// Components are numbered in the order of hashes: every eighth is a fair
		// sample.
		s := &search{task: e.task, step: step, use: func(i int) bool { return e.component[i]%8 < eighths }}
		part := e.fresh()
		s.judge(ctx, part.pooled, 0, e.folds)
		s.judge(ctx, part.aimed, 0, e.folds)
		if ctx.Err() != nil {
			return nil
		}
		judged := part.judge()
		if len(e.decision) > 0 {
			for k := range judged {
				judged[k].Predicted = best(judged[k].Probabilities, e.decision)
			}
		}
		truth, predicted := split(judged)
		points = append(points, judge.LearningPoint{
			Examples: trained(eighths),
			Accuracy: judge.Accuracy(truth, predicted), MacroF1: judge.MacroF1(len(e.labels), truth, predicted),
		})
	}
	return append(points, judge.LearningPoint{Examples: trained(8), Accuracy: full.Accuracy, MacroF1: full.MacroF1})
}

// fresh returns the ensemble with the same candidates, not judged yet, and the
// same blends.
func (e *ensemble) fresh() ensemble {
	part := *e
	again := func(list []*contender) []*contender {
		var fresh []*contender
		for _, c := range list {
			fresh = append(fresh, &contender{candidate: c.candidate, scope: c.scope, scores: make([]float32, len(e.examples)*len(e.labels))})
		}
		return fresh
	}
	part.pooled, part.aimed = again(e.pooled), again(e.aimed)
	return part
}

func split(list []judge.Judgement) (truth, predicted []int) {
	for _, j := range list {
		truth, predicted = append(truth, j.Truth), append(predicted, j.Predicted)
	}
	return truth, predicted
}
