package page

import (
	"slices"
	"testing"

	"github.com/parley-nlp/parley/internal/judge"
)

func TestMistakes(t *testing.T) {
	confusion := [][]int{
		{9, 2, 0},
		{3, 9, 2},
		{0, 3, 9},
	}
	tests := []struct {
		n    int
		want []mistake
	}{
		{0, []mistake{}},
		{3, []mistake{{1, 0, 3}, {2, 1, 3}, {0, 1, 2}}},
		{9, []mistake{{1, 0, 3}, {2, 1, 3}, {0, 1, 2}, {1, 2, 2}}},
	}
	for _, test := range tests {
		if got := mistakes(confusion, test.n); !slices.Equal(got, test.want) {
			t.Errorf("mistakes(%d) = %v, want %v", test.n, got, test.want)
		}
	}
	if got := mistakes(nil, 3); len(got) != 0 {
		t.Errorf("mistakes of nothing: %v", got)
	}
}

func TestConfusion(t *testing.T) {
	x := confusion(judge.Metrics{
		Labels:    []judge.LabelMetrics{{Label: "for"}, {Label: "against"}, {Label: "none"}},
		Confusion: [][]int{{1999, 1, 0}, {0, 0, 4}, {0, 0, 0}},
	})
	want := [][]matrixCell{
		{{"1,999", 10, true, "for taken for for: 100%"}, {"1", 1, false, "for taken for against: 0%"}, {}},
		{{}, {Diagonal: true}, {"4", 10, false, "against taken for none: 100%"}},
		{{}, {}, {Diagonal: true}},
	}
	for i, row := range x.Rows {
		if !slices.Equal(row.Cells, want[i]) {
			t.Errorf("row %d: %+v, want %+v", i, row.Cells, want[i])
		}
	}
	if !slices.Equal(x.Totals, []string{"1,999", "1", "4"}) || x.Rows[0].Total != "2,000" {
		t.Errorf("totals %v, of the first row %s", x.Totals, x.Rows[0].Total)
	}
}

// With many labels a list of pairs comes to the help of the matrix, with more
// it takes its place.
func TestConfusionBySize(t *testing.T) {
	tests := []struct {
		labels int
		matrix bool
		pairs  int
	}{
		{2, true, 0},
		{plainMatrix, true, 0},
		{plainMatrix + 1, true, topPairs},
		{maxMatrix, true, topPairs},
		{maxMatrix + 1, false, maxPairs},
	}
	for _, test := range tests {
		m := judge.Metrics{Confusion: make([][]int, test.labels)}
		for i := range test.labels {
			m.Labels = append(m.Labels, judge.LabelMetrics{Label: named(test.labels)[i], Examples: test.labels})
			m.Confusion[i] = slices.Repeat([]int{1}, test.labels)
		}
		if got := confusion(m) != nil; got != test.matrix {
			t.Errorf("%d labels: matrix %v", test.labels, got)
		}
		if got := len(confusedPairs(m)); got != test.pairs {
			t.Errorf("%d labels: %d pairs, want %d", test.labels, got, test.pairs)
		}
	}
}
