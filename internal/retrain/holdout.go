package retrain

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math"

	"github.com/parley-nlp/parley/internal/dataset"
	"github.com/parley-nlp/parley/internal/train"
)

// A Holdout says which sources are held out: a share of them, by a hash in which
// the epoch is mixed. It stays the same while data grow, and another epoch is
// another draw.
type Holdout struct {
	Epoch int     `json:"epoch"`
	Share float64 `json:"share"` // 0: nothing is held out
}

// A Split parts rows into those to train on and those to judge by.
type Split struct {
	*Rows
	Holdout
	component []int // per row: see train.Components
	held      []bool
}

// Split holds out a share of the sources. A source is a group; a row without one
// stands for itself. Sources that have near-duplicates of one another stay
// together, on the side of the oldest: that of a base file, else of the text
// that the ledger had first. So a text that comes later follows what it repeats,
// and no text is judged whose like was trained on.
func (r *Rows) Split(h Holdout) *Split {
	s := &Split{Rows: r, Holdout: h, component: train.Components(r.examples())}
	oldest := map[int]int{}
	for i, c := range s.component {
		if j, known := oldest[c]; !known || r.older(i, j) {
			oldest[c] = i
		}
	}
	s.held = make([]bool, len(r.List))
	for i, c := range s.component {
		s.held[i] = h.draws(r.List[oldest[c]].source())
	}
	return s
}

// older reports whether row i was there before row j: of two of base files the
// one whose source has the smaller hash.
func (r *Rows) older(i, j int) bool {
	a, b := r.List[i].age(), r.List[j].age()
	if a != b {
		return a < b
	}
	return compareHashes(r.List[i].source(), r.List[j].source()) < 0
}

// age orders rows by when they came: those of base files before the ledger's.
func (r *Row) age() int64 {
	if r.File == ledgerFile {
		return r.TextID
	}
	return 0
}

// source is what a row stands or falls with.
func (r *Row) source() string {
	if r.Group != "" {
		return "group\x00" + r.Group
	}
	return "text\x00" + r.Text
}

// draws reports whether a source is held out.
func (h Holdout) draws(source string) bool {
	sum := sha256.Sum256(fmt.Appendf(nil, "parley hold-out %d\x00%s", h.Epoch, source))
	return float64(binary.LittleEndian.Uint64(sum[:]))/math.MaxUint64 < h.Share
}

// Training are the rows to train on.
func (s *Split) Training() []dataset.Example {
	var list []dataset.Example
	for i, row := range s.List {
		if !s.held[i] {
			list = append(list, row.Example)
		}
	}
	return list
}

// heldSources is how many components are held out.
func (s *Split) heldSources() int {
	seen := map[int]bool{}
	for i, c := range s.component {
		if s.held[i] {
			seen[c] = true
		}
	}
	return len(seen)
}

// judged reports whether the label of a row for a head counts for the verdict.
func (s *Split) judged(i, head int) bool {
	r := &s.List[i]
	return s.held[i] && r.Labels[head] != "" && r.Given[head].fair()
}
