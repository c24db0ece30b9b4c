package main

import (
	"math/rand/v2"
	"slices"
	"testing"
)

func TestSpread(t *testing.T) {
	for _, c := range []struct {
		in   []float64
		want spread
	}{
		{nil, spread{}},
		{[]float64{3}, spread{3, 3, 3, 1}},
		{[]float64{4, 1}, spread{2.5, 1, 4, 2}},
		{[]float64{9, 1, 2}, spread{2, 1, 9, 3}},
		{[]float64{5, -1, 3, 4}, spread{3.5, -1, 5, 4}},
	} {
		in := slices.Clone(c.in)
		if got := spreadOf(c.in); got != c.want {
			t.Errorf("%v: got %v, want %v", c.in, got, c.want)
		}
		if !slices.Equal(c.in, in) {
			t.Errorf("%v was changed to %v", in, c.in)
		}
	}
}

// Half of the values lie on either side of the median, whatever their order.
func TestMedianIsInTheMiddle(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for n := 1; n < 40; n++ {
		list := make([]float64, n)
		for i := range list {
			list[i] = float64(rng.IntN(50))
		}
		s, below, above := spreadOf(list), 0, 0
		for _, v := range list {
			if v < s.Median {
				below++
			}
			if v > s.Median {
				above++
			}
		}
		if 2*below > n || 2*above > n || s.Min != slices.Min(list) || s.Max != slices.Max(list) {
			t.Errorf("%v: got %v", list, s)
		}
	}
}

func TestRunByRun(t *testing.T) {
	a, b := []float64{6, 9, 1}, []float64{2, 3}
	if got := quotients(a, b); !slices.Equal(got, []float64{3, 3}) {
		t.Errorf("quotients: got %v", got)
	}
	if got := differences(a, b); !slices.Equal(got, []float64{4, 6}) {
		t.Errorf("differences: got %v", got)
	}
	if got := times(a, 2); !slices.Equal(got, []float64{12, 18, 2}) || a[0] != 6 {
		t.Errorf("times: got %v, and %v is left", got, a)
	}
}

func TestPercentile(t *testing.T) {
	hundred := make([]float64, 100)
	for i := range hundred {
		hundred[i] = float64(i + 1)
	}
	for _, c := range []struct {
		list        []float64
		share, want float64
	}{
		{hundred, 0.5, 50}, {hundred, 0.99, 99}, {hundred, 1, 100}, {hundred, 0, 1},
		{[]float64{7}, 0.5, 7}, {[]float64{7, 8}, 0.5, 7}, {[]float64{7, 8}, 0.99, 8},
	} {
		if got := percentile(c.list, c.share); got != c.want {
			t.Errorf("share %v of %d: got %v, want %v", c.share, len(c.list), got, c.want)
		}
	}
}
