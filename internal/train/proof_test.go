package train

import (
	"fmt"
	"math"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/parley-nlp/parley/internal/dataset"
	"github.com/parley-nlp/parley/internal/model"
)

// An assembly is a choice of members.
type assembly struct {
	name          string
	pooled, aimed []candidate
}

// assemblies are single members of every value function, and blends of
// several blocks, with and without tables per target.
func assemblies() []assembly {
	words, pairs, chars := model.Features{Words: 1}, model.Features{Words: 2}, model.Features{Words: 2, CharMin: 2, CharMax: 4}
	var list []assembly
	for _, v := range everyValue {
		list = append(list,
			assembly{"counts of " + v.String(), []candidate{{chars, v, MultinomialNB, 0.3, false, 0}}, nil},
			assembly{"lines of " + v.String(), []candidate{{pairs, v, SVM, 0.3, true, 0}}, nil})
	}
	blend := []candidate{
		{chars, model.TFIDF, Logistic, 1, false, 0}, {pairs, model.Binary, NBSVM, 0.1, false, 0},
		{words, model.TF, ComplementNB, 1, false, 0}, {pairs, model.TFIDF, TransformedCNB, 0.3, false, 0},
	}
	aimed := []candidate{{words, model.BinaryL2, SVM, 0.3, false, 0}, {pairs, model.Binary, MultinomialNB, 0.3, false, 0}}
	return append(list,
		assembly{"a blend", blend, nil},
		assembly{"a blend with tables per target", blend, aimed},
		assembly{"values that only targets have", blend[2:3], aimed})
}

// proofSets are the texts that the properties are shown on.
func proofSets(t *testing.T) map[string][]*task {
	f := model.Features{Words: 2, CharMin: 2, CharMax: 4}
	return map[string][]*task{
		"generated": prepared(t, generated(1, 80), twoHeads, f, 3),
		"opposed":   prepared(t, opposed(1, 160), []string{"stance"}, f, 3),
		"corpus":    prepared(t, paragraphs(t, 10), twoHeads, f, 3),
	}
}

// eachAssembly calls do with the model of every assembly on every set. Tables
// per target are for sets that have targets.
func eachAssembly(t *testing.T, do func(t *testing.T, h *trainedHead, m *model.Model)) {
	for set, tasks := range proofSets(t) {
		for _, task := range tasks {
			for _, a := range assemblies() {
				if len(a.aimed) > 0 && len(task.targets) == 0 {
					continue
				}
				t.Run(fmt.Sprint(set, " ", task.name, " ", a.name), func(t *testing.T) {
					h, m := assembled(t, task, a.pooled, a.aimed)
					do(t, h, m)
				})
			}
		}
	}
}

// The explanation of an answer adds up to its score, as integers, for every row
// and label, however many terms are listed.
func TestExplanationsAddUp(t *testing.T) {
	eachAssembly(t, func(t *testing.T, h *trainedHead, m *model.Model) {
		c := m.NewClassifier()
		for i, ex := range h.examples {
			r := c.Classify(ex.Text, ex.Target)
			for label, raw := range r.Predictions[0].Raw {
				e := c.Explain(0, label, []int{-1, 0, 5}[i%3])
				sum := e.Bias + e.Remainder
				for _, term := range e.Terms {
					sum += term.Contribution
				}
				if sum != raw {
					t.Fatalf("%q, label %d: terms add up to %d, the score is %d", ex.Text, label, sum, raw)
				}
			}
		}
	})
}

// What is served is what was trained, blended and judged: the scores of a model
// are those of the tables of its members within the rounding of weights.
func TestServedScoresAreThoseOfTheTables(t *testing.T) {
	eachAssembly(t, func(t *testing.T, h *trainedHead, m *model.Model) {
		tables := newTableScorer(h)
		c := m.NewClassifier()
		for i, ex := range h.examples {
			for _, target := range []string{"", ex.Target, "of no table"} {
				at := m.Heads()[0].Target(target)
				if len(h.aimed) > 0 && target == ex.Target && at < 0 {
					t.Fatalf("target %q has no table", target)
				}
				want, slack := tables.score(i, at)
				p := c.Classify(ex.Text, target).Predictions[0]
				for l, raw := range p.Raw {
					if got := model.Nats(raw); math.Abs(got-want[l]) > slack {
						t.Fatalf("%q, target %q, label %d: served %v, the tables give %v; want within %v", ex.Text, target, l, got, want[l], slack)
					}
				}
			}
		}
	})
}

// A tableScorer scores the examples of a head by the tables of its members.
type tableScorer struct {
	h       *trainedHead
	pooled  []trainedMember
	targets [][]trainedMember // per target
	blocks  []*vectors        // as the blocks see the examples
	units   []float64         // of the weights of the blocks
}

type trainedMember struct {
	table
	docs   *vectors
	weight float64
	value  model.Value
}

func newTableScorer(h *trainedHead) *tableScorer {
	s := &tableScorer{h: h}
	all := h.everything()
	member := func(c *contender, weight float64, use func(i int) bool) trainedMember {
		return trainedMember{h.fitMember(all, c, use), h.vectorise(all, c.Features, c.Value), weight, c.Value}
	}
	for i, c := range h.pooled {
		s.pooled = append(s.pooled, member(c, h.pooledBlend.weights[i], func(int) bool { return true }))
	}
	for target := range h.task.targets {
		var list []trainedMember
		for i, c := range h.aimed {
			list = append(list, member(c, h.targetBlend.weights[i+1], func(i int) bool { return h.target[i] == target }))
		}
		s.targets = append(s.targets, list)
	}
	for _, b := range h.blocks {
		s.blocks = append(s.blocks, h.vectorise(all, h.features, b.value))
		s.units = append(s.units, math.Ldexp(1, -int(b.bits())))
	}
	return s
}

// score returns the logits of example i, before they are scaled by the inverse
// temperature of targets, and how far rounding may lead away from them.
func (s *tableScorer) score(i, target int) (logits []float64, slack float64) {
	logits = slices.Clone(s.h.pooledBlend.bias)
	s.add(logits, s.pooled, i, 1)
	if target >= 0 && len(s.h.aimed) > 0 {
		base := s.h.targetBlend.weights[0]
		for l, b := range s.h.targetBlend.bias {
			logits[l] += b / base
		}
		s.add(logits, s.targets[target], i, base)
	}
	return logits, s.slack(i)
}

func (s *tableScorer) add(logits []float64, members []trainedMember, i int, base float64) {
	scores := make([]float32, len(logits))
	for _, m := range members {
		m.score(scores, m.docs, i)
		for l, x := range scores {
			logits[l] += m.weight / base * float64(x)
		}
	}
}

// slack is half a unit of every weight that counts, twice for the weights of
// targets, and a little for sums in float32.
func (s *tableScorer) slack(i int) float64 {
	slack := 1e-3
	for b, docs := range s.blocks {
		_, values := docs.of(i)
		for _, x := range values {
			slack += float64(x) * s.units[b]
		}
	}
	return slack
}

// Every answer is a distribution, whatever the text; without a known word it is
// the prior.
func TestNoWildAnswers(t *testing.T) {
	odd := []string{
		"", " ", "?!", "qwrtz", "\xff\xfe", "\x00", strings.Repeat("word1 ", 5000), strings.Repeat("a", 70000), "rise1", "@word1 #word2",
		"e\u0301\u0301\u0301", "\U0001f600\u200d\U0001f600", strings.Repeat("\u202eword2", 50), "the peace summit", "economy1 economy1 economy1",
	}
	eachAssembly(t, func(t *testing.T, h *trainedHead, m *model.Model) {
		c, head := m.NewClassifier(), m.Heads()[0]
		for _, text := range odd {
			for _, target := range []string{"", "oil", "nothing"} {
				r := c.Classify(text, target)
				p := r.Predictions[0]
				sum := 0.0
				for _, x := range p.Probabilities {
					if !(x >= 0 && x <= 1) {
						t.Fatalf("%.20q: probabilities %v", text, p.Probabilities)
					}
					sum += x
				}
				within(t, "sum of probabilities", sum, 1, 1e-9)
				prior := head.Prior
				if p.Target >= 0 {
					prior = head.Targets[p.Target].Prior
				}
				if r.KnownWords == 0 && (!slices.Equal(p.Probabilities, prior) || r.Decide(0, model.Thresholds{}) != model.NoEvidence) {
					t.Fatalf("%.20q: got %v, %v; want the prior %v for no evidence", text, p.Probabilities, r.Decide(0, model.Thresholds{}), prior)
				}
			}
		}
	})
}

// The model and the report depend neither on the order of rows nor on the number
// of processors.
func TestOrderAndProcessorsDoNotMatter(t *testing.T) {
	for _, c := range []struct {
		name     string
		examples []dataset.Example
		heads    []string
	}{
		{"generated", generated(1, 60), twoHeads},
		{"opposed", opposed(1, 320), []string{"stance"}},
		{"corpus", paragraphs(t, 16), twoHeads},
	} {
		want, wantReport := mustTrain(t, c.examples, c.heads, quick())
		report := string(asJSON(t, wantReport))
		for seed, procs := range []int{1, 4} {
			before := runtime.GOMAXPROCS(procs)
			m, r := mustTrain(t, shuffled(c.examples, uint64(seed)), c.heads, quick())
			runtime.GOMAXPROCS(before)
			if m.Revision() != want.Revision() {
				t.Errorf("%s, %d processors: revision %s, want %s", c.name, procs, m.Revision(), want.Revision())
			}
			if got := string(asJSON(t, r)); got != report {
				t.Errorf("%s, %d processors: got report %s, want %s", c.name, procs, got, report)
			}
		}
	}
}
