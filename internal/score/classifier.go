package score

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"

	"google.golang.org/genproto/googleapis/rpc/code"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/parley-nlp/parley/client"
	"github.com/parley-nlp/parley/internal/model"
	parleyv1 "github.com/parley-nlp/parley/proto/parley/v1"
)

// A Classifier answers for texts, one row a text, without ids.
type Classifier interface {
	Classify(ctx context.Context, texts []string) ([]Row, error)
}

// Options are what is asked of every text.
type Options struct {
	Heads          []string // none: all
	Top            int      // scores a head; 0: the best, -1: all
	Evidence       int      // terms for the best label
	MinProbability *float64 // nil: the model's own threshold
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

// local classifies with a model at hand, on all cores.
type local struct {
	model      *model.Model
	opts       Options
	heads      []int
	thresholds []model.Thresholds
}

// Local returns a classifier that uses m.
func Local(m *model.Model, o Options) (Classifier, error) {
	if err := o.Check(); err != nil {
		return nil, err
	}
	l := &local{model: m, opts: o}
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
		t := model.Thresholds{MinProbability: m.Heads()[h].MinProbability, MinMargin: o.MinMargin}
		if o.MinProbability != nil {
			t.MinProbability = *o.MinProbability
		}
		l.heads, l.thresholds = append(l.heads, h), append(l.thresholds, t)
	}
	return l, nil
}

func (l *local) Classify(ctx context.Context, texts []string) ([]Row, error) {
	rows := make([]Row, len(texts))
	workers := min(runtime.GOMAXPROCS(0), len(texts))
	var wait sync.WaitGroup
	for w := range workers {
		wait.Go(func() {
			c := l.model.Acquire()
			defer l.model.Release(c)
			for i := w; i < len(texts) && ctx.Err() == nil; i += workers {
				rows[i] = l.row(c, texts[i])
			}
		})
	}
	wait.Wait()
	return rows, ctx.Err()
}

func (l *local) row(c *model.Classifier, text string) Row {
	r := c.Classify(text)
	row := Row{Input: Input{Tokens: r.Words, KnownTokens: r.KnownWords}, Revision: l.model.Revision()}
	for i, h := range l.heads {
		row.Predictions = append(row.Predictions, l.prediction(c, r, text, h, l.thresholds[i]))
	}
	return row
}

func (l *local) prediction(c *model.Classifier, r *model.Result, text string, h int, t model.Thresholds) Prediction {
	head, p := &l.model.Heads()[h], &r.Predictions[h]
	decision := r.Decide(h, t)
	out := Prediction{Head: head.Name, Probability: round(p.Probabilities[p.Best]), Decision: decision.String()}
	if decision == model.Labeled {
		out.Label = head.Labels[p.Best]
	}
	top := l.opts.Top
	if top == 0 {
		top = 1
	}
	for _, label := range p.Ranked(top) {
		out.Scores = append(out.Scores, Score{head.Labels[label], round(p.Probabilities[label])})
	}
	if l.opts.Evidence > 0 {
		for _, e := range c.Explain(h, p.Best, l.opts.Evidence).Terms {
			out.Evidence = append(out.Evidence, Evidence{text[e.Start:e.End], model.Nats(e.Contribution)})
		}
	}
	return out
}

// remote classifies with a server.
type remote struct {
	client *client.Client
	opts   *parleyv1.ClassifyOptions
}

// Remote returns a classifier that asks a server.
func Remote(c *client.Client, o Options) (Classifier, error) {
	if err := o.Check(); err != nil {
		return nil, err
	}
	opts := &parleyv1.ClassifyOptions{
		Heads: o.Heads, TopK: int32(o.Top), MinProbability: o.MinProbability,
		MaxEvidenceTerms: int32(o.Evidence), MinMargin: &o.MinMargin,
	}
	return &remote{c, opts}, nil
}

func (r *remote) Classify(ctx context.Context, texts []string) ([]Row, error) {
	results, err := r.client.ClassifyAll(ctx, texts, r.opts)
	if err != nil {
		return nil, err
	}
	rows := make([]Row, len(results))
	for i, result := range results {
		if result.Err != nil {
			rows[i].Err = rowError(result.Err)
		} else {
			rows[i] = remoteRow(result)
		}
	}
	return rows, nil
}

func remoteRow(result client.Result) Row {
	c := result.Classification
	row := Row{
		Input: Input{
			Tokens: int(c.GetInput().GetTokenCount()), KnownTokens: int(c.GetInput().GetKnownTokenCount()),
			Truncated: c.GetInput().GetTruncated(),
		},
		Revision: result.Revision[strings.LastIndexByte(result.Revision, '/')+1:],
	}
	for _, p := range c.GetPredictions() {
		row.Predictions = append(row.Predictions, remotePrediction(p))
	}
	return row
}

func remotePrediction(p *parleyv1.HeadPrediction) Prediction {
	out := Prediction{Head: p.GetHead(), Label: p.GetLabel(), Decision: strings.TrimPrefix(p.GetDecision().String(), "DECISION_")}
	for _, s := range p.GetScores() {
		out.Scores = append(out.Scores, Score{s.GetLabel(), round(s.GetProbability())})
	}
	if len(out.Scores) > 0 {
		out.Probability = out.Scores[0].Probability
	}
	if len(p.GetEvidence()) > 0 {
		for _, e := range p.GetEvidence()[0].GetTerms() {
			out.Evidence = append(out.Evidence, Evidence{e.GetTerm(), model.Nats(e.GetContribution())})
		}
	}
	return out
}

// rowError is what the server says of a document, without its place in the
// batch.
func rowError(err error) *Error {
	s := status.Convert(err)
	for _, d := range s.Details() {
		if b, ok := d.(*errdetails.BadRequest); ok && len(b.GetFieldViolations()) > 0 {
			return &Error{codeName(s.Code()), b.GetFieldViolations()[0].GetDescription()}
		}
	}
	return &Error{codeName(s.Code()), s.Message()}
}

// codeName is the code's name in the gRPC specification, as INVALID_ARGUMENT.
func codeName(c codes.Code) string { return code.Code(c).String() }
