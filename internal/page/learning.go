package page

import (
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg/draw"

	"github.com/parley-nlp/parley/internal/judge"
)

// learning draws the quality reached with parts of the training data. Gain is
// what 100 more labels are expected to add to macro-F1, 0 or NaN when unknown.
// One point is no curve.
func learning(curve []judge.LearningPoint, gain float64) (*figure, error) {
	curve = only(curve, func(l judge.LearningPoint) bool { return l.Examples > 0 && finite(l.Accuracy, l.MacroF1) })
	if len(curve) < 2 {
		return nil, nil
	}
	size := func(l judge.LearningPoint) float64 { return float64(l.Examples) }
	accuracy := xys(curve, size, func(l judge.LearningPoint) float64 { return l.Accuracy })
	macroF1 := xys(curve, size, func(l judge.LearningPoint) float64 { return l.MacroF1 })

	p := newPlot("Labelled rows in training", "Accuracy and macro-F1")
	p.Add(gridLines(), line(macroF1, second, dashes...), line(accuracy, first))
	p.Add(points(macroF1, second, draw.BoxGlyph{}), points(accuracy, first, draw.CircleGlyph{}))
	p.X.Tick.Marker = plot.ConstantTicks(ticks(0, p.X.Max))
	fitY(p, accuracy, macroF1)
	drawn, err := render(p, plotWidth, plotHeight, "Accuracy and macro-F1 against the number of labelled rows in training."+inTable)
	return &figure{
		Plot: drawn,
		Keys: []key{{firstLine + firstDot, "accuracy"}, {secondLine + secondBox, "macro-F1"}},
		Note: gainNote(gain),
		Data: learningTable(curve),
	}, err
}

func gainNote(gain float64) string {
	const reading = "A curve that still rises at its right end says that more labels would help."
	if !finite(gain) || gain == 0 {
		return reading
	}
	return reading + " From its course, 100 more labelled rows are expected to change macro-F1 by about " + signed(gain, 3) + "."
}

func learningTable(curve []judge.LearningPoint) table {
	t := table{Head: []string{"rows", "accuracy", "macro-F1"}}
	for _, l := range curve {
		t.Rows = append(t.Rows, []string{whole(l.Examples), decimal(l.Accuracy, 3), decimal(l.MacroF1, 3)})
	}
	return t
}
