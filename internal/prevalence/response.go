package prevalence

import (
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/stat/distuv"

	"github.com/parley-nlp/parley/internal/model"
)

// A response is how a classifier answers to texts of each label: the
// probability of every cell. A cell is an answer at a level of confidence.
type response struct {
	labels, cells int
	texts         []float64   // per label: out-of-fold texts
	p             []float64   // labels x cells: expected; a label's add up to 1
	draws         [][]float64 // as p: what else the out-of-fold texts leave open
}

const (
	// statedWeight is the weight, in texts, of the probabilities stated besides the
	// counts of a label's own texts, and statedKnown how many texts they are worth in
	// what the counts leave open.
	statedWeight = 300.0
	statedKnown  = 5.0
	// smoothing is both where only counts are known, and stands for their sums over
	// all labels: a label of few texts may get answers that none of them got.
	smoothing = 1.0
	// modelDispersion is by how much variances grow since answers come from a model
	// of all training texts, while the outcomes are those of models of some of them.
	// On the training parts of nine public sets, each cut eight ways, 95% intervals
	// without it held 88% of the shares, with it 93%.
	modelDispersion = 2
	// replicates is how many draws an interval is made of.
	replicates = 250
)

// newResponse returns the response of a head by its outcomes. With onlyAnswers
// levels of confidence are taken together.
func newResponse(labels int, o *model.Outcomes, onlyAnswers bool) *response {
	levels, together := len(o.Levels)+1, 1
	if onlyAnswers {
		levels, together = 1, levels
	}
	r := &response{labels: labels, cells: labels * levels, texts: make([]float64, labels)}
	counts := make([]float64, labels*r.cells)
	for _, c := range o.Counts {
		n := float64(c.Count)
		r.texts[c.Truth] += n
		counts[int(c.Truth)*r.cells+int(c.Predicted)*levels+min(int(c.Level), levels-1)] += n
	}
	beside := normalised(stated(counts, o.Stated, r.cells, together), r.cells)
	weight, worth := statedWeight, statedKnown
	if len(o.Stated) == 0 {
		weight, worth = smoothing, smoothing
	}
	var known []float64
	for i, n := range counts {
		l := i / r.cells
		r.p = append(r.p, (n+weight*beside[i])/(r.texts[l]+weight))
		known = append(known, r.p[i]*(r.texts[l]/(modelDispersion*o.Dispersion)+worth))
	}
	src := rand.NewPCG(seedOf("response"), uint64(r.cells))
	for range replicates {
		r.draws = append(r.draws, drawResponse(known, r.cells, src))
	}
	return r
}

// stated are the sums of stated probabilities, of so many cells together, or
// where there are none the sums of the counts, with one text of every label
// alike.
func stated(counts, sums []float64, cells, together int) []float64 {
	list := make([]float64, len(counts))
	for i := range list {
		list[i] = 1 / float64(len(list))
	}
	for i, s := range sums {
		list[i/together] += s
	}
	if len(sums) == 0 {
		for i, n := range counts {
			for l := i % cells; l < len(list); l += cells {
				list[l] += n
			}
		}
	}
	return list
}

// drawResponse draws a response: for each label the posterior of its cells'
// probabilities, a Dirichlet distribution.
func drawResponse(counts []float64, cells int, src rand.Source) []float64 {
	p := make([]float64, len(counts))
	for i, n := range counts {
		p[i] = distuv.Gamma{Alpha: max(n, 1e-12), Beta: 1, Src: src}.Rand() + 1e-300
	}
	return normalised(p, cells)
}

// normalised divides rows of so many cells by their sums.
func normalised(counts []float64, cells int) []float64 {
	p := make([]float64, len(counts))
	for from := 0; from < len(p); from += cells {
		sum := 0.0
		for _, n := range counts[from : from+cells] {
			sum += n
		}
		for k, n := range counts[from : from+cells] {
			p[from+k] = n / sum
		}
	}
	return p
}

// cross is the response of two heads to texts of each pair of labels, given that
// for texts of a pair they err independently.
func cross(a, b *response) *response {
	r := &response{labels: a.labels * b.labels, cells: a.cells * b.cells}
	for i := range a.labels {
		for j := range b.labels {
			r.texts = append(r.texts, min(a.texts[i], b.texts[j]))
		}
	}
	r.p = product(a, b, a.p, b.p)
	for i := range a.draws {
		r.draws = append(r.draws, product(a, b, a.draws[i], b.draws[i]))
	}
	return r
}

func product(a, b *response, p, q []float64) []float64 {
	out := make([]float64, 0, len(p)*len(q))
	for i := range a.labels {
		for j := range b.labels {
			for k := range a.cells {
				for l := range b.cells {
					out = append(out, p[i*a.cells+k]*q[j*b.cells+l])
				}
			}
		}
	}
	return out
}

// alike are two labels whose texts get so nearly the same answers that no number
// of texts tells their shares; ok is false when there are none.
func (r *response) alike() (a, b int, ok bool) {
	for a := range r.labels {
		for b := range a {
			if r.texts[a] >= fewTexts && r.texts[b] >= fewTexts && r.distance(a, b) < leastDistance {
				return b, a, true
			}
		}
	}
	return 0, 0, false
}

const (
	// fewTexts is how many out-of-fold texts a label needs for its response to mean
	// much.
	fewTexts = 5
	// leastDistance is that between the responses to two labels that can be told
	// apart.
	leastDistance = 0.05
)

// distance is the total variation distance of the responses to two labels.
func (r *response) distance(a, b int) float64 {
	sum := 0.0
	for k := range r.cells {
		sum += math.Abs(r.p[a*r.cells+k] - r.p[b*r.cells+k])
	}
	return sum / 2
}
