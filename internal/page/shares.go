package page

import (
	"bytes"
	_ "embed" // the template
	"fmt"
	"html/template"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/parley-nlp/parley/internal/prevalence"
)

//go:embed shares.html
var sharesHTML string

// sharesCSS is what the page of shares adds to the style sheet.
const sharesCSS = `
.notes { margin: 1.25rem 0 0; color: var(--muted); font-size: .9rem; }
.matrix td.share { padding: .25rem .5rem; color: var(--ink); text-align: center; }
.share b { display: block; font-weight: 600; line-height: 1.2; }
.share small { font-size: .72rem; line-height: 1.2; }
`

var sharesTemplate = template.Must(template.Must(pageTemplate.Clone()).Parse(sharesHTML))

// WriteShares writes label shares as an HTML page. Equal reports give equal
// pages.
func WriteShares(w io.Writer, title string, r *prevalence.Report) error {
	v, err := newSharesView(title, r)
	if err != nil {
		return fmt.Errorf("page of %q: %w", title, err)
	}
	var b bytes.Buffer // a page appears whole or not at all
	if err := sharesTemplate.ExecuteTemplate(&b, "shares", v); err != nil {
		return fmt.Errorf("page of %q: %w", title, err)
	}
	_, err = w.Write(b.Bytes())
	return err
}

// A sharesView is a report of shares in the words of the page.
type sharesView struct {
	Title, Kind, Policy string
	CSS                 template.CSS
	Facts, Assumptions  []fact
	Notes               []string
	Parts               []sharesPart
	DotKeys             []key
}

// A sharesPart is all rows, or those by a column.
type sharesPart struct {
	ID, Title string
	Sections  []sharesSection
}

// A sharesSection is a head, or two that are crossed.
type sharesSection struct {
	ID, Title, Lead string
	Figure          *figure
	Matrix          *crossView
	Plots           []smallPlot
	Left            string // what is not drawn
	Table           table
	Folded          bool // the table is in a box to open
}

// A smallPlot is one of many.
type smallPlot struct {
	Short, Full string
	Plot        template.HTML
}

func newSharesView(title string, r *prevalence.Report) (*sharesView, error) {
	css := pageCSS + sharesCSS
	v := &sharesView{
		Title: visible(title), Kind: "Label shares", Policy: policy(css), CSS: template.CSS(css),
		Facts: sharesFacts(r), DotKeys: []key{{firstDot, "share"}, {uprightSpan, "95% interval"}},
	}
	for _, a := range r.Assumptions {
		v.Assumptions = append(v.Assumptions, fact{Name: assumptionNames[a.Name], Value: a.Text})
	}
	for _, n := range r.Notes {
		v.Notes = append(v.Notes, visible(n))
	}
	if r.Rows == 0 {
		return v, nil
	}
	all, err := allPart(&r.All)
	if err != nil {
		return nil, err
	}
	v.Parts = append(v.Parts, all)
	for i := range r.By {
		part, err := splitPart("by-"+strconv.Itoa(i+1), &r.By[i])
		if err != nil {
			return nil, err
		}
		v.Parts = append(v.Parts, part)
	}
	return v, nil
}

var assumptionNames = map[string]string{
	prevalence.LabelShift: "Label shift", prevalence.RandomAudit: "A random audit", prevalence.RightAnswers: "Answers taken for right",
}

var methodNames = map[string]string{
	prevalence.Mixture:           "Adjusted for the classifier’s errors in cross-validation; rests on label shift.",
	prevalence.PredictionPowered: "Corrected by the audited rows; rests on their being drawn at random.",
	prevalence.ClassifyAndCount:  "Answers counted as they are; rests on their being right.",
}

func sharesFacts(r *prevalence.Report) []fact {
	list := []fact{{"Rows", whole(int(r.Rows)), false}, {"Rows with errors", whole(int(r.Errors)), false}}
	if r.Audit != nil {
		list = append(list, fact{"Audited rows", whole(r.Audit.Found) + " of " + whole(r.Audit.Rows), false})
	}
	if r.Revision != "" {
		list = append(list, fact{"Model", r.Revision[:min(12, len(r.Revision))], true})
	}
	return list
}

// allPart shows the shares of all rows.
func allPart(g *prevalence.Group) (sharesPart, error) {
	p := sharesPart{ID: "all", Title: "All rows"}
	for i := range g.Heads {
		s := &g.Heads[i]
		section := sharesSection{ID: "all-" + strconv.Itoa(i+1), Title: visible(s.Heads[0]), Lead: sharesLead(s), Table: sharesTable(s)}
		f, err := sharesFigure(s)
		if err != nil {
			return p, err
		}
		section.Figure = f
		if f != nil {
			f.Data, section.Table = section.Table, table{}
		}
		p.Sections = append(p.Sections, section)
	}
	for i := range g.Crossed {
		s := &g.Crossed[i]
		if len(s.Labels) == 0 {
			continue
		}
		p.Sections = append(p.Sections, sharesSection{
			ID: "crossed-" + strconv.Itoa(i+1), Title: visible(strings.Join(s.Heads, " by ")), Lead: sharesLead(s), Matrix: newCrossView(s),
		})
	}
	return p, nil
}

// sharesLead says how many rows the shares are of, and what they rest on.
func sharesLead(s *prevalence.Shares) string {
	parts := []string{"Of " + count(int(s.Judged), "row") + "."}
	if s.Withheld > 0 {
		parts = append(parts, "Among them: "+count(int(s.Withheld), "row")+" whose label was withheld for want of confidence.")
	}
	if s.NoEvidence > 0 {
		parts = append(parts, "Not among them: "+count(int(s.NoEvidence), "row")+" without a word that the model knows.")
	}
	if s.OutOfDomain > 0 {
		parts = append(parts, "Not among them: "+count(int(s.OutOfDomain), "row")+" with too few known words.")
	}
	if s.Judged > 0 {
		parts = append(parts, methodNames[s.Method])
	}
	return strings.Join(parts, " ")
}

// sharesTable lists the shares of a head beside the other estimates there are.
func sharesTable(s *prevalence.Shares) table {
	t := table{Names: true, Head: []string{"label", "share", "95% interval", "of these rows", "answers"}}
	others := otherEstimates(s)
	for _, o := range others {
		t.Head = append(t.Head, o.name)
	}
	for i := range s.Labels {
		l := &s.Labels[i]
		row := []string{visible(strings.Join(l.Names, ", ")), percents(l.Share), percentInterval(l.Interval), percentInterval(l.RowsInterval), percents(l.Classified)}
		for _, o := range others {
			row = append(row, percents(*o.of(l)))
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

type otherEstimate struct {
	name string
	of   func(*prevalence.Share) *float64
}

func otherEstimates(s *prevalence.Shares) []otherEstimate {
	all := []otherEstimate{
		{"adjusted count", func(l *prevalence.Share) *float64 { return l.Adjusted }},
		{"mean probability", func(l *prevalence.Share) *float64 { return l.Probabilistic }},
		{"EM", func(l *prevalence.Share) *float64 { return l.Expectation }},
	}
	return slices.DeleteFunc(all, func(o otherEstimate) bool { return len(s.Labels) == 0 || o.of(&s.Labels[0]) == nil })
}

func percents(share float64) string { return decimal(100*share, 1) + "%" }

func percentInterval(i prevalence.Interval) string {
	return decimal(100*i.Low, 1) + "–" + decimal(100*i.High, 1)
}

// A crossView is a table of the shares of pairs.
type crossView struct {
	Corner  string
	Columns []shortName
	Rows    []crossRow
}

type shortName struct{ Short, Full string }

type crossRow struct {
	Name     shortName
	Cells    []crossCell
	Together string // the sum of the shares
}

type crossCell struct {
	Share, Interval string
	Shade           int
}

// newCrossView lays pairs out, which come row by row.
func newCrossView(s *prevalence.Shares) *crossView {
	v := &crossView{Corner: visible(s.Heads[0])}
	most, together := 0.0, 0.0
	for i := range s.Labels {
		most = max(most, s.Labels[i].Share)
	}
	for i := range s.Labels {
		l := &s.Labels[i]
		if i == 0 || l.Labels[0] != s.Labels[i-1].Labels[0] {
			v.Rows = append(v.Rows, crossRow{Name: shortNameOf(l.Names[0])})
			together = 0
		}
		if len(v.Rows) == 1 {
			v.Columns = append(v.Columns, shortNameOf(l.Names[1]))
		}
		shade := 0
		if most > 0 {
			shade = int(10*l.Share/most + .5)
		}
		row := &v.Rows[len(v.Rows)-1]
		row.Cells = append(row.Cells, crossCell{percents(l.Share), percentInterval(l.Interval), shade})
		together += l.Share
		row.Together = percents(together)
	}
	return v
}

func shortNameOf(name string) shortName { return shortName{short(label(name), 22), label(name)} }
