package judge

import (
	"cmp"
	"slices"
)

// A LabelCurve says how precision and recall of a label move with the
// threshold on its probability.
type LabelCurve struct {
	Label            string       `json:"label"`
	AveragePrecision float64      `json:"average_precision"` // 0 without examples
	Points           []LabelPoint `json:"points"`            // by falling threshold; none without examples
}

// A LabelPoint is one threshold of a LabelCurve: a row is taken for the label
// when the label's probability reaches it.
type LabelPoint struct {
	Threshold float64 `json:"threshold"`
	Precision float64 `json:"precision"`
	Recall    float64 `json:"recall"`
	Coverage  float64 `json:"coverage"` // share of all rows taken
}

// labelCurvePoints is how many points a LabelCurve has at most.
const labelCurvePoints = 100

func labelCurves(labels []string, list []Judgement) []LabelCurve {
	examples := make([]int, len(labels))
	for i := range list {
		examples[list[i].Truth]++
	}
	curves, rows := make([]LabelCurve, len(labels)), make([]labelProbability, len(list))
	for l, label := range labels {
		curves[l] = LabelCurve{Label: label, Points: []LabelPoint{}}
		if examples[l] == 0 {
			continue
		}
		for i := range list {
			rows[i] = labelProbability{list[i].Probabilities[l], list[i].Truth == l}
		}
		slices.SortFunc(rows, func(a, b labelProbability) int { return cmp.Compare(b.probability, a.probability) })
		curves[l].trace(rows, examples[l])
	}
	return curves
}

// A labelProbability is what a row states for a label, and whether that is its
// own.
type labelProbability struct {
	probability float64
	own         bool
}

// trace follows rows by falling probability. The average precision is the mean
// over the label's own rows of the precision at the threshold that takes them
// (no interpolation); rows of equal probability are taken together. Zhu,
// "Recall, Precision and Average Precision" (2004). A point is kept each time
// that recall has risen by another hundredth.
func (c *LabelCurve) trace(rows []labelProbability, examples int) {
	hits, level := 0, 0 // level: own rows taken before those of equal probability
	next := 1           // in steps of 1/labelCurvePoints
	for i, r := range rows {
		if r.own {
			hits++
		}
		if hits == level || i+1 < len(rows) && rows[i+1].probability == r.probability {
			continue
		}
		precision := ratio(hits, i+1)
		c.AveragePrecision += float64(ratio(hits-level, examples) * precision)
		level = hits
		if hits*labelCurvePoints < next*examples {
			continue
		}
		c.Points = append(c.Points, LabelPoint{r.probability, precision, ratio(hits, examples), ratio(i+1, len(rows))})
		next = hits*labelCurvePoints/examples + 1
	}
}
