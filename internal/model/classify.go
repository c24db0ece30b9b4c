package model

import (
	"unicode/utf8"

	"github.com/parley-nlp/parley/internal/exact"
)

// A Classifier is the scratch memory of one text at a time: use one per
// goroutine. Classify allocates nothing once the memory has grown to the
// size of the texts.
type Classifier struct {
	m        *Model
	tok      tokenizer
	families []uint8 // of features, in their order
	grams    grams
	found    []found // of grams.ids
	set      hitSet
	values   [values][]int32 // of the hits, by value function; binary: nil
	aims     []aim           // per head
	sums     []int64         // per column
	words    []uint64        // scratch of table.sum
	nats     []float64       // scratch of calibrate
	result   Result

	// Of Explain: the terms of the last text, and the term of each hit.
	grouped bool
	terms   []Evidence // without contributions
	termOf  []int
}

// A Result is what a model says of one text. It is valid until its
// classifier's next call.
type Result struct {
	Predictions []Prediction // one per head, in the order of Model.Heads
	// Words is the number of words of the text, KnownWords those of them that
	// occur in the training data. Punctuation, URLs, mentions and hashtags do
	// not count.
	Words, KnownWords int
	// UsedBytes is how much of the text was read.
	UsedBytes int

	outOfDomain bool
}

// A Prediction is one head's view of a text; slices are in the order of
// Head.Labels.
type Prediction struct {
	// Raw holds the scores: bias plus contributions, exactly, in units of
	// 2^-ScoreBits nats.
	Raw []int64
	// Probabilities are calibrated and add up to 1: softmax of the scores, then
	// the head's Curve.
	Probabilities []float64
	// Best is the label with the highest probability, times its
	// Head.DecisionWeights if the head has any: of equal ones the first.
	Best int
	// Target is the position in Head.Targets of the target whose weights were
	// added, or -1.
	Target int

	weights []float64 // Head.DecisionWeights
}

// NewClassifier returns a classifier of its own for m.
func (m *Model) NewClassifier() *Classifier {
	c := &Classifier{m: m, families: m.spec.Features.families()}
	c.aims, c.sums = make([]aim, len(m.spec.Heads)), make([]int64, m.table.stride*lanes)
	c.words = make([]uint64, m.table.stride*lanes)
	for _, h := range m.spec.Heads {
		n := len(h.Labels)
		c.result.Predictions = append(c.result.Predictions, Prediction{Raw: make([]int64, n), Probabilities: make([]float64, n), weights: h.DecisionWeights})
		c.nats = make([]float64, max(n, len(c.nats)))
	}
	return c
}

// Classify judges text with every head. target is what the text is about, as
// far as known; heads whose training texts named it use its weights.
func (c *Classifier) Classify(text, target string) *Result {
	text, target = head(text, MaxTextBytes), CanonicalTarget(target)
	c.tok.tokenize(text)
	c.look()
	c.value()
	c.score()
	for h := range c.result.Predictions {
		c.aim(h, target)
		c.calibrate(h)
	}
	c.result.UsedBytes = len(text)
	c.grouped = false
	return &c.result
}

// blockTokens is how many tokens give their n-grams at a time, so that those of a
// long text need no more memory than those of a short one.
const blockTokens = 64

// look finds the known features of the tokens and counts the words.
func (c *Classifier) look() {
	c.set.reset()
	c.result.Words, c.result.KnownWords = 0, 0
	base := uint32(0)
	for lo := 0; lo < len(c.tok.tokens); lo += blockTokens {
		c.grams.read(&c.tok, c.m.spec.Features, lo, min(lo+blockTokens, len(c.tok.tokens)))
		c.lookUp(base)
		base += uint32(len(c.grams.ids))
	}
	r := &c.result
	r.outOfDomain = float64(r.KnownWords) < c.m.spec.MinKnownShare*float64(r.Words)
	if r.KnownWords == 0 {
		// Splinters of unknown words and punctuation are no evidence.
		c.set.reset()
	}
}

// lookUp looks up a block of n-grams, family by family, and counts its words. base
// is the number of n-grams before it.
func (c *Classifier) lookUp(base uint32) {
	from := 0
	for _, words := range c.families {
		to := c.grams.ends[words]
		c.found = c.m.table.find(c.found, c.grams.ids[from:to])
		c.set.add(c.found, words, base+uint32(from))
		if words == 1 {
			c.count(c.tok.tokens[c.grams.lo:c.grams.hi])
		}
		from = to
	}
}

// count counts the words among tokens, of which those in c.found are known.
func (c *Classifier) count(tokens []token) {
	for i := range tokens {
		if tokens[i].word {
			c.result.Words++
		}
	}
	for _, f := range c.found {
		if tokens[f.at].word {
			c.result.KnownWords++
		}
	}
}

// value works out what the hits count for.
func (c *Classifier) value() {
	for _, g := range c.m.table.groups {
		if g.value != Binary {
			c.values[g.value] = g.value.Values(c.values[g.value], len(c.set.hits), func(i int) (uint8, uint32, uint16) {
				h := &c.set.hits[i]
				return h.words, h.count, c.m.table.idfOf(c.set.rows[i])
			})
		}
	}
}

// score sums the weights of the hits for all heads.
func (c *Classifier) score() {
	t := &c.m.table
	for _, g := range t.groups {
		t.sum(c.sums[g.cell*lanes:], c.words, g, c.set.rows, c.values[g.value])
	}
	for h := range c.result.Predictions {
		raw := c.result.Predictions[h].Raw
		copy(raw, c.m.spec.Heads[h].Bias)
		c.collect(raw, t, h, h)
	}
}

// collect adds to raw what the sums of t are worth for head h, which is the
// table's i-th.
func (c *Classifier) collect(raw []int64, t *table, h, i int) {
	for b, column := range t.first[i] {
		if column < 0 {
			continue
		}
		shift := c.m.spec.Heads[h].Blocks[b].shift()
		for l, sum := range c.sums[column:][:len(raw)] {
			raw[l] += sum << shift
		}
	}
}

// shift brings weight times value to units of 2^-ScoreBits nats.
func (b Block) shift() uint8 { return ScoreBits - b.WeightBits - b.Value.Bits() }

// An aim is what a target adds to the score of a head.
type aim struct {
	ids    []FeatureID // scratch: of the hits, crossed with the target
	found  []found     // hits, by their positions, that have rows in the head's target table
	rows   []uint32    // those rows
	values []int32     // scratch: of the hits in found
}

// aim finds out whether head h has weights for texts about target, and adds
// those of the hits, which count for as much as the hits.
func (c *Classifier) aim(h int, target string) {
	p, head, a := &c.result.Predictions[h], &c.m.spec.Heads[h], &c.aims[h]
	a.ids, a.found, a.rows = a.ids[:0], a.found[:0], a.rows[:0]
	p.Target = head.target(target)
	if p.Target < 0 {
		return
	}
	t, state := &c.m.targets[h], targetState(target)
	for _, row := range c.set.rows {
		a.ids = append(a.ids, cross(c.m.table.id(row), state))
	}
	a.found = t.find(a.found, a.ids)
	for _, f := range a.found {
		a.rows = append(a.rows, f.row)
	}
	for _, g := range t.groups {
		t.sum(c.sums[g.cell*lanes:], c.words, g, a.rows, a.valuesOf(c.values[g.value]))
	}
	for l, bias := range head.Targets[p.Target].Bias {
		p.Raw[l] += bias
	}
	c.collect(p.Raw, t, h, 0)
}

// valuesOf returns the values of the hits in a, of those of all hits.
func (a *aim) valuesOf(all []int32) []int32 {
	if all == nil {
		return nil
	}
	a.values = a.values[:0]
	for _, f := range a.found {
		a.values = append(a.values, all[f.at])
	}
	return a.values
}

// bias is what the score of a label starts from.
func (c *Classifier) bias(h, label int) int64 {
	head, p := &c.m.spec.Heads[h], &c.result.Predictions[h]
	if p.Target >= 0 {
		return head.Bias[label] + head.Targets[p.Target].Bias[label]
	}
	return head.Bias[label]
}

// calibrate turns the raw scores of a head into probabilities. A text without
// a known word gets the prior.
func (c *Classifier) calibrate(h int) {
	head, p := &c.m.spec.Heads[h], &c.result.Predictions[h]
	prior, inverse := head.Prior, head.InverseTemperature
	if p.Target >= 0 {
		prior, inverse = head.Targets[p.Target].Prior, head.TargetInverseTemperature
	}
	if c.result.KnownWords == 0 {
		copy(p.Probabilities, prior)
	} else {
		nats := c.nats[:len(p.Raw)]
		for i, r := range p.Raw {
			nats[i] = Nats(r)
		}
		exact.Softmax(p.Probabilities, nats, inverse)
		head.Curve.Apply(p.Probabilities)
	}
	p.Best = p.best()
}

// Nats converts a raw score to nats, exactly below 2^53 units.
func Nats(raw int64) float64 { return float64(raw) * (1.0 / (1 << ScoreBits)) }

// head returns at most limit bytes of the start of text. It does not cut a
// character in two.
func head(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	for n := limit; n >= 0 && n > limit-utf8.UTFMax; n-- {
		if utf8.RuneStart(text[n]) {
			return text[:n]
		}
	}
	return text[:limit] // not UTF-8
}
