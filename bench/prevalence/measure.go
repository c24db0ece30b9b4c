package main

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strconv"

	"github.com/parley-nlp/parley/internal/dataset"
	"github.com/parley-nlp/parley/internal/model"
	"github.com/parley-nlp/parley/internal/prevalence"
	"github.com/parley-nlp/parley/internal/train"
)

// resamplings is how many draws the errors are measured on.
const resamplings = 50

// audits is how often rows are drawn to be audited.
const audits = 100

// A result is what was measured on a set.
type result struct {
	Set      string             `json:"set"`
	Labels   int                `json:"labels"`
	Training int                `json:"training_rows"`
	Test     int                `json:"test_rows"`
	Errors   map[string]float64 `json:"mean_absolute_errors"` // by estimate
	Coverage coverage           `json:"coverage"`
	Natural  natural            `json:"natural_shift"`
	Audit    audit              `json:"audit"`
}

// A coverage counts the drawn shares that lie in their intervals.
type coverage struct {
	Draws  int     `json:"draws"`
	Source float64 `json:"source"`       // of the shares that were drawn from
	Rows   float64 `json:"rows"`         // of the shares among the rows drawn, in their own intervals
	Width  float64 `json:"source_width"` // mean width of the intervals
}

// A natural shift is that between the training part and the test part.
type natural struct {
	Shift    float64 `json:"shift"` // mean absolute difference of the true shares
	Answers  float64 `json:"answers_error"`
	Mixture  float64 `json:"mixture_error"`
	Inside   int     `json:"labels_in_rows_interval"`
	InSource int     `json:"labels_in_interval"`
}

// An audit is how well shares of the test part are known from rows of it that were
// labelled by hand, drawn anew each time.
type audit struct {
	Rows     int     `json:"rows"`
	Times    int     `json:"times"`
	Error    float64 `json:"mean_absolute_error"`
	Coverage float64 `json:"coverage"`
	Width    float64 `json:"width"`
}

// A scored row is an answer beside its true label.
type scored struct {
	truth  int
	answer prevalence.Answer
}

func (c *cli) measureSet(ctx context.Context, name string) (*result, error) {
	training, test, err := split(filepath.Join(c.Dir, name), c.Part == "train", c.Seed)
	if err != nil {
		return nil, err
	}
	m, _, err := train.Train(ctx, training, []string{head}, config())
	if err != nil {
		return nil, err
	}
	rows := answers(m, test)
	d := newDrawer(prevalence.OfModel(m), rows, rand.New(rand.NewPCG(c.Seed, 0)))
	r := &result{Set: name, Labels: len(m.Heads()[0].Labels), Training: len(training), Test: len(rows), Errors: map[string]float64{}}
	for range resamplings {
		if err := d.errors(c.Rows, r.Errors); err != nil {
			return nil, err
		}
	}
	if c.Draws > 0 {
		if r.Coverage, err = d.coverage(c.Rows, c.Draws); err != nil {
			return nil, err
		}
	}
	if r.Natural, err = d.natural(m, training); err != nil {
		return nil, err
	}
	r.Audit, err = d.audits(c.Audited, audits)
	return r, err
}

// config is a training of seconds.
func config() train.Config {
	c := train.Default()
	c.Features = []model.Features{train.LongText}
	c.Values = []model.Value{model.Binary, model.TFIDF}
	c.Estimators = []train.Estimator{train.MultinomialNB, train.SVM}
	c.Alphas, c.Costs = []float64{1, 0.1}, []float64{0.3, 1}
	return c
}

// answers classifies the test rows whose label the model knows.
func answers(m *model.Model, test []dataset.Example) []scored {
	var list []scored
	c, h := m.NewClassifier(), &m.Heads()[0]
	for _, ex := range test {
		truth, known := slices.BinarySearch(h.Labels, ex.Labels[0])
		r := c.Classify(ex.Text, ex.Target)
		if !known || r.KnownWords == 0 {
			continue
		}
		p := &r.Predictions[0]
		list = append(list, scored{truth, prevalence.Answer{Label: h.Labels[p.Best], Probability: p.Probabilities[p.Best], Scores: slices.Clone(p.Probabilities)}})
	}
	return list
}

// A drawer draws rows with given shares.
type drawer struct {
	heads []prevalence.Head
	rows  []scored
	by    [][]scored // per label
	drawn []int      // labels that are drawn
	rng   *rand.Rand
}

func newDrawer(heads []prevalence.Head, rows []scored, rng *rand.Rand) *drawer {
	d := &drawer{heads: heads, rows: rows, by: make([][]scored, len(heads[0].Labels)), rng: rng}
	for _, r := range rows {
		d.by[r.truth] = append(d.by[r.truth], r)
	}
	for l, list := range d.by {
		if len(list) >= 5 {
			d.drawn = append(d.drawn, l)
		}
	}
	return d
}

// draw draws shares and n rows. It returns the shares drawn from and those among
// the rows.
func (d *drawer) draw(n int) (from, among []float64, rows []scored) {
	from, among = make([]float64, len(d.by)), make([]float64, len(d.by))
	sum := 0.0
	for _, l := range d.drawn {
		from[l] = d.rng.ExpFloat64()
		sum += from[l]
	}
	for _, l := range d.drawn {
		from[l] /= sum
	}
	for range n {
		u, at := d.rng.Float64(), d.drawn[len(d.drawn)-1]
		for _, l := range d.drawn {
			if u -= from[l]; u < 0 {
				at = l
				break
			}
		}
		among[at] += 1 / float64(n)
		rows = append(rows, d.by[at][d.rng.IntN(len(d.by[at]))])
	}
	return from, among, rows
}

// errors adds the mean absolute error of every estimate in a draw.
func (d *drawer) errors(n int, errors map[string]float64) error {
	_, among, rows := d.draw(n)
	s := prevalence.New(d.heads, prevalence.Options{})
	for _, r := range rows {
		if err := s.Add(prevalence.Row{Heads: []prevalence.Answer{r.answer}}); err != nil {
			return err
		}
	}
	report, err := s.Report()
	if err != nil {
		return err
	}
	for l, share := range report.All.Heads[0].Labels {
		note := func(name string, estimate *float64) {
			if estimate != nil {
				errors[name] += math.Abs(*estimate-among[l]) / float64(len(among)*resamplings)
			}
		}
		note("answers", &share.Classified)
		note("mixture", &share.Share)
		note("adjusted", share.Adjusted)
		note("probabilistic", share.Probabilistic)
		note("em", share.Expectation)
	}
	return nil
}

// coverage counts shares in intervals, with a group a draw.
func (d *drawer) coverage(n, draws int) (coverage, error) {
	s := prevalence.New(d.heads, prevalence.Options{By: []prevalence.By{{Column: "draw"}}})
	from, among := map[string][]float64{}, map[string][]float64{}
	for i := range draws {
		name := fmt.Sprintf("%04d", i)
		var rows []scored
		from[name], among[name], rows = d.draw(n)
		for _, r := range rows {
			r.answer.Scores = nil
			if err := s.Add(prevalence.Row{Heads: []prevalence.Answer{r.answer}, By: []string{name}}); err != nil {
				return coverage{}, err
			}
		}
	}
	report, err := s.Report()
	if err != nil {
		return coverage{}, err
	}
	c := coverage{Draws: draws}
	one := 1 / float64(draws*len(d.drawn))
	for _, g := range report.By[0].Groups {
		for _, l := range d.drawn {
			share := &g.Heads[0].Labels[l]
			c.Width += one * (share.Interval.High - share.Interval.Low)
			if holds(share.Interval, from[g.Value][l]) {
				c.Source += one
			}
			if holds(share.RowsInterval, among[g.Value][l]) {
				c.Rows += one
			}
		}
	}
	return c, nil
}

func holds(i prevalence.Interval, x float64) bool { return i.Low-1e-6 <= x && x <= i.High+1e-6 }

// natural estimates the shares of the test part as it is.
func (d *drawer) natural(m *model.Model, training []dataset.Example) (natural, error) {
	s := prevalence.New(d.heads, prevalence.Options{})
	true := make([]float64, len(d.by))
	for _, r := range d.rows {
		true[r.truth] += 1 / float64(len(d.rows))
		if err := s.Add(prevalence.Row{Heads: []prevalence.Answer{r.answer}}); err != nil {
			return natural{}, err
		}
	}
	before := make([]float64, len(d.by))
	for _, ex := range training {
		if at, found := slices.BinarySearch(m.Heads()[0].Labels, ex.Labels[0]); found {
			before[at] += 1 / float64(len(training))
		}
	}
	report, err := s.Report()
	if err != nil {
		return natural{}, err
	}
	var n natural
	one := 1 / float64(len(true))
	for l, share := range report.All.Heads[0].Labels {
		n.Shift += one * math.Abs(before[l]-true[l])
		n.Answers += one * math.Abs(share.Classified-true[l])
		n.Mixture += one * math.Abs(share.Share-true[l])
		if holds(share.RowsInterval, true[l]) {
			n.Inside++
		}
		if holds(share.Interval, true[l]) {
			n.InSource++
		}
	}
	return n, nil
}

// audits estimates the shares of the test part from audits of n of its rows.
func (d *drawer) audits(n, times int) (audit, error) {
	labels := d.heads[0].Labels
	true := make([]float64, len(labels))
	for _, r := range d.rows {
		true[r.truth] += 1 / float64(len(d.rows))
	}
	a := audit{Rows: min(n, len(d.rows)), Times: times}
	one := 1 / float64(times*len(labels))
	for range times {
		known := map[string]prevalence.Audited{}
		for _, i := range d.rng.Perm(len(d.rows))[:a.Rows] {
			known[strconv.Itoa(i)] = prevalence.Audited{Labels: []string{labels[d.rows[i].truth]}, Probability: 1}
		}
		s := prevalence.New(d.heads, prevalence.Options{Audit: known})
		for i, r := range d.rows {
			if err := s.Add(prevalence.Row{ID: strconv.Itoa(i), Heads: []prevalence.Answer{r.answer}}); err != nil {
				return a, err
			}
		}
		report, err := s.Report()
		if err != nil {
			return a, err
		}
		for l, share := range report.All.Heads[0].Labels {
			a.Error += one * math.Abs(share.Share-true[l])
			a.Width += one * (share.Interval.High - share.Interval.Low)
			if holds(share.Interval, true[l]) {
				a.Coverage += one
			}
		}
	}
	return a, nil
}
