package serve

import (
	"strconv"
	"strings"
	"time"

	"github.com/parley-nlp/parley/internal/metrics"
	"github.com/parley-nlp/parley/internal/model"
	"github.com/parley-nlp/parley/internal/predictionlog"
	parleyv1 "github.com/parley-nlp/parley/proto/parley/v1"
)

// An observer tells the metrics and the prediction log what the documents of a
// call were answered. The zero observer tells nobody.
type observer struct {
	telemetry *telemetry
	revision  *revision
	call      *call
	single    bool // not of a batch
	item      int  // position of the document in the batch
	answers   []metrics.Answer
}

// rowID is the id of the current document's row: the request's, and in a batch
// the position.
func (o *observer) rowID() string {
	if o.single {
		return o.call.id
	}
	return o.call.id + "/" + strconv.Itoa(o.item)
}

// observer returns the observer of a call that r answers.
func (t *telemetry) observer(r *revision, c *call, p *plan, single bool) observer {
	return observer{t, r, c, single, 0, make([]metrics.Answer, 0, len(p.heads))}
}

// head is told what head h decided on the current document.
func (o *observer) head(h int, p *model.Prediction, d model.Decision) {
	if o.telemetry == nil {
		return
	}
	o.answers = append(o.answers, metrics.Answer{Head: h, Best: p.Best, Probability: p.Probabilities[p.Best], Decision: d})
	if o.single {
		o.call.decisions = append(o.call.decisions, o.revision.decided[h][d])
	}
}

// document is told that all heads of the current document have decided.
func (o *observer) document(text, target string, truncated bool, r *model.Result, answer []*parleyv1.HeadPrediction) {
	if o.telemetry == nil {
		return
	}
	o.revision.seen.Observe(&metrics.Document{Words: r.Words, KnownWords: r.KnownWords, Answers: o.answers})
	if r.Words > 0 {
		o.telemetry.unknown.Observe(int64(float64(r.Words-r.KnownWords) / float64(r.Words) * millionth))
	}
	if o.telemetry.Predictions.Chosen() {
		o.telemetry.Predictions.Add(o.row(text, target, truncated, r, answer))
	}
	o.answers = o.answers[:0]
}

// row is the current document in the prediction log. It shares no memory with r,
// which is about to be used again.
func (o *observer) row(text, target string, truncated bool, r *model.Result, answer []*parleyv1.HeadPrediction) *predictionlog.Row {
	row := &predictionlog.Row{
		ID: o.rowID(), Text: strings.Clone(text), Target: strings.Clone(target),
		Input:    predictionlog.Input{Tokens: r.Words, KnownTokens: r.KnownWords, Truncated: truncated},
		Revision: o.revision.id, RequestID: o.call.id, Time: time.Now(),
	}
	for i, a := range o.answers {
		row.Predictions = append(row.Predictions, o.prediction(a, &r.Predictions[a.Head], answer[i]))
	}
	return row
}

func (o *observer) prediction(a metrics.Answer, p *model.Prediction, answer *parleyv1.HeadPrediction) predictionlog.Prediction {
	head := &o.revision.model.Heads()[a.Head]
	out := predictionlog.Prediction{
		Head: head.Name, Label: answer.GetLabel(), Probability: a.Probability, Decision: a.Decision.String(),
	}
	if answer.GetLabelSetCoverage() > 0 {
		out.LabelSet = append([]string{}, answer.GetLabelSet()...)
	}
	if w := answer.GetTargetWeights(); w != parleyv1.TargetWeights_TARGET_WEIGHTS_NONE {
		out.TargetWeights = strings.TrimPrefix(w.String(), "TARGET_WEIGHTS_")
	}
	for _, l := range p.Ranked(-1) {
		out.Scores = append(out.Scores, predictionlog.Score{Label: head.Labels[l], Probability: p.Probabilities[l]})
	}
	return out
}

// decidedNames are what the log says of decisions, by head and decision.
func decidedNames(m *model.Model) [][]string {
	var names [][]string
	for _, h := range m.Heads() {
		of := make([]string, model.Labeled+1)
		for d := range of {
			of[d] = h.Name + "=" + model.Decision(d).String()
		}
		names = append(names, of)
	}
	return names
}
