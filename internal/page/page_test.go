package page

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"html"
	"io"
	"math"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/parley-nlp/parley/internal/judge"
)

// written returns the page of e.
func written(t *testing.T, e Evaluation) string {
	t.Helper()
	var b strings.Builder
	if err := Write(&b, e); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// An element is a start tag of a page.
type element struct {
	name  string
	attrs map[string]string
}

// parsed reads the body of a page, which is well-formed XML, for its elements
// and all of its text.
func parsed(t *testing.T, page string) (elements []element, text string) {
	t.Helper()
	_, body, found := strings.Cut(page, "<body>")
	if !found {
		t.Fatal("no body")
	}
	body, _, _ = strings.Cut("<body>"+body, "</html>")
	var b strings.Builder
	for d := xml.NewDecoder(strings.NewReader(body)); ; {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return elements, b.String()
		}
		if err != nil {
			t.Fatal(err)
		}
		switch token := token.(type) {
		case xml.StartElement:
			e := element{token.Name.Local, make(map[string]string)}
			for _, a := range token.Attr {
				e.attrs[a.Name.Local] = a.Value
			}
			elements = append(elements, e)
		case xml.CharData:
			b.Write(token)
		}
	}
}

// stanceCompared is the head stance with a comparison, and all else that there
// is only when asked for.
func stanceCompared(t *testing.T) Head {
	t.Helper()
	s := simulation{labels: []string{"neutral", "skeptical", "hopeful"}, rows: 300, sources: 24, strength: 1.6, sharp: 1.4}
	champion := s.judgements()
	s.strength = 2
	c, err := judge.Compare(s.labels, champion, s.judgements())
	if err != nil {
		t.Fatal(err)
	}
	h := stance()
	h.Comparison = &c
	h.Nested = []judge.Metrics{judge.Measure(s.labels, champion), judge.Measure(s.labels, s.judgements())}
	h.Keywords = &Baseline{Accuracy: .517, MacroF1: .482}
	h.Thresholds = []judge.Threshold{
		{Probability: .51, Precision: .92, LowerBound: .9, Recall: .7, Coverage: .8, Examples: 240, Sources: 24},
		{Label: "hopeful", Probability: .623, Precision: .85, LowerBound: .8, Recall: .4, Coverage: .1, Examples: 30, Sources: 12},
	}
	return h
}

// tone is a head with too little data for anything but figures.
func tone() Head {
	h := simulation{name: "tone", labels: []string{"formal", "informal"}, rows: 8, sources: 3, strength: 1, sharp: 1}.head()
	h.Details = judge.Details{}
	return h
}

// evaluations are pages of every kind.
func evaluations(t *testing.T) map[string]Evaluation {
	trained := evaluation(simulation{name: "topic", labels: named(12), rows: 370, sources: 40, strength: 2.6, sharp: 1}.head())
	trained.Trained = true
	return map[string]Evaluation{
		"nothing":    {},
		"empty head": evaluation(Head{Name: "empty"}),
		"stance":     evaluation(stanceCompared(t)),
		"topic":      trained,
		"52 labels":  evaluation(simulation{name: "intent", labels: named(52), rows: 500, sources: 30, strength: 3, sharp: 1}.head()),
		"75 labels":  evaluation(simulation{name: "intent", labels: named(75), rows: 500, sources: 30, strength: 3, sharp: 1}.head()),
		"few rows":   evaluation(tone()),
		"one row":    evaluation(simulation{name: "one", labels: []string{"a"}, rows: 1, sources: 1, sharp: 1}.head()),
		"heads":      evaluation(stance(), tone(), Head{}, tone(), tone()),
		"hostile":    hostileEvaluation(),
		"poison":     poisoned(t, 1),
		"poison, 2":  poisoned(t, 2),
		"poison, 11": poisoned(t, 11),
	}
}

var hostile = []string{
	"<script>alert(1)</script>", `"><img src=x onerror=alert(1)>`, "</style></svg>", "javascript:alert(1)", "{{.Title}}", "&lt;b&gt;",
	"bell\x07 escape\x1b[31m nul\x00", "\u202egnp.exe", "\xff\xfe", strings.Repeat("Donaudampfschifffahrt", 20), "محادثات السلام", "和平進程", "",
}

// hostileEvaluation has the hostile texts wherever a text can be.
func hostileEvaluation() Evaluation {
	next := 0
	text := func() string { next++; return hostile[next%len(hostile)] }
	h := simulation{name: text(), labels: hostile, rows: 400, sources: 20, strength: 2.5, sharp: 1.5, targets: hostile}.head()
	h.Chosen = text()
	for _, list := range [][]judge.Case{h.ConfidentErrors, h.LikelyLabelErrors} {
		for i := range list {
			list[i].Excerpt, list[i].ID, list[i].Place, list[i].Group = text(), text(), text(), text()
		}
	}
	for i := range h.Sources {
		h.Sources[i].Name = text()
	}
	h.Comparison = &judge.Comparison{Verdict: judge.Keep, Reasons: hostile}
	for _, l := range hostile {
		h.Comparison.Labels = append(h.Comparison.Labels, judge.LabelDifference{Label: l})
	}
	for _, l := range hostile {
		h.Thresholds = append(h.Thresholds, judge.Threshold{Label: l})
	}
	return Evaluation{Title: text(), Revision: text(), Champion: text(), Features: text(), Warnings: hostile, Heads: []Head{h, {Name: hostile[0]}}}
}

// poisoned has NaN and infinities in the place of numbers: in one of n.
func poisoned(t *testing.T, n int) Evaluation {
	h := stanceCompared(t)
	values, seen, changed := []float64{math.NaN(), math.Inf(1), math.Inf(-1)}, 0, 0
	var poison func(v reflect.Value)
	poison = func(v reflect.Value) {
		switch v.Kind() {
		case reflect.Float64:
			if seen++; seen%n == 0 {
				v.SetFloat(values[changed%len(values)])
				changed++
			}
		case reflect.Struct:
			for i := range v.NumField() {
				poison(v.Field(i))
			}
		case reflect.Slice:
			for i := range v.Len() {
				poison(v.Index(i))
			}
		case reflect.Pointer:
			if !v.IsNil() {
				poison(v.Elem())
			}
		}
	}
	poison(reflect.ValueOf(&h))
	if changed < 50 {
		t.Fatalf("only %d numbers of %d", changed, seen)
	}
	return evaluation(h)
}

// A page is well formed, asks for nothing, runs nothing and has no number that
// is none.
func TestPages(t *testing.T) {
	for name, e := range evaluations(t) {
		t.Run(name, func(t *testing.T) {
			page := written(t, e)
			for _, no := range []string{"http:", "https:", "url(", "@import", "NaN", "Inf", "ZgotmplZ", "%!", "<no value>", "style=\""} {
				if strings.Contains(page, no) {
					t.Errorf("the page has %q", no)
				}
			}
			elements, text := parsed(t, page)
			checkElements(t, elements)
			if !strings.Contains(text, "Contents") {
				t.Error("no table of contents")
			}
		})
	}
}

// checkElements checks that nothing is loaded or run, that links lead
// somewhere, and that the style sheet knows every class.
func checkElements(t *testing.T, elements []element) {
	t.Helper()
	ids := make(map[string]bool)
	for _, e := range elements {
		if id := e.attrs["id"]; id != "" {
			if ids[id] {
				t.Errorf("two elements have the id %s", id)
			}
			ids[id] = true
		}
	}
	for _, e := range elements {
		if slices.Contains([]string{"script", "img", "image", "iframe", "object", "style", "link", "use", "form"}, e.name) {
			t.Errorf("the body has a %s", e.name)
		}
		if e.name == "svg" && e.attrs["aria-label"] == "" && e.attrs["aria-hidden"] != "true" {
			t.Error("a plot has no text alternative")
		}
		for name, value := range e.attrs {
			switch {
			case name == "src" || name == "style" || strings.HasPrefix(name, "on"):
				t.Errorf("<%s %s=%q>", e.name, name, value)
			case name == "href" && !ids[strings.TrimPrefix(value, "#")]:
				t.Errorf("<%s href=%q> leads nowhere", e.name, value)
			case name == "class":
				checkClasses(t, value)
			}
		}
	}
}

func checkClasses(t *testing.T, classes string) {
	t.Helper()
	for class := range strings.FieldsSeq(classes) {
		if !regexp.MustCompile(`\.` + regexp.QuoteMeta(class) + `\b`).MatchString(pageCSS) {
			t.Errorf("the style sheet has no class %s", class)
		}
	}
}

func TestSections(t *testing.T) {
	all := []string{
		"figures", "comparison", "nested", "labels", "confusion", "reliability", "coverage", "thresholds", "curves",
		"learning", "sources", "targets", "errors", "label-errors",
	}
	page := written(t, evaluation(stanceCompared(t)))
	if n := strings.Count(page, "<bdi>stance</bdi>"); n != 2 { // contents and heading
		t.Errorf("the name of the head is there %d times", n)
	}
	elements, _ := parsed(t, page)
	var ids, links []string
	for _, e := range elements {
		if id, found := strings.CutPrefix(e.attrs["id"], "head-1-"); found {
			ids = append(ids, id)
		}
		if link, found := strings.CutPrefix(e.attrs["href"], "#head-1-"); found {
			links = append(links, link)
		}
	}
	if !slices.Equal(ids, all) {
		t.Errorf("sections %q, want %q", ids, all)
	}
	if !slices.Equal(links, all) {
		t.Errorf("contents %q, want %q", links, all)
	}
}

// What there is no data for is named, not left out without a word.
func TestMissing(t *testing.T) {
	_, text := parsed(t, written(t, evaluation(tone())))
	want := "Without data: comparison, reliability, coverage, precision and recall, learning curve, sources, targets, confident errors, likely label errors."
	if !strings.Contains(text, want) {
		t.Errorf("no %q in %s", want, text)
	}
}

// Numbers of the plots, also for those who cannot see them.
func TestTextAlternatives(t *testing.T) {
	h := stanceCompared(t)
	_, text := parsed(t, written(t, evaluation(h)))
	for _, want := range []string{
		decimal(h.Reliability[3].Confidence, 3), decimal(h.Coverage[7].Threshold, 3), decimal(h.LearningCurve[1].MacroF1, 3),
		decimal(h.LabelCurves[2].AveragePrecision, 2), interval(h.Sources[4].AccuracyInterval, 2, "–"),
		signedInterval(h.Comparison.Labels[1].Interval, 2), "+0.012", string(h.Comparison.Verdict),
		interval(h.Nested[1].MacroF1Interval, 3, " to "), "all labels", "0.623", "0.482 by keywords", "0.517 by keywords",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the page has no %s", want)
		}
	}
}

func TestHostileTexts(t *testing.T) {
	elements, text := parsed(t, written(t, hostileEvaluation()))
	for _, e := range elements {
		text += " " + e.attrs["title"]
	}
	for _, s := range hostile {
		if n := strings.Count(text, label(s)); n < 10 {
			t.Errorf("%q is there %d times as %q", s, n, label(s))
		}
	}
}

func TestDeterminism(t *testing.T) {
	e := evaluation(stanceCompared(t), tone(), Head{Name: "empty"})
	want := written(t, e)
	for range 5 {
		if got := written(t, e); got != want {
			t.Fatal("two pages of the same evaluation differ")
		}
	}
}

// Write must leave what it is given as it was.
func TestWriteChangesNothing(t *testing.T) {
	e := evaluation(stanceCompared(t))
	before := fmt.Sprintf("%+v", e.Heads)
	written(t, e)
	if after := fmt.Sprintf("%+v", e.Heads); after != before {
		t.Error("the evaluation is another after Write")
	}
}

// The policy lets in the page's own style sheet and nothing else.
func TestPolicy(t *testing.T) {
	page := written(t, Evaluation{})
	style := regexp.MustCompile(`(?s)<style>(.*)</style>`).FindStringSubmatch(page)
	meta := regexp.MustCompile(`<meta http-equiv="Content-Security-Policy" content="([^"]*)">`).FindStringSubmatch(page)
	if style == nil || meta == nil {
		t.Fatal("no style sheet or no policy")
	}
	if got := html.UnescapeString(meta[1]); got != policy(style[1]) || !strings.HasPrefix(got, "default-src 'none'; style-src 'sha256-") {
		t.Errorf("policy %q of a style sheet with %q", got, policy(style[1]))
	}
}

// Light, dark and print give a colour to the same names, and no other is used.
func TestStyleSheetColours(t *testing.T) {
	var schemes [][]string
	for _, root := range regexp.MustCompile(`(?s):root \{.*?\}`).FindAllString(pageCSS, -1) {
		names := regexp.MustCompile(`--[a-z-]+:`).FindAllString(root, -1)
		slices.Sort(names)
		schemes = append(schemes, names)
	}
	if len(schemes) != 3 || !slices.Equal(schemes[0], schemes[1]) || !slices.Equal(schemes[0], schemes[2]) {
		t.Fatalf("light, dark and print: %q", schemes)
	}
	for _, use := range regexp.MustCompile(`var\((--[a-z-]+)\)`).FindAllStringSubmatch(pageCSS, -1) {
		if !slices.Contains(schemes[0], use[1]+":") {
			t.Errorf("%s has no value", use[1])
		}
	}
}

// Beyond their limits lists say what they leave out.
func TestLimits(t *testing.T) {
	h := Head{Name: "wide"}
	h.Examples = 1
	for i := range maxLabels + 5 {
		name := fmt.Sprintf("l%03d", i)
		h.Labels = append(h.Labels, judge.LabelMetrics{Label: name, Examples: i})
		h.LabelCurves = append(h.LabelCurves, judge.LabelCurve{Label: name, Points: []judge.LabelPoint{{Recall: 1, Precision: .5}}})
	}
	for i := range maxDots + 5 {
		h.Sources = append(h.Sources, judge.GroupMetrics{Name: fmt.Sprintf("s%02d", i), Examples: 5})
	}
	elements, text := parsed(t, written(t, evaluation(h)))
	for _, want := range []string{"Listed are the 300 labels with the most rows, of 305.", "Drawn are the 12 labels with the most rows", "Drawn are the first 30 sources."} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q", want)
		}
	}
	plots := 0
	for _, e := range elements {
		if strings.HasPrefix(e.attrs["aria-label"], "Precision against recall of") {
			plots++
		}
	}
	if plots != maxCurves || strings.Contains(text, "l004") || !strings.Contains(text, "l005") {
		t.Errorf("%d plots of labels", plots)
	}
}

type failing struct{}

func (failing) Write([]byte) (int, error) { return 0, errors.New("disk full") }

func TestWriteError(t *testing.T) {
	if err := Write(failing{}, Evaluation{}); err == nil || err.Error() != "disk full" {
		t.Errorf("error %v", err)
	}
}

func BenchmarkWrite(b *testing.B) {
	e := evaluation(simulation{name: "intent", labels: named(52), rows: 1000, sources: 60, strength: 3, sharp: 1}.head())
	var page bytes.Buffer
	for b.Loop() {
		page.Reset()
		if err := Write(&page, e); err != nil {
			b.Fatal(err)
		}
	}
	b.SetBytes(int64(page.Len()))
}
