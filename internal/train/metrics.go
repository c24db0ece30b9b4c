package train

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/parley-nlp/parley/internal/exact"
)

// Metrics say how good the predictions of one head are.
type Metrics struct {
	Examples         int            `json:"examples"`
	Accuracy         float64        `json:"accuracy"`
	MacroF1          float64        `json:"macro_f1"`
	AccuracyInterval Interval       `json:"accuracy_interval"`
	MacroF1Interval  Interval       `json:"macro_f1_interval"`
	MajorityLabel    string         `json:"majority_label"`
	MajorityAccuracy float64        `json:"majority_accuracy"`
	MajorityMacroF1  float64        `json:"majority_macro_f1"`
	KeywordAccuracy  float64        `json:"keyword_accuracy,omitempty"` // of keywordRule; 0 in an evaluation
	KeywordMacroF1   float64        `json:"keyword_macro_f1,omitempty"`
	ECE              float64        `json:"expected_calibration_error"`
	PerfectECE       float64        `json:"expected_calibration_error_if_perfect"`
	NLL              float64        `json:"negative_log_likelihood"`
	BaseNLL          float64        `json:"negative_log_likelihood_of_base_rate"`
	Labels           []LabelMetrics `json:"labels"`
	Confusion        [][]int        `json:"confusion"` // by true, then predicted label
}

// LabelMetrics are those of one label.
type LabelMetrics struct {
	Label     string  `json:"label"`
	Examples  int     `json:"examples"`
	Predicted int     `json:"predicted"`
	Precision float64 `json:"precision"` // 0 when never predicted
	Recall    float64 `json:"recall"`    // 0 without examples
	F1        float64 `json:"f1"`
}

// A judgement is a prediction beside the truth.
type judgement struct {
	truth, predicted int
	source           int       // see groups
	probabilities    []float64 // calibrated, one per label
}

// measure compares predictions with the truth. Without any it returns zeros.
func measure(labels []string, list []judgement) Metrics {
	m := Metrics{Examples: len(list), Confusion: confusion(len(labels), list)}
	m.tabulate(labels)
	m.calibration(list)
	m.AccuracyInterval, m.MacroF1Interval = bootstrap(len(labels), list)
	return m
}

// keywords fills in what keywordRule makes of the same examples.
func (m *Metrics) keywords(labels []string, list []judgement) {
	k := Metrics{Examples: len(list), Confusion: confusion(len(labels), list)}
	k.tabulate(labels)
	m.KeywordAccuracy, m.KeywordMacroF1 = k.Accuracy, k.MacroF1
}

// confusion counts the judgements by true, then predicted label.
func confusion(labels int, list []judgement) [][]int {
	matrix := make([][]int, labels)
	for i := range matrix {
		matrix[i] = make([]int, labels)
	}
	for _, j := range list {
		matrix[j.truth][j.predicted]++
	}
	return matrix
}

// tabulate works out what the confusion matrix says.
func (m *Metrics) tabulate(labels []string) {
	right, largest, present := 0, 0, 0
	for l, label := range labels {
		lm := LabelMetrics{Label: label}
		for k := range labels {
			lm.Examples += m.Confusion[l][k]
			lm.Predicted += m.Confusion[k][l]
		}
		hit := m.Confusion[l][l]
		right += hit
		lm.Precision, lm.Recall = ratio(hit, lm.Predicted), ratio(hit, lm.Examples)
		lm.F1 = ratio(2*hit, lm.Examples+lm.Predicted)
		m.Labels = append(m.Labels, lm)
		if lm.Examples > 0 {
			present++
		}
		if lm.Examples > largest {
			largest, m.MajorityLabel = lm.Examples, label
		}
	}
	m.Accuracy, m.MajorityAccuracy = ratio(right, m.Examples), ratio(largest, m.Examples)
	m.MacroF1 = macroF1(m.Labels)
	if m.Examples > 0 {
		// Always naming the majority label has recall 1 for it and 0 for the rest.
		m.MajorityMacroF1 = ratio(2*largest, m.Examples+largest) / float64(present)
	}
}

// macroF1 is the unweighted mean of F1 over the labels that occur among the
// examples or the predictions.
func macroF1(labels []LabelMetrics) float64 {
	sum, seen := 0.0, 0
	for _, l := range labels {
		sum += l.F1
		if l.Examples+l.Predicted > 0 {
			seen++
		}
	}
	return sum / float64(max(1, seen))
}

func ratio(a, b int) float64 {
	if b == 0 {
		return 0
	}
	return float64(a) / float64(b)
}

// calibration fills in what the probabilities are worth.
func (m *Metrics) calibration(list []judgement) {
	if len(list) == 0 {
		return
	}
	outcomes := make([]outcome, len(list))
	for i, j := range list {
		m.NLL += surprise(j.probabilities[j.truth])
		outcomes[i] = outcome{j.probabilities[j.predicted], j.predicted == j.truth}
	}
	m.NLL /= float64(len(list))
	for _, l := range m.Labels {
		if p := ratio(l.Examples, m.Examples); p > 0 {
			m.BaseNLL += float64(p * surprise(p))
		}
	}
	m.ECE = expectedCalibrationError(outcomes)
	m.PerfectECE = perfectCalibrationError(outcomes)
}

// surprise is -log p in nats, with p kept off 0 so that one confident mistake
// cannot hide all else.
func surprise(p float64) float64 { return -exact.Log(max(p, 1e-12)) }

// An outcome is the confidence of a prediction and whether it was right.
type outcome struct {
	confidence float64
	right      bool
}

const calibrationBins = 15

// expectedCalibrationError is the mean distance between confidence and
// accuracy over bins of equal size, weighted by size. Naeini et al.,
// "Obtaining Well Calibrated Probabilities Using Bayesian Binning" (2015),
// with bins of equal mass.
func expectedCalibrationError(outcomes []outcome) float64 {
	sorted := slices.Clone(outcomes)
	slices.SortStableFunc(sorted, func(a, b outcome) int { return cmp.Compare(a.confidence, b.confidence) })
	ece, n := 0.0, len(sorted)
	for b := range calibrationBins {
		confidence, right := 0.0, 0.0
		for _, o := range sorted[b*n/calibrationBins : (b+1)*n/calibrationBins] {
			confidence += o.confidence
			if o.right {
				right++
			}
		}
		ece += math.Abs(confidence-right) / float64(n)
	}
	return ece
}

// perfectCalibrationError is the error that a perfectly calibrated model would
// show on as many examples: the mean over labels drawn anew from the stated
// probabilities. The draws are seeded by a constant.
func perfectCalibrationError(outcomes []outcome) float64 {
	const draws = 100
	rng := rand.New(rand.NewPCG(0x70617266, 0x656374))
	drawn, sum := slices.Clone(outcomes), 0.0
	for range draws {
		for i := range drawn {
			drawn[i].right = rng.Float64() < drawn[i].confidence
		}
		sum += expectedCalibrationError(drawn)
	}
	return sum / draws
}
