package train

import (
	"cmp"
	"context"
	"runtime"
	"slices"
	"sync"

	"github.com/parley-nlp/parley/internal/model"
)

// A task is one head to be trained on a corpus.
type task struct {
	*corpus
	name      string
	labels    []string // ascending
	truth     []int    // per example: its label, or -1 for none
	component []int    // per example: its source, see groups
	fold      []int    // per example
	folds     int      // 0: too few sources to split
	known     []bool   // per example: it has a word that occurs outside its fold
}

// newTask returns the task of the i-th head.
func newTask(c *corpus, name string, i int) *task {
	t := &task{corpus: c, name: name, truth: make([]int, len(c.examples))}
	for _, ex := range c.examples {
		if ex.Labels[i] != "" {
			t.labels = append(t.labels, ex.Labels[i])
		}
	}
	slices.Sort(t.labels)
	t.labels = slices.Compact(t.labels)
	for j, ex := range c.examples {
		at, found := slices.BinarySearch(t.labels, ex.Labels[i])
		if t.truth[j] = at; !found {
			t.truth[j] = -1
		}
	}
	return t
}

// A trial is how a candidate did in cross-validation.
type trial struct {
	candidate
	macroF1, accuracy float64
}

// search tries every candidate and returns the trials in their order. done is
// called for each fold and way to count.
func (t *task) search(ctx context.Context, candidates []candidate, done func()) []trial {
	predicted := make([][]int, len(candidates)) // per candidate and example: a label
	for c := range predicted {
		predicted[c] = make([]int, len(t.docs))
	}
	slots := make(chan struct{}, runtime.GOMAXPROCS(0))
	var workers sync.WaitGroup
	for _, alike := range countedAlike(candidates) {
		y := t.tally(candidates[alike[0]])
		for f := range t.folds {
			slots <- struct{}{}
			workers.Go(func() {
				defer func() { <-slots }()
				if ctx.Err() != nil {
					return
				}
				h, prior := y.holdOut(f), t.prior(f)
				for _, c := range alike {
					h.score(candidates[c], func(i int, raw []int64) { predicted[c][i] = t.answer(i, raw, prior) })
				}
				done()
			})
		}
	}
	workers.Wait()
	trials := make([]trial, len(candidates))
	for c := range trials {
		m := t.tabulate(predicted[c])
		trials[c] = trial{candidates[c], m.MacroF1, m.Accuracy}
	}
	return trials
}

// answer returns the label that example i gets, as a served model would: by
// the prior when it has no known word.
func (t *task) answer(i int, raw []int64, prior []float64) int {
	if t.known[i] {
		return argmax(raw)
	}
	return argmax(prior)
}

// best returns the trial with the highest macro-F1, of equal ones the first.
func best(trials []trial) trial {
	return slices.MaxFunc(trials, func(a, b trial) int { return cmp.Compare(a.macroF1, b.macroF1) })
}

// tabulate judges labels without probabilities.
func (t *task) tabulate(predicted []int) Metrics {
	m := Metrics{Confusion: make([][]int, len(t.labels))}
	for i := range m.Confusion {
		m.Confusion[i] = make([]int, len(t.labels))
	}
	for i, l := range t.truth {
		if l >= 0 {
			m.Confusion[l][predicted[i]]++
			m.Examples++
		}
	}
	m.tabulate(t.labels)
	return m
}

// eachIn calls do for every labelled example of fold f.
func (t *task) eachIn(f int, do func(i int)) {
	for i, l := range t.truth {
		if l >= 0 && t.fold[i] == f {
			do(i)
		}
	}
}

// A tally is the documents of a task with the features that a candidate looks
// at, and their counts.
type tally struct {
	*task
	docs   []document
	value  model.Value
	counts *Counts
}

// tally counts the labelled documents as c does.
func (t *task) tally(c candidate) *tally {
	y := &tally{t, t.documents(c.Features), c.Value, newCounts(len(t.ids), len(t.labels))}
	for i, l := range t.truth {
		if l >= 0 {
			y.counts.add(y.docs[i], l, y.value)
		}
	}
	return y
}

// A heldOut is a fold that is to be scored with weights trained on the others.
type heldOut struct {
	*tally
	fold   int
	size   vocabularySize // of the other folds
	counts *Counts        // of the other folds: the rows that docs need
	docs   []document     // of the fold, by the rows of counts
}

// holdOut takes fold f out of the counts. Features that only the fold has weigh
// nothing: its documents lose them.
func (y *tally) holdOut(f int) *heldOut {
	counts := y.counts.clone()
	y.eachIn(f, func(i int) { counts.subtract(y.docs[i], y.truth[i], y.value) })
	h := &heldOut{tally: y, fold: f, size: counts.vocabularySize(), docs: make([]document, len(y.docs))}
	var rows []uint32
	number := make([]uint32, len(y.ids)) // of a row among rows, from 1
	y.eachIn(f, func(i int) {
		for _, o := range y.docs[i] {
			if number[o.row] == 0 && total(counts.row(int(o.row))) > 0 {
				rows = append(rows, o.row)
				number[o.row] = uint32(len(rows))
			}
			if number[o.row] > 0 {
				h.docs[i] = append(h.docs[i], occurrence{number[o.row] - 1, o.count})
			}
		}
	})
	h.counts = counts.pick(rows)
	return h
}

// score calls visit for every labelled example of the fold with its raw
// scores, by weights trained on the other folds. raw is valid during the call.
func (h *heldOut) score(c candidate, visit func(i int, raw []int64)) {
	w := c.weigh(h.counts, h.size)
	raw := make([]int64, len(h.labels))
	h.eachIn(h.fold, func(i int) {
		w.score(raw, h.docs[i], h.value)
		visit(i, raw)
	})
}

// score writes the raw scores of a document to raw.
func (w *weighting) score(raw []int64, d document, v model.Value) {
	clear(raw)
	for _, o := range d {
		n := int64(value(v, o.count))
		for l, weight := range w.weights[int(o.row)*len(raw):][:len(raw)] {
			raw[l] += n * int64(weight)
		}
	}
	for l := range raw {
		raw[l] = w.bias[l] + raw[l]<<(model.ScoreBits-w.bits)
	}
}

// outOfFold returns the raw scores of every labelled example by weights
// trained on the other folds.
func (t *task) outOfFold(c candidate) [][]int64 {
	raw := make([][]int64, len(t.docs))
	y := t.tally(c)
	for f := range t.folds {
		y.holdOut(f).score(c, func(i int, scores []int64) { raw[i] = slices.Clone(scores) })
	}
	return raw
}

// prior returns the shares of the labels outside fold f.
func (t *task) prior(f int) []float64 {
	docs := make([]uint64, len(t.labels))
	for i, l := range t.truth {
		if l >= 0 && t.fold[i] != f {
			docs[l]++
		}
	}
	p := make([]float64, len(docs))
	(&model.Head{DocCounts: docs}).Prior(p)
	return p
}

// calibrated is what cross-validation says of the winner.
type calibrated struct {
	inverseTemperature float64
	metrics            Metrics
}

// calibrate fits the temperature on the out-of-fold scores. The metrics judge
// each fold with a temperature fitted on the other folds.
func (t *task) calibrate(c candidate) calibrated {
	raw := t.outOfFold(c)
	inverse := fitTemperature(t.scored(raw, -1))
	var list []judgement
	for f := range t.folds {
		head := model.Head{InverseTemperature: fitTemperature(t.scored(raw, f))}
		nats, prior := make([]float64, len(t.labels)), t.prior(f)
		t.eachIn(f, func(i int) {
			j := judgement{t.truth[i], t.answer(i, raw[i], prior), t.component[i], make([]float64, len(t.labels))}
			if t.known[i] {
				head.Calibrate(j.probabilities, nats, raw[i])
			} else {
				copy(j.probabilities, prior)
			}
			list = append(list, j)
		})
	}
	return calibrated{inverse, measure(t.labels, list)}
}

// maxScores is how many scores a temperature is fitted on. Thousands of labels
// reach it with few texts, but one number needs no more.
const maxScores = 1 << 18

// scored lists the labelled examples with evidence outside fold f: of too many
// every n-th, which is a fair sample as they are sorted by hashes.
func (t *task) scored(raw [][]int64, f int) []scoredText {
	var list []scoredText
	for i := 0; i < len(raw); i += 1 + len(raw)*len(t.labels)/maxScores {
		scores := raw[i]
		if scores == nil || t.fold[i] == f || !t.known[i] {
			continue
		}
		s := scoredText{nats: make([]float64, len(scores)), truth: t.truth[i]}
		for l, r := range scores {
			s.nats[l] = model.Nats(r)
		}
		list = append(list, s)
	}
	return list
}

// argmax returns the position of the largest value, of equal ones the first.
func argmax[T int64 | float64](values []T) int {
	best := 0
	for i, v := range values {
		if v > values[best] {
			best = i
		}
	}
	return best
}
