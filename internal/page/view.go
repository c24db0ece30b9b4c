package page

import (
	"html/template"
	"strconv"
	"strings"
)

// A view is an evaluation in the words of the page.
type view struct {
	Title, Kind, Reading string
	Policy               string
	CSS                  template.CSS
	Facts                []fact
	Warnings             []string
	Heads                []headView
}

// A fact is a property of the model or the data.
type fact struct {
	Name, Value string
	Code        bool // for machines
}

func newView(e Evaluation) (*view, error) {
	v := &view{
		Title: visible(e.Title), Kind: "Evaluation",
		Reading: "How the model does on a file of labelled rows.",
		Policy:  policy(pageCSS), CSS: template.CSS(pageCSS),
		Facts: facts(e),
	}
	if e.Trained {
		v.Kind = "Cross-validation at training"
		v.Reading = "Each row was judged by a model that was trained without its source."
	}
	for _, w := range e.Warnings {
		v.Warnings = append(v.Warnings, visible(w))
	}
	for i, h := range e.Heads {
		hv, err := newHeadView(h, "head-"+strconv.Itoa(i+1), e.Trained)
		if err != nil {
			return nil, err
		}
		v.Heads = append(v.Heads, *hv)
	}
	return v, nil
}

func facts(e Evaluation) []fact {
	list := []fact{{"Rows", whole(e.Rows), false}}
	if e.Sources > 0 {
		list = append(list, fact{"Sources", whole(e.Sources), false})
	}
	if e.FeatureCount > 0 {
		list = append(list, fact{"Features", whole(e.FeatureCount), false})
	}
	if e.ModelBytes > 0 {
		list = append(list, fact{"Model file", byteSize(e.ModelBytes), false})
	}
	if e.Features != "" {
		list = append(list, fact{"Taken from a text", visible(e.Features), true})
	}
	if e.Revision != "" {
		list = append(list, fact{"Revision", visible(e.Revision), true})
	}
	if e.Champion != "" {
		list = append(list, fact{"Compared with", visible(e.Champion), true})
	}
	return list
}

// A headView is what the page says of a head. What there is no data for is nil.
type headView struct {
	ID, Name, Lead string
	Overview       summary
	Findings       []string
	Headline       []headline
	Comparison     *comparison
	Nested         *table
	Labels         *labels
	Matrix         *matrix
	Pairs          []pair
	Reliability    *figure
	Coverage       *figure
	Thresholds     *table
	Curves         *curves
	Learning       *figure
	Sources        *groups
	Targets        *groups
	Errors         []caseRow
	LabelErrors    []caseRow
	Sections       []section
	Missing        []string // sections that there is no data for
}

// A section is an entry of the table of contents.
type section struct{ ID, Title string }

func newHeadView(h Head, id string, trained bool) (*headView, error) {
	v := &headView{
		ID: id, Name: label(h.Name), Lead: lead(h, trained), Overview: newSummary(h),
		Nested: nestedTable(h.Nested), Thresholds: thresholdTable(h.Thresholds),
	}
	if h.Examples > 0 {
		v.Findings, v.Headline = findings(h), headlines(h)
		v.Labels, v.Matrix, v.Pairs = newLabels(h.Labels), confusion(h.Metrics), confusedPairs(h.Metrics)
		v.Errors, v.LabelErrors = caseRows(h.ConfidentErrors), caseRows(h.LikelyLabelErrors)
	}
	if err := v.draw(h, trained); err != nil {
		return nil, err
	}
	v.list()
	return v, nil
}

// draw fills in the plots.
func (v *headView) draw(h Head, trained bool) (err error) {
	present := ratio(h.Answered, h.Examples)
	if trained {
		present = 0
	}
	if v.Reliability, err = reliability(h.Reliability); err != nil {
		return err
	}
	if v.Coverage, err = coverage(h.Details.Coverage, present); err != nil {
		return err
	}
	if v.Curves, err = labelCurves(h.LabelCurves, h.Metrics); err != nil {
		return err
	}
	if v.Learning, err = learning(h.LearningCurve, h.GainFrom100); err != nil {
		return err
	}
	if v.Sources, err = groupFigures("source", h.Details.Sources, h.Accuracy); err != nil {
		return err
	}
	if v.Targets, err = groupFigures("target", h.Details.Targets, h.Accuracy); err != nil {
		return err
	}
	v.Comparison, err = compared(h.Comparison)
	return err
}

// list makes the table of contents. Sections that are there only when asked for
// are not missed.
func (v *headView) list() {
	for _, s := range []struct {
		id, title string
		present   bool
	}{
		{"figures", "Headline figures", v.Headline != nil},
		{"comparison", "Comparison", v.Comparison != nil},
		{"nested", "Nested validation", v.Nested != nil},
		{"labels", "Labels", v.Labels != nil},
		{"confusion", "Confusion", v.Matrix != nil || v.Pairs != nil},
		{"reliability", "Reliability", v.Reliability != nil},
		{"coverage", "Coverage", v.Coverage != nil},
		{"thresholds", "Thresholds", v.Thresholds != nil},
		{"curves", "Precision and recall", v.Curves != nil},
		{"learning", "Learning curve", v.Learning != nil},
		{"sources", "Sources", v.Sources != nil},
		{"targets", "Targets", v.Targets != nil},
		{"errors", "Confident errors", v.Errors != nil},
		{"label-errors", "Likely label errors", v.LabelErrors != nil},
	} {
		switch {
		case s.present:
			v.Sections = append(v.Sections, section{v.ID + "-" + s.id, s.title})
		case s.id == "nested" || s.id == "thresholds":
		default:
			v.Missing = append(v.Missing, strings.ToLower(s.title))
		}
	}
}
