package train

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/parley-nlp/parley/internal/dataset"
	"github.com/parley-nlp/parley/internal/model"
)

// sourcesOf counts the sources of each feature of texts, one by one.
func sourcesOf(c *corpus, source []int, keep func(i int) bool) []int {
	of := make([]map[int]bool, len(c.ids))
	for i, d := range c.docs {
		for _, o := range d {
			if of[o.row] == nil {
				of[o.row] = map[int]bool{}
			}
			if keep(i) {
				of[o.row][source[i]] = true
			}
		}
	}
	counts := make([]int, len(c.ids))
	for row, set := range of {
		counts[row] = len(set)
	}
	return counts
}

func TestSourcesAreCounted(t *testing.T) {
	c, err := newCorpus(context.Background(), generated(3, 60), model.Features{Words: 2})
	if err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(4, 4))
	c.source, c.sourceLimit = make([]int, len(c.docs)), 4
	for i := range c.source {
		c.source[i] = rng.IntN(12)
	}
	fold := make([]int, len(c.docs))
	for i, s := range c.source {
		fold[i] = s%3 - s/11 // one source is out of sight
	}
	check := func(what string, s *seen, keep func(i int) bool) {
		t.Helper()
		for row, n := range sourcesOf(c, c.source, keep) {
			if int(s.sources[row]) != min(n, 4) {
				t.Fatalf("%s: row %d: %d sources, want %d", what, row, s.sources[row], min(n, 4))
			}
		}
	}
	check("all", c.seenBy(func(int) bool { return true }), func(int) bool { return true })
	for f, s := range c.seenByOthers(fold, 3) {
		check(fmt.Sprint("without fold ", f), s, func(i int) bool { return fold[i] >= 0 && fold[i] != f })
	}
}

// No string of the model is of fewer sources than were asked for, and every
// feature of enough sources is there.
func TestMinSourcesKeepsWhatManyHave(t *testing.T) {
	examples := generated(8, 240)
	for i := range examples {
		examples[i].Text += fmt.Sprintf(" secret%d shared%d", i, i/40)
	}
	for _, least := range []int{1, 2, 3} {
		cfg := quick()
		cfg.MinSources, cfg.Strings, cfg.Prune = least, true, false
		m, _ := mustTrain(t, examples, twoHeads, cfg)
		x, err := model.NewExtractor(m.Features(), 0)
		if err != nil {
			t.Fatal(err)
		}
		sources := map[string]map[string]bool{}
		for _, ex := range examples {
			x.Extract(ex.Text)
			x.Strings(func(int) bool { return true }, func(_ int, s string) {
				if sources[s] == nil {
					sources[s] = map[string]bool{}
				}
				sources[s][ex.Group] = true
			})
		}
		kept := map[string]bool{}
		for _, s := range m.Strings() {
			kept[s] = true
			if len(sources[s]) < least {
				t.Errorf("at least %d sources: %q has %d", least, s, len(sources[s]))
			}
		}
		for s, of := range sources {
			if len(of) >= least && !strings.Contains(s, " ") && !strings.HasPrefix(s, "~") && !kept[s] {
				t.Errorf("at least %d sources: %q of %d is not there", least, s, len(of))
			}
		}
		if len(kept) != m.FeatureCount() {
			t.Errorf("%d strings of %d features", len(kept), m.FeatureCount())
		}
	}
}

// Pairs that nothing depends on go; where the label hangs on pairs that one
// source has each, they stay.
func TestPruneKeepsWhatIsNeeded(t *testing.T) {
	needed, idle := ordersOfOneSource(400), fillers(600)
	for _, c := range []struct {
		name     string
		examples []dataset.Example
		heads    []string
		pruned   bool
	}{
		{"idle", idle, []string{"stance"}, true},
		{"needed", needed, []string{"stance"}, false},
	} {
		cfg := quick()
		cfg.Features, cfg.Prune = []model.Features{{Words: 2}}, true
		_, r := mustTrain(t, c.examples, c.heads, cfg)
		if got := r.MinSources[2] > 1; got != c.pruned {
			t.Errorf("%s: at least %v sources, pruned %v, want %v", c.name, r.MinSources, got, c.pruned)
		}
		if r.MinSources[1] != 1 {
			t.Errorf("%s: single words of at least %d sources", c.name, r.MinSources[1])
		}
	}
}

// fillers returns texts in which single words tell the label, now and then
// wrongly, and pairs nothing.
func fillers(n int) []dataset.Example {
	rng := rand.New(rand.NewPCG(13, 13))
	var list []dataset.Example
	for i := range n {
		label := []string{"con", "pro"}[rng.IntN(2)]
		var words []string
		for range 12 {
			words = append(words, fmt.Sprint("word", rng.IntN(9)))
		}
		words[rng.IntN(12)] = label + "word"
		if rng.IntN(3) == 0 {
			words[rng.IntN(12)] = fmt.Sprint("rare", rng.IntN(200))
		}
		if rng.IntN(10) == 0 {
			label = "con"
		}
		list = append(list, dataset.Example{
			Text: strings.Join(words, " "), Group: fmt.Sprint("source", i), Labels: []string{label},
			ID: fmt.Sprint(i), File: "fillers", Line: i + 1,
		})
	}
	return list
}

// ordersOfOneSource returns texts in which the order of two words tells the
// label, most orders in one or two sources.
func ordersOfOneSource(n int) []dataset.Example {
	rng := rand.New(rand.NewPCG(12, 12))
	var list []dataset.Example
	for i := range n {
		a, b, label := rng.IntN(14), rng.IntN(14), "con"
		if a < b {
			label = "pro"
		}
		list = append(list, dataset.Example{
			Text: fmt.Sprintf("word%d word%d", a, b), Group: fmt.Sprint("source", i), Labels: []string{label},
			ID: fmt.Sprint(i), File: "orders", Line: i + 1,
		})
	}
	return list
}

func TestCutLeavesRowsAlone(t *testing.T) {
	s := &seen{docs: 3, df: []uint32{3, 2, 1, 1}, sources: []uint8{2, 1, 1, 1}}
	kinds := []kind{{words: 1}, {words: 1}, {words: 2}, {words: 0}}
	for _, c := range []struct {
		cut  cut
		want []uint32
	}{
		{cut{}, []uint32{3, 2, 1, 1}},
		{cut{1, 1, 2, 1}, []uint32{3, 2, 0, 1}},
		{cut{2, 2, 2, 2}, []uint32{3, 0, 0, 0}},
	} {
		if got := s.without(c.cut, kinds).df; !slices.Equal(got, c.want) {
			t.Errorf("%v: %v, want %v", c.cut, got, c.want)
		}
	}
	if !slices.Equal(s.df, []uint32{3, 2, 1, 1}) {
		t.Errorf("the counts have changed: %v", s.df)
	}
}

func TestMinSourcesBeyondTheData(t *testing.T) {
	cfg := quick()
	cfg.MinSources = 7
	_, _, err := Train(t.Context(), generated(8, 12), twoHeads, cfg) // of six sources
	if err == nil || err.Error() != "no word occurs in 7 of 6 sources" {
		t.Errorf("error %v", err)
	}
}

// What one source said of a target would be in a table of the target, however
// many sources used the word of others.
func TestMinSourcesLeavesTargetsAlike(t *testing.T) {
	cfg := quick()
	cfg.MinSources = 2
	m, r := mustTrain(t, opposed(5, 240), []string{"stance"}, cfg)
	if n := len(m.Heads()[0].Targets); n != 0 {
		t.Errorf("%d targets", n)
	}
	if !slices.ContainsFunc(r.Warnings, func(w string) bool { return strings.HasPrefix(w, "stance: with a minimum of sources no target") }) {
		t.Errorf("warnings %q", r.Warnings)
	}
}
