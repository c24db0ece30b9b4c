package page

import "github.com/parley-nlp/parley/internal/judge"

// A caseRow is a row of the data that deserves a look.
type caseRow struct {
	Row                     []string // what names it
	Excerpt                 string
	Label, LabelProbability string
	Predicted, Probability  string
}

func caseRows(list []judge.Case) []caseRow {
	var rows []caseRow
	for _, c := range list {
		r := caseRow{
			Excerpt: visible(c.Excerpt),
			Label:   label(c.Label), LabelProbability: decimal(c.LabelProbability, 2),
			Predicted: label(c.Predicted), Probability: decimal(c.Probability, 2),
		}
		for _, s := range []string{c.Place, c.ID, c.Group, c.Target} {
			if s != "" {
				r.Row = append(r.Row, visible(s))
			}
		}
		rows = append(rows, r)
	}
	return rows
}
