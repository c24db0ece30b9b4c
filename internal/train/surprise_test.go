package train

import (
	"context"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/parley-nlp/parley/internal/dataset"
	"github.com/parley-nlp/parley/internal/model"
)

// surprising is a search that is quick enough for tests.
func surprising() Config {
	cfg := Default()
	cfg.Features, cfg.Alphas = []model.Features{{Words: 2}}, []float64{0.1, 0.3, 1}
	return cfg
}

// Taking a source off the counts scores its texts as a model does, to the last bit, that
// was trained on the other texts alone.
func TestLeavingOutIsTrainingWithout(t *testing.T) {
	rows := append(paragraphs(t, 30), generated(4, 30)...)
	rows = append(rows, rows[3], rows[40]) // copies, which are one source with the original
	for i := range rows[:60] {
		if i%7 == 0 { // texts without a label teach nothing
			rows[i].Labels = []string{rows[i].Labels[0], ""}
		}
	}
	sorted, _ := sortExamples(rows, twoHeads)
	c, err := newCorpus(t.Context(), sorted, tallied)
	if err != nil {
		t.Fatal(err)
	}
	component := components(sorted, c.pass, c.bytes)
	for h, name := range twoHeads {
		o := newLeaveOneOut(newTask(c, name, h), component)
		for _, v := range []model.Value{model.Binary, model.TF} {
			for _, e := range []Estimator{MultinomialNB, ComplementNB} {
				cand := candidate{Features: tallied, Value: v, Estimator: e, Strength: 0.3}
				o.sameAsTraining(t, cand, component)
			}
		}
	}
}

// sameAsTraining trains a candidate without each source in turn.
func (o *leaveOneOut) sameAsTraining(t *testing.T, c candidate, component []int) {
	t.Helper()
	got := o.judge(t.Context(), c)
	n := len(o.labels)
	for source, members := range o.members {
		others := o.seenBy(func(i int) bool { return component[i] != source })
		docs := o.vectorise(others, c.Features, c.Value)
		table := c.fit(o.lesson(docs, o.labelled(func(i int) bool { return component[i] != source })))
		for _, i := range members {
			want := make([]float32, n)
			table.score(want, docs, i)
			if !slices.Equal(got[i*n:][:n], want) {
				t.Fatalf("%s: text %d: scores %v, trained without its source %v", c, i, got[i*n:][:n], want)
			}
			if _, known := o.knownWords(others, o.docs[i]); known != o.known[i] {
				t.Errorf("text %d: known %v, to the others %v", i, o.known[i], known)
			}
		}
	}
}

// flipped returns rows of which a share has another label of the head, and which.
func flipped(rows []dataset.Example, head int, share float64, seed uint64) ([]dataset.Example, map[int]bool) {
	rng := rand.New(rand.NewPCG(seed, 6))
	var labels []string
	for _, ex := range rows {
		if l := ex.Labels[head]; l != "" && !slices.Contains(labels, l) {
			labels = append(labels, l)
		}
	}
	slices.Sort(labels)
	out, wrong := slices.Clone(rows), map[int]bool{}
	for _, i := range rng.Perm(len(rows)) {
		if old := rows[i].Labels[head]; old != "" && float64(len(wrong)) < share*float64(len(rows)) {
			others := slices.DeleteFunc(slices.Clone(labels), func(l string) bool { return l == old })
			out[i].Labels = slices.Clone(rows[i].Labels)
			out[i].Labels[head] = others[rng.IntN(len(others))]
			wrong[i] = true
		}
	}
	return out, wrong
}

// found is how many of the wrong labels are among so many of the most surprising.
func found(list []Surprise, wrong map[int]bool, top int) int {
	order := make([]int, len(list))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		switch {
		case list[a].Nats > list[b].Nats:
			return -1
		case list[a].Nats < list[b].Nats:
			return 1
		}
		return 0
	})
	n := 0
	for _, i := range order[:top] {
		if wrong[i] {
			n++
		}
	}
	return n
}

// Of the labels of the corpus one in twenty is made wrong. Most of the wrong ones are
// among the most surprising tenth. The figures: go test -run FlippedLabels -v.
func TestFlippedLabelsSurprise(t *testing.T) {
	step := 3
	if testing.Verbose() {
		step = 1
	}
	rows := paragraphs(t, step)
	for h, name := range twoHeads {
		noisy, wrong := flipped(rows, h, 0.05, 1)
		list, err := Surprises(t.Context(), noisy, twoHeads, surprising())
		if err != nil {
			t.Fatal(err)
		}
		n := len(wrong)
		for _, top := range []int{n / 2, n, 2 * n, 4 * n} {
			k := found(list[h], wrong, top)
			t.Logf("%s: of %d rows %d labels are wrong; of the %d most surprising %d: precision %.2f, recall %.2f",
				name, len(rows), n, top, k, float64(k)/float64(top), float64(k)/float64(n))
		}
		if k := found(list[h], wrong, 2*n); 10*k < 6*n {
			t.Errorf("%s: of %d wrong labels %d are among the %d most surprising", name, n, k, 2*n)
		}
		mean, right, confident := 0.0, 0, 0
		for i, s := range list[h] {
			if s.Known {
				mean += s.Nats / float64(len(list[h]))
				if s.Probability > 0.9 {
					confident++
					if s.Expected == rows[i].Labels[h] {
						right++
					}
				}
			}
		}
		t.Logf("%s: mean surprise %.3f nats; where a label is expected with more than 0.9, it is the right one in %d of %d", name, mean, right, confident)
	}
}

// Order and company do not matter: a row's surprise comes with the row, and what says
// nothing is not known.
func TestSurprisesKeepTheOrder(t *testing.T) {
	rows := append(generated(8, 60), dataset.Example{Text: "xyzzy plugh", Group: "elsewhere", Labels: []string{"people", "pro"}})
	list, err := Surprises(t.Context(), rows, twoHeads, surprising())
	if err != nil {
		t.Fatal(err)
	}
	back := slices.Clone(rows)
	slices.Reverse(back)
	reversed, err := Surprises(t.Context(), back, twoHeads, surprising())
	if err != nil {
		t.Fatal(err)
	}
	for h := range twoHeads {
		for i, s := range list[h] {
			if s != reversed[h][len(rows)-1-i] {
				t.Errorf("%s, row %d: %+v, of reversed rows %+v", twoHeads[h], i, s, reversed[h][len(rows)-1-i])
			}
			if has := rows[i].Labels[h] != "" && i < len(rows)-1; s.Known != has {
				t.Errorf("%s, row %d: known %v", twoHeads[h], i, s.Known)
			}
		}
	}
	stopped, stop := context.WithCancel(t.Context())
	stop()
	if _, err := Surprises(stopped, rows, twoHeads, surprising()); err == nil {
		t.Error("goes on after its context ended")
	}
	if _, err := Surprises(t.Context(), nil, twoHeads, surprising()); err == nil {
		t.Error("no rows: no error")
	}
}
