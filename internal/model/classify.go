package model

import (
	"unicode/utf8"

	"github.com/parley-nlp/parley/internal/exact"
)

// A Classifier is the scratch memory of one text at a time: use one per
// goroutine. Classify allocates nothing once the memory has grown to the
// size of the texts.
type Classifier struct {
	m      *Model
	tok    tokenizer
	buf    []Feature
	rows   []uint32 // of buf
	set    hitSet
	values [values][]int32 // of the hits, by value function
	nats   []float64       // scratch of calibrate
	result Result

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
	c := &Classifier{m: m}
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
	text = head(text, MaxTextBytes)
	c.tok.tokenize(text)
	c.look()
	c.value()
	c.aim(target)
	for h := range c.result.Predictions {
		c.score(h)
		c.calibrate(h)
	}
	c.result.UsedBytes = len(text)
	c.grouped = false
	return &c.result
}

// featureBlock is how many tokens give their features at a time, so that the
// features of a long text need no more memory than those of a short one.
const featureBlock = 64

// look finds the known features of the tokens and counts the words.
func (c *Classifier) look() {
	c.set.reset()
	words, known := 0, 0
	for lo := 0; lo < len(c.tok.tokens); lo += featureBlock {
		hi := min(lo+featureBlock, len(c.tok.tokens))
		c.buf = c.tok.appendFeatures(c.buf[:0], c.m.spec.Features, lo, hi)
		c.rows = c.m.index.find(c.rows[:0], c.buf)
		for i, row := range c.rows {
			f := &c.buf[i]
			if row != unknown {
				c.set.add(row, f)
			}
			if f.Counted {
				words++
				if row != unknown {
					known++
				}
			}
		}
	}
	r := &c.result
	r.Words, r.KnownWords = words, known
	r.outOfDomain = float64(known) < c.m.spec.MinKnownShare*float64(words)
	if known == 0 {
		// Splinters of unknown words and punctuation are no evidence.
		c.set.reset()
	}
}

// value works out what the hits count for.
func (c *Classifier) value() {
	hits := c.set.hits
	for v := range c.values {
		if !c.m.used[v] || Value(v) == Binary {
			continue
		}
		c.values[v] = Value(v).Values(c.values[v], len(hits), func(i int) (uint8, uint32, uint16) {
			h := &hits[i]
			if Value(v) == TFIDF {
				return h.words, h.count, c.m.spec.IDF[h.row]
			}
			return h.words, h.count, 0
		})
	}
}

// aim adds the hits' weights of the target, which have rows of their own and
// count for as much as the hit.
func (c *Classifier) aim(target string) {
	target = CanonicalTarget(target)
	aimed := false
	for h := range c.result.Predictions {
		c.result.Predictions[h].Target = c.m.spec.Heads[h].Target(target)
		aimed = aimed || c.result.Predictions[h].Target >= 0
	}
	if !aimed {
		return
	}
	state, n := targetState(target), len(c.set.hits)
	for i := range n {
		h := c.set.hits[i]
		if h.row = c.m.index.row(cross(c.m.spec.IDs[h.row], state)); h.row == unknown {
			continue
		}
		c.set.hits = append(c.set.hits, h)
		for v := range c.values {
			if len(c.values[v]) > 0 {
				c.values[v] = append(c.values[v], c.values[v][i])
			}
		}
	}
}

// score sums the weights of the hits for head h, block by block.
func (c *Classifier) score(h int) {
	head, raw := &c.m.spec.Heads[h], c.result.Predictions[h].Raw
	clear(raw)
	for b, block := range head.Blocks {
		if block.Value == Binary {
			c.sumBinary(h, b)
		} else {
			c.sum(h, b)
		}
	}
	for i := range raw {
		raw[i] += c.bias(h, i)
	}
}

// bias is what the score of a label starts from.
func (c *Classifier) bias(h, label int) int64 {
	head, p := &c.m.spec.Heads[h], &c.result.Predictions[h]
	if p.Target >= 0 {
		return head.Bias[label] + head.Targets[p.Target].Bias[label]
	}
	return head.Bias[label]
}

// sumBinary starts the scores with the block of binary values, which is the
// first of a head that has one. Four hits at a time, so that fewer
// additions wait for the one before: a fifth off the time of Classify.
func (c *Classifier) sumBinary(h, b int) {
	raw, hits, at := c.result.Predictions[h].Raw, c.set.hits, c.m.columnOf(h, b)
	shift := ScoreBits - c.m.spec.Heads[h].Blocks[b].WeightBits
	for ; len(hits) >= 4; hits = hits[4:] {
		p, q := c.m.weights(hits[0].row, at)[:len(raw)], c.m.weights(hits[1].row, at)[:len(raw)]
		r, s := c.m.weights(hits[2].row, at)[:len(raw)], c.m.weights(hits[3].row, at)[:len(raw)]
		for i := range raw {
			raw[i] += int64(int32(p[i]) + int32(q[i]) + int32(r[i]) + int32(s[i]))
		}
	}
	for _, hit := range hits {
		for i, w := range c.m.weights(hit.row, at)[:len(raw)] {
			raw[i] += int64(w)
		}
	}
	for i := range raw {
		raw[i] <<= shift
	}
}

// sum adds a block of any other values.
func (c *Classifier) sum(h, b int) {
	raw, at := c.result.Predictions[h].Raw, c.m.columnOf(h, b)
	block := c.m.spec.Heads[h].Blocks[b]
	shift := ScoreBits - block.WeightBits - block.Value.Bits()
	for k, v := range c.values[block.Value] {
		for i, w := range c.m.weights(c.set.hits[k].row, at)[:len(raw)] {
			raw[i] += int64(v) * int64(w) << shift
		}
	}
}

// columnOf is the first column of a block.
func (m *Model) columnOf(h, b int) int {
	for _, head := range m.spec.Heads[:h] {
		b += len(head.Blocks)
	}
	return m.offsets[b]
}

// weights returns the weights of a feature from a column on.
func (m *Model) weights(row uint32, column int) []int16 {
	return m.spec.Weights[int(row)*m.offsets[len(m.offsets)-1]+column:]
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
