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
	nats   []float64 // scratch of calibrate
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
	// Probabilities are calibrated and add up to 1.
	Probabilities []float64
	// Best is the most probable label: of equal ones the first.
	Best int
}

// NewClassifier returns a classifier of its own for m.
func (m *Model) NewClassifier() *Classifier {
	c := &Classifier{m: m}
	for _, h := range m.spec.Heads {
		n := len(h.Labels)
		c.result.Predictions = append(c.result.Predictions, Prediction{Raw: make([]int64, n), Probabilities: make([]float64, n)})
		c.nats = make([]float64, max(n, len(c.nats)))
	}
	return c
}

// Classify judges text with every head.
func (c *Classifier) Classify(text string) *Result {
	text = head(text, MaxTextBytes)
	c.tok.tokenize(text)
	c.look()
	c.score()
	for h := range c.result.Predictions {
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

// score sums the weights of the hits, head by head. Four at a time, so that
// fewer additions wait for the one before: a fifth off the time of Classify.
func (c *Classifier) score() {
	for h := range c.m.spec.Heads {
		head, raw := &c.m.spec.Heads[h], c.result.Predictions[h].Raw
		clear(raw)
		hits := c.set.hits
		if head.Value == Binary {
			for ; len(hits) >= 4; hits = hits[4:] {
				p, q := c.m.weights(hits[0].row, h)[:len(raw)], c.m.weights(hits[1].row, h)[:len(raw)]
				r, s := c.m.weights(hits[2].row, h)[:len(raw)], c.m.weights(hits[3].row, h)[:len(raw)]
				for i := range raw {
					raw[i] += int64(int32(p[i]) + int32(q[i]) + int32(r[i]) + int32(s[i]))
				}
			}
		}
		for _, hit := range hits {
			v := head.Value.of(hit.count)
			for i, w := range c.m.weights(hit.row, h) {
				raw[i] += v * int64(w)
			}
		}
		for i, sum := range raw {
			raw[i] = head.Bias[i] + sum<<(ScoreBits-head.WeightBits)
		}
	}
}

// weights returns the weights of a feature for the labels of head h.
func (m *Model) weights(row uint32, h int) []int16 {
	start := int(row) * m.offsets[len(m.spec.Heads)]
	return m.spec.Weights[start+m.offsets[h] : start+m.offsets[h+1]]
}

// calibrate turns the raw scores of a head into probabilities. A text without
// a known word gets the prior.
func (c *Classifier) calibrate(h int) {
	head, p := &c.m.spec.Heads[h], &c.result.Predictions[h]
	if c.result.KnownWords == 0 {
		head.Prior(p.Probabilities)
	} else {
		head.Calibrate(p.Probabilities, c.nats[:len(p.Raw)], p.Raw)
	}
	p.Best = p.best()
}

// Calibrate writes the calibrated probabilities of raw to probabilities; nats
// is scratch memory. All have the length of Labels.
func (h *Head) Calibrate(probabilities, nats []float64, raw []int64) {
	for i, r := range raw {
		nats[i] = Nats(r)
	}
	exact.Softmax(probabilities, nats, h.InverseTemperature)
}

// Prior writes the share of each label in training, with one document added to
// each (Laplace's rule of succession).
func (h *Head) Prior(probabilities []float64) {
	total := 0.0
	for _, n := range h.DocCounts {
		total += float64(n) + 1
	}
	for i, n := range h.DocCounts {
		probabilities[i] = (float64(n) + 1) / total
	}
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
