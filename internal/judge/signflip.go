package judge

import (
	"cmp"
	"iter"
	"math"
	"math/rand/v2"
	"slices"
)

const (
	// randomSwaps is how often answers are swapped at random.
	randomSwaps = 10_000
	// exactSources is up to how many sources all ways to swap are gone through.
	exactSources = 12
)

// pValues fills in the p-values. If neither classifier were better, it would be
// chance which of them gave which answers to a source: the differences are
// measured again with the answers to some of the sources swapped, and the
// p-value is the share of such differences that are as large as the one seen.
// For accuracy and NLL to swap is to flip the sign of the source's difference.
// Noreen, "Computer-Intensive Methods for Testing Hypotheses" (1989); for F1,
// Yeh, "More Accurate Tests for the Statistical Significance of Result
// Differences" (2000); with groups as the unit, Canay, Romano and Shaikh,
// "Randomization Tests under an Approximate Symmetry Assumption" (2017).
func (c *Comparison) pValues(p *pairs) {
	if p.sources == 0 {
		return
	}
	f := newSwapTest(p)
	var seen *swapped
	ways, larger := 0, swapCounts{labels: make([]int, p.labels)}
	for swap := range swaps(p.sources) {
		d := f.measure(swap)
		if seen == nil { // nothing is swapped
			seen = d.clone()
		}
		larger.add(d, seen)
		ways++
	}
	c.MacroF1.PValue = ratio(larger.macroF1, ways)
	c.Accuracy.PValue = ratio(larger.gain, ways)
	c.NLL.PValue = ratio(larger.nll, ways)
	var tested []*LabelDifference
	for _, l := range f.labels {
		c.Labels[l].PValue = ratio(larger.labels[l], ways)
		tested = append(tested, &c.Labels[l])
	}
	holm(tested)
}

// swaps says of which sources the answers are swapped: first of none, then of
// others in every possible way, or at random when there are too many. The
// random ones are seeded by a constant; with the first one they never make a
// p-value of 0.
func swaps(sources int) iter.Seq[[]bool] {
	if sources <= exactSources {
		return allSwaps(sources)
	}
	return func(yield func([]bool) bool) {
		rng := rand.New(rand.NewPCG(0x73776170, 0x73))
		swap := make([]bool, sources)
		for range randomSwaps + 1 {
			if !yield(swap) {
				return
			}
			bits := uint64(0)
			for s := range swap {
				if s%64 == 0 {
					bits = rng.Uint64()
				}
				swap[s] = bits>>(s%64)&1 == 1
			}
		}
	}
}

func allSwaps(sources int) iter.Seq[[]bool] {
	return func(yield func([]bool) bool) {
		swap := make([]bool, sources)
		for way := range 1 << sources {
			for s := range swap {
				swap[s] = way>>s&1 == 1
			}
			if !yield(swap) {
				return
			}
		}
	}
}

// A swapTest measures differences with the answers to some sources swapped.
type swapTest struct {
	pairs     *pairs
	differing [][]pairedAnswer // rows with different answers, by source
	labels    []int            // those that occur or are predicted
	champion  tally            // nothing swapped
	both      tally            // champion and challenger together
	now       tally            // champion, with what is swapped
	result    swapped
}

// swapped are the differences, challenger less champion; their scale does not
// matter where it never changes.
type swapped struct {
	gain         int     // rows that are right
	nll, macroF1 float64 // sum over rows, mean over labels
	f1           []float64
}

func (s *swapped) clone() *swapped {
	c := *s
	c.f1 = slices.Clone(s.f1)
	return &c
}

func newSwapTest(p *pairs) *swapTest {
	t := &swapTest{
		pairs: p, differing: make([][]pairedAnswer, p.sources),
		champion: make(tally, p.labels), both: make(tally, p.labels), now: make(tally, p.labels),
		result: swapped{f1: make([]float64, p.labels)},
	}
	for _, r := range p.rows {
		t.champion.add(r.truth, r.champion, 1)
		t.both.add(r.truth, r.champion, 1)
		t.both.add(r.truth, r.challenger, 1)
		if r.champion != r.challenger {
			t.differing[r.source] = append(t.differing[r.source], r)
		}
	}
	for l := range t.both {
		if t.both[l].seen() {
			t.labels = append(t.labels, l)
		}
	}
	return t
}

// measure returns the differences; the next call overwrites them.
func (t *swapTest) measure(swap []bool) *swapped {
	copy(t.now, t.champion)
	t.result.gain, t.result.nll = 0, 0
	for s, yes := range swap {
		sum := &t.pairs.sums[s]
		gain, nll := sum.gain, sum.challenger-sum.champion
		if yes {
			gain, nll = -gain, -nll
			for i := range t.differing[s] {
				t.now.swap(&t.differing[s][i])
			}
		}
		t.result.gain += gain
		t.result.nll += nll
	}
	t.f1()
	return &t.result
}

// swap takes the challenger's answer for the champion's.
func (t tally) swap(r *pairedAnswer) {
	t[r.champion].predicted--
	t[r.challenger].predicted++
	switch r.truth {
	case r.champion:
		t[r.truth].hits--
	case r.challenger:
		t[r.truth].hits++
	}
}

// f1 works out F1 and macro-F1 from the tallies.
func (t *swapTest) f1() {
	var sum [2]float64
	var seen [2]int
	for _, l := range t.labels {
		champion, both := t.now[l], t.both[l]
		challenger := labelTally{both.hits - champion.hits, champion.examples, both.predicted - champion.predicted}
		a, b := champion.f1(), challenger.f1()
		t.result.f1[l] = b - a
		sum[0], sum[1] = sum[0]+a, sum[1]+b
		seen[0], seen[1] = seen[0]+one(champion.seen()), seen[1]+one(challenger.seen())
	}
	t.result.macroF1 = sum[1]/float64(max(1, seen[1])) - sum[0]/float64(max(1, seen[0]))
}

// swapCounts say how often a difference was as large as the one seen.
type swapCounts struct {
	gain, nll, macroF1 int
	labels             []int
}

func (c *swapCounts) add(d, seen *swapped) {
	c.gain += one(asLarge(float64(d.gain), float64(seen.gain)))
	c.nll += one(asLarge(d.nll, seen.nll))
	c.macroF1 += one(asLarge(d.macroF1, seen.macroF1))
	for l := range c.labels {
		c.labels[l] += one(asLarge(d.f1[l], seen.f1[l]))
	}
}

// asLarge compares sizes; sums that differ only by rounding are equal.
func asLarge(x, seen float64) bool {
	const rounding = 1e-9
	return math.Abs(x) >= math.Abs(seen)-rounding
}

// holm corrects p-values for their number. Holm, "A Simple Sequentially
// Rejective Multiple Test Procedure" (1979).
func holm(labels []*LabelDifference) {
	slices.SortStableFunc(labels, func(a, b *LabelDifference) int { return cmp.Compare(a.PValue, b.PValue) })
	least := 0.0
	for i, l := range labels {
		least = max(least, min(1, float64(len(labels)-i)*l.PValue))
		l.PValue = least
	}
}
