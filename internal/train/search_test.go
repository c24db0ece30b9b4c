package train

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/parley-nlp/parley/internal/dataset"
	"github.com/parley-nlp/parley/internal/model"
)

func TestBestOfGroupsKeepsTheBestOfEachGroup(t *testing.T) {
	of := func(e Estimator, v model.Value, loss float64) *contender {
		return &contender{candidate: candidate{Value: v, Estimator: e}, loss: loss}
	}
	list := []*contender{
		of(MultinomialNB, model.Binary, 0.5), of(MultinomialNB, model.TF, 0.9), of(SVM, model.Binary, 0.7),
		of(ComplementNB, model.Binary, 0.3), of(Logistic, model.Binary, 0.6), of(MultinomialNB, model.Binary, 0.3),
		of(NBSVM, model.TF, 2),
	}
	for keep, want := range map[int][]int{1: {1, 3, 4, 6}, 2: {1, 2, 3, 4, 5, 6}, 3: {0, 1, 2, 3, 4, 5, 6}} {
		kept, out := bestOfGroups(list, keep)
		var got []int
		for _, c := range kept {
			got = append(got, slices.Index(list, c))
		}
		if !slices.Equal(got, want) || len(kept)+len(out) != len(list) {
			t.Errorf("keep %d: kept %v and dropped %d, want %v", keep, got, len(out), want)
		}
	}
}

// orders returns texts whose label only the order of two words tells.
func orders(n int) []dataset.Example {
	rng := rand.New(rand.NewPCG(51, 52))
	var list []dataset.Example
	for range n {
		pair, label := []string{"not", "good"}, "con"
		if rng.IntN(2) == 0 {
			pair, label = []string{"good", "not"}, "pro"
		}
		var words []string
		for range 3 {
			words = append(words, fmt.Sprint("word", rng.IntN(40)))
		}
		words = append(append(words, pair...), fmt.Sprint("word", rng.IntN(40)), fmt.Sprint("word", rng.IntN(40)))
		list = append(list, dataset.Example{Text: strings.Join(words, " "), Labels: []string{label}})
	}
	return list
}

// Of many candidates only those with pairs of words can tell; one of them comes
// through all rounds and into the model.
func TestPlantedCandidateSurvives(t *testing.T) {
	cfg := Default()
	cfg.Features = []model.Features{{Words: 1}, {Words: 2}}
	_, r := mustTrain(t, orders(360), []string{"stance"}, cfg)
	h := r.Heads[0]
	if h.Accuracy < 0.97 || !strings.Contains(h.Members[0].Candidate, "words 1-2") {
		t.Errorf("chose %s with accuracy %.3f", h.Chosen(), h.Accuracy)
	}
	finals := 0
	for _, c := range h.Candidates {
		if c.Folds == 5 {
			finals++
		}
	}
	if finals == 0 || finals == len(h.Candidates) {
		t.Errorf("%d of %d candidates were judged on all folds", finals, len(h.Candidates))
	}
}

// linearAndCounted are candidates of every estimator.
func linearAndCounted(f model.Features) []candidate {
	var list []candidate
	for e := range Estimator(estimators) {
		for _, v := range everyValue {
			list = append(list, candidate{f, v, e, 0.3, e == SVM, 0})
		}
	}
	return list
}

// Cross-validation takes a fold out of one corpus and works out the rows it
// needs only. Its scores are, to the bit, those of a table trained on a corpus
// that never held the fold.
func TestOutOfFoldScoresAreThoseOfTrainingWithoutTheFold(t *testing.T) {
	f := model.Features{Words: 2, CharMin: 3, CharMax: 3}
	for name, task := range map[string]*task{
		"generated": prepared(t, generated(5, 60), twoHeads, f, 3)[0],
		"opposed":   prepared(t, opposed(5, 150), []string{"stance"}, f, 3)[0],
		"corpus":    prepared(t, paragraphs(t, 45), twoHeads, f, 3)[0],
	} {
		for _, sc := range []scope{pooled, perTarget} {
			if sc == perTarget && len(task.targets) == 0 {
				continue
			}
			s := &search{task: task, step: func() {}, use: func(int) bool { return true }}
			var list []*contender
			for _, c := range linearAndCounted(f) {
				list = append(list, &contender{candidate: c, scope: sc, scores: make([]float32, len(task.examples)*len(task.labels))})
			}
			s.judge(context.Background(), list, 0, task.folds)
			for fold := range task.folds {
				checkFold(t, fmt.Sprintf("%s, fold %d", name, fold), task, list, fold, sc)
			}
		}
	}
}

// checkFold compares the scores of the examples of a fold with those of tables
// trained on a corpus of the other examples.
func checkFold(t *testing.T, what string, task *task, list []*contender, fold int, sc scope) {
	t.Helper()
	var others []int
	for i, f := range task.fold {
		if f != fold {
			others = append(others, i)
		}
	}
	var examples []dataset.Example
	for _, i := range others {
		examples = append(examples, task.examples[i])
	}
	c, err := newCorpus(context.Background(), examples, task.features)
	if err != nil {
		t.Fatal(err)
	}
	renumber(c, task.corpus)
	small := *task // with the same labels and targets
	small.corpus, small.truth, small.target = c, nil, nil
	for _, i := range others {
		small.truth, small.target = append(small.truth, task.truth[i]), append(small.target, task.target[i])
	}
	for _, contender := range list {
		docs := task.vectorise(task.learnt[fold], contender.Features, contender.Value)
		for _, p := range small.parts(sc) {
			l := small.lesson(small.vectorise(small.everything(), contender.Features, contender.Value), small.labelled(p.has))
			weights := byID(&small, contender.fit(l))
			for _, i := range task.labelled(func(i int) bool { return task.fold[i] == fold && (p.target < 0 || task.target[i] == p.target) }) {
				want := slices.Clone(weights[0])
				rows, values := docs.of(i)
				for j, row := range rows {
					for l, w := range weights[task.ids[row]] {
						want[l] += float32(w * values[j])
					}
				}
				if got := contender.scores[i*len(task.labels):][:len(task.labels)]; !slices.Equal(got, want) {
					t.Fatalf("%s, %s, text %d: out of fold %v, retrained %v", what, contender, i, got, want)
				}
			}
		}
	}
}

// renumber brings the rows of c into the order that they have in whole, so that
// sums round alike.
func renumber(c, whole *corpus) {
	at := map[model.FeatureID]uint32{}
	for row, id := range c.ids {
		at[id] = uint32(row)
	}
	to := make([]uint32, len(c.ids))
	var ids []model.FeatureID
	var kinds []kind
	for _, id := range whole.ids {
		if row, ok := at[id]; ok {
			to[row] = uint32(len(ids))
			ids, kinds = append(ids, id), append(kinds, c.kinds[row])
		}
	}
	c.ids, c.kinds = ids, kinds
	for _, d := range c.docs {
		for j := range d {
			d[j].row = to[d[j].row]
		}
		slices.SortFunc(d, func(a, b occurrence) int { return cmp.Compare(a.row, b.row) })
	}
}

func TestSearchEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	task := prepared(t, generated(1, 40), twoHeads, model.Features{Words: 2, CharMin: 3, CharMax: 3}, 3)[0]
	cfg := quick()
	if e, tried, _ := task.choose(ctx, &cfg, func() {}); e.task != nil || tried != nil {
		t.Errorf("got %v and %v", e, tried)
	}
}
