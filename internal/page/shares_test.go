package page

import (
	"fmt"
	"strings"
	"testing"

	"github.com/parley-nlp/parley/internal/prevalence"
)

// sharesReport has two heads with the given labels, their crossing, months and
// sources.
func sharesReport(labels []string, values []string) *prevalence.Report {
	shares := func(heads ...string) prevalence.Shares {
		s := prevalence.Shares{Heads: heads, Judged: 90, Withheld: 2, NoEvidence: 7, OutOfDomain: 3, Method: prevalence.Mixture, RestsOn: prevalence.LabelShift}
		add := func(list ...string) {
			x := .9 / float64(len(labels))
			s.Labels = append(s.Labels, prevalence.Share{
				Labels: list, Names: list, Share: x, Interval: prevalence.Interval{Low: x / 2, High: x * 1.1},
				RowsInterval: prevalence.Interval{Low: x * .9, High: x}, Classified: x / 3, Expectation: &x,
			})
		}
		for _, a := range labels {
			if len(heads) == 1 {
				add(a)
				continue
			}
			for _, b := range labels {
				add(a, b)
			}
		}
		return s
	}
	group := func(value string) prevalence.Group {
		return prevalence.Group{Value: value, Rows: 101, Errors: 1, Heads: []prevalence.Shares{shares("topic"), shares("stance")}, Crossed: []prevalence.Shares{shares("topic", "stance")}}
	}
	r := &prevalence.Report{Revision: strings.Repeat("5e", 32), Rows: 1234, Errors: 5, All: group(""), Audit: &prevalence.Audit{Rows: 50, Found: 49}, Notes: []string{"a note"}}
	r.Assumptions = []prevalence.Assumption{{Name: prevalence.LabelShift, Text: "Only shares differ."}}
	for _, unit := range []string{"month", ""} {
		s := prevalence.Split{Column: "date", Unit: unit}
		for _, v := range values {
			s.Groups = append(s.Groups, group(v))
		}
		r.By = append(r.By, s)
	}
	return r
}

func writtenShares(t *testing.T, title string, r *prevalence.Report) string {
	t.Helper()
	var b strings.Builder
	if err := WriteShares(&b, title, r); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestSharesPages(t *testing.T) {
	hostile := []string{`</style><script>alert(1)</script>`, "a&b", "\u202eevil", "x\x00y", strings.Repeat("long ", 60)}
	var many []string
	for i := range 60 {
		many = append(many, fmt.Sprint("label", i))
	}
	nothing := sharesReport([]string{"a", "b"}, []string{"2025-01"})
	nothing.All.Heads[0].Labels, nothing.All.Crossed[0].Labels, nothing.By[0].Groups[0].Heads[0].Labels = nil, nil, nil
	for name, r := range map[string]*prevalence.Report{
		"usual":       sharesReport([]string{"con", "neutral", "pro"}, []string{"2025-01", "2025-02", "2025-03", "(none)"}),
		"hostile":     sharesReport(hostile, hostile),
		"many":        sharesReport(many, many),
		"none judged": nothing,
		"no rows":     {},
	} {
		t.Run(name, func(t *testing.T) {
			page := writtenShares(t, "a <b> & c", r)
			for _, no := range []string{"http:", "https:", "url(", "@import", "NaN", "Inf", "ZgotmplZ", "%!", "<no value>", "style=\"", "<script"} {
				if strings.Contains(page, no) {
					t.Errorf("the page has %q", no)
				}
			}
			elements, text := parsed(t, page)
			for i := range elements { // what this page adds to the style sheet
				classes := strings.Fields(elements[i].attrs["class"])
				elements[i].attrs["class"] = ""
				for _, c := range classes {
					if !strings.Contains(pageCSS+sharesCSS, "."+c) {
						t.Errorf("the style sheet has no class %s", c)
					}
				}
			}
			checkElements(t, elements)
			if !strings.Contains(text, "a <b> & c") {
				t.Error("no title")
			}
			if again := writtenShares(t, "a <b> & c", r); again != page {
				t.Error("the same report gives another page")
			}
		})
	}
}

func TestSharesPageSays(t *testing.T) {
	_, text := parsed(t, writtenShares(t, "rows.jsonl", sharesReport([]string{"con", "pro"}, []string{"2025-01", "2025-02"})))
	for _, want := range []string{
		"1,234", "49 of 50", "5e5e5e5e5e5e", "Label shift:", "Only shares differ.", "a note",
		"Of 90 rows. Among them: 2 rows whose label was withheld", "7 rows without a word that the model knows", "3 rows with too few known words", "rests on label shift",
		"45.0%", "22.5–49.5", "40.5–45.0", "15.0%", "topic by stance", "By month of date", "By date", "2 groups: Adjusted", "together",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
}

func TestSharesWriteError(t *testing.T) {
	if err := WriteShares(failing{}, "x", sharesReport([]string{"a"}, nil)); err == nil {
		t.Error("no error of a full disk")
	}
}
