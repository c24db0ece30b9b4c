package judge

import "github.com/parley-nlp/parley/internal/exact"

// Metrics say how good the answers of one head are.
type Metrics struct {
	Examples         int      `json:"examples"`
	Accuracy         float64  `json:"accuracy"`
	AccuracyInterval Interval `json:"accuracy_interval"`
	MacroF1          float64  `json:"macro_f1"`
	MacroF1Interval  Interval `json:"macro_f1_interval"`
	MajorityLabel    string   `json:"majority_label"`
	MajorityAccuracy float64  `json:"majority_accuracy"`
	MajorityMacroF1  float64  `json:"majority_macro_f1"`

	// ECE is the expected calibration error over 15 bins of equal mass,
	// PerfectECE what a perfectly calibrated model would show on as many
	// examples, ExcessECE their difference. The intervals are those of the
	// error to be expected on as many examples.
	ECE               float64  `json:"expected_calibration_error"`
	ECEInterval       Interval `json:"expected_calibration_error_interval"`
	PerfectECE        float64  `json:"expected_calibration_error_if_perfect"`
	ExcessECE         float64  `json:"expected_calibration_error_excess"`
	ExcessECEInterval Interval `json:"expected_calibration_error_excess_interval"`
	// NLL is the mean negative log-likelihood in nats, Brier the mean squared
	// distance between the stated probabilities and the truth (0 to 2); the
	// base figures are those of always stating the shares of the labels.
	NLL           float64  `json:"negative_log_likelihood"`
	NLLInterval   Interval `json:"negative_log_likelihood_interval"`
	BaseNLL       float64  `json:"negative_log_likelihood_of_base_rate"`
	Brier         float64  `json:"brier_score"`
	BrierInterval Interval `json:"brier_score_interval"`
	BaseBrier     float64  `json:"brier_score_of_base_rate"`

	Labels    []LabelMetrics `json:"labels"`
	Confusion [][]int        `json:"confusion"` // by true, then predicted label
}

// LabelMetrics are those of one label.
type LabelMetrics struct {
	Label             string   `json:"label"`
	Examples          int      `json:"examples"`
	Predicted         int      `json:"predicted"`
	Precision         float64  `json:"precision"` // 0 when never predicted
	PrecisionInterval Interval `json:"precision_interval"`
	Recall            float64  `json:"recall"` // 0 without examples
	RecallInterval    Interval `json:"recall_interval"`
	F1                float64  `json:"f1"`
	F1Interval        Interval `json:"f1_interval"`
}

// Measure compares answers with the truth. Every Truth and Predicted is the
// number of a label, every Probabilities as long as labels; Abstained does not
// matter. Without any answers it returns zeros.
func Measure(labels []string, list []Judgement) Metrics {
	m := Metrics{Examples: len(list), Confusion: confusion(len(labels), list)}
	m.tabulate(labels)
	if len(list) == 0 {
		return m
	}
	m.base()
	r := newRanking(list)
	m.ECE = r.expectedCalibrationError()
	m.PerfectECE = r.perfectCalibrationError()
	m.ExcessECE = m.ECE - m.PerfectECE
	m.likelihood(list)
	m.intervals(list, r)
	return m
}

// confusion counts the judgements by true, then predicted label.
func confusion(labels int, list []Judgement) [][]int {
	matrix := make([][]int, labels)
	for i := range matrix {
		matrix[i] = make([]int, labels)
	}
	for _, j := range list {
		matrix[j.Truth][j.Predicted]++
	}
	return matrix
}

// tabulate works out what the confusion matrix says.
func (m *Metrics) tabulate(labels []string) {
	t := make(tally, len(labels))
	for truth, row := range m.Confusion {
		for predicted, n := range row {
			t.add(truth, predicted, n)
		}
	}
	largest, present := 0, 0
	for l, label := range labels {
		n := int(t[l].examples)
		m.Labels = append(m.Labels, LabelMetrics{
			Label: label, Examples: n, Predicted: int(t[l].predicted),
			Precision: t[l].precision(), Recall: t[l].recall(), F1: t[l].f1(),
		})
		if n > 0 {
			present++
		}
		if n > largest {
			largest, m.MajorityLabel = n, label
		}
	}
	m.Accuracy, m.MacroF1, m.MajorityAccuracy = t.accuracy(), t.macroF1(), ratio(largest, m.Examples)
	if m.Examples > 0 {
		// Always naming the majority label has recall 1 for it and 0 for the rest.
		m.MajorityMacroF1 = ratio(2*largest, m.Examples+largest) / float64(present)
	}
}

// base fills in what always stating the shares of the labels is worth.
func (m *Metrics) base() {
	for _, l := range m.Labels {
		if p := ratio(l.Examples, m.Examples); p > 0 {
			m.BaseNLL += float64(p * surprise(p))
			m.BaseBrier += float64(p * (1 - p))
		}
	}
}

// likelihood fills in what the stated probabilities are worth.
func (m *Metrics) likelihood(list []Judgement) {
	for i := range list {
		m.NLL += surprise(list[i].Probabilities[list[i].Truth])
		m.Brier += list[i].brier()
	}
	m.NLL /= float64(len(list))
	m.Brier /= float64(len(list))
}

// leastProbability keeps probabilities off 0, so that one confident mistake
// cannot hide all else.
const leastProbability = 1e-12

// surprise is -log p in nats.
func surprise(p float64) float64 { return -exact.Log(max(p, leastProbability)) }

// brier is the squared distance of the stated probabilities from the truth.
// Brier, "Verification of Forecasts Expressed in Terms of Probability" (1950).
func (j *Judgement) brier() float64 {
	sum := 0.0
	for l, p := range j.Probabilities {
		if l == j.Truth {
			p = 1 - p
		}
		sum += float64(p * p)
	}
	return sum
}
