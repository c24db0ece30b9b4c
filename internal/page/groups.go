package page

import "github.com/parley-nlp/parley/internal/judge"

// groups are the figures of parts of the rows.
type groups struct {
	Kind string // of part: "source"
	Rows []groupRow
	Dots *figure // nil when there are few parts
}

type groupRow struct {
	Name, Examples, MacroF1, Confidence string
	Accuracy                            measure
}

// groupFigures tells how good the answers are in each part of the rows, beside
// the accuracy on all of them. It is nil without parts.
func groupFigures(kind string, list []judge.GroupMetrics, accuracy float64) (*groups, error) {
	if len(list) == 0 {
		return nil, nil
	}
	g := &groups{Kind: kind}
	d := dots{Axis: "Accuracy (share of answers correct)", High: 1, Line: accuracy, Name: "Accuracy by " + kind + "."}
	for _, m := range list {
		g.Rows = append(g.Rows, groupRow{
			Name: label(m.Name), Examples: whole(m.Examples),
			MacroF1: decimal(m.MacroF1, 2), Confidence: decimal(m.Confidence, 2),
			Accuracy: newMeasure(m.Accuracy, m.AccuracyInterval),
		})
		d.List = append(d.List, dot{m.Name, m.Accuracy, m.AccuracyInterval})
	}
	var err error
	if g.Dots, err = d.draw(); g.Dots == nil || err != nil {
		return g, err
	}
	g.Dots.Keys = []key{{acrossSpan + firstDot, "accuracy, 95% interval"}, {uprightRule, "all rows"}}
	if len(list) > maxDots {
		g.Dots.Note = "Drawn are the first " + count(maxDots, kind) + "."
	}
	return g, nil
}
