package metrics

import (
	"cmp"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/parley-nlp/parley/internal/model"
)

// A Document is what one document was answered.
type Document struct {
	Words, KnownWords int
	Answers           []Answer // of the heads that were asked
}

// An Answer is what one head said.
type Answer struct {
	Head        int     // position in model.Heads
	Best        int     // position of the most probable label
	Probability float64 // of it, calibrated
	Decision    model.Decision
}

// maxLabelSeries is how many labels have a series of their own, in all heads.
// The others of a head, those with the fewest training documents, share one.
const maxLabelSeries = 100

// maxHeadSeries is how many heads have series: the first of a model.
const maxHeadSeries = 10

// otherLabels is the label of that series.
const otherLabels = "_other"

// decisions is one more than the largest decision.
const decisions = int(model.Labeled) + 1

// probabilityUnit is what probabilities are counted in, 2^-30, so that sums do
// not depend on the order.
const probabilityUnit = 1 << 30

// Heads counts the answers of one revision. Any number of goroutines may use it.
type Heads struct {
	mu     sync.Mutex // guards what follows
	heads  []head
	window *window // of the live revision, else nil
}

// A head is the counters of a head of a model, and what the model says of it.
type head struct {
	name      string
	labels    []string  // by position; otherLabels where the series is shared
	cells     []*series // by position
	abstained [decisions]*series
	sure      *series // sum of probabilities, in probabilityUnit
	trained   baseline
}

// A series is a number that revisions share when they have the same head and
// label, so that it goes on growing when the live revision changes.
type series struct{ atomic.Uint64 }

// NewHeads returns counters for the heads of m.
func NewHeads(m *model.Model) *Heads {
	own := seriesOfTheirOwn(m.Heads())
	h := &Heads{}
	for i := range m.Heads() {
		h.heads = append(h.heads, newHead(&m.Heads()[i], own[i]))
	}
	return h
}

func newHead(from *model.Head, own []bool) head {
	h := head{name: from.Name, sure: &series{}, trained: newBaseline(from)}
	for d := range h.abstained {
		h.abstained[d] = &series{}
	}
	var shared *series
	for l, label := range from.Labels {
		cell := &series{}
		if !own[l] {
			if shared == nil {
				shared = cell
			}
			label, cell = otherLabels, shared
		}
		h.labels, h.cells = append(h.labels, label), append(h.cells, cell)
	}
	return h
}

// seriesOfTheirOwn chooses the labels that have a series, by head and position:
// those with the most training documents, in the order of heads and labels where
// these are equal.
func seriesOfTheirOwn(heads []model.Head) [][]bool {
	type place struct {
		head, label int
		documents   uint64
	}
	var places []place
	own := make([][]bool, len(heads))
	for h := range heads {
		own[h] = make([]bool, len(heads[h].Labels))
		if h >= maxHeadSeries {
			continue
		}
		for l := range heads[h].Labels {
			p := place{head: h, label: l}
			if l < len(heads[h].DocCounts) {
				p.documents = heads[h].DocCounts[l]
			}
			places = append(places, p)
		}
	}
	slices.SortStableFunc(places, func(a, b place) int { return cmp.Compare(b.documents, a.documents) })
	for _, p := range places[:min(len(places), maxLabelSeries)] {
		own[p.head][p.label] = true
	}
	return own
}

// Observe counts a document.
func (h *Heads) Observe(d *Document) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.window != nil {
		h.window.see(d)
	}
	for _, a := range d.Answers {
		head := &h.heads[a.Head]
		if a.Decision == model.Labeled {
			head.cells[a.Best].Add(1)
		} else {
			head.abstained[a.Decision].Add(1)
		}
		head.sure.Add(uint64(int64(a.Probability * probabilityUnit)))
	}
}

// inherit makes h count on where from has counted, for the heads and labels that
// both have.
func (h *Heads) inherit(from *Heads) {
	if from == nil || from == h {
		return
	}
	known := map[[2]string]*series{}
	from.each(func(key [2]string, s **series) { known[key] = *s })
	added := map[*series]bool{} // other labels have one series
	h.each(func(key [2]string, s **series) {
		shared := known[key]
		if shared == nil || shared == *s {
			return
		}
		if !added[*s] {
			added[*s] = true
			shared.Add((*s).Load()) // counted while h was not live
		}
		*s = shared
	})
}

// each calls f with every series and a key that is the same in every revision.
func (h *Heads) each(f func(key [2]string, s **series)) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for i := range h.heads {
		head := &h.heads[i]
		for l := range head.cells {
			f([2]string{head.name, "label " + head.labels[l]}, &head.cells[l])
		}
		for d := range head.abstained {
			f([2]string{head.name, model.Decision(d).String()}, &head.abstained[d])
		}
		f([2]string{head.name, "sure"}, &head.sure)
	}
}

// Answers exports what the revisions of a server answer: by the heads and labels
// of the live one.
type Answers struct {
	window int // documents

	mu   sync.Mutex
	live *Heads
}

// NewAnswers returns answers of no revision yet. Drift is judged over the last
// documents, about so many.
func NewAnswers(documents int) *Answers { return &Answers{window: documents} }

// Use makes h the counters that are exported, and starts its drift afresh. The
// numbers of other revisions in memory are added where they have the same head
// and label.
func (a *Answers) Use(live *Heads, others ...*Heads) {
	a.mu.Lock()
	defer a.mu.Unlock()
	live.inherit(a.live)
	if live != a.live {
		a.live.watch(0)
		live.watch(a.window)
	}
	for _, h := range others {
		h.inherit(live)
	}
	a.live = live
}

// watch gives h an empty window of so many documents, or none.
func (h *Heads) watch(documents int) {
	if h == nil {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.window = nil
	if documents > 0 {
		h.window = newWindow(h.heads, documents)
	}
}

var (
	predictionsDesc = prometheus.NewDesc("parley_predictions_total", "Documents that were given a label, by head and label.", []string{"head", "label"}, nil)
	abstentionsDesc = prometheus.NewDesc("parley_abstentions_total", "Documents that were given no label, by head and reason.", []string{"head", "reason"}, nil)
	probabilityDesc = prometheus.NewDesc("parley_prediction_probability", "Calibrated probabilities of the most probable label, of all documents.", []string{"head"}, nil)
)

// Describe implements prometheus.Collector.
func (a *Answers) Describe(out chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{predictionsDesc, abstentionsDesc, probabilityDesc} {
		out <- d
	}
	describeDrift(out)
}

// Collect implements prometheus.Collector.
func (a *Answers) Collect(out chan<- prometheus.Metric) {
	a.mu.Lock() // live stays live, and so has a window
	defer a.mu.Unlock()
	live := a.live
	if live == nil {
		return
	}
	live.mu.Lock()
	defer live.mu.Unlock()
	for i := range live.exported() {
		live.heads[i].collect(out)
	}
	live.collectDrift(out)
}

// exported returns how many heads have series.
func (h *Heads) exported() int { return min(len(h.heads), maxHeadSeries) }

func (h *head) collect(out chan<- prometheus.Metric) {
	others, asked := false, uint64(0)
	for l, label := range h.labels {
		if label == otherLabels {
			if others {
				continue // they are one series
			}
			others = true
		}
		n := h.cells[l].Load()
		asked += n
		out <- prometheus.MustNewConstMetric(predictionsDesc, prometheus.CounterValue, float64(n), h.name, label)
	}
	for _, d := range []model.Decision{model.NoEvidence, model.OutOfDomain, model.LowConfidence, model.Ambiguous} {
		n := h.abstained[d].Load()
		asked += n
		out <- prometheus.MustNewConstMetric(abstentionsDesc, prometheus.CounterValue, float64(n), h.name, d.String())
	}
	sum := float64(h.sure.Load()) / probabilityUnit
	out <- prometheus.MustNewConstSummary(probabilityDesc, asked, sum, nil, h.name)
}
