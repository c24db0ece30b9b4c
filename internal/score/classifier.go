package score

import (
	"context"
	"fmt"
	"slices"

	"github.com/parley-nlp/parley/internal/model"
)

// A Document is a text and its target, what a stance is towards; "" when it is
// not known.
type Document struct{ Text, Target string }

// A Classifier answers for documents, one row a document, without ids. It is
// safe for any number of goroutines.
type Classifier interface {
	Classify(ctx context.Context, documents []Document) ([]Row, error)
	// Names returns what the labels of a revision that answered are called: none
	// when a server has another one by now.
	Names(ctx context.Context, revision string) (Names, error)
	// Revision is what answers: the id of a revision, or with a server
	// models/NAME/revisions/ID; "" until a server has answered.
	Revision() string
}

// Options are what is asked of every text.
type Options struct {
	Heads          []string // none: all
	Top            int      // scores a head; 0: the best, -1: all
	Evidence       int      // terms for the best label
	MinProbability *float64 // nil: the model's own thresholds
	MinMargin      float64
}

// Check returns an error when an option is out of its limits.
func (o Options) Check() error {
	switch {
	case o.Top < -1 || o.Top > model.MaxLabels:
		return fmt.Errorf("top %d: want -1 for all labels, or 0 to %d", o.Top, model.MaxLabels)
	case o.Evidence < 0 || o.Evidence > 50:
		return fmt.Errorf("evidence %d: want 0 to 50 terms", o.Evidence)
	case o.MinProbability != nil && !(*o.MinProbability >= 0 && *o.MinProbability <= 1):
		return fmt.Errorf("least probability %v: want 0 to 1", *o.MinProbability)
	case !(o.MinMargin >= 0 && o.MinMargin <= 1):
		return fmt.Errorf("least margin %v: want 0 to 1", o.MinMargin)
	}
	for i, name := range o.Heads {
		if slices.Contains(o.Heads[:i], name) {
			return fmt.Errorf("head %q is asked for twice", name)
		}
	}
	return nil
}

// local classifies with a model at hand.
type local struct {
	model      *model.Model
	revision   string
	opts       Options
	heads      []int
	thresholds []model.Thresholds
}

// Local returns a classifier that uses m.
func Local(m *model.Model, o Options) (Classifier, error) {
	if err := o.Check(); err != nil {
		return nil, err
	}
	l := &local{model: m, revision: m.Revision(), opts: o}
	names := o.Heads
	if len(names) == 0 {
		for _, h := range m.Heads() {
			names = append(names, h.Name)
		}
	}
	for _, name := range names {
		h := m.Head(name)
		if h < 0 {
			return nil, fmt.Errorf("the model has no head %q", name)
		}
		l.heads, l.thresholds = append(l.heads, h), append(l.thresholds, o.thresholds(&m.Heads()[h]))
	}
	return l, nil
}

// thresholds are those asked for. A least probability takes the place of all
// that the head itself has.
func (o Options) thresholds(head *model.Head) model.Thresholds {
	t := head.Thresholds()
	if o.MinProbability != nil {
		t = model.Thresholds{MinProbability: *o.MinProbability}
	}
	t.MinMargin = o.MinMargin
	return t
}

func (l *local) Classify(ctx context.Context, documents []Document) ([]Row, error) {
	c := l.model.Acquire()
	defer l.model.Release(c)
	rows := make([]Row, len(documents))
	for i, d := range documents {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		rows[i] = l.row(c, d)
	}
	return rows, nil
}

func (l *local) Revision() string { return l.revision }

func (l *local) row(c *model.Classifier, d Document) Row {
	r := c.Classify(d.Text, d.Target)
	row := Row{
		Input: Input{Tokens: r.Words, KnownTokens: r.KnownWords}, Revision: l.revision,
		Predictions: make([]Prediction, 0, len(l.heads)),
	}
	for i, h := range l.heads {
		row.Predictions = append(row.Predictions, l.prediction(c, r, d.Text, h, l.thresholds[i]))
	}
	return row
}

func (l *local) prediction(c *model.Classifier, r *model.Result, text string, h int, t model.Thresholds) Prediction {
	head, p := &l.model.Heads()[h], &r.Predictions[h]
	decision := r.Decide(h, t)
	out := Prediction{
		Head: head.Name, Probability: round(p.Probabilities[p.Best]), Decision: decision.String(),
		TargetWeights: targetWeights(head, p), Coverage: head.Sets.Coverage,
	}
	if decision == model.Labeled {
		out.Label = head.Labels[p.Best]
	}
	if head.Sets.Coverage > 0 {
		out.LabelSet = []string{}
	}
	for _, label := range head.Sets.Set(p.Probabilities) {
		out.LabelSet = append(out.LabelSet, head.Labels[label])
	}
	if l.opts.Top == 0 || l.opts.Top == 1 { // without sorting the labels
		out.Scores = []Score{{head.Labels[p.Best], out.Probability}}
	} else {
		for _, label := range p.Ranked(l.opts.Top) {
			out.Scores = append(out.Scores, Score{head.Labels[label], round(p.Probabilities[label])})
		}
	}
	if l.opts.Evidence > 0 {
		for _, e := range c.Explain(h, p.Best, l.opts.Evidence).Terms {
			out.Evidence = append(out.Evidence, Evidence{text[e.Start:e.End], model.Nats(e.Contribution)})
		}
	}
	return out
}

func targetWeights(head *model.Head, p *model.Prediction) string {
	switch {
	case len(head.Targets) == 0:
		return ""
	case p.Target < 0:
		return Pooled
	}
	return PerTarget
}
