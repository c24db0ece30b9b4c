package judge

import (
	"cmp"
	"slices"
	"strings"
	"unicode"
)

// A Case is one row that deserves a look.
type Case struct {
	ID               string  `json:"id,omitempty"`
	Place            string  `json:"place"`
	Group            string  `json:"group,omitempty"`
	Target           string  `json:"target,omitempty"`
	Excerpt          string  `json:"excerpt"`
	Label            string  `json:"label"`
	Predicted        string  `json:"predicted"`
	Probability      float64 `json:"probability"`       // of Predicted
	LabelProbability float64 `json:"label_probability"` // of Label
}

func newCase(labels []string, j *Judgement, predicted int) Case {
	return Case{
		ID: j.Row.ID, Place: j.Row.Place, Group: j.Row.Group, Target: j.Row.Target, Excerpt: excerpt(j.Row.Text),
		Label: labels[j.Truth], Predicted: labels[predicted],
		Probability: j.Probabilities[predicted], LabelProbability: j.Probabilities[j.Truth],
	}
}

// confidentErrors returns the n wrong answers of the highest confidence; of
// equal ones the first.
func confidentErrors(labels []string, list []Judgement, r *ranking, n int) []Case {
	var wrong []int
	for _, a := range r.answers {
		if !a.right {
			wrong = append(wrong, a.row)
		}
	}
	slices.SortFunc(wrong, func(a, b int) int {
		return cmp.Or(cmp.Compare(list[b].confidence(), list[a].confidence()), cmp.Compare(a, b))
	})
	cases := []Case{}
	for _, row := range wrong[:min(n, len(wrong))] {
		cases = append(cases, newCase(labels, &list[row], list[row].Predicted))
	}
	return cases
}

// likelyLabelErrors returns the n rows whose label is most likely wrong. The
// threshold of a label is the mean probability that its own rows state for it:
// a row that reaches the thresholds of others belongs to the most probable of
// those. Where that is not its label it is suspect, the more so the further its
// label's probability lies below. Northcutt, Jiang and Chuang, "Confident
// Learning: Estimating Uncertainty in Dataset Labels" (2021), sections 3.1 and
// 3.2. Case.Predicted is the label that the row likely has.
func likelyLabelErrors(labels []string, list []Judgement, n int) []Case {
	type suspect struct {
		row, label int
		margin     float64
	}
	var suspects []suspect
	thresholds := meanOwnProbabilities(len(labels), list)
	for i := range list {
		p := list[i].Probabilities
		if l := confidentLabel(p, thresholds); l >= 0 && l != list[i].Truth {
			suspects = append(suspects, suspect{i, l, p[list[i].Truth] - p[l]})
		}
	}
	slices.SortStableFunc(suspects, func(a, b suspect) int { return cmp.Compare(a.margin, b.margin) })
	cases := []Case{}
	for _, s := range suspects[:min(n, len(suspects))] {
		cases = append(cases, newCase(labels, &list[s.row], s.label))
	}
	return cases
}

// meanOwnProbabilities returns, for every label, the mean probability of the
// label over its own rows; 2, which none reaches, where it has none.
func meanOwnProbabilities(labels int, list []Judgement) []float64 {
	means, rows := make([]float64, labels), make([]int, labels)
	for i := range list {
		j := &list[i]
		means[j.Truth] += j.Probabilities[j.Truth]
		rows[j.Truth]++
	}
	for l := range means {
		if rows[l] == 0 {
			means[l] = 2
		} else {
			means[l] /= float64(rows[l])
		}
	}
	return means
}

// confidentLabel is the first of the most probable labels that reach their
// threshold, -1 when none does.
func confidentLabel(probabilities, thresholds []float64) int {
	best := -1
	for l, p := range probabilities {
		if p >= thresholds[l] && (best < 0 || p > probabilities[best]) {
			best = l
		}
	}
	return best
}

// excerptLength is how many characters of a text a Case shows.
const excerptLength = 200

// excerpt is the beginning of a text on one line. It does not part a letter
// from its accents, unless there is no end to them.
func excerpt(text string) string {
	var b strings.Builder
	length, gap := 0, 0 // gap: spaces to come
	for _, r := range text {
		if unicode.IsSpace(r) || unicode.IsControl(r) {
			gap = min(1, length)
			continue
		}
		accent := gap == 0 && unicode.Is(unicode.M, r)
		if n := length + gap; n >= excerptLength && !accent || n >= 2*excerptLength {
			return b.String() + "…"
		}
		if gap > 0 {
			b.WriteByte(' ')
		}
		b.WriteRune(r)
		length, gap = length+gap+1, 0
	}
	return b.String()
}
