package page

import (
	"fmt"
	"html/template"

	"github.com/parley-nlp/parley/internal/judge"
)

// A summary is the row of a head in the overview.
type summary struct {
	Rows, Labels      string
	MacroF1, Accuracy measure
}

func newSummary(h Head) summary {
	if h.Examples == 0 {
		none := measure{Value: unknown, Interval: unknown}
		return summary{"0", whole(len(h.Labels)), none, none}
	}
	return summary{
		whole(h.Examples), whole(len(h.Labels)),
		measure{Value: decimal(h.MacroF1, 3), Interval: interval(h.MacroF1Interval, 3, " to ")},
		measure{Value: decimal(h.Accuracy, 3), Interval: interval(h.AccuracyInterval, 3, " to ")},
	}
}

// lead says in a line what was judged.
func lead(h Head, trained bool) string {
	if h.Examples == 0 {
		return "Not evaluated: no row has a label of this head."
	}
	s := count(h.Examples, "row") + ", " + count(len(h.Labels), "label")
	if h.Chosen != "" {
		s += ". Chosen: " + visible(h.Chosen)
	}
	switch {
	case trained:
	case h.Answered == h.Examples:
		s += ". All answered"
	default:
		s += ". Answered: " + whole(h.Answered) + " (" + percent(h.Answered, h.Examples) + "), the others withheld"
	}
	return s + "."
}

// A headline is a figure of the whole head.
type headline struct {
	Name, Meaning, Value, Interval string
	Bar                            template.HTML // of shares
	Baseline                       string
}

func headlines(h Head) []headline {
	m := h.Metrics
	always := "always answering “" + label(m.MajorityLabel) + "”"
	list := []headline{
		shareHeadline("Macro-F1", "mean F1 of the labels, each counting the same", m.MacroF1, m.MacroF1Interval, m.MajorityMacroF1, always),
		shareHeadline("Accuracy", "share of rows answered right", m.Accuracy, m.AccuracyInterval, m.MajorityAccuracy, always),
		lossHeadline("Log-loss", "mean negative log-likelihood in nats; less is better", m.NLL, m.NLLInterval, m.BaseNLL, "stating the shares of the labels"),
		lossHeadline("Brier score", "squared distance from the truth, 0 to 2; less is better", m.Brier, m.BrierInterval, m.BaseBrier, "stating the shares of the labels"),
		lossHeadline("Calibration error", "expected calibration error (ECE); less is better", m.ECE, m.ECEInterval, m.PerfectECE, "perfect calibration, on as many rows"),
		lossHeadline("Excess calibration error", "what chance does not explain", m.ExcessECE, m.ExcessECEInterval, 0, "perfect calibration"),
	}
	if h.Keywords != nil {
		const keywords = " by keywords"
		list[0].Baseline += ", " + decimal(h.Keywords.MacroF1, 3) + keywords
		list[1].Baseline += ", " + decimal(h.Keywords.Accuracy, 3) + keywords
	}
	return list
}

func shareHeadline(name, meaning string, v float64, i judge.Interval, baseline float64, of string) headline {
	h := lossHeadline(name, meaning, v, i, baseline, of)
	h.Bar = bar(v, i, baseline)
	return h
}

func lossHeadline(name, meaning string, v float64, i judge.Interval, baseline float64, of string) headline {
	return headline{
		Name: name, Meaning: meaning, Value: decimal(v, 3), Interval: interval(i, 3, " to "),
		Baseline: decimal(baseline, 3) + " " + of,
	}
}

// findings say what the figures show and what they do not.
func findings(h Head) []string {
	var list []string
	for _, s := range []string{majorityFinding(h.Metrics), informationFinding(h.Metrics), calibrationFinding(h), fewFinding(h.Metrics)} {
		if s != "" {
			list = append(list, s)
		}
	}
	return list
}

func majorityFinding(m judge.Metrics) string {
	switch always := "always answering “" + label(m.MajorityLabel) + "”"; {
	case !measured(m.MacroF1Interval):
		return ""
	case m.MacroF1Interval.Low > m.MajorityMacroF1:
		return "Better than " + always + ": the whole interval of macro-F1 lies above " + decimal(m.MajorityMacroF1, 3) + "."
	default:
		return "Not shown to be better than " + always + ", whose macro-F1 is " + decimal(m.MajorityMacroF1, 3) + ": the interval begins at " + decimal(m.MacroF1Interval.Low, 3) + "."
	}
}

func informationFinding(m judge.Metrics) string {
	switch {
	case !measured(m.NLLInterval):
		return ""
	case m.NLLInterval.High < m.BaseNLL:
		return "The stated probabilities say more than the shares of the labels do."
	default:
		return "The stated probabilities are not shown to say more than the shares of the labels do."
	}
}

func calibrationFinding(h Head) string {
	switch {
	case !measured(h.ExcessECEInterval):
		return ""
	case h.ExcessECEInterval.Low > 0:
		return "Miscalibrated: the stated probabilities are off by " + decimal(h.ExcessECE, 3) + " more than chance explains" + direction(h.Reliability, h.Accuracy) + "."
	default:
		return "No miscalibration beyond chance is seen."
	}
}

// direction says whether the probabilities of the answers, taken together, are
// above or below the accuracy.
func direction(bins []judge.Bin, accuracy float64) string {
	sum, n := 0.0, 0
	for _, b := range bins {
		sum += float64(float64(b.Examples) * b.Confidence)
		n += b.Examples
	}
	if n == 0 || !finite(sum, accuracy) {
		return ""
	}
	confidence := sum / float64(n)
	if confidence > accuracy {
		return ", too high on the whole (" + decimal(confidence, 3) + " on average)"
	}
	return ", too low on the whole (" + decimal(confidence, 3) + " on average)"
}

// fewRows is how many rows of a label its figures need to mean much: with 10 an
// interval is still about 0.6 wide.
const fewRows = 10

func fewFinding(m judge.Metrics) string {
	few := 0
	for _, l := range m.Labels {
		if l.Examples < fewRows {
			few++
		}
	}
	if few == 0 {
		return ""
	}
	return fmt.Sprintf("Of %s, %d with fewer than %d rows, set in grey below: those figures are rough.", count(len(m.Labels), "label"), few, fewRows)
}
