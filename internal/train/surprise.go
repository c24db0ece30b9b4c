package train

import (
	"context"
	"slices"

	"github.com/parley-nlp/parley/internal/dataset"
	"github.com/parley-nlp/parley/internal/exact"
	"github.com/parley-nlp/parley/internal/model"
)

// A Surprise is how improbable a label is to all other rows.
type Surprise struct {
	// Known is false when there is no label, or no word of the text occurs in other
	// sources: then nothing can be said.
	Known       bool
	Nats        float64 // -ln of the label's probability
	Expected    string  // the most probable label
	Probability float64 // of that one
}

// Surprises says of every head (in the order of heads) and every example (in their
// order) how surprising its label is to naive Bayes trained on all other sources: an
// example's own one, near-duplicates included, is taken off the counts, which is exact.
// So each label is judged by nearly all data, where cross-validation leaves out a fold.
//
// The estimator (mnb or cnb), its smoothing, the features and values (binary or tf) are
// those of cfg by which the labels are least surprising, on the whole; a temperature
// makes the scores probabilities. These few choices do see all labels. Texts about all
// targets are taken together.
func Surprises(ctx context.Context, examples []dataset.Example, heads []string, cfg Config) ([][]Surprise, error) {
	var warnings Report // nobody asked for a report
	cfg.Features = withinReason(cfg.Features, examples, &warnings)
	cfg, err := leavable(cfg)
	if err != nil {
		return nil, err
	}
	features, err := union(cfg.Features)
	if err != nil {
		return nil, err
	}
	if len(examples) == 0 {
		return nil, errNoRows
	}
	order := byContent(contentSums(examples))
	sorted := make([]dataset.Example, len(order))
	for i, from := range order {
		sorted[i] = examples[from]
	}
	c, err := newCorpus(ctx, sorted, features)
	if err != nil {
		return nil, err
	}
	tasks, err := newTasks(c, heads, &warnings)
	if err != nil {
		return nil, err
	}
	component := components(sorted, c.pass, c.bytes)
	surprises := make([][]Surprise, len(tasks))
	for h, t := range tasks {
		list := newLeaveOneOut(t, component).surprises(ctx, &cfg)
		surprises[h] = make([]Surprise, len(list))
		for i, s := range list {
			surprises[h][order[i]] = s
		}
	}
	return surprises, ctx.Err()
}

// leavable leaves of a configuration what rows can be taken off: counts of values that
// depend on one text alone, and weights that depend on the text's features alone. What
// is not there is replaced by all that there could be.
func leavable(cfg Config) (Config, error) {
	of := func(v model.Value) bool { return v == model.Binary || v == model.TF }
	cfg.Values = slices.DeleteFunc(slices.Clone(cfg.Values), func(v model.Value) bool { return !of(v) })
	if len(cfg.Values) == 0 {
		cfg.Values = []model.Value{model.Binary, model.TF}
	}
	cfg.Estimators = slices.DeleteFunc(slices.Clone(cfg.Estimators), func(e Estimator) bool { return e != MultinomialNB && e != ComplementNB })
	if len(cfg.Estimators) == 0 {
		cfg.Estimators = []Estimator{MultinomialNB, ComplementNB}
	}
	cfg.Recipe = nil
	return cfg, cfg.check()
}

// A leaveOneOut judges the examples of a task, each without its source.
type leaveOneOut struct {
	*task
	members [][]int // labelled examples of each source
	known   []bool  // per example: it has a word that occurs in other sources
}

func newLeaveOneOut(t *task, component []int) *leaveOneOut {
	o := &leaveOneOut{task: t, members: make([][]int, slices.Max(component)+1), known: make([]bool, len(component))}
	all := make([][]int, len(o.members))
	for i, c := range component {
		all[c] = append(all[c], i)
		if t.truth[i] >= 0 {
			o.members[c] = append(o.members[c], i)
		}
	}
	for _, source := range all {
		own := map[uint32]uint32{} // its texts that have each row
		for _, i := range source {
			for _, f := range t.docs[i] {
				own[f.row]++
			}
		}
		for _, i := range source {
			o.known[i] = slices.ContainsFunc(t.docs[i], func(f occurrence) bool {
				return t.kinds[f.row].counted && t.texts[f.row] > own[f.row]
			})
		}
	}
	return o
}

// surprises are those of all examples.
func (o *leaveOneOut) surprises(ctx context.Context, cfg *Config) []Surprise {
	list := make([]Surprise, len(o.examples))
	docs := o.labelled(func(i int) bool { return o.known[i] })
	if len(docs) == 0 {
		return list
	}
	scores, b := o.best(ctx, cfg, docs)
	if ctx.Err() != nil {
		return list
	}
	z, p := make([]float64, len(o.labels)), make([]float64, len(o.labels))
	for _, i := range docs {
		b.logit(z, [][]float32{scores}, i)
		exact.Softmax(p, z, 1)
		at := argmax(p)
		list[i] = Surprise{
			Known: true, Nats: max(0, -exact.Log(max(leastProbability, p[o.truth[i]]))),
			Expected: o.labels[at], Probability: p[at],
		}
	}
	return list
}

// best returns the scores by which the labels are least surprising, and the
// temperature for them. First features and values are chosen, then the estimator.
func (o *leaveOneOut) best(ctx context.Context, cfg *Config, docs []int) ([]float32, blend) {
	var first []candidate
	for _, c := range cfg.candidates() {
		if !slices.ContainsFunc(first, func(d candidate) bool { return c.space() == d.space() }) {
			first = append(first, c)
		}
	}
	s := o.chosen(ctx, first, docs)
	if ctx.Err() != nil {
		return nil, blend{}
	}
	alike := slices.DeleteFunc(cfg.candidates(), func(c candidate) bool { return c.space() != s.space() })
	s = o.chosen(ctx, alike, docs)
	return s.scores, s.blend
}

// A leftOutScore is how a candidate scores the examples.
type leftOutScore struct {
	candidate
	scores []float32
	blend  blend
	loss   float64
}

// chosen returns the candidate with the least loss, of equal ones the first.
func (o *leaveOneOut) chosen(ctx context.Context, list []candidate, docs []int) *leftOutScore {
	var best *leftOutScore
	for _, c := range list {
		if ctx.Err() != nil {
			break
		}
		s := &leftOutScore{candidate: c, scores: o.judge(ctx, c)}
		fitted := stacked{labels: len(o.labels), members: [][]float32{s.scores}, truth: o.truth, docs: docs}
		if s.blend, s.loss = fitted.fit(); best == nil || s.loss < best.loss {
			best = s
		}
	}
	return best
}

// judge scores every labelled example by the candidate trained on all other sources.
func (o *leaveOneOut) judge(ctx context.Context, c candidate) []float32 {
	docs := o.vectorise(o.seenBy(func(int) bool { return true }), c.Features, c.Value)
	all := o.lesson(docs, o.labelled(func(int) bool { return true }))
	scores := make([]float32, len(o.examples)*len(o.labels))
	inParallel(len(o.members), func(lo, hi int) {
		w := newWeigher(c.Estimator, c.Strength, docs.bits, len(o.labels))
		for _, source := range o.members[lo:hi] {
			if ctx.Err() == nil && len(source) > 0 {
				newRemainder(all, source).score(scores, w)
			}
		}
	})
	return scores
}

// A remainder is the counts without a source, of the source's features.
type remainder struct {
	docs   *vectors
	texts  []int
	rows   []uint32 // ascending
	counts *Counts
	size   vocabularySize
}

// newRemainder takes the texts of a source off what all teach.
func newRemainder(all *lesson, source []int) *remainder {
	r := &remainder{docs: all.docs, texts: source}
	for _, i := range source {
		rows, _ := all.docs.of(i)
		r.rows = append(r.rows, rows...)
	}
	slices.Sort(r.rows)
	r.rows = slices.Compact(r.rows)
	own := newCounts(len(r.rows), all.counts.labels, all.counts.bits)
	for _, i := range source {
		rows, values := all.docs.of(i)
		own.add(r.local(rows), values, all.truth[i])
	}
	r.counts = newCounts(len(r.rows), own.labels, own.bits)
	copy(r.counts.docs, all.counts.docs)
	takeFrom(r.counts.docs, own.docs)
	r.size = vocabularySize{features: all.size.features, values: slices.Clone(all.size.values), total: all.size.total}
	for k, row := range r.rows {
		left := r.counts.row(k)
		copy(left, all.counts.row(int(row)))
		for label, n := range own.row(k) {
			left[label] -= n
			r.size.values[label] -= uint64(n)
			r.size.total -= uint64(n)
		}
		if total(left) == 0 {
			r.size.features--
		}
	}
	return r
}

// local are the positions of rows among the remainder's.
func (r *remainder) local(rows []uint32) []uint32 {
	list := make([]uint32, len(rows))
	at := 0
	for j, row := range rows { // both ascend
		for r.rows[at] < row {
			at++
		}
		list[j] = uint32(at)
	}
	return list
}

// score scores the texts of the source by what is left without it.
func (r *remainder) score(scores []float32, w *weigher) {
	labels := r.counts.labels
	t := table{make([]float32, len(r.counts.features)), make([]float32, labels)}
	if w.estimator == MultinomialNB {
		logPriors(t.bias, r.counts.docs)
	}
	w.seen(r.size)
	for k := range r.rows {
		w.weigh(t.weights[k*labels:][:labels], r.counts.row(k))
	}
	for _, i := range r.texts {
		rows, values := r.docs.of(i)
		t.scoreVector(scores[i*labels:][:labels], r.local(rows), values)
	}
}
