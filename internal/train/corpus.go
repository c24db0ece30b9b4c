package train

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"slices"

	"github.com/parley-nlp/parley/internal/dataset"
	"github.com/parley-nlp/parley/internal/model"
)

// A corpus holds the examples of a run and what they are made of.
type corpus struct {
	features model.Features
	examples []dataset.Example
	ids      []model.FeatureID // one per row
	kinds    []kind            // one per row
	texts    []uint32          // one per row: how many texts have it
	docs     []document        // one per example; nil: made anew in every pass
	pass     pass              // over examples with their texts
	source   []int             // one per example, see components

	counted *countedRows // nil: the examples are all that there is

	sourceLimit uint8 // how far sources are counted; 0 or 1: not at all

	// For docs that are made anew: the ids again, and how long the texts are.
	rows  *idTable
	bytes int
}

// A kind says what a row's feature is.
type kind struct {
	words   uint8 // tokens of a word n-gram, 0 for characters
	counted bool  // a single word that counts as known
}

// in reports whether a feature of kind k belongs to f.
func (k kind) in(f model.Features) bool {
	if k.words == 0 {
		return f.CharMax > 0
	}
	return int(k.words) <= f.Words
}

// A document is the features of a text, by ascending row.
type document []occurrence

// An occurrence is a row and how often its feature occurs.
type occurrence struct{ row, count uint32 }

// sortExamples brings examples into the order of their content, so that
// neither the order of files nor of lines matters, and returns the SHA-256
// over them. Ids and places are not content.
func sortExamples(examples []dataset.Example, heads []string) ([]dataset.Example, contentHash) {
	sums := contentSums(examples)
	order := byContent(sums)
	sorted := make([]dataset.Example, len(order))
	for i, from := range order {
		sorted[i] = examples[from]
	}
	return sorted, dataSum(heads, sums, order)
}

// A contentHash is a SHA-256.
type contentHash = [sha256.Size]byte

// contentSums hashes what each example says.
func contentSums(examples []dataset.Example) []contentHash {
	sums := make([]contentHash, len(examples))
	inParallel(len(examples), func(lo, hi int) {
		for i := lo; i < hi; i++ {
			sums[i] = contentSum(examples[i])
		}
	})
	return sums
}

// contentSum hashes what an example says.
func contentSum(ex dataset.Example) contentHash {
	h := sha256.New()
	for _, s := range append([]string{ex.Text, ex.Group, ex.Target}, ex.Labels...) {
		h.Write(frame(s))
	}
	return contentHash(h.Sum(nil))
}

// frame returns s with its length, so that neighbours cannot run together.
func frame(s string) []byte {
	return append(binary.LittleEndian.AppendUint64(make([]byte, 0, 8+len(s)), uint64(len(s))), s...)
}

// byContent lists the positions of sums in ascending order of the sums.
func byContent(sums []contentHash) []uint32 {
	order := make([]uint32, len(sums))
	for i := range order {
		order[i] = uint32(i)
	}
	slices.SortStableFunc(order, func(a, b uint32) int { return bytes.Compare(sums[a][:], sums[b][:]) })
	return order
}

// dataSum hashes the names of heads and the sums of examples in their order.
func dataSum(heads []string, sums []contentHash, order []uint32) contentHash {
	all := sha256.New()
	for _, h := range heads {
		all.Write(frame(h))
	}
	for _, i := range order {
		all.Write(sums[i][:])
	}
	return contentHash(all.Sum(nil))
}

// newCorpus extracts the features of examples.
func newCorpus(ctx context.Context, examples []dataset.Example, f model.Features) (*corpus, error) {
	v, err := newVocabulary(f)
	if err != nil {
		return nil, err
	}
	c := &corpus{features: f, examples: examples, pass: inMemory(examples), bytes: textBytes(examples)}
	c.docs = make([]document, 0, len(examples))
	for batch := range batches(examples) {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		docs, err := v.learn(batch)
		if err != nil {
			return nil, err
		}
		c.docs = append(c.docs, docs...)
	}
	c.ids, c.kinds, c.texts = v.number()
	v.renumber(c.docs)
	return c, nil
}
