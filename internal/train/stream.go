package train

import (
	"cmp"
	"context"
	"encoding/binary"
	"fmt"
	"iter"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/parley-nlp/parley/internal/dataset"
	"github.com/parley-nlp/parley/internal/judge"
	"github.com/parley-nlp/parley/internal/model"
)

// Stream is Train for more text than memory has room for: it reads the rows
// again for every pass that it makes over them, some twenty times a head. Every
// call of rows must give the same rows in the same order; a difference is an
// error. What is kept of a row is its labels, place and scores; beyond that
// memory grows with the different features and with the phrases that more than
// one text has. The estimators must be those of counts, with one set of
// features. Model and report are those that Train makes of the same rows.
func Stream(ctx context.Context, rows func() iter.Seq2[dataset.Example, error], heads []string, cfg Config) (*model.Model, *Report, error) {
	if err := cfg.check(); err != nil {
		return nil, nil, err
	}
	if err := cfg.checkStreamed(); err != nil {
		return nil, nil, err
	}
	ctx, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	c, sum, err := streamedCorpus(ctx, fail, rows, heads, cfg.Features[0])
	if err != nil {
		return nil, nil, err
	}
	return c.train(ctx, heads, sum, &cfg, &Report{Rows: len(c.examples)})
}

// checkStreamed returns an error when a choice needs all texts at hand.
func (c *Config) checkStreamed() error {
	if len(c.Features) != 1 {
		return fmt.Errorf("%d feature sets: rows that are read again for every pass want one", len(c.Features))
	}
	for _, e := range c.Estimators {
		if e.linear() {
			return fmt.Errorf("estimator %s visits texts one by one: rows that are read again for every pass want %s, %s or %s", e, MultinomialNB, ComplementNB, TransformedCNB)
		}
	}
	return nil
}

// streamedCorpus reads the rows for the first time. When a later pass fails, it
// calls fail.
func streamedCorpus(ctx context.Context, fail context.CancelCauseFunc, rows func() iter.Seq2[dataset.Example, error], heads []string, f model.Features) (*corpus, contentHash, error) {
	v, err := newVocabulary(f)
	if err != nil {
		return nil, contentHash{}, err
	}
	var examples []dataset.Example
	var sums []contentHash
	keep, bytes := newInterner(), 0
	err = readBatches(rows(), func(_ int, batch []dataset.Example) error {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if _, err := v.learn(batch); err != nil {
			return err
		}
		bytes += textBytes(batch)
		sums = append(sums, contentSums(batch)...)
		for _, ex := range batch {
			examples = append(examples, keep.stripped(ex))
		}
		return nil
	})
	if err == nil && len(examples) == 0 {
		err = errNoRows
	}
	if err != nil {
		return nil, contentHash{}, err
	}
	order := byContent(sums)
	c := &corpus{features: f, bytes: bytes, examples: make([]dataset.Example, len(order))}
	r := &rereader{ctx: ctx, fail: fail, rows: rows, number: make([]uint32, len(order)), marks: make([]uint64, len(order))}
	for i, at := range order {
		c.examples[i] = examples[at]
		r.number[at] = uint32(i)
		r.marks[at] = mark(sums[at])
	}
	r.examples, c.pass = c.examples, r.pass
	c.ids, c.kinds, c.texts = v.number()
	c.rows = newIDTable(c.ids)
	return c, dataSum(heads, sums, order), nil
}

// readBatches calls visit with rows, some at a time, and with how many came
// before them, while the next ones are read. It returns the first error, in the
// order of rows.
func readBatches(rows iter.Seq2[dataset.Example, error], visit func(before int, batch []dataset.Example) error) error {
	full, done := make(chan []dataset.Example, 1), make(chan error)
	var failed atomic.Bool
	go func() {
		var err error
		before := 0
		for batch := range full {
			if err == nil {
				err = visit(before, batch)
				failed.Store(err != nil)
			}
			before += len(batch)
		}
		done <- err
	}()
	var unread error
	var batch []dataset.Example
	bytes := 0
	for ex, err := range rows {
		if unread = err; err != nil || failed.Load() {
			break
		}
		batch = append(batch, ex)
		if bytes += len(ex.Text); isBatch(len(batch), bytes) {
			full <- batch
			batch, bytes = nil, 0
		}
	}
	if len(batch) > 0 {
		full <- batch
	}
	close(full)
	return cmp.Or(<-done, unread)
}

// An interner keeps one copy of strings that come again and again.
type interner struct {
	strings map[string]string
	lists   map[string][]string
}

func newInterner() *interner { return &interner{map[string]string{}, map[string][]string{}} }

func (n *interner) string(s string) string {
	if kept, ok := n.strings[s]; ok {
		return kept
	}
	s = strings.Clone(s)
	n.strings[s] = s
	return s
}

func (n *interner) list(list []string) []string {
	var key []byte
	for _, s := range list {
		key = append(key, frame(s)...)
	}
	if kept, ok := n.lists[string(key)]; ok {
		return kept
	}
	var kept []string
	for _, s := range list {
		kept = append(kept, n.string(s))
	}
	n.lists[string(key)] = kept
	return kept
}

// stripped returns what is kept of an example: neither its text nor its id.
func (n *interner) stripped(ex dataset.Example) dataset.Example {
	return dataset.Example{
		Group: n.string(ex.Group), Target: n.string(ex.Target), Labels: n.list(ex.Labels),
		File: n.string(ex.File), Line: ex.Line,
	}
}

// A rereader reads rows again.
type rereader struct {
	ctx      context.Context
	fail     context.CancelCauseFunc
	rows     func() iter.Seq2[dataset.Example, error]
	examples []dataset.Example // by number
	number   []uint32          // per row, in the order of reading
	marks    []uint64          // the same: the beginning of its hash
}

func mark(sum contentHash) uint64 { return binary.LittleEndian.Uint64(sum[:]) }

// pass passes over all rows. When they cannot be read, or are not those that
// were read first, the run fails and the rest of the pass is left out.
func (r *rereader) pass(visit func([]numbered)) {
	if r.ctx.Err() != nil {
		return
	}
	rows := 0
	err := readBatches(r.rows(), func(before int, batch []dataset.Example) error {
		if r.ctx.Err() != nil {
			return context.Cause(r.ctx)
		}
		list, err := r.recognise(before, batch)
		if err == nil {
			visit(list)
		}
		rows = before + len(batch)
		return err
	})
	if err == nil && rows < len(r.number) {
		err = changed(r.examples[r.number[rows]])
	}
	if err != nil {
		r.fail(err)
	}
}

// recognise numbers rows that come after so many others.
func (r *rereader) recognise(before int, batch []dataset.Example) ([]numbered, error) {
	list := make([]numbered, len(batch))
	for k, sum := range contentSums(batch) {
		if at := before + k; at >= len(r.number) || mark(sum) != r.marks[at] {
			return nil, changed(batch[k])
		} else {
			list[k] = numbered{int(r.number[at]), batch[k]}
		}
	}
	return list, nil
}

func changed(ex dataset.Example) error {
	return fmt.Errorf("%s:%d: the rows are not those that were read first: the file changed while it was read", ex.File, ex.Line)
}

// recall fills in the ids and texts of the rows that a report lists, when only
// another pass can tell them.
func (h *trainedHead) recall() {
	if h.docs != nil {
		return
	}
	details := judge.Detail(h.labels, h.judgements, listedCases)
	listed := map[string]bool{}
	for _, c := range slices.Concat(details.ConfidentErrors, details.LikelyLabelErrors) {
		listed[c.Place] = true
	}
	wanted := map[int]int{} // the judgement of an example
	for k, i := range h.judged() {
		if listed[h.judgements[k].Row.Place] {
			wanted[i] = k
		}
	}
	if len(wanted) == 0 {
		return
	}
	h.pass(func(batch []numbered) {
		for _, ex := range batch {
			if k, ok := wanted[ex.i]; ok {
				h.judgements[k].Row = row(ex.Example)
			}
		}
	})
}
