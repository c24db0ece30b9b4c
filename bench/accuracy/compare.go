package main

import (
	"fmt"
	"hash/fnv"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/parley-nlp/parley/internal/judge"
)

// Differences, as shares.
const (
	levelWithin = 0.0005 // a smaller lag counts as none
	farBehind   = 0.007
	mismatch    = 0.001 // between a peer's figure and its predictions
)

// How Parley stands on a set.
const (
	ahead  = "ahead"
	level  = "level"
	behind = "behind"
)

// A comparison is Parley beside the best peer on one set.
type comparison struct {
	Peer       string          `json:"peer"`
	PeerValue  float64         `json:"peer_value"`
	Difference float64         `json:"difference"`
	Interval   *judge.Interval `json:"difference_interval,omitempty"` // 95%; with predictions
	Standing   string          `json:"standing"`
	Figures    []figure        `json:"figures,omitempty"` // of all peers

	draws []float64 // of the difference, when there are predictions
}

// compare sets r beside the peers: against predictions when there are some,
// else against the best figure. It does nothing when there are no peers.
func (r *result) compare(t *testedSet, figures []figure, predictions []prediction) error {
	m := t.measure()
	top := best(figures, m)
	c := &comparison{Figures: figures}
	if top != nil {
		c.Peer, c.PeerValue = top.System, *top.of(m)
	}
	switch {
	case predictions != nil:
		if err := c.pair(t, m, predictions); err != nil {
			return fmt.Errorf("%s: peer's predictions: %w", t.name, err)
		}
	case top == nil:
		return nil
	}
	if top != nil && math.Abs(*top.of(m)-c.PeerValue) > mismatch {
		r.Warnings = append(r.Warnings, fmt.Sprintf("the peer's predictions reach %.2f, its figure is %.2f", 100*c.PeerValue, 100**top.of(m)))
	}
	c.Difference = r.Value - c.PeerValue
	c.Standing = c.standing()
	r.Comparison = c
	return nil
}

// pair takes the peer's value and the draws of the difference from its
// predictions.
func (c *comparison) pair(t *testedSet, m measure, predictions []prediction) error {
	answers, err := t.matched(predictions)
	if err != nil {
		return err
	}
	if c.Peer == "" {
		c.Peer = "predictions"
	}
	p := newPairing(t, m, answers)
	_, c.PeerValue = p.values(p.rows)
	c.draws = p.draws()
	i := percentiles(c.draws)
	c.Interval = &i
	return nil
}

func (c *comparison) standing() string {
	switch {
	case c.Difference > 0:
		return ahead
	case c.Difference >= -levelWithin || c.Interval != nil && c.Interval.High >= 0:
		return level
	}
	return behind
}

// A pairing is the answers of two systems to the same rows.
type pairing struct {
	set       string
	m         measure
	rows      []pair
	sources   [][]pair
	own, peer []*tally // by fold; scratch of values
}

// A pair is one row.
type pair struct{ fold, truth, own, peer int }

// newPairing puts a peer's answers beside those of the set.
func newPairing(t *testedSet, m measure, answers []string) *pairing {
	labels := slices.Clone(t.labels)
	p := &pairing{set: t.name, m: m}
	at := map[int]int{}
	for i, r := range t.rows {
		answer := slices.Index(labels, answers[i])
		if answer < 0 {
			answer = len(labels)
			labels = append(labels, answers[i])
		}
		both := pair{r.fold, r.truth, r.predicted, answer}
		p.rows = append(p.rows, both)
		source, ok := at[r.source]
		if !ok {
			source = len(p.sources)
			at[r.source] = source
			p.sources = append(p.sources, nil)
		}
		p.sources[source] = append(p.sources[source], both)
	}
	for range t.set.runs() {
		p.own, p.peer = append(p.own, newTally(len(labels))), append(p.peer, newTally(len(labels)))
	}
	return p
}

// values measures both systems on some rows, fold by fold.
func (p *pairing) values(rows ...[]pair) (own, peer float64) {
	for fold := range p.own {
		p.own[fold].reset()
		p.peer[fold].reset()
	}
	for _, list := range rows {
		for _, r := range list {
			p.own[r.fold].add(r.truth, r.own)
			p.peer[r.fold].add(r.truth, r.peer)
		}
	}
	return meanOf(p.own, p.m.of), meanOf(p.peer, p.m.of)
}

// bootstrapDraws is how often the rows of a set are drawn anew.
const bootstrapDraws = 2000

// draws returns differences of the measure when whole sources are drawn with
// replacement, the same for both systems: the paired bootstrap of Efron and
// Tibshirani, "An Introduction to the Bootstrap" (1993), chapters 8 and 13. The
// draws of a set are always the same, and those of two sets independent.
func (p *pairing) draws() []float64 {
	name := fnv.New64a()
	name.Write([]byte(p.set))
	rng := rand.New(rand.NewPCG(0x70616972, name.Sum64()))
	differences, drawn := make([]float64, bootstrapDraws), make([][]pair, len(p.sources))
	for d := range differences {
		for i := range drawn {
			drawn[i] = p.sources[rng.IntN(len(p.sources))]
		}
		own, peer := p.values(drawn...)
		differences[d] = own - peer
	}
	return differences
}

// percentiles is the interval that holds 95% of the draws.
func percentiles(draws []float64) judge.Interval {
	sorted := slices.Sorted(slices.Values(draws))
	n := len(sorted)
	return judge.Interval{Low: sorted[n/40], High: sorted[n-1-n/40]}
}
