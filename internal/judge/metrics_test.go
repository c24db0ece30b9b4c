package judge

import (
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"strings"
	"testing"
)

// The truth of six texts is a a a b b c, the answers are a a b b a b; d never
// occurs.
func TestMetricsOfAHandfulOfAnswers(t *testing.T) {
	var list []Judgement
	for i, row := range []struct {
		truth, predicted int
		a, b, c          float64
	}{
		{0, 0, 0.5, 0.3, 0.2}, {0, 0, 0.8, 0.1, 0.1}, {0, 1, 0.4, 0.6, 0},
		{1, 1, 0, 1, 0}, {1, 0, 0.5, 0.25, 0.25}, {2, 1, 0.1, 0.9, 0},
	} {
		list = append(list, Judgement{Truth: row.truth, Predicted: row.predicted, Source: i, Probabilities: []float64{row.a, row.b, row.c, 0}})
	}
	m := Measure([]string{"a", "b", "c", "d"}, list)
	if want := [][]int{{2, 1, 0, 0}, {1, 1, 0, 0}, {0, 1, 0, 0}, {0, 0, 0, 0}}; !reflect.DeepEqual(m.Confusion, want) {
		t.Errorf("confusion: got %v, want %v", m.Confusion, want)
	}
	var labels []string
	for _, l := range m.Labels {
		labels = append(labels, fmt.Sprintf("%s %d %d %.3f %.3f %.3f", l.Label, l.Examples, l.Predicted, l.Precision, l.Recall, l.F1))
	}
	if want := []string{"a 3 3 0.667 0.667 0.667", "b 2 3 0.333 0.500 0.400", "c 1 0 0.000 0.000 0.000", "d 0 0 0.000 0.000 0.000"}; !reflect.DeepEqual(labels, want) {
		t.Errorf("labels: got %q, want %q", labels, want)
	}
	if m.Examples != 6 || m.MajorityLabel != "a" {
		t.Errorf("got %d examples, majority %q, want 6, a", m.Examples, m.MajorityLabel)
	}
	near(t, "accuracy", m.Accuracy, 3./6)
	near(t, "macro-F1", m.MacroF1, (2./3+2./5+0)/3)
	near(t, "accuracy of always a", m.MajorityAccuracy, 3./6)
	near(t, "macro-F1 of always a", m.MajorityMacroF1, 2*3./(6+3)/3)
	near(t, "NLL", m.NLL, -(math.Log(0.5)+math.Log(0.8)+math.Log(0.4)+math.Log(1)+math.Log(0.25)+math.Log(1e-12))/6)
	near(t, "NLL of the base rate", m.BaseNLL, -(3./6*math.Log(3./6) + 2./6*math.Log(2./6) + 1./6*math.Log(1./6)))
	near(t, "Brier score", m.Brier, ((.25+.09+.04)+(.04+.01+.01)+(.36+.36)+0+(.25+.5625+.0625)+(.01+.81+1))/6)
	near(t, "Brier score of the base rate", m.BaseBrier, 1-(9.+4+1)/36)
	// Six bins of one text each, nine of none.
	near(t, "ECE", m.ECE, (0.5+0.2+0.6+0+0.5+0.9)/6)
	near(t, "excess ECE", m.ExcessECE, m.ECE-m.PerfectECE)
}

// A label that only the predictions have counts against them, not against the
// rule of always naming the majority label.
func TestMajorityIsNotBlamedForPredictions(t *testing.T) {
	m := Measure(two, []Judgement{answer(7, 0, true, 1), answer(8, 1, false, 1)})
	near(t, "macro-F1", m.MacroF1, (2./3+0)/2)
	near(t, "macro-F1 of always a", m.MajorityMacroF1, 1)
}

func TestMetricsWithoutExamples(t *testing.T) {
	m := Measure([]string{"a", "b"}, nil)
	want := Metrics{Labels: []LabelMetrics{{Label: "a"}, {Label: "b"}}, Confusion: [][]int{{0, 0}, {0, 0}}}
	if !reflect.DeepEqual(m, want) {
		t.Errorf("got %+v, want %+v", m, want)
	}
}

// oddLists are what is easily forgotten.
func oddLists() map[string][]Judgement {
	lists := map[string][]Judgement{
		"nothing":                    nil,
		"one right row":              {answer(0, 0, true, 0.7)},
		"one wrong row":              {answer(0, 0, false, 0.7)},
		"all right and sure":         nil,
		"all wrong and sure":         nil,
		"one source":                 population{sources: 1, rows: 30, even: true, right: always(0.7)}.draw(newRand(1)),
		"two sources":                population{sources: 2, rows: 3, even: true, right: always(0.7)}.draw(newRand(2)),
		"equal confidence":           nil,
		"a large and a small source": nil,
	}
	for s := range 20 {
		lists["all right and sure"] = append(lists["all right and sure"], answer(s, s%2, true, 1))
		lists["all wrong and sure"] = append(lists["all wrong and sure"], answer(s, s%2, false, 1))
		lists["equal confidence"] = append(lists["equal confidence"], answer(s, s%2, s%3 > 0, 0.8))
		lists["a large and a small source"] = append(lists["a large and a small source"], answer(s/19, s%2, s%3 > 0, 0.8))
	}
	return lists
}

// Every measure lies in its interval, and every number can be written as JSON,
// which NaN and infinity cannot.
func TestOddListsHaveSensibleMetrics(t *testing.T) {
	for name, list := range oddLists() {
		for i := range list {
			list[i].Probabilities = append(list[i].Probabilities, 0)
		}
		m := Measure([]string{"yes", "no", "never"}, list)
		for _, check := range []struct {
			what     string
			measure  float64
			interval Interval
			most     float64
		}{
			{"accuracy", m.Accuracy, m.AccuracyInterval, 1}, {"macro-F1", m.MacroF1, m.MacroF1Interval, 1},
			{"ECE", m.ECE, m.ECEInterval, 1}, {"excess ECE", m.ExcessECE, m.ExcessECEInterval, 1},
			{"NLL", m.NLL, m.NLLInterval, 28}, {"Brier score", m.Brier, m.BrierInterval, 2},
			{"precision", m.Labels[0].Precision, m.Labels[0].PrecisionInterval, 1},
			{"recall", m.Labels[1].Recall, m.Labels[1].RecallInterval, 1},
			{"F1 without examples", m.Labels[2].F1, m.Labels[2].F1Interval, 1},
		} {
			if !check.interval.holds(check.measure) || check.measure > check.most || check.interval.High > check.most {
				t.Errorf("%s: %s %v in %v, at most %v", name, check.what, check.measure, check.interval, check.most)
			}
		}
		if _, err := json.Marshal(m); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if again := Measure([]string{"yes", "no", "never"}, list); !reflect.DeepEqual(m, again) {
			t.Errorf("%s: got other metrics the second time", name)
		}
	}
}

// Names in JSON are part of the reports' format.
func TestMetricsInJSON(t *testing.T) {
	text, err := json.Marshal(Measure(two, []Judgement{answer(0, 0, true, 0.7)}))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"accuracy_interval", "expected_calibration_error_excess_interval", "brier_score_of_base_rate", "precision_interval"} {
		if !strings.Contains(string(text), `"`+name+`":`) {
			t.Errorf("no %s in %s", name, text)
		}
	}
}
