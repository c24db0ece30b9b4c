package train

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/parley-nlp/parley/internal/dataset"
	"github.com/parley-nlp/parley/internal/model"
)

// charactersUpTo is how many bytes of text are searched with character n-grams
// when there is a choice: beyond it words have seen enough and memory counts.
const charactersUpTo = 32 << 20

// Train fits a model with the given heads to examples, whose Labels are in the
// order of heads. The model and the report depend on what the examples say,
// not on their order nor on the machine. When ctx ends, Train gives up with its
// error.
func Train(ctx context.Context, examples []dataset.Example, heads []string, cfg Config) (*model.Model, *Report, error) {
	if err := cfg.check(); err != nil {
		return nil, nil, err
	}
	if len(examples) == 0 {
		return nil, nil, fmt.Errorf("no labelled rows")
	}
	report := &Report{Rows: len(examples)}
	cfg.Features = affordable(cfg.Features, examples, report)
	features, err := union(cfg.Features)
	if err != nil {
		return nil, nil, err
	}
	sorted, sum := sortExamples(examples, heads)
	corpus, err := newCorpus(ctx, sorted, features)
	if err != nil {
		return nil, nil, err
	}
	tasks, err := newTasks(corpus, heads, report)
	if err != nil {
		return nil, nil, err
	}
	minKnown := split(corpus, tasks, cfg.Folds, report)

	candidates := cfg.candidates()
	done := progress(cfg.Progress, len(tasks)*len(countedAlike(candidates))*report.Folds)
	var trained []trainedHead
	for _, t := range tasks {
		h := t.train(ctx, candidates, done)
		if ctx.Err() != nil {
			return nil, nil, ctx.Err()
		}
		trained = append(trained, h)
		report.Heads = append(report.Heads, h.report())
	}
	spec := assemble(corpus, trained)
	spec.MinKnownShare, spec.TrainingData = minKnown, sum
	m, err := model.New(spec)
	if err != nil {
		return nil, nil, err
	}
	report.describe(m)
	return m, report, nil
}

// affordable leaves out feature sets with characters when there is too much
// text for them and another choice.
func affordable(list []model.Features, examples []dataset.Example, report *Report) []model.Features {
	bytes := 0
	for _, ex := range examples {
		bytes += len(ex.Text)
	}
	words := slices.DeleteFunc(slices.Clone(list), func(f model.Features) bool { return f.CharMax > 0 })
	if bytes <= charactersUpTo || len(words) == 0 || len(words) == len(list) {
		return list
	}
	report.warn("%d MB of text: character n-grams were not tried (pin them with --preset short)", bytes>>20)
	return words
}

// newTasks returns a task per head and warns of labels that are hard to learn.
func newTasks(c *corpus, heads []string, report *Report) ([]*task, error) {
	var tasks []*task
	for i, name := range heads {
		t := newTask(c, name, i)
		if len(t.labels) < 2 {
			return nil, fmt.Errorf("head %q: %d different labels in %d rows: want at least 2", name, len(t.labels), len(c.examples))
		}
		if cells := len(c.ids) * len(t.labels); cells > maxCells {
			return nil, fmt.Errorf("head %q: %d labels x %d features are more than memory is planned for (%d): are these labels, or ids? Fewer features (--preset long) may do",
				name, len(t.labels), len(c.ids), maxCells)
		}
		sizes := make([]int, len(t.labels))
		for _, l := range t.truth {
			if l >= 0 {
				sizes[l]++
			}
		}
		t.warnOf(report, "with less than 5 examples, too few to be learned or judged", func(l int) bool { return sizes[l] < fewExamples })
		tasks = append(tasks, t)
	}
	return tasks, nil
}

const fewExamples = 5

// maxCells is how many counts a head may have: about 2 GB with all that is made
// of them.
const maxCells = 1 << 27

// split deals the examples to folds and returns the share of known words that
// all but one percent of the texts reach when judged by the other folds.
func split(c *corpus, tasks []*task, k int, report *Report) (minKnown float64) {
	component := groups(c.examples)
	report.Sources = sources(component)
	if k == 0 {
		k = 5
	}
	k = min(k, report.Sources)
	if report.Folds = k; k < 2 {
		report.Folds = 0
		report.warn("all rows are of one source or near-duplicates: nothing could be held out, so the model was neither evaluated nor calibrated")
		return 0
	}
	var labels [][]int
	for _, t := range tasks {
		labels = append(labels, t.truth)
	}
	fold := folds(component, labels, k)
	shares, known := c.knownWords(fold, k)
	for _, t := range tasks {
		t.component, t.fold, t.folds, t.known = component, fold, k, known
		t.warnOfLonelyLabels(report)
	}
	slices.Sort(shares)
	return shares[len(shares)/100]
}

// warnOfLonelyLabels reports labels that come from one source only: the folds
// that judge them have never seen them.
func (t *task) warnOfLonelyLabels(report *Report) {
	sources := make([]map[int]bool, len(t.labels))
	for i, l := range t.truth {
		if l < 0 {
			continue
		}
		if sources[l] == nil {
			sources[l] = map[int]bool{}
		}
		sources[l][t.component[i]] = true
	}
	t.warnOf(report, "from one source only, which cross-validation cannot judge", func(l int) bool { return len(sources[l]) == 1 })
}

// warnOf warns of the labels that are so, in one line that names a few.
func (t *task) warnOf(report *Report, what string, so func(l int) bool) {
	const named = 5
	var names []string
	n := 0
	for l, label := range t.labels {
		if so(l) {
			if n++; n <= named {
				names = append(names, strconv.Quote(label))
			}
		}
	}
	switch {
	case n > named:
		report.warn("%s: %d labels %s: %s and %d more", t.name, n, what, strings.Join(names, ", "), n-named)
	case n > 0:
		report.warn("%s: labels %s: %s", t.name, what, strings.Join(names, ", "))
	}
}

// knownWords returns the share of each text's words that occur outside its
// fold (1 for a text without words), and whether any does.
func (c *corpus) knownWords(fold []int, k int) (shares []float64, known []bool) {
	docs := make([]uint32, len(c.ids)) // that have the row
	for _, d := range c.docs {
		for _, o := range d {
			docs[o.row]++
		}
	}
	shares, known = make([]float64, len(c.docs)), make([]bool, len(c.docs))
	for f := range k {
		inside := make([]uint32, len(c.ids))
		for i, d := range c.docs {
			if fold[i] == f {
				for _, o := range d {
					inside[o.row]++
				}
			}
		}
		for i, d := range c.docs {
			if fold[i] != f {
				continue
			}
			words, seen := uint32(0), uint32(0)
			for _, o := range d {
				if c.kinds[o.row].counted {
					words += o.count
					if docs[o.row] > inside[o.row] {
						seen += o.count
					}
				}
			}
			shares[i], known[i] = 1, seen > 0
			if words > 0 {
				shares[i] = float64(seen) / float64(words)
			}
		}
	}
	return shares, known
}

// progress returns a function that counts its calls and tells report of them.
func progress(report func(done, total int), total int) func() {
	var mu sync.Mutex
	done := 0
	return func() {
		mu.Lock()
		defer mu.Unlock()
		if done++; report != nil {
			report(done, total)
		}
	}
}

// A trainedHead is a head with its weights over the rows of the corpus.
type trainedHead struct {
	*task
	trials  []trial
	chosen  candidate
	metrics Metrics
	weighting
	inverseTemperature float64
	docs               []uint64
}

// train chooses a candidate, calibrates it and fits it to all examples.
func (t *task) train(ctx context.Context, candidates []candidate, done func()) trainedHead {
	h := trainedHead{task: t, chosen: candidates[0], inverseTemperature: 1}
	if t.folds > 0 {
		h.trials = t.search(ctx, candidates, done)
		if ctx.Err() != nil {
			return h
		}
		h.chosen = best(h.trials).candidate
		c := t.calibrate(h.chosen)
		h.inverseTemperature, h.metrics = c.inverseTemperature, c.metrics
		h.metrics.keywords(t.labels, t.outOfFoldKeywords())
	}
	counts := t.tally(h.chosen).counts
	h.weighting, h.docs = h.chosen.weigh(counts, counts.vocabularySize()), counts.docs
	return h
}

// assemble puts the heads side by side, one row a feature. Rows that say
// nothing for any head are left out, but not single words: they tell what the
// model has seen.
func assemble(c *corpus, heads []trainedHead) model.Spec {
	spec := model.Spec{Features: heads[0].chosen.Features}
	for i := range heads {
		spec.Heads = append(spec.Heads, heads[i].head())
		spec.Features = join(spec.Features, heads[i].chosen.Features)
	}
	var row []int16
	for i, id := range c.ids {
		row = row[:0]
		for _, h := range heads {
			n := len(h.labels)
			row = append(row, h.weights[i*n:][:n]...)
		}
		silent := !slices.ContainsFunc(row, func(w int16) bool { return w != 0 })
		if silent && c.kinds[i].words != 1 {
			continue
		}
		spec.IDs = append(spec.IDs, id)
		spec.Weights = append(spec.Weights, row...)
	}
	return spec
}

// head returns the head as a model file holds it.
func (h *trainedHead) head() model.Head {
	return model.Head{
		Name:               h.name,
		Labels:             h.labels,
		DocCounts:          h.docs,
		Value:              h.chosen.Value,
		WeightBits:         h.bits,
		Bias:               h.bias,
		InverseTemperature: h.inverseTemperature,
		Evaluation: model.Evaluation{
			Examples:         uint64(h.metrics.Examples),
			Accuracy:         h.metrics.Accuracy,
			MacroF1:          h.metrics.MacroF1,
			MajorityAccuracy: h.metrics.MajorityAccuracy,
			ECE:              h.metrics.ECE,
			NLL:              h.metrics.NLL,
		},
	}
}
