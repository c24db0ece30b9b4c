package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/parley-nlp/parley/internal/dataset"
	"github.com/parley-nlp/parley/internal/ledger"
)

// Columns of labelled rows beside text, id, group, target and heads. They win over
// the flags of the same names.
const (
	annotatorColumn   = "annotator"
	sourceColumn      = "source"
	selectionColumn   = "selection"
	probabilityColumn = "selection_probability"
	timeColumn        = "time"
	predictionsColumn = "predictions" // of score's output and of prediction logs
)

// rowLabels makes labels of rows.
type rowLabels struct {
	heads    []string
	with     ledger.NewLabel // what rows that say nothing else have
	idPrefix string
}

// options are those to read the rows by.
func (r *rowLabels) options(f dataFlags) dataset.Options {
	o := f.options()
	o.Heads = r.heads
	o.Keep = []string{dataset.KeepAll} // those that are named would have to be there
	return o
}

// errPredictions says why rows are refused.
const errPredictions = "the row holds predictions and no label: predictions never become labels"

// labels are those of a row, none when it has none.
func (r *rowLabels) labels(ex dataset.Example) (list []ledger.NewLabel, err error) {
	n := r.with
	n.Text, n.ID, n.Group, n.Target = ex.Text, ex.ID, ex.Group, ex.Target
	if n.ID != "" {
		n.ID = r.idPrefix + n.ID
	}
	predicted := false
	for _, v := range ex.Kept {
		value := strings.TrimSpace(plainValue(v))
		if value == "" {
			continue
		}
		switch v.Name {
		case annotatorColumn:
			n.Annotator = value
		case sourceColumn:
			n.Source = value
		case selectionColumn:
			n.Selection = ledger.Selection(value)
		case probabilityColumn:
			n.SelectionProbability, err = strconv.ParseFloat(value, 64)
		case timeColumn:
			n.Time, err = parseTime(value)
		case predictionsColumn:
			predicted = true
		}
		if err != nil {
			return nil, rowError(ex, fmt.Sprintf("column %q: %s", v.Name, notA(v.Name)))
		}
	}
	for i, label := range ex.Labels {
		if label != "" {
			n.Head, n.Label = r.heads[i], label
			list = append(list, n)
		}
	}
	switch {
	case strings.TrimSpace(ex.Text) == "":
		return nil, rowError(ex, "empty text")
	case predicted && len(list) == 0:
		return nil, rowError(ex, errPredictions)
	}
	return list, nil
}

func rowError(ex dataset.Example, msg string) error {
	return &dataset.RowError{File: ex.File, Line: ex.Line, Msg: msg}
}

func notA(column string) string {
	if column == timeColumn {
		return "want a time as 2026-01-31T12:00:00Z or a day as 2026-01-31"
	}
	return "want a number"
}

func parseTime(s string) (time.Time, error) {
	if t, err := time.Parse(time.DateOnly, s); err == nil {
		return t, nil
	}
	return time.Parse(time.RFC3339, s)
}

// plainValue is a value of a column as text: a string of JSON without its quotes,
// null as nothing.
func plainValue(v dataset.Value) string {
	var s *string
	if v.JSON && json.Unmarshal([]byte(v.Text), &s) == nil {
		if s == nil {
			return ""
		}
		return *s
	}
	return v.Text
}

// checkColumns looks at the beginnings of the sources before anything is added:
// heads that are nowhere, and columns that hold a model's answers.
func (r *rowLabels) checkColumns(srcs []dataset.Source, o dataset.Options) error {
	names, _, err := dataset.KeptColumns(srcs, o)
	if err != nil {
		return err
	}
	for _, h := range r.heads {
		if answers(names, strings.TrimSuffix(h, "_label")) && strings.HasSuffix(h, "_label") {
			return fmt.Errorf("column %q holds a model's answers, as %q beside it tells: predictions never become labels",
				h, strings.TrimSuffix(h, "_label")+"_decision")
		}
	}
	if slices.ContainsFunc(r.heads, func(h string) bool { return slices.Contains(names, h) }) {
		return nil
	}
	predicted := slices.ContainsFunc(names, func(n string) bool {
		head, ok := strings.CutSuffix(n, "_label")
		return n == predictionsColumn || ok && answers(names, head)
	})
	if predicted {
		return fmt.Errorf("%s: rows of predictions and no labels: predictions never become labels", srcs[0].Name())
	}
	if len(names) == 0 { // reading will tell
		return nil
	}
	return &dataset.ColumnError{File: srcs[0].Name(), Others: len(srcs) - 1, Role: "label", Wanted: r.heads, Have: names[:min(20, len(names))], More: max(0, len(names)-20)}
}

// answers reports whether columns have the answers of a head, as score writes them.
func answers(names []string, head string) bool {
	return slices.Contains(names, head+"_label") && slices.Contains(names, head+"_decision") && slices.Contains(names, head+"_probability")
}
