package serve

import (
	"context"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"google.golang.org/grpc/status"

	"github.com/parley-nlp/parley/internal/model"
	parleyv1 "github.com/parley-nlp/parley/proto/parley/v1"
)

// Classify classifies one document.
func (s *Server) Classify(ctx context.Context, req *parleyv1.ClassifyRequest) (*parleyv1.ClassifyResponse, error) {
	r, plan, err := s.begin(ctx, req.GetModel(), req.GetOptions())
	if err != nil {
		return nil, err
	}
	log := callOf(ctx)
	log.items, log.bytes = 1, len(req.GetDocument().GetText())
	w := newWorker(plan, 1)
	w.saw = s.telemetry.observer(r, log, plan, true)
	defer w.release()
	classification, err := w.classify(req.GetDocument())
	if err != nil {
		return nil, err
	}
	return &parleyv1.ClassifyResponse{ModelRevision: r.name, Classification: classification}, nil
}

// BatchClassify classifies documents with one revision. An item that cannot be
// classified gets a status of its own.
func (s *Server) BatchClassify(ctx context.Context, req *parleyv1.BatchClassifyRequest) (*parleyv1.BatchClassifyResponse, error) {
	items := req.GetItems()
	if len(items) > s.cfg.MaxBatchItems {
		return nil, errBatchTooLarge("items", len(items), s.cfg.MaxBatchItems)
	}
	if err := checkItemIDs(items); err != nil {
		return nil, err
	}
	r, plan, err := s.begin(ctx, req.GetModel(), req.GetOptions())
	if err != nil {
		return nil, err
	}
	if n := len(items) * plan.evidenceTerms(); n > maxEvidenceTerms {
		return nil, errTooMuchEvidence(n, maxEvidenceTerms)
	}
	log := callOf(ctx)
	log.items = len(items)
	w := newWorker(plan, len(items))
	w.saw = s.telemetry.observer(r, log, plan, false)
	defer w.release()
	results := slab[parleyv1.BatchClassifyResult]{wanted: len(items)}
	resp := &parleyv1.BatchClassifyResponse{ModelRevision: r.name, Results: results.list(len(items))}
	for i, item := range items {
		if ctx.Err() != nil { // nobody waits for the rest
			return nil, errContext(ctx)
		}
		log.bytes += len(item.GetDocument().GetText())
		w.saw.item = i
		s.classifyItem(resp.Results[i], &w, item)
		if resp.Results[i].GetError() != nil {
			resp.ErrorCount++
		}
	}
	log.errors = int(resp.ErrorCount)
	return resp, nil
}

// checkItemIDs wants ids, where given, to be unique.
func checkItemIDs(items []*parleyv1.BatchClassifyItem) error {
	var seen map[string]bool
	for i, item := range items {
		id := item.GetId()
		if id == "" {
			continue
		}
		if seen[id] {
			return errDuplicateItemID(fmt.Sprintf("items[%d].id", i), id)
		}
		if seen == nil { // most batches have no ids
			seen = make(map[string]bool, len(items))
		}
		seen[id] = true
	}
	return nil
}

// begin finds the revision that answers and what is asked of it.
func (s *Server) begin(ctx context.Context, name string, o *parleyv1.ClassifyOptions) (*revision, *plan, error) {
	h, err := s.holds()
	if err != nil {
		return nil, nil, err
	}
	r, err := s.find(h, name)
	if err != nil {
		return nil, nil, err
	}
	callOf(ctx).revision = r.id
	p, err := s.plan(r, o)
	if err == nil && h.pair != nil && h.pair.live == r && s.shadow.cfg.Share > 0 {
		p.pair, p.shadow, p.asked = h.pair, s.shadow, askedBy(o)
	}
	return r, p, err
}

// A plan is what a call asks of a model.
type plan struct {
	model      *model.Model
	heads      []int // positions in model.Heads
	thresholds []model.Thresholds
	topK       int // scores a head; negative for all
	evidence   int // terms a label
	maxBytes   int
	mayCut     bool

	// What the shadow needs; nil without one.
	pair   *shadowPair
	shadow *shadower
	asked  *parleyv1.ClassifyOptions // the thresholds
}

func (s *Server) plan(r *revision, o *parleyv1.ClassifyOptions) (*plan, error) {
	p := &plan{
		model:      r.model,
		heads:      r.heads,
		thresholds: r.thresholds,
		topK:       int(o.GetTopK()),
		evidence:   int(o.GetMaxEvidenceTerms()),
		maxBytes:   s.cfg.MaxDocumentBytes,
		mayCut:     o.GetTruncation() == parleyv1.Truncation_TRUNCATION_KEEP_HEAD,
	}
	if p.topK == 0 {
		p.topK = 1
	}
	if len(o.GetHeads()) > 0 {
		if err := p.chooseHeads(o.GetHeads()); err != nil {
			return nil, err
		}
	}
	if len(o.GetHeads()) > 0 || o != nil && (o.MinProbability != nil || o.GetMinMargin() != 0) {
		p.thresholds = nil
		for _, h := range p.heads {
			p.thresholds = append(p.thresholds, thresholds(&r.model.Heads()[h], o))
		}
	}
	return p, nil
}

// thresholds are those asked for. A least probability takes the place of all
// that the head itself has.
func thresholds(head *model.Head, o *parleyv1.ClassifyOptions) model.Thresholds {
	t := head.Thresholds()
	if o != nil && o.MinProbability != nil {
		t = model.Thresholds{MinProbability: o.GetMinProbability()}
	}
	t.MinMargin = o.GetMinMargin()
	return t
}

// chooseHeads takes the heads by name.
func (p *plan) chooseHeads(names []string) error {
	p.heads = nil
	for i, name := range names {
		h := p.model.Head(name)
		if h < 0 {
			return errUnknownHead(fmt.Sprintf("options.heads[%d]", i), name, headNames(p.model))
		}
		p.heads = append(p.heads, h)
	}
	return nil
}

func headNames(m *model.Model) []string {
	var names []string
	for _, h := range m.Heads() {
		names = append(names, h.Name)
	}
	return names
}

// maxEvidenceTerms is how many terms a batch may ask for: an answer of about
// 10 MB.
const maxEvidenceTerms = 100_000

// evidenceTerms is how many terms an item may give.
func (p *plan) evidenceTerms() int { return p.scores() * p.evidence }

// scores is how many labels get a score, in all heads.
func (p *plan) scores() int {
	labels := 0
	for _, h := range p.heads {
		n := len(p.model.Heads()[h].Labels)
		if p.topK >= 0 {
			n = min(n, p.topK)
		}
		labels += n
	}
	return labels
}

// A worker classifies the documents of a call, one after the other.
type worker struct {
	*plan
	classifier *model.Classifier
	answers    answers
	saw        observer
}

// newWorker returns a worker for so many documents.
func newWorker(p *plan, documents int) worker {
	return worker{p, p.model.Acquire(), newAnswers(p, documents), observer{}}
}

func (w *worker) release() { w.model.Release(w.classifier) }

// classifyItem fills in the result of an item of a batch. Its error is the one
// that Classify gives.
func (s *Server) classifyItem(result *parleyv1.BatchClassifyResult, w *worker, item *parleyv1.BatchClassifyItem) {
	result.Id = item.GetId()
	var c *parleyv1.Classification
	err := s.checkDocument(item.GetDocument())
	if err == nil {
		c, err = w.classify(item.GetDocument())
	}
	if err != nil {
		result.Outcome = &parleyv1.BatchClassifyResult_Error{Error: status.Convert(err).Proto()}
	} else {
		outcome := w.answers.outcomes.next()
		outcome.Classification = c
		result.Outcome = outcome
	}
}

// classify answers for one document.
func (w *worker) classify(d *parleyv1.Document) (*parleyv1.Classification, error) {
	text, truncated, err := w.text(d.GetText())
	if err != nil {
		return nil, err
	}
	start := time.Now()
	r := w.classifier.Classify(text, d.GetTarget())
	answer := w.answers.next()
	answer.input = parleyv1.InputReport{
		Truncated: truncated, UsedBytes: int64(r.UsedBytes),
		TokenCount: int32(r.Words), KnownTokenCount: int32(r.KnownWords),
	}
	answer.classification.Predictions = w.answers.predictions.list(len(w.heads))
	for i, p := range answer.classification.Predictions {
		w.predict(p, r, i, text)
	}
	w.saw.document(text, d.GetTarget(), truncated, r, answer.classification.Predictions)
	answer.setComputeTime(time.Since(start))
	if w.shadow != nil {
		w.shadow.offer(w, r, text, d)
	}
	return &answer.classification, nil
}

// text returns the part of the text that is classified.
func (p *plan) text(text string) (used string, truncated bool, err error) {
	if strings.TrimSpace(text) == "" {
		return "", false, errEmptyDocument()
	}
	if len(text) <= p.maxBytes {
		return text, false, nil
	}
	if !p.mayCut {
		return "", false, errDocumentTooLarge(len(text), p.maxBytes)
	}
	end := p.maxBytes
	for end > 0 && !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end], true, nil
}

// predict fills in what the i-th head of the plan says.
func (w *worker) predict(out *parleyv1.HeadPrediction, r *model.Result, i int, text string) {
	h := w.heads[i]
	head, prediction := &w.model.Heads()[h], &r.Predictions[h]
	decision := r.Decide(h, w.thresholds[i])
	w.saw.head(h, prediction, decision)
	*out = parleyv1.HeadPrediction{
		Head:                  head.Name,
		Decision:              decisions[decision],
		AppliedMinProbability: minProbability(w.thresholds[i], prediction.Best),
		AppliedMinMargin:      w.thresholds[i].MinMargin,
		TargetWeights:         targetWeights(head, prediction),
		LabelSetCoverage:      head.Sets.Coverage,
	}
	if decision == model.Labeled {
		out.Label = head.Labels[prediction.Best]
	}
	for _, l := range head.Sets.Set(prediction.Probabilities) {
		out.LabelSet = append(out.LabelSet, head.Labels[l])
	}
	ranked := w.ranked(prediction)
	out.Scores = w.answers.scores.list(len(ranked))
	for k, l := range ranked {
		*out.Scores[k] = parleyv1.LabelScore{Label: head.Labels[l], Probability: prediction.Probabilities[l], RawScore: prediction.Raw[l]}
		if w.evidence > 0 {
			out.Evidence = append(out.Evidence, evidence(w.classifier.Explain(h, l, w.evidence), head.Labels[l], text))
		}
	}
}

// ranked returns the labels that get a score, best first.
func (p *plan) ranked(prediction *model.Prediction) []int {
	if p.topK == 1 { // sorting 12 labels takes 0.7 us
		return []int{prediction.Best}
	}
	return prediction.Ranked(p.topK)
}

// minProbability is the threshold on the probability of a label.
func minProbability(t model.Thresholds, label int) float64 {
	if len(t.PerLabel) == 0 {
		return t.MinProbability
	}
	return max(t.MinProbability, t.PerLabel[label])
}

// targetWeights tells which weights of head answered.
func targetWeights(head *model.Head, p *model.Prediction) parleyv1.TargetWeights {
	switch {
	case len(head.Targets) == 0:
		return parleyv1.TargetWeights_TARGET_WEIGHTS_NONE
	case p.Target < 0:
		return parleyv1.TargetWeights_TARGET_WEIGHTS_POOLED
	}
	return parleyv1.TargetWeights_TARGET_WEIGHTS_PER_TARGET
}

func evidence(e model.Explanation, label, text string) *parleyv1.LabelEvidence {
	out := &parleyv1.LabelEvidence{Label: label, Bias: e.Bias, Remainder: e.Remainder}
	for _, t := range e.Terms {
		out.Terms = append(out.Terms, &parleyv1.Evidence{
			Start: int32(t.Start), End: int32(t.End), Term: text[t.Start:t.End],
			Contribution: t.Contribution, Count: int32(t.Count),
		})
	}
	return out
}

var decisions = [...]parleyv1.Decision{
	model.Labeled:       parleyv1.Decision_DECISION_LABELED,
	model.NoEvidence:    parleyv1.Decision_DECISION_NO_EVIDENCE,
	model.OutOfDomain:   parleyv1.Decision_DECISION_OUT_OF_DOMAIN,
	model.LowConfidence: parleyv1.Decision_DECISION_LOW_CONFIDENCE,
	model.Ambiguous:     parleyv1.Decision_DECISION_AMBIGUOUS,
}
