package page

import (
	"cmp"
	"math"
	"slices"

	"github.com/parley-nlp/parley/internal/judge"
)

// Limits of the confusion matrix.
const (
	maxMatrix   = 60 // labels that a matrix can be read with
	plainMatrix = 12 // labels up to which the matrix needs no list beside it
	maxPairs    = 40 // pairs listed in its place
	topPairs    = 10 // pairs listed beside it
	shades      = 10 // of the heat map, without white
)

// A matrix shows which labels are taken for which, rows by true label.
type matrix struct {
	Columns []heading
	Rows    []matrixRow
	Totals  []string // by predicted label
	Upright bool     // the column headings
	Large   bool     // to be set small
}

type heading struct{ Short, Full string }

type matrixRow struct {
	heading
	Cells []matrixCell
	Total string
}

type matrixCell struct {
	Count    string // "" for 0
	Shade    int    // 0 to shades, by the share in the row
	Diagonal bool
	Title    string // the same in words
}

// A pair is two labels of which the first was taken for the second.
type pair struct {
	Truth, Predicted string
	Count, Share     string
}

// confusion returns the matrix of m, nil with too many labels.
func confusion(m judge.Metrics) *matrix {
	if len(m.Labels) > maxMatrix || len(m.Confusion) != len(m.Labels) {
		return nil
	}
	x := &matrix{Upright: len(m.Labels) > 5, Large: len(m.Labels) > 25}
	totals := make([]int, len(m.Labels))
	for i, l := range m.Labels {
		x.Columns = append(x.Columns, newHeading(l.Label))
		x.Rows = append(x.Rows, newMatrixRow(m, i))
		for j, n := range m.Confusion[i] {
			totals[j] += n
		}
	}
	for _, n := range totals {
		x.Totals = append(x.Totals, whole(n))
	}
	return x
}

func newHeading(s string) heading {
	name := label(s)
	return heading{short(name, 24), name}
}

func newMatrixRow(m judge.Metrics, i int) matrixRow {
	total := sum(m.Confusion[i])
	r := matrixRow{heading: newHeading(m.Labels[i].Label), Total: whole(total)}
	for j, n := range m.Confusion[i] {
		c := matrixCell{Diagonal: i == j}
		if n > 0 {
			c.Count, c.Shade = whole(n), int(math.Ceil(shades*ratio(n, total)))
			c.Title = r.Full + " taken for " + label(m.Labels[j].Label) + ": " + percent(n, total)
		}
		r.Cells = append(r.Cells, c)
	}
	return r
}

// confusedPairs are the most frequent mistakes: none where the matrix is small
// enough to see them, more where there is no matrix.
func confusedPairs(m judge.Metrics) []pair {
	if len(m.Labels) <= plainMatrix {
		return nil
	}
	n := topPairs
	if len(m.Labels) > maxMatrix {
		n = maxPairs
	}
	var list []pair
	for _, p := range mistakes(m.Confusion, n) {
		truth := m.Labels[p.truth]
		list = append(list, pair{
			label(truth.Label), label(m.Labels[p.predicted].Label),
			whole(p.n), percent(p.n, truth.Examples),
		})
	}
	return list
}

// A mistake is a cell of the confusion matrix beside the diagonal.
type mistake struct{ truth, predicted, n int }

// mistakes are the n most frequent ones, in the order of the labels where they
// are equally frequent.
func mistakes(confusion [][]int, n int) []mistake {
	var all []mistake
	for i, row := range confusion {
		for j, count := range row {
			if i != j && count > 0 {
				all = append(all, mistake{i, j, count})
			}
		}
	}
	slices.SortStableFunc(all, func(a, b mistake) int { return cmp.Compare(b.n, a.n) })
	return all[:min(len(all), n)]
}

func sum(list []int) int {
	total := 0
	for _, n := range list {
		total += n
	}
	return total
}
