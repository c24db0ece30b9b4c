package page

import (
	"cmp"
	"slices"

	"github.com/parley-nlp/parley/internal/judge"
)

// A comparison tells whether a challenger should take the champion's place.
type comparison struct {
	Verdict, Lead string
	Reasons       []string
	Measures      table
	Labels        table
	Dots          *figure // of the labels, nil when there are few
}

// compared is nil when there is nothing to compare with.
func compared(c *judge.Comparison) (*comparison, error) {
	if c == nil {
		return nil, nil
	}
	v := &comparison{
		Verdict: string(c.Verdict),
		Lead: count(c.Examples, "row") + " from " + count(c.Sources, "source") + ". Only the champion is right on " + whole(c.OnlyChampion) +
			", only the challenger on " + whole(c.OnlyChallenger) + ".",
		Measures: measureDifferences(c),
		Labels:   table{Names: true, Head: []string{"F1 of label", "rows", "champion", "challenger", "difference", "95% interval", "p (Holm)"}},
	}
	for _, r := range c.Reasons {
		v.Reasons = append(v.Reasons, visible(r))
	}
	labels := slices.Clone(c.Labels)
	slices.SortStableFunc(labels, func(a, b judge.LabelDifference) int { return cmp.Compare(b.Examples, a.Examples) })
	d := dots{Axis: "Difference of F1 (challenger less champion)", Name: "Difference of F1 by label."}
	for _, l := range labels[:min(len(labels), maxLabels)] {
		v.Labels.Rows = append(v.Labels.Rows, []string{
			label(l.Label), whole(l.Examples), decimal(l.Champion, 2), decimal(l.Challenger, 2),
			signed(l.Difference, 2), signedInterval(l.Interval, 2), pValue(l.PValue),
		})
		d.List = append(d.List, dot{l.Label, l.Difference, l.Interval})
	}
	d.Low, d.High = around(d.List)
	var err error
	if v.Dots, err = d.draw(); v.Dots == nil || err != nil {
		return v, err
	}
	v.Dots.Keys = []key{{acrossSpan + firstDot, "difference, 95% interval"}, {uprightRule, "no difference"}}
	v.Dots.Data = v.Labels
	return v, nil
}

func measureDifferences(c *judge.Comparison) table {
	t := table{Names: true, Head: []string{"measure", "champion", "challenger", "difference", "95% interval", "p", "detectable"}}
	for _, m := range []struct {
		name string
		judge.Difference
	}{
		{"Macro-F1", c.MacroF1},
		{"Accuracy", c.Accuracy},
		{"Log-loss (nats, less is better)", c.NLL},
	} {
		t.Rows = append(t.Rows, []string{
			m.name, decimal(m.Champion, 3), decimal(m.Challenger, 3),
			signed(m.Difference.Difference, 3), signedInterval(m.Interval, 3), pValue(m.PValue), decimal(m.Detectable, 3),
		})
	}
	return t
}

// pValue renders a probability whose order of size is what matters.
func pValue(p float64) string {
	if finite(p) && p < .001 {
		return "< 0.001"
	}
	return decimal(p, 3)
}
