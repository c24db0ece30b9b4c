package train

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"github.com/parley-nlp/parley/internal/dataset"
	"github.com/parley-nlp/parley/internal/model"
)

func TestCountsOfATinyExample(t *testing.T) {
	rows, values := []uint32{0, 2}, []float32{0.75, 3}
	for _, c := range []struct {
		bits uint8
		want []uint32
	}{
		{2, []uint32{0, 3, 0, 0, 0, 12}},
		{12, []uint32{0, 3072, 0, 0, 0, 12288}},
	} {
		counts := newCounts(3, 2, c.bits)
		counts.add(rows, values, 1)
		if want := (&Counts{2, c.bits, []uint64{0, 1}, c.want}); !reflect.DeepEqual(counts, want) {
			t.Errorf("%d bits: got %v, want %v", c.bits, counts, want)
		}
	}
}

// equal reports whether two counts are the same.
func (c *Counts) equal(other *Counts) bool {
	return c.bits == other.bits && slices.Equal(c.docs, other.docs) && slices.Equal(c.features, other.features)
}

// countSets are documents to be counted, by name.
func countSets(t *testing.T) map[string]*task {
	f := model.Features{Words: 2, CharMin: 3, CharMax: 3}
	return map[string]*task{
		"generated": prepared(t, generated(1, 100), twoHeads, f, 4)[1],
		"corpus":    prepared(t, paragraphs(t, 16), twoHeads, f, 4)[0],
	}
}

// Counts are the same however the documents are dealt to shards, in whatever
// order shards are merged, and when they come one by one.
func TestLearningIsOrderFreeAndMergeable(t *testing.T) {
	for name, task := range countSets(t) {
		for _, v := range everyValue {
			docs := task.vectorise(task.everything(), task.features, v)
			list := task.everyLabelled()
			want := task.count(docs, list)
			for _, shards := range []int{1, 4, 16, len(list)} {
				rng := rand.New(rand.NewPCG(uint64(shards), 1))
				parts := make([]*Counts, shards)
				for k := range parts {
					parts[k] = newCounts(len(task.ids), len(task.labels), docs.bits)
				}
				if shards == len(list) { // one by one into the same counts
					parts = parts[:1]
				}
				for _, p := range rng.Perm(len(list)) {
					rows, values := docs.of(list[p])
					parts[rng.IntN(len(parts))].add(rows, values, task.truth[list[p]])
				}
				sum := newCounts(len(task.ids), len(task.labels), docs.bits)
				for _, k := range rng.Perm(len(parts)) {
					sum.merge(parts[k])
				}
				if !sum.equal(want) {
					t.Errorf("%s, %s values, %d shards: other counts", name, v, shards)
				}
			}
		}
	}
}

// one returns the counts of a single document.
func one(like *Counts, rows []uint32, values []float32, label int) *Counts {
	c := newCounts(like.rows(), like.labels, like.bits)
	c.add(rows, values, label)
	return c
}

// Counts minus a document are the counts without it, and so are the weights of
// naive Bayes: of all examples, and of those outside a fold.
func TestForgettingIsExact(t *testing.T) {
	for name, task := range countSets(t) {
		for _, v := range everyValue {
			for f := -1; f < task.folds; f++ {
				known := task.everything()
				if f >= 0 {
					known = task.learnt[f]
				}
				docs := task.vectorise(known, task.features, v)
				list := task.labelled(func(i int) bool { return f < 0 || task.fold[i] != f })
				counts := task.count(docs, list)
				for k := 0; k < len(list); k += 61 {
					i := list[k]
					rows, values := docs.of(i)
					if err := counts.subtract(one(counts, rows, values, task.truth[i])); err != nil {
						t.Fatal(err)
					}
					rest := task.count(docs, slices.Delete(slices.Clone(list), k, k+1))
					if !counts.equal(rest) {
						t.Fatalf("%s, %s values, fold %d: counts minus example %d are not those without it", name, v, f, i)
					}
					sameTables(t, fmt.Sprintf("%s, %s values, fold %d, example %d", name, v, f, i), counts, rest)
					counts.add(rows, values, task.truth[i])
				}
				if !counts.equal(task.count(docs, list)) {
					t.Errorf("%s, %s values, fold %d: what was forgotten and learned again is not what there was", name, v, f)
				}
			}
		}
	}
}

// sameTables fails the test when naive Bayes makes other weights of the counts.
func sameTables(t *testing.T, what string, a, b *Counts) {
	t.Helper()
	for e := MultinomialNB; !e.linear(); e++ {
		got, want := bayes(a, a.vocabularySize(), e, 0.3, nil), bayes(b, b.vocabularySize(), e, 0.3, nil)
		if !slices.Equal(got.weights, want.weights) || !slices.Equal(got.bias, want.bias) {
			t.Fatalf("%s: other weights of %s", what, e)
		}
	}
}

// The weights left after forgetting are those of a corpus that never held the
// text, row by row, though that corpus has fewer rows: values that depend on
// one text alone are counted alike in both.
func TestForgettingEqualsTrainingWithoutTheText(t *testing.T) {
	examples := generated(2, 60)
	f := model.Features{Words: 2, CharMin: 3, CharMax: 3}
	full := prepared(t, examples, []string{"topic"}, f, 3)[0]
	for _, v := range []model.Value{model.Binary, model.TF} {
		docs := full.vectorise(full.everything(), f, v)
		counts := full.count(docs, full.everyLabelled())
		for i := 0; i < len(full.examples); i += 7 {
			rows, values := docs.of(i)
			if err := counts.subtract(one(counts, rows, values, full.truth[i])); err != nil {
				t.Fatal(err)
			}
			small := prepared(t, slices.Delete(slices.Clone(full.examples), i, i+1), []string{"topic"}, f, 3)[0]
			others := small.count(small.vectorise(small.everything(), f, v), small.everyLabelled())
			for e := MultinomialNB; !e.linear(); e++ {
				got := byID(full, bayes(counts, counts.vocabularySize(), e, 0.3, nil))
				want := byID(small, bayes(others, others.vocabularySize(), e, 0.3, nil))
				if !reflect.DeepEqual(got, want) {
					t.Fatalf("%s values, %s: forgetting text %d gives other weights than training without it", v, e, i)
				}
			}
			counts.add(rows, values, full.truth[i])
		}
	}
}

// byID returns the rows of a table that say something, and as row 0 its bias.
func byID(task *task, t table) map[model.FeatureID][]float32 {
	n := len(t.bias)
	rows := map[model.FeatureID][]float32{0: t.bias}
	for i, id := range task.ids {
		if row := t.weights[i*n:][:n]; slices.ContainsFunc(row, func(w float32) bool { return w != 0 }) {
			rows[id] = row
		}
	}
	return rows
}

// Leaving one text out by subtraction gives the answer of a model trained
// without it.
func TestLeaveOneOutBySubtraction(t *testing.T) {
	for name, examples := range map[string][]dataset.Example{"generated": generated(3, 40), "corpus": paragraphs(t, 40)} {
		c := candidate{model.Features{Words: 2}, model.Binary, MultinomialNB, 0.3, false, 0}
		task := prepared(t, examples, twoHeads, c.Features, 3)[0]
		docs := task.vectorise(task.everything(), c.Features, c.Value)
		counts := task.count(docs, task.everyLabelled())
		scores := make([]float32, len(task.labels))
		for i := 0; i < len(task.examples); i += 3 {
			rows, values := docs.of(i)
			if err := counts.subtract(one(counts, rows, values, task.truth[i])); err != nil {
				t.Fatal(err)
			}
			left := bayes(counts, counts.vocabularySize(), c.Estimator, c.Strength, nil)
			counts.add(rows, values, task.truth[i])
			left.score(scores, docs, i)

			others := slices.Delete(slices.Clone(task.examples), i, i+1)
			retrained := prepared(t, others, twoHeads, c.Features, 3)[0]
			if !slices.Equal(retrained.labels, task.labels) {
				continue // the only text of its label
			}
			h, m := assembled(t, retrained, []candidate{c}, nil)
			p := m.NewClassifier().Classify(task.examples[i].Text, "").Predictions[0]
			for l, s := range scores {
				want := float64(s)*h.pooledBlend.weights[0] + h.pooledBlend.bias[l]
				within(t, fmt.Sprintf("%s, text %d, label %d", name, i, l), model.Nats(p.Raw[l]), want, 0.01)
			}
		}
	}
}

func TestWhatWasNeverCountedCannotBeForgotten(t *testing.T) {
	rows, values := []uint32{0, 2}, []float32{1, 2}
	for _, c := range []struct {
		name   string
		rows   []uint32
		values []float32
		label  int
		ok     bool
	}{
		{"the document", rows, values, 1, true},
		{"an empty document", nil, nil, 1, true},
		{"another label", rows, values, 0, false},
		{"an empty document of another label", nil, nil, 0, false},
		{"another feature", []uint32{0, 1}, values, 1, false},
		{"more of a feature", rows, []float32{1, 3}, 1, false},
	} {
		counts := newCounts(3, 2, 12)
		counts.add(rows, values, 1)
		before := counts.clone()
		if err := counts.subtract(one(counts, c.rows, c.values, c.label)); (err == nil) != c.ok {
			t.Errorf("%s: got error %v, want one: %t", c.name, err, !c.ok)
		} else if err != nil && !reflect.DeepEqual(counts, before) {
			t.Errorf("%s: refused, yet the counts changed to %v", c.name, counts)
		}
	}
}

func TestCloneIsIndependent(t *testing.T) {
	c := newCounts(1, 1, 0)
	c.clone().add([]uint32{0}, []float32{1}, 0)
	if want := newCounts(1, 1, 0); !reflect.DeepEqual(c, want) {
		t.Errorf("after adding to a clone: got %v, want %v", c, want)
	}
}

// clone returns counts of its own that equal c.
func (c *Counts) clone() *Counts {
	return &Counts{c.labels, c.bits, slices.Clone(c.docs), slices.Clone(c.features)}
}
