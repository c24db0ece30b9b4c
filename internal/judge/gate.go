package judge

import "fmt"

// An Occasion is why a challenger was trained: how much it must show to take
// the champion's place depends on it.
type Occasion string

// The occasions.
const (
	// NewData: it must be better in some head and worse in none.
	NewData Occasion = "data"
	// Correction, NewLabel: people said what is right, or that there is a label
	// that the champion does not know. It must be shown not to be worse.
	Correction Occasion = "correction"
	NewLabel   Occasion = "new-label"
	// Forgetting: texts have to go, which must not wait for data. Only a harm
	// that is shown holds it back.
	Forgetting Occasion = "forgetting"
)

// A HeadComparison is the comparison of one head.
type HeadComparison struct {
	Head string `json:"head"`
	Comparison
}

// Gate says whether a challenger shall be promoted, head by head and all in all,
// with the reasons. In a head the challenger is
//   - harmful when it is shown to be worse in macro-F1 (95% interval below 0) or
//     the F1 of a label fell by more than 5 points with a corrected p-value of at
//     most 0.05;
//   - not worse when it is not harmful and the 95% interval of the difference in
//     macro-F1 lies above -1 point, or when both answer the same;
//   - better when it is not worse and its Verdict is Promote.
//
// A harm in any head keeps the champion. Else an occasion of Forgetting promotes;
// the others want no head for which not being worse is left open, and NewData
// wants a better one too. What is left open is NotEnoughData where Verdict says
// so, and Keep where there are data enough to say that nothing was gained.
func Gate(heads []HeadComparison, occasion Occasion) (Verdict, []string) {
	var reasons []string
	verdict, better := Promote, false
	for i := range heads {
		h := &heads[i]
		v, reason := h.standing(occasion)
		reasons = append(reasons, fmt.Sprintf("%s: %s", h.Head, reason))
		verdict = worst(verdict, v)
		better = better || v == Promote && h.Verdict == Promote
	}
	switch {
	case len(heads) == 0:
		return NotEnoughData, []string{"there is no head to compare"}
	case verdict == Promote && occasion == NewData && !better:
		return lacking(heads), append(reasons, "no head is shown to be better, as new data alone must show")
	}
	return verdict, reasons
}

// standing is what one head alone says.
func (h *HeadComparison) standing(occasion Occasion) (Verdict, string) {
	switch {
	case h.Harmful():
		return Keep, "worse"
	case h.Same:
		return Promote, "both state the same"
	case occasion == Forgetting:
		return Promote, "no harm is shown, which is enough as texts must be forgotten"
	case h.Examples > 0 && h.MacroF1.Interval.Low > -tolerance:
		if h.Verdict == Promote {
			return Promote, "better"
		}
		return Promote, "not worse"
	case h.Verdict == NotEnoughData:
		return NotEnoughData, "not enough data to show that it is not worse"
	}
	return Keep, "not shown to be less than 1 point worse"
}

// Harmful reports whether a harm is shown: see Gate.
func (c *Comparison) Harmful() bool {
	return c.Examples > 0 && !c.Same && (c.MacroF1.Interval.High < 0 || len(c.Fallen()) > 0)
}

// Fallen are the labels whose F1 fell by more than 5 points, with a corrected
// p-value of at most 0.05.
func (c *Comparison) Fallen() []LabelDifference {
	var list []LabelDifference
	for _, l := range c.Labels {
		if l.fell() {
			list = append(list, l)
		}
	}
	return list
}

func (l *LabelDifference) fell() bool {
	return l.Difference < -labelTolerance && l.PValue <= significance
}

// lacking is the verdict when no head is better: NotEnoughData if more could
// have shown it in some head.
func lacking(heads []HeadComparison) Verdict {
	for _, h := range heads {
		if h.Verdict == NotEnoughData {
			return NotEnoughData
		}
	}
	return Keep
}

// worst is the verdict that weighs more: Keep, then NotEnoughData.
func worst(a, b Verdict) Verdict {
	for _, v := range []Verdict{Keep, NotEnoughData} {
		if a == v || b == v {
			return v
		}
	}
	return Promote
}

// A Share is how many of a number of independent trials succeeded.
type Share struct {
	Right    int      `json:"right"`
	Of       int      `json:"of"`
	Share    float64  `json:"share"`
	Interval Interval `json:"interval"` // Wilson's, of 95%
}

// NewShare returns the share of right in of trials; 0 of none.
func NewShare(right, of int) Share {
	s := Share{Right: right, Of: of}
	if of > 0 {
		s.Share = float64(right) / float64(of)
	}
	s.Interval = wilson(s.Share, float64(of))
	return s
}
