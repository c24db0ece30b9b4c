package serve

import (
	"math"
	"slices"
	"strings"
	"sync"

	"github.com/rs/zerolog"

	"github.com/parley-nlp/parley/internal/model"
)

// A HeadAgreement is how far the live revision and its shadow agree on a head.
type HeadAgreement struct {
	Head string
	// Compared is how many texts both have judged, Missing those that the shadow
	// has no such head for.
	Compared, Missing int64
	// SameLabel and SameDecision are how many of those compared have the same best
	// label, and the same decision under the thresholds that the caller asked for,
	// or each revision's own.
	SameLabel, SameDecision int64
	// ProbabilityDifference is the sum of the absolute differences between the
	// probabilities that the two give to the live revision's best label.
	ProbabilityDifference float64
}

// A ShadowReport is how the shadow revision does.
type ShadowReport struct {
	// Live and Shadow are the ids of the revisions that Heads compares; empty
	// without a shadow.
	Live, Shadow string
	// Heads are in the order of their names. They count from when the two came
	// together.
	Heads []HeadAgreement
	// Scored is how many texts a shadow has judged since the server started,
	// Dropped how many were left out because the queue was full, Failed how many a
	// shadow could not judge.
	Scored, Dropped, Failed int64
}

// A shadowPair is a live revision and its shadow, and how far they agree.
type shadowPair struct {
	live, shadow *revision

	mu    sync.Mutex
	heads map[string]*HeadAgreement
}

// pairOf returns the pair of live and shadow: before, as long as it is of the
// same two, so that it goes on counting; nil without a shadow.
func pairOf(live, shadow *revision, before *shadowPair) *shadowPair {
	switch {
	case shadow == nil || shadow == live:
		return nil
	case before != nil && before.live == live && before.shadow == shadow:
		return before
	}
	p := &shadowPair{live: live, shadow: shadow, heads: map[string]*HeadAgreement{}}
	for _, h := range live.model.Heads() {
		p.heads[h.Name] = &HeadAgreement{Head: h.Name}
	}
	return p
}

// count compares what the two have said.
func (p *shadowPair) count(s *sample, m *model.Model, r *model.Result) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, live := range s.answers {
		sum := p.heads[live.head]
		h := m.Head(live.head)
		if h < 0 {
			sum.Missing++
			continue
		}
		head, prediction := &m.Heads()[h], &r.Predictions[h]
		sum.Compared++
		if head.Labels[prediction.Best] == live.label {
			sum.SameLabel++
		}
		if r.Decide(h, thresholds(head, s.asked)) == live.decision {
			sum.SameDecision++
		}
		sum.ProbabilityDifference += math.Abs(live.probability - probabilityOf(head, prediction, live.label))
	}
}

// probabilityOf is the probability of a label, 0 when the head does not know it.
func probabilityOf(head *model.Head, p *model.Prediction, label string) float64 {
	at, known := slices.BinarySearch(head.Labels, label)
	if !known {
		return 0
	}
	return p.Probabilities[at]
}

// report says how far the pair agrees so far.
func (p *shadowPair) report() []HeadAgreement {
	p.mu.Lock()
	defer p.mu.Unlock()
	list := make([]HeadAgreement, 0, len(p.heads))
	for _, h := range p.heads {
		list = append(list, *h)
	}
	slices.SortFunc(list, func(a, b HeadAgreement) int { return strings.Compare(a.Head, b.Head) })
	return list
}

// logEnd logs how far the pair agreed, once others take its place.
func (p *shadowPair) logEnd(log zerolog.Logger) {
	for _, h := range p.report() {
		log.Info().Str("live", p.live.id).Str("shadow", p.shadow.id).Str("head", h.Head).
			Int64("compared", h.Compared).Int64("missing", h.Missing).
			Int64("same_label", h.SameLabel).Int64("same_decision", h.SameDecision).
			Float64("mean_probability_difference", h.ProbabilityDifference/float64(max(h.Compared, 1))).
			Msg("shadow compared")
	}
}
