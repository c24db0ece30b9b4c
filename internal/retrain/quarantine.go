package retrain

import (
	"fmt"
	"maps"
	"math"
	"slices"

	"github.com/parley-nlp/parley/internal/ledger"
)

const (
	// extremeTail is the probability of a label at most as probable as the one
	// given, and extremeNats its surprise, beyond which a new label waits until
	// somebody confirms it.
	extremeTail = 0.01
	extremeNats = 4.6 // 1 in 100
	// judgedLabels is how many new labels of a source it takes to judge it.
	judgedLabels = 20
	// doubtful is the probability of as much surprise as that of a source, if its
	// labels were as right as those of all others, corrected for the number of
	// sources, below which all its new labels wait.
	doubtful = 0.001
	// worseBy is by how many standard deviations of a label's surprise a source
	// must be above the others at least: with thousands of labels any difference
	// is sure, but not any matters.
	worseBy = 0.1
)

// A Held is a label that waits for a second opinion.
type Held struct {
	ledger.Quarantined
	TextID int64  `json:"text"`
	Head   string `json:"head"`
	Label  string `json:"label"`
}

// quarantine says which labels given since a position shall wait: those that are
// extremely surprising by themselves, and all of sources and annotators whose
// labels are far more surprising than the others'. Labels that two annotators
// say, or that were confirmed or adjudicated, stay.
func (s *Split) quarantine(list []surprise, since int64) []Held {
	reasons := map[int64]string{}
	for _, group := range s.doubted(list, since) {
		for _, k := range group.members {
			s.hold(reasons, &list[k], since, group.reason)
		}
	}
	for k := range list {
		if x := &list[k]; x.tail <= extremeTail && x.nats >= extremeNats && s.isNew(x, since) {
			s.hold(reasons, x, since, fmt.Sprintf("surprise of %.1f nats: to a model of all other labels this one has a probability of %.4f",
				x.nats, math.Exp(-x.nats)))
		}
	}
	var held []Held
	for k := range list {
		x := &list[k]
		r := &s.List[x.row]
		for _, seq := range r.Given[x.head].Seqs {
			if reason, waits := reasons[seq]; waits {
				held = append(held, Held{ledger.Quarantined{Seq: seq, Surprise: x.nats, Reason: reason}, r.TextID, s.Heads[x.head], r.Labels[x.head]})
				delete(reasons, seq) // a text may stand in several base rows
			}
		}
	}
	slices.SortFunc(held, func(a, b Held) int { return int(a.Seq - b.Seq) })
	return held
}

// isNew reports whether a label was given since a position, by one annotator
// whom nobody has confirmed.
func (s *Split) isNew(x *surprise, since int64) bool {
	g := &s.List[x.row].Given[x.head]
	return g.newest() > since && !g.Sure
}

// hold notes the reason for the events that say a label, unless there is one.
func (s *Split) hold(reasons map[int64]string, x *surprise, since int64, reason string) {
	for _, seq := range s.List[x.row].Given[x.head].Seqs {
		if _, has := reasons[seq]; !has && seq > since {
			reasons[seq] = reason
		}
	}
}

// A doubted group is the new labels of a source or an annotator that shall wait.
type doubted struct {
	members []int // of the list of surprises
	reason  string
}

// doubted compares the surprise of each source's and annotator's new labels with
// that of all other labels.
func (s *Split) doubted(list []surprise, since int64) []doubted {
	groups := s.groups(list, since)
	excess := s.excess(list, since)
	var out []doubted
	for _, g := range groups {
		t := s.compareExcess(list, excess, g.members)
		p := min(1, t.p*float64(len(groups)))
		if p <= doubtful && t.difference >= worseBy {
			out = append(out, doubted{g.members, fmt.Sprintf(
				"%s: its %d new labels are more surprising than all others by %.2f standard deviations a label (z %.1f, p %.2g corrected for %d sources and annotators)",
				g.name, len(g.members), t.difference, t.z, p, len(groups))})
		}
	}
	return out
}

// A labelGroup is the new labels of a source or an annotator.
type labelGroup struct {
	name    string
	members []int
}

// groups lists the sources and annotators with enough new labels. An annotator
// who is all that a source has is not listed twice.
func (s *Split) groups(list []surprise, since int64) []labelGroup {
	members := map[string][]int{}
	for k := range list {
		if !s.isNew(&list[k], since) {
			continue
		}
		g := &s.List[list[k].row].Given[list[k].head]
		for _, name := range g.Sources {
			members[fmt.Sprintf("source %q", name)] = append(members[fmt.Sprintf("source %q", name)], k)
		}
		for _, name := range g.Annotators {
			members[fmt.Sprintf("annotator %q", name)] = append(members[fmt.Sprintf("annotator %q", name)], k)
		}
	}
	var names []string
	for name, of := range members {
		if len(of) >= judgedLabels {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	slices.Reverse(names) // sources first
	var groups []labelGroup
	for _, name := range names {
		same := func(g labelGroup) bool { return slices.Equal(g.members, members[name]) }
		if !slices.ContainsFunc(groups, same) {
			groups = append(groups, labelGroup{name, members[name]})
		}
	}
	return groups
}

// excess is by how much each surprise is above what was expected of it, in
// standard deviations of the head's labels, less the mean of the labels that are
// not new: a candidate that is too sure, or not sure enough, is so for all.
func (s *Split) excess(list []surprise, since int64) []float64 {
	excess := make([]float64, len(list))
	for h := range s.Heads {
		n, sum, variance := 0.0, 0.0, 0.0
		for k := range list {
			if x := &list[k]; x.head == h && !s.isNew(x, since) {
				n, sum, variance = n+1, sum+x.nats-x.expected, variance+x.variance
			}
		}
		mean, deviation := 0.0, 1.0
		if n > 0 && variance > 0 {
			mean, deviation = sum/n, math.Sqrt(variance/n)
		}
		for k := range list {
			if x := &list[k]; x.head == h {
				excess[k] = (x.nats - x.expected - mean) / deviation
			}
		}
	}
	return excess
}

// An excessTest is how the excess of a group compares with that of the others.
type excessTest struct {
	difference float64 // of the means
	z, p       float64 // one-sided
}

// compareExcess is Welch's test of the means of group and others, with sources
// as the unit: labels of one document are alike.
func (s *Split) compareExcess(list []surprise, excess []float64, group []int) excessTest {
	in := make([]bool, len(list))
	for _, k := range group {
		in[k] = true
	}
	mean, variance := s.clusteredMean(list, excess, func(k int) bool { return in[k] })
	other, otherVariance := s.clusteredMean(list, excess, func(k int) bool { return !in[k] })
	t := excessTest{difference: mean - other, p: 1}
	if error := math.Sqrt(variance + otherVariance); error > 0 {
		t.z = t.difference / error
		t.p = math.Erfc(t.z/math.Sqrt2) / 2
	}
	return t
}

// clusteredMean is the mean of the values for which keep holds, and the variance
// of the mean, where what one component has counts as one draw. Cochran,
// "Sampling Techniques" (1977), section 9A (ratio to size).
func (s *Split) clusteredMean(list []surprise, values []float64, keep func(k int) bool) (mean, variance float64) {
	sums, counts := map[int]float64{}, map[int]float64{}
	n, total := 0.0, 0.0
	for k := range list {
		if keep(k) {
			c := s.component[list[k].row]
			sums[c] += values[k]
			counts[c]++
			n, total = n+1, total+values[k]
		}
	}
	if len(sums) < 2 {
		return total / max(n, 1), math.Inf(1)
	}
	mean = total / n
	squares := 0.0
	for _, c := range slices.Sorted(maps.Keys(sums)) {
		d := sums[c] - float64(mean*counts[c])
		squares += float64(d * d)
	}
	clusters := float64(len(sums))
	return mean, squares / (n * n) * clusters / (clusters - 1)
}
