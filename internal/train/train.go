package train

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/parley-nlp/parley/internal/dataset"
	"github.com/parley-nlp/parley/internal/judge"
	"github.com/parley-nlp/parley/internal/model"
)

var errNoRows = errors.New("no labelled rows")

// Train fits a model with the given heads to examples, whose Labels are in the
// order of heads. The model and the report depend on what the examples say,
// not on their order nor on the machine. When ctx ends, Train gives up with its
// error.
func Train(ctx context.Context, examples []dataset.Example, heads []string, cfg Config) (*model.Model, *Report, error) {
	if err := cfg.check(); err != nil {
		return nil, nil, err
	}
	if len(examples) == 0 {
		return nil, nil, errNoRows
	}
	report := &Report{Rows: len(examples)}
	cfg.Features = withinReason(cfg.Features, examples, report)
	if cfg.Recipe != nil {
		cfg.Features = cfg.Recipe.featuresFor(heads, cfg.Features)
	}
	features, err := union(cfg.Features)
	if err != nil {
		return nil, nil, err
	}
	sorted, sum := sortExamples(examples, heads)
	corpus, err := newCorpus(ctx, sorted, features)
	if err != nil {
		return nil, nil, err
	}
	return corpus.train(ctx, heads, sum, &cfg, report)
}

// train fits a model to the corpus, whose examples have the given sum.
func (c *corpus) train(ctx context.Context, heads []string, sum contentHash, cfg *Config, report *Report) (*model.Model, *Report, error) {
	tasks, err := newTasks(c, heads, report)
	if err != nil {
		return nil, nil, err
	}
	if err := c.countSources(cfg, report); err != nil {
		return nil, nil, err
	}
	for _, t := range tasks {
		t.cut = cfg.cut()
		if cfg.MinSources > 1 && len(t.targets) > 0 {
			report.warn("%s: with a minimum of sources no target gets weights of its own: what was said of it may come from one source", t.name)
			t.forgetTargets()
		}
	}
	minKnown := deal(c, tasks, cfg.Folds, report)
	step := progress(cfg.Progress, steps(cfg, tasks))
	var trained []*trainedHead
	for _, t := range tasks {
		h, err := t.choice(ctx, cfg, step)
		if err != nil {
			return nil, nil, err
		}
		trained = append(trained, h)
	}
	if cfg.Prune {
		prune(ctx, trained, step)
	}
	report.MinSources = trained[0].cut
	all := c.seenBy(func(int) bool { return true }).without(trained[0].cut, c.kinds)
	if cfg.MinSources > 1 && !c.knowsWords(all) {
		return nil, nil, fmt.Errorf("no word occurs in %d of %d sources", cfg.MinSources, report.Sources)
	}
	for _, h := range trained {
		if err := h.finish(ctx, cfg, all, step); err != nil {
			return nil, nil, err
		}
		h.recall()
		report.add(h)
	}
	if ctx.Err() != nil { // a pass that failed leaves less than all
		return nil, nil, context.Cause(ctx)
	}
	spec, err := assemble(c, trained, all)
	if err != nil {
		return nil, nil, err
	}
	switch {
	case c.counted != nil && c.counted.HasStrings():
		spec.Strings = c.counted.strings(spec.IDs)
	case cfg.Strings:
		spec.Strings = c.strings(spec.IDs)
	}
	if ctx.Err() != nil {
		return nil, nil, context.Cause(ctx)
	}
	spec.MinKnownShare, spec.TrainingData = minKnown, sum
	m, err := build(spec, cfg.Prior, report)
	if err != nil {
		return nil, nil, err
	}
	report.describe(m)
	report.Recipe = recipe(trained, cfg)
	return m, report, nil
}

// build makes the model of spec and brings it to the prior.
func build(spec model.Spec, prior Prior, report *Report) (*model.Model, error) {
	m, err := model.New(spec)
	if err != nil || prior.Mode == TrainPrior {
		return m, err
	}
	if err := prior.apply(&spec, m, report); err != nil {
		return nil, err
	}
	return model.New(spec)
}

const (
	// charactersUpTo is how many bytes of text are searched with character
	// n-grams when there is a choice: beyond it words have seen enough and
	// memory counts.
	charactersUpTo = 32 << 20
	// charactersBelow is the mean length of texts, in bytes, for which they are
	// tried: in long texts words say enough.
	charactersBelow = 600
)

// withinReason leaves out feature sets with characters when the texts are long
// or many and there is another choice.
func withinReason(list []model.Features, examples []dataset.Example, report *Report) []model.Features {
	bytes := 0
	for _, ex := range examples {
		bytes += len(ex.Text)
	}
	words := slices.DeleteFunc(slices.Clone(list), func(f model.Features) bool { return f.CharMax > 0 })
	long := bytes > charactersBelow*len(examples)
	if !long && bytes <= charactersUpTo || len(words) == 0 || len(words) == len(list) {
		return list
	}
	if !long {
		report.warn("%d MB of text: character n-grams were not tried (pin them with --preset short)", bytes>>20)
	}
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
		if n := slices.Max(sizes); n >= maxNormalised {
			return nil, fmt.Errorf("head %q: %d rows of one label: want less than %d, as values that count in fractions would overflow", name, n, maxNormalised)
		}
		t.warnOf(report, "with less than 5 examples, too few to be learned or judged", func(l int) bool { return sizes[l] < fewExamples })
		tasks = append(tasks, t)
	}
	return tasks, nil
}

const fewExamples = 5

// maxNormalised is how many rows of a label have room in a count, which is a
// uint32, if a feature has the whole length of each.
const maxNormalised = 1 << (32 - 12)

// maxCells is how many counts a head may have: about 2 GB with all that is made
// of them.
const maxCells = 1 << 27

// deal deals the examples to folds and returns the share of known words that
// all but one percent of the texts reach when judged by the other folds.
func deal(c *corpus, tasks []*task, k int, report *Report) (minKnown float64) {
	component := components(c.examples, c.pass, c.bytes)
	c.source = component
	report.Sources = sources(component)
	if k == 0 {
		k = 5
	}
	if c.counted != nil {
		k = c.counted.Folds()
	}
	if k = min(k, report.Sources); k < 2 {
		report.warn("all rows are of one source or near-duplicates: nothing could be held out, so the model was neither evaluated nor calibrated")
		for _, t := range tasks {
			t.component, t.fold = component, make([]int, len(component))
		}
		return 0
	}
	report.Folds = k
	var labels [][]int
	for _, t := range tasks {
		labels = append(labels, t.truth)
	}
	fold := []int(nil)
	if c.counted != nil {
		fold, k = c.counted.deal(c.examples), c.counted.Folds()
		report.Folds = k
		if report.Counted.Split = spread(component, fold); report.Counted.Split > 0 {
			report.warn("%d rows of the sample have near-duplicates in other folds, which a group would keep together: the figures may be too good", report.Counted.Split)
		}
	} else {
		fold = folds(component, labels, k, 0)
	}
	first := tasks[0].dealt(component, fold, k)
	for _, t := range tasks {
		t.dealAs(first)
		t.warnOfLonelyLabels(report)
	}
	shares := slices.Sorted(slices.Values(first.knownShares))
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

// usualMembers is how many members most ensembles have.
const usualMembers = 2

// steps is how many spaces and folds a run may visit; it ends early where
// contenders drop out.
func steps(cfg *Config, tasks []*task) int {
	seen := map[space]bool{}
	for _, c := range cfg.candidates() {
		seen[c.space()] = true
	}
	n := 0
	for _, t := range tasks {
		once := t.folds * len(seen)
		if len(t.targets) > 0 {
			once *= 2
		}
		n += once*(1+t.folds*cfg.Nested) + t.folds*(len(learningParts)+len(prunable))*usualMembers
	}
	return n
}

// progress returns a function that counts its calls and tells report of them.
func progress(report func(done, total int), total int) func() {
	var mu sync.Mutex
	done := 0
	return func() {
		mu.Lock()
		defer mu.Unlock()
		if done++; report != nil {
			report(min(done, total), total)
		}
	}
}

// choice returns the head with the ensemble that is best for it.
func (t *task) choice(ctx context.Context, cfg *Config, step func()) (*trainedHead, error) {
	h := &trainedHead{}
	if r := cfg.Recipe; r != nil && r.head(t.name) != nil {
		var err error
		h.ensemble, err = t.cook(ctx, r.head(t.name), step)
		return h, err
	}
	if t.folds == 0 {
		h.ensemble = t.unjudged(cfg)
	} else {
		h.ensemble, h.candidates, h.left = t.choose(ctx, cfg, step)
	}
	return h, context.Cause(ctx)
}

// finish judges the ensemble of a head and fits it to all examples.
func (h *trainedHead) finish(ctx context.Context, cfg *Config, all *seen, step func()) error {
	t := h.task
	if t.folds == 0 {
		h.fitAll(all)
		return context.Cause(ctx)
	}
	h.judgements = h.judge()
	h.curve = h.straighten(h.judgements)
	if cfg.Objective == MacroF1 {
		h.decision = h.decide(h.judgements)
	}
	h.metrics = judge.Measure(t.labels, h.judgements)
	if err := h.settle(cfg); err != nil {
		return err
	}
	truth, predicted, err := t.outOfFoldKeywords(allFolds(t.folds)...)
	if err != nil {
		return err
	}
	h.keywords = newBaseline(len(t.labels), truth, predicted)
	h.learning = h.learningCurve(ctx, step, h.metrics)
	h.nested = t.nested(ctx, cfg, step)
	h.fitAll(all)
	return context.Cause(ctx)
}

// unjudged is the ensemble when nothing can be held out: the first candidate,
// its scores taken as they are.
func (t *task) unjudged(cfg *Config) ensemble {
	c := &contender{candidate: cfg.candidates()[0]}
	return ensemble{task: t, pooled: []*contender{c}, pooledBlend: blend{[]float64{1}, make([]float64, len(t.labels))}}
}

// settle finds the thresholds and label sets that were asked for.
func (h *trainedHead) settle(cfg *Config) error {
	for _, text := range cfg.Purposes {
		p, err := judge.ParsePurpose(text)
		if err != nil {
			return err
		}
		if _, known := slices.BinarySearch(h.labels, p.Label); p.Label != "" && !known {
			continue // another head's; Train's caller checks that one has it
		}
		t, err := judge.FindThreshold(h.labels, h.judgements, p)
		if err != nil {
			return fmt.Errorf("head %q: %w", h.name, err)
		}
		h.thresholds = append(h.thresholds, t)
	}
	if cfg.Coverage > 0 {
		h.sets = judge.FitConformal(len(h.labels), h.judgements, cfg.Coverage, true)
	}
	return nil
}

func allFolds(n int) []int {
	list := make([]int, n)
	for i := range list {
		list[i] = i
	}
	return list
}
