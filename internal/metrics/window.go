package metrics

import "github.com/parley-nlp/parley/internal/model"

// windowSlots is how many parts a window has: it moves on by one of them.
const windowSlots = 10

// A window is sums over the last documents. It is cut by their number and not by
// time: the same documents in the same order give the same sums. It holds at
// least nine tenths of the documents that were asked for once so many have come,
// and its memory does not grow.
type window struct {
	perSlot uint64 // documents
	slots   [windowSlots]slot
	at      int
}

// A slot is sums over consecutive documents.
type slot struct {
	documents, unfamiliar uint64 // unfamiliar: no or hardly any known word
	words, unknownWords   uint64
	heads                 []slotHead
}

type slotHead struct {
	asked, abstained uint64
	probability      uint64   // sum, in probabilityUnit
	best             []uint64 // by label
}

func newWindow(heads []head, documents int) *window {
	w := &window{perSlot: uint64(max(1, documents/windowSlots))}
	for i := range w.slots {
		w.slots[i] = newSlot(heads)
	}
	return w
}

func newSlot(heads []head) slot {
	s := slot{heads: make([]slotHead, len(heads))}
	for i := range heads {
		s.heads[i].best = make([]uint64, len(heads[i].labels))
	}
	return s
}

// see counts a document, in the place of the oldest when the window is full.
func (w *window) see(d *Document) {
	if w.slots[w.at].documents == w.perSlot {
		w.at = (w.at + 1) % windowSlots
		w.slots[w.at].reset()
	}
	s := &w.slots[w.at]
	s.documents++
	s.words += uint64(d.Words)
	s.unknownWords += uint64(d.Words - d.KnownWords)
	for i, a := range d.Answers {
		if i == 0 && (a.Decision == model.NoEvidence || a.Decision == model.OutOfDomain) {
			s.unfamiliar++ // a property of the text: all heads say so
		}
		s.heads[a.Head].see(a)
	}
}

func (h *slotHead) see(a Answer) {
	h.asked++
	if a.Decision != model.Labeled {
		h.abstained++
	}
	h.probability += uint64(int64(a.Probability * probabilityUnit))
	h.best[a.Best]++
}

// sum returns the sums over the whole window.
func (w *window) sum() slot {
	var total slot
	for i := range w.slots {
		total.add(&w.slots[i])
	}
	return total
}

// add adds the sums of t.
func (s *slot) add(t *slot) {
	s.documents += t.documents
	s.unfamiliar += t.unfamiliar
	s.words += t.words
	s.unknownWords += t.unknownWords
	if s.heads == nil {
		s.heads = make([]slotHead, len(t.heads))
	}
	for i := range t.heads {
		h, more := &s.heads[i], &t.heads[i]
		h.asked += more.asked
		h.abstained += more.abstained
		h.probability += more.probability
		if h.best == nil {
			h.best = make([]uint64, len(more.best))
		}
		for l, n := range more.best {
			h.best[l] += n
		}
	}
}

// reset empties a slot.
func (s *slot) reset() {
	heads := s.heads
	*s = slot{heads: heads}
	for i := range heads {
		clear(heads[i].best)
		heads[i] = slotHead{best: heads[i].best}
	}
}
