package suggest

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/parley-nlp/parley/internal/copies"
	"github.com/parley-nlp/parley/internal/dataset"
	"github.com/parley-nlp/parley/internal/model"
)

// MaxBatch bounds Config.N.
const MaxBatch = 10000

// A Config says what is looked for.
type Config struct {
	// Model says how sure it is of texts. Without one the answers that rows bring
	// along are taken, and without these, texts that are unlike each other.
	Model *model.Model
	// Heads are what labels are wanted for; empty: the heads of the model.
	Heads []string
	N     int // texts of the batch
	// RandomShare of the batch, and at least one text unless it is 0, is drawn from
	// the pool by chance alone.
	RandomShare float64
	// Labelled have labels in the order of Heads: a text that has all of them is not
	// suggested, nor one that is nearly the same.
	Labelled []dataset.Example
	// Skip, unless nil, tells which other texts are not to be suggested.
	Skip func(text, target string) bool
}

// check returns an error when nothing can be chosen so.
func (cfg *Config) check() error {
	switch {
	case cfg.N < 1 || cfg.N > MaxBatch:
		return fmt.Errorf("a batch of %d texts: want 1 to %d", cfg.N, MaxBatch)
	case !(cfg.RandomShare >= 0 && cfg.RandomShare <= 1):
		return fmt.Errorf("random share %v: want 0 to 1", cfg.RandomShare)
	case len(cfg.Heads) == 0:
		return errors.New("no heads to suggest texts for")
	}
	return nil
}

// random is how many texts of the batch are drawn by chance.
func (cfg *Config) random() int {
	if cfg.RandomShare == 0 {
		return 0
	}
	return min(cfg.N, max(1, int(math.Round(cfg.RandomShare*float64(cfg.N)))))
}

// A Pool is what was seen of the texts to choose from. Beside the candidates it
// keeps eight bytes of each different text, some 40 with the table around them.
type Pool struct {
	cfg      Config
	ask      *asker
	seed     [sha256.Size]byte
	labelled map[key]bool
	known    *copies.Index // labelled texts
	shingler *copies.Shingler
	seen     map[uint64]struct{} // places of different texts that may be suggested
	counts   Counts
	sample   sample
	kept     keeper
}

// Counts are what became of the rows.
type Counts struct {
	Rows     int // of the pool
	Labelled int // left out, as they have labels
	Skipped  int // left out by Config.Skip, or without a word
	Copies   int // of texts that were there before
	Texts    int // different ones, to choose from
	Alike    int // unsure ones left out, as they are nearly the same as others
}

// NewPool returns an empty pool.
func NewPool(cfg Config) (*Pool, error) {
	if len(cfg.Heads) == 0 && cfg.Model != nil {
		cfg.Heads = headNames(cfg.Model)
	}
	if err := cfg.check(); err != nil {
		return nil, err
	}
	ask, err := newAsker(cfg.Model, cfg.Heads)
	if err != nil {
		return nil, err
	}
	p := &Pool{
		cfg: cfg, ask: ask, labelled: map[key]bool{}, known: copies.NewIndex(), shingler: copies.NewShingler(),
		seen: map[uint64]struct{}{}, sample: newSample(cfg.random()), kept: newKeeper(cfg.N),
	}
	p.cfg.Labelled = nil // the caller's memory
	for _, ex := range cfg.Labelled {
		if slices.Contains(ex.Labels, "") {
			continue // it may still get the others
		}
		row := Row{Text: ex.Text, Target: ex.Target}
		if k := row.key(); !p.labelled[k] {
			p.labelled[k] = true
			list := p.shingler.Shingles(ex.Text)
			p.known.Add(len(list), list)
		}
	}
	p.seed = p.newSeed()
	return p, nil
}

// newSeed makes the seed of what is known before the pool is read: the model and
// the labelled texts. So every batch draws anew, and one that is asked for twice is
// the same.
func (p *Pool) newSeed() [sha256.Size]byte {
	var sum [sha256.Size]byte
	for k := range p.labelled { // in any order: the digests are added
		d := digest([]byte("labelled"), k)
		for i := range sum {
			sum[i] ^= d[i]
		}
	}
	h := sha256.New()
	h.Write(sum[:])
	if p.cfg.Model != nil {
		h.Write([]byte(p.cfg.Model.Revision()))
	}
	return [sha256.Size]byte(h.Sum(nil))
}

// digest is a hash of a text and its target.
func digest(seed []byte, k key) [sha256.Size]byte {
	h := sha256.New()
	h.Write(seed)
	h.Write(binary.BigEndian.AppendUint64(nil, uint64(len(k.text))))
	h.Write([]byte(k.text))
	h.Write([]byte(k.target))
	return [sha256.Size]byte(h.Sum(nil))
}

// place is where chance puts a text among all others: uniform, and the same
// whenever the text comes.
func (p *Pool) place(k key) uint64 {
	d := digest(p.seed[:], k)
	return binary.BigEndian.Uint64(d[:])
}

// Add adds a row to the pool.
func (p *Pool) Add(r Row) {
	p.counts.Rows++
	k := r.key()
	switch {
	case p.labelled[k]:
		p.counts.Labelled++
		return
	case strings.TrimSpace(r.Text) == "" || p.cfg.Skip != nil && p.cfg.Skip(r.Text, r.Target):
		p.counts.Skipped++
		return
	}
	at := p.place(k)
	_, copied := p.seen[at]
	if copied {
		p.counts.Copies++
		p.sample.add(&r, at, true)
		return
	}
	p.seen[at] = struct{}{}
	p.sample.add(&r, at, false)
	p.consider(&r, at)
}

// consider keeps a new text if the model is among the least sure of it.
func (p *Pool) consider(r *Row, at uint64) {
	c := &candidate{Row: *r, place: at}
	c.Answers = p.answers(r)
	c.uncertainty = uncertainty(c.Answers)
	if !p.kept.wants(c) {
		return
	}
	list := p.shingler.Shingles(r.Text)
	if len(p.known.Find(len(list), list)) > 0 {
		p.counts.Alike++
		return
	}
	c.kin = kinOf(list)
	p.kept.add(c)
}
