package prevalence

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// twoHeads are a topic and a stance that err independently.
func twoHeads(rng *rand.Rand) []Head {
	stance := threeLabels.head("stance", rng, 300)
	stance.Names = []string{"Against", "b", "For"}
	return []Head{threeLabels.head("topic", rng, 300), stance}
}

// rowsOfTwoHeads draws rows whose stance goes with their topic.
func rowsOfTwoHeads(rng *rand.Rand, n int) (rows []Row, pairs []float64) {
	pairs = make([]float64, 9)
	for i := range n {
		topic := pick(rng, []float64{.5, .3, .2})
		stance := pick(rng, [][]float64{{.8, .1, .1}, {.1, .1, .8}, {.1, .8, .1}}[topic])
		pairs[topic*3+stance] += 1 / float64(n)
		r := threeLabels.row(rng, fmt.Sprint(i), topic)
		r.Heads = append(r.Heads, threeLabels.row(rng, "", stance).Heads...)
		r.By = []string{fmt.Sprintf("2025-%02d-01", 1+topic), fmt.Sprint("s", i%3)}
		rows = append(rows, r)
	}
	return rows, pairs
}

func TestReport(t *testing.T) {
	rng := rand.New(rand.NewPCG(9, 10))
	heads := twoHeads(rng)
	rows, pairs := rowsOfTwoHeads(rng, 3000)
	rows[0] = Row{ID: "0", Failed: true, By: rows[0].By}
	rows[1].Heads[0].Decision, rows[2].Heads[0].Decision, rows[2].Heads[1].Decision = NoEvidence, OutOfDomain, OutOfDomain
	rows[3].Heads[0].Decision = Withheld
	o := Options{By: []By{{"date", "month"}, {"source", ""}}}
	s := New(heads, o)
	for _, r := range rows {
		mustAdd(t, s, r)
	}
	r := mustReport(t, s)
	if r.Rows != 3000 || r.Errors != 1 || len(r.By) != 2 {
		t.Errorf("%d rows, %d errors, %d columns", r.Rows, r.Errors, len(r.By))
	}
	topic, stance, crossed := r.All.Heads[0], r.All.Heads[1], r.All.Crossed[0]
	if topic.Judged != 2997 || topic.Withheld != 1 || topic.NoEvidence != 1 || topic.OutOfDomain != 1 || stance.Judged != 2998 || crossed.Judged != 2997 {
		t.Errorf("topic %+v, stance of %d, crossed of %d", topic, stance.Judged, crossed.Judged)
	}
	if !reflect.DeepEqual(stance.Labels[0].Labels, []string{"a"}) || !reflect.DeepEqual(stance.Labels[0].Names, []string{"Against"}) {
		t.Errorf("label %+v", stance.Labels[0])
	}
	for i, l := range crossed.Labels {
		if math.Abs(l.Share-pairs[i]) > .05 || l.Interval.Low > pairs[i] || l.Interval.High < pairs[i] || l.Interval.High-l.Interval.Low > .25 {
			t.Errorf("pair %v: share %.3f in %v, the truth is %.3f", l.Labels, l.Share, l.Interval, pairs[i])
		}
	}
	if got := []string{r.By[0].Groups[0].Value, r.By[0].Groups[2].Value}; got[0] != "2025-01" || got[1] != "2025-03" {
		t.Errorf("months %q", got)
	}
	for k, g := range r.By[0].Groups { // each has one topic
		if share := g.Heads[0].Labels[k].Share; share < .9 {
			t.Errorf("month %s: share %.3f of its only topic", g.Value, share)
		}
	}
	if topic.Method != Mixture || topic.RestsOn != LabelShift || len(r.Assumptions) != 1 || r.Assumptions[0].Name != LabelShift {
		t.Errorf("method %s on %s, assumptions %v", topic.Method, topic.RestsOn, r.Assumptions)
	}
	slices.Reverse(rows)
	again := New(heads, o)
	for _, r := range rows {
		mustAdd(t, again, r)
	}
	if got, want := jsonOf(t, mustReport(t, again)), jsonOf(t, r); got != want {
		t.Error("the report depends on the order of rows")
	}
}

func jsonOf(t testing.TB, r *Report) string {
	t.Helper()
	var b bytes.Buffer
	if err := r.WriteJSON(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestAuditedReport(t *testing.T) {
	rng := rand.New(rand.NewPCG(11, 12))
	heads := []Head{threeLabels.head("topic", rng, 300)}
	o := Options{Audit: map[string]Audited{}, By: []By{{Column: "half"}}}
	var rows []Row
	for i := range 1000 {
		l := pick(rng, []float64{.2, .3, .5})
		r := threeLabels.row(rng, fmt.Sprint(i), l)
		r.By = []string{fmt.Sprint(i / 900)}
		rows = append(rows, r)
		if i%10 == 0 {
			o.Audit[r.ID] = Audited{[]string{threeLabels.labels[l]}, 1}
		}
	}
	o.Audit["elsewhere"] = Audited{[]string{"a"}, 1}
	s := New(heads, o)
	for _, r := range rows {
		mustAdd(t, s, r)
	}
	if err := s.Add(rows[10]); err == nil || !strings.Contains(err.Error(), `two rows have the id "10"`) {
		t.Errorf("an audited id again: error %v", err)
	}
	r := mustReport(t, s)
	if *r.Audit != (Audit{101, 100}) || r.All.Heads[0].Method != PredictionPowered || r.All.Heads[0].Audited != 100 {
		t.Errorf("audit %+v, %s of %d", r.Audit, r.All.Heads[0].Method, r.All.Heads[0].Audited)
	}
	big, small := r.By[0].Groups[0].Heads[0], r.By[0].Groups[1].Heads[0]
	if big.RestsOn != RandomAudit || small.RestsOn != LabelShift || small.Audited != 10 || len(r.Assumptions) != 2 {
		t.Errorf("the large group rests on %s, the small one with %d audited rows on %s; %d assumptions", big.RestsOn, small.Audited, small.RestsOn, len(r.Assumptions))
	}
	none := New(heads, Options{Audit: map[string]Audited{"x": {[]string{"a"}, 1}}})
	mustAdd(t, none, threeLabels.row(rng, "1", 0))
	if _, err := none.Report(); err == nil || !strings.Contains(err.Error(), "none of the 1 audited rows") {
		t.Errorf("an audit of other rows: error %v", err)
	}
}

func TestUnknownErrors(t *testing.T) {
	rng := rand.New(rand.NewPCG(13, 14))
	alike := simulation{threeLabels.labels, [][]float64{threeLabels.p[0], threeLabels.p[0], threeLabels.p[2]}}
	few := threeLabels.head("few", rng, 3)
	for _, c := range []struct {
		head Head
		note string
		want string
	}{
		{Head{Name: "imported", Labels: threeLabels.labels, Errors: Errors{Missing: "nobody knows"}}, "imported: nobody knows: its answers are taken for right", ClassifyAndCount},
		{alike.head("alike", rng, 3000), `texts of "a" and "b" get the same answers`, ClassifyAndCount},
		{few, `few: labels with less than 5 texts in the cross-validation, whose shares are hardly known: "a", "b", "c"`, Mixture},
	} {
		s := New([]Head{c.head}, Options{})
		for range 100 {
			mustAdd(t, s, threeLabels.row(rng, "", 1))
		}
		r := mustReport(t, s)
		if got := r.All.Heads[0].Method; got != c.want || !strings.Contains(strings.Join(r.Notes, "\n"), c.note) {
			t.Errorf("%s: method %s, notes %q, want %s and %q", c.head.Name, got, r.Notes, c.want, c.note)
		}
	}
}

func TestManyValuesAndNoRows(t *testing.T) {
	rng := rand.New(rand.NewPCG(15, 16))
	s := New([]Head{{Name: "h", Labels: threeLabels.labels, Errors: Errors{Missing: "test"}}}, Options{By: []By{{Column: "id"}}})
	for i := range MaxValues + 5 {
		r := threeLabels.row(rng, "", 0)
		r.By = []string{fmt.Sprint(i)}
		mustAdd(t, s, r)
	}
	groups := mustReport(t, s).By[0].Groups
	if last := groups[len(groups)-1]; len(groups) != MaxValues+1 || last.Value != others || last.Rows != 5 {
		t.Errorf("%d groups, the last %q of %d rows", len(groups), last.Value, last.Rows)
	}
	empty := mustReport(t, New([]Head{{Name: "h", Labels: []string{"a"}}}, Options{}))
	if empty.Rows != 0 || len(empty.All.Heads[0].Labels) != 0 {
		t.Errorf("no rows: %+v", empty)
	}
}

func TestLabelOfAnotherModel(t *testing.T) {
	s := New([]Head{{Name: "h", Labels: []string{"a"}}}, Options{})
	if err := s.Add(Row{ID: "7", Heads: []Answer{{Label: "z"}}}); err == nil || !strings.Contains(err.Error(), `row "7": head "h" answers "z"`) {
		t.Errorf("error %v", err)
	}
}
