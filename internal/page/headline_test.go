package page

import (
	"strings"
	"testing"

	"github.com/parley-nlp/parley/internal/judge"
)

func TestFindings(t *testing.T) {
	bins := []judge.Bin{{Examples: 10, Confidence: .9}, {Examples: 10, Confidence: .7}}
	tests := []struct {
		about string
		h     Head
		want  []string
	}{
		{"nothing measured", Head{}, nil},
		{"all is well", Head{Metrics: judge.Metrics{
			MajorityLabel: "for", MajorityMacroF1: .2, MacroF1Interval: judge.Interval{Low: .3, High: .5},
			BaseNLL: 1, NLLInterval: judge.Interval{Low: .5, High: .9},
			ExcessECEInterval: judge.Interval{Low: -.01, High: .02},
			Labels:            []judge.LabelMetrics{{Examples: 10}},
		}}, []string{"Better than always answering “for”", "say more than", "No miscalibration"}},
		{"nothing is shown", Head{Metrics: judge.Metrics{
			MajorityMacroF1: .2, MacroF1Interval: judge.Interval{Low: .2, High: .5},
			BaseNLL: 1, NLLInterval: judge.Interval{Low: .5, High: 1},
			ExcessECE: .04, ExcessECEInterval: judge.Interval{Low: .01, High: .07}, Accuracy: .6,
			Labels: []judge.LabelMetrics{{Examples: 10}, {Examples: 9}, {}},
		}, Details: judge.Details{Reliability: bins}}, []string{
			"Not shown to be better than always answering “(empty)”", "not shown to say more",
			"off by 0.040 more than chance explains, too high on the whole (0.800 on average)", "Of 3 labels, 2 with fewer than 10 rows",
		}},
		{"too modest", Head{Metrics: judge.Metrics{
			ExcessECE: .04, ExcessECEInterval: judge.Interval{Low: .01, High: .07}, Accuracy: .9,
		}, Details: judge.Details{Reliability: bins}}, []string{"too low on the whole"}},
		{"accuracy is no number", Head{Metrics: judge.Metrics{
			ExcessECE: .04, ExcessECEInterval: judge.Interval{Low: .01, High: .07}, Accuracy: nan,
		}, Details: judge.Details{Reliability: bins}}, []string{"more than chance explains."}},
	}
	for _, test := range tests {
		got := findings(test.h)
		if len(got) != len(test.want) {
			t.Errorf("%s: %q, want %q", test.about, got, test.want)
			continue
		}
		for i, want := range test.want {
			if !strings.Contains(got[i], want) {
				t.Errorf("%s: %q, want %q", test.about, got[i], want)
			}
		}
	}
}

func TestLead(t *testing.T) {
	m := judge.Metrics{Examples: 4, Labels: make([]judge.LabelMetrics, 2)}
	tests := []struct {
		h       Head
		trained bool
		want    string
	}{
		{Head{}, false, "Not evaluated: no row has a label of this head."},
		{Head{Metrics: m, Answered: 3}, false, "4 rows, 2 labels. Answered: 3 (75%), the others withheld."},
		{Head{Metrics: m, Answered: 4}, false, "4 rows, 2 labels. All answered."},
		{Head{Metrics: m, Chosen: "naive Bayes"}, true, "4 rows, 2 labels. Chosen: naive Bayes."},
	}
	for _, test := range tests {
		if got := lead(test.h, test.trained); got != test.want {
			t.Errorf("got %q, want %q", got, test.want)
		}
	}
}

// A share of nothing is not zero.
func TestLabelRow(t *testing.T) {
	tests := []struct {
		examples, predicted int
		want                string
	}{
		{5, 5, "0.00 0.00 0.00"},
		{5, 0, "– 0.00 0.00"},
		{0, 5, "0.00 – 0.00"},
		{0, 0, "– – –"},
	}
	for _, test := range tests {
		r := newLabelRow(judge.LabelMetrics{Examples: test.examples, Predicted: test.predicted})
		if got := r.Precision.Value + " " + r.Recall.Value + " " + r.F1.Value; got != test.want {
			t.Errorf("%d rows, %d predicted: %s, want %s", test.examples, test.predicted, got, test.want)
		}
	}
}

func TestPrecisionAt(t *testing.T) {
	list := []judge.LabelPoint{{Recall: .2, Precision: 1}, {Recall: .5, Precision: .6}, {Recall: .8, Precision: .7}}
	for r, want := range map[float64]string{.1: "1.00", .25: "0.70", .8: "0.70", .9: "–"} {
		if got := precisionAt(list, r); got != want {
			t.Errorf("precisionAt(%v) = %s, want %s", r, got, want)
		}
	}
}
