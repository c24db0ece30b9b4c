package judge

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"sort"

	"github.com/parley-nlp/parley/internal/exact"
)

// A Threshold is the probability from which answers are given, and how good
// those are. All shares are those seen in the data, but for LowerBound.
type Threshold struct {
	Label       string  `json:"label,omitempty"` // whose answers these are; "" for all
	Probability float64 `json:"probability"`     // least stated probability of an answer
	Precision   float64 `json:"precision"`       // share of the answers that are right
	LowerBound  float64 `json:"lower_bound"`     // of the precision on texts of other sources
	Recall      float64 `json:"recall"`          // share of the label's rows that are answered rightly; of all rows without a label
	Coverage    float64 `json:"coverage"`        // share of all rows that are answered
	Examples    int     `json:"examples"`        // rows answered
	Sources     int     `json:"sources"`         // of the rows answered
}

// ErrNoThreshold is wrapped by a *NoThresholdError.
var ErrNoThreshold = errors.New("no threshold reaches the precision")

// A NoThresholdError says that the data do not show a precision at any
// threshold.
type NoThresholdError struct {
	Purpose Purpose
	// Nearest is the threshold with the highest lower bound; its Examples are 0
	// when there are no answers at all.
	Nearest Threshold
	// Needed is about how many rows like these would show it, if the precision
	// seen is the true one. It is 0 when more rows alone would not do: the
	// precision seen is nowhere above the wanted one, or all answers are from
	// one source.
	Needed int
}

func (e *NoThresholdError) Unwrap() error { return ErrNoThreshold }

func (e *NoThresholdError) Error() string {
	s := fmt.Sprintf("%v: %v", ErrNoThreshold, e.Purpose)
	if e.Nearest.Examples == 0 {
		return s + ": there are no answers to choose from"
	}
	n := e.Nearest
	s += fmt.Sprintf(": nearest is %.3f, where %.3f of %d answers (sources: %d) are right, with a lower bound of %.3f",
		n.Probability, n.Precision, n.Examples, n.Sources, n.LowerBound)
	if e.Needed == 0 {
		return s + "; more rows alone would not do"
	}
	return s + fmt.Sprintf("; about %d rows would do", e.Needed)
}

// thresholdError is the probability with which FindThreshold may return a
// threshold whose precision is below the wanted one.
const thresholdError = 0.05

// FindThreshold returns the smallest threshold on the stated probability above
// which answers have the wanted precision with 95% confidence on texts of other
// sources. Where the model abstained there is no answer at any threshold.
//
// Searching for a threshold is testing many, of which one may pass by luck. As
// in Angelopoulos et al., "Learn then Test: Calibrating Predictive Algorithms to
// Achieve Risk Control" (2021), the tests are arranged so that the probability
// that any passes with too low a precision is at most that of one test. Each
// lets in the most confident answers, how many being settled without a look at
// which are right. The error is divided evenly among a few starts, each of
// twice as many answers as the one before. From the strictest start the tests
// go on to laxer thresholds; a test that passes hands its error on to the next,
// to which a start adds its own; one that fails loses it, and the tests go on
// from the next start. This is the fallback procedure of Wiens, "A Fixed
// Sequence Bonferroni Procedure for Testing Multiple Endpoints" (2003). A fixed
// sequence from the strictest threshold alone would rarely get anywhere: few
// answers cannot show much.
//
// Each test is a lower bound of Clopper and Pearson, whose trials are the
// effective number of answers (see proportion.effective). With one row a source
// it is exact, with more it is an approximation.
//
// The error is a *NoThresholdError when no threshold passes.
func FindThreshold(labels []string, list []Judgement, p Purpose) (Threshold, error) {
	label := -1 // all
	if p.Label != "" {
		if label = slices.Index(labels, p.Label); label < 0 {
			return Threshold{}, fmt.Errorf("purpose %v: there is no label %q", p, p.Label)
		}
	}
	if !(p.Precision > 0 && p.Precision < 1) {
		return Threshold{}, fmt.Errorf("purpose %v: want a precision between 0 and 1", p)
	}
	c := newCandidates(list, p.Label, label)
	best, tested := c.test(p.Precision)
	if best == nil {
		return Threshold{}, noThreshold(p, tested, len(list))
	}
	return best.Threshold, nil
}

// candidates are the answers that a threshold lets in or not.
type candidates struct {
	label       string
	answers     []rankedAnswer // by falling confidence
	list        int            // rows of the whole list
	own         int            // rows that could be answered rightly
	sources     int            // of the whole list
	correlation float64        // of right answers within a source
}

// newCandidates takes the answers of a label, or all when it is negative.
func newCandidates(list []Judgement, name string, label int) *candidates {
	r := newRanking(list)
	c := &candidates{label: name, list: len(list), sources: r.sources}
	all := make(proportion, r.sources)
	for _, a := range slices.Backward(r.answers) {
		if label < 0 || a.truth == label {
			c.own++
		}
		if !list[a.row].Abstained && (label < 0 || a.predicted == label) {
			c.answers = append(c.answers, a)
			all.add(a.source, a.right)
		}
	}
	c.correlation = all.correlation()
	return c
}

// A cut lets in the first answers of the candidates.
type cut struct {
	answers int
	start   bool // see FindThreshold
}

const (
	// cutStep is by what factor fewer answers the next stricter cut lets in:
	// 2^(-1/8).
	cutStep = 0.917004043204671
	// startEvery is how many cuts a start is from the next one, which thus lets
	// in twice as many answers.
	startEvery = 8
)

// cuts returns the cuts to be tested, the strictest first, from all answers
// down to what could show the precision if each were right. Answers of equal
// confidence come together.
func (c *candidates) cuts(precision float64) []cut {
	least := exact.Log(thresholdError) / exact.Log(precision)
	var cuts []cut
	size := float64(len(c.answers))
	for i := 0; size > 0 && (i == 0 || size >= least); i++ {
		next := cut{c.withEqual(int(math.Ceil(size))), i%startEvery == 0}
		if n := len(cuts); n > 0 && cuts[n-1].answers == next.answers {
			cuts[n-1].start = cuts[n-1].start || next.start
		} else {
			cuts = append(cuts, next)
		}
		size *= cutStep
	}
	slices.Reverse(cuts)
	return cuts
}

// withEqual adds the answers that are as confident as the last of the first n.
func (c *candidates) withEqual(n int) int {
	for n < len(c.answers) && c.answers[n].confidence == c.answers[n-1].confidence {
		n++
	}
	return n
}

// A testedThreshold is a threshold and what it was tested with.
type testedThreshold struct {
	Threshold
	effective float64 // number of answers
	wrong     float64 // probability with which the lower bound may be too high
}

// test returns the laxest threshold that passes, nil when none does, and those
// tested.
func (c *candidates) test(precision float64) (best *testedThreshold, tested []*testedThreshold) {
	cuts := c.cuts(precision)
	share := thresholdError / float64(max(1, starts(cuts)))
	let, at, wrong := make(proportion, c.sources), 0, 0.0
	for _, cut := range cuts {
		for ; at < cut.answers; at++ {
			let.add(c.answers[at].source, c.answers[at].right)
		}
		if cut.start {
			wrong += share
		}
		if wrong == 0 {
			continue
		}
		t := c.threshold(let, c.answers[at-1].confidence, wrong)
		tested = append(tested, t)
		if t.LowerBound >= precision {
			best = t
		} else {
			wrong = 0
		}
	}
	return best, tested
}

// starts counts the starts.
func starts(cuts []cut) int {
	n := 0
	for _, c := range cuts {
		if c.start {
			n++
		}
	}
	return n
}

// threshold measures the answers that are let in.
func (c *candidates) threshold(let proportion, probability, wrong float64) *testedThreshold {
	right, rows, sources, _ := let.total()
	effective := let.effective(c.correlation, wrong)
	return &testedThreshold{Threshold{
		Label: c.label, Probability: probability,
		Precision: ratio(right, rows), LowerBound: clopperPearson(ratio(right, rows), effective, wrong),
		Recall: ratio(right, c.own), Coverage: ratio(rows, c.list), Examples: rows, Sources: sources,
	}, effective, wrong}
}

// noThreshold says how near those tested came, none of which passed, on the
// given number of rows.
func noThreshold(p Purpose, tested []*testedThreshold, rows int) error {
	e := &NoThresholdError{Purpose: p, Nearest: Threshold{Label: p.Label}}
	for i, t := range tested {
		if i == 0 || t.LowerBound > e.Nearest.LowerBound {
			e.Nearest = t.Threshold
		}
		if n := t.needed(p.Precision, rows); n > 0 && (e.Needed == 0 || n < e.Needed) {
			e.Needed = n
		}
	}
	return e
}

// needed is about how many rows it takes for a lower bound that is below the
// precision with the given number of rows to reach it; 0 when none would do.
func (t *testedThreshold) needed(precision float64, rows int) int {
	const most = 10_000_000 // rows
	reached := func(n int) bool {
		return clopperPearson(t.Precision, t.effective*float64(n)/float64(rows), t.wrong) >= precision
	}
	if t.Precision <= precision || !reached(most) {
		return 0
	}
	return rows + 1 + sort.Search(most-rows-1, func(more int) bool { return reached(rows + 1 + more) })
}
