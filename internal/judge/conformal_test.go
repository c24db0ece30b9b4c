package judge

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// stated is a row of label 0 that states p for it.
func stated(source int, p float64) Judgement {
	return Judgement{Source: source, Probabilities: []float64{p, 1 - p}}
}

func TestConformalThresholdByHand(t *testing.T) {
	var list []Judgement
	for i := range 9 {
		list = append(list, stated(i, float64(i+1)/10)) // 0.1 to 0.9
	}
	pairs := slices.Clone(list[:8]) // of two rows a source
	for i := range pairs {
		pairs[i].Source = i / 2
	}
	for _, test := range []struct {
		name     string
		list     []Judgement
		coverage float64
		want     float64
	}{
		{"nothing", nil, 0.5, 0},
		{"9 of 9+1", list, 0.9, 0.1},
		{"10 of 9+1", list, 0.91, 0},
		{"5 of 9+1", list, 0.5, 0.5},
		{"none", list, 0, 0.9},
		{"everything", list, 1, 0},
		{"8 of 8, one source more being 10", pairs, 0.8, 0.1},
		{"more than 8 of 10", pairs, 0.81, 0},
		{"one source", []Judgement{stated(1, 0.5), stated(1, 0.6), stated(1, 0.7)}, 0.5, 0.5},
		{"one source is too few", []Judgement{stated(1, 0.5), stated(1, 0.6), stated(1, 0.7)}, 0.51, 0},
	} {
		c := FitConformal(2, test.list, test.coverage, false)
		near(t, test.name, c.Thresholds[0], test.want)
		near(t, test.name+", other label", c.Thresholds[1], test.want)
		near(t, test.name+", coverage", c.Coverage, test.coverage)
	}
}

func TestConformalPerLabel(t *testing.T) {
	var list []Judgement
	for i := range 19 {
		list = append(list, stated(i, 0.6+float64(i)/100))
	}
	list = append(list, Judgement{Truth: 1, Source: 20, Probabilities: []float64{0.9, 0.1}})
	c := FitConformal(2, list, 0.9, true)
	near(t, "label with 19 rows", c.Thresholds[0], 0.61)
	near(t, "label with 1 row", c.Thresholds[1], 0)
}

func TestConformalSet(t *testing.T) {
	c := Conformal{Thresholds: []float64{0.5, 0.2, 0}}
	for _, test := range []struct {
		probabilities []float64
		want          []int
	}{
		{[]float64{0.5, 0.2, 0}, []int{0, 1, 2}},
		{[]float64{0.4, 0.1, 0.5}, []int{2}},
		{[]float64{0.9, 0.1, 0}, []int{0, 2}},
	} {
		if got := c.Set(test.probabilities); !slices.Equal(got, test.want) {
			t.Errorf("%v: got %v, want %v", test.probabilities, got, test.want)
		}
	}
	if got := (Conformal{Thresholds: []float64{0.9, 0.9}}).Set([]float64{0.5, 0.5}); len(got) != 0 {
		t.Errorf("nothing typical: got %v, want an empty set", got)
	}
}

// unbalanced are texts of three labels, the last one rare and hard; those of one
// source are of a kind.
func unbalanced(rng *rand.Rand, sources, rows int) []Judgement {
	var list []Judgement
	for s := range sources {
		kind := rng.Float64()
		for range rows {
			label := 2
			if u := rng.Float64(); u < 0.9 {
				label = int(u / 0.45)
			}
			p := make([]float64, 3)
			for l := range p {
				p[l] = rng.Float64()
			}
			p[label] += kind
			if label < 2 {
				p[label]++
			}
			sum := p[0] + p[1] + p[2]
			for l := range p {
				p[l] /= sum
			}
			list = append(list, Judgement{Truth: label, Source: s, Probabilities: p})
		}
	}
	return list
}

// covered counts the rows, and those whose label is in the set, by label.
func (c Conformal) covered(list []Judgement) (rows, in [3]int) {
	for _, j := range list {
		rows[j.Truth]++
		in[j.Truth] += one(slices.Contains(c.Set(j.Probabilities), j.Truth))
	}
	return rows, in
}

// The mean coverage over many small samples is the one asked for: of all texts,
// and, when class-conditional, of those of each label.
func TestConformalCoverage(t *testing.T) {
	for _, test := range []struct {
		name          string
		sources, rows int
	}{{"one row a source", 120, 1}, {"dependent rows", 30, 5}} {
		rng := newRand(50)
		var all, allIn, rows, in [3]int
		for range 400 {
			list, fresh := unbalanced(rng, test.sources, test.rows), unbalanced(rng, 40, test.rows)
			n, k := FitConformal(3, list, 0.9, false).covered(fresh)
			m, l := FitConformal(3, list, 0.9, true).covered(fresh)
			for i := range 3 {
				all[i], allIn[i], rows[i], in[i] = all[i]+n[i], allIn[i]+k[i], rows[i]+m[i], in[i]+l[i]
			}
		}
		total, hits := all[0]+all[1]+all[2], allIn[0]+allIn[1]+allIn[2]
		// The source to come is allowed for as if its rows were never covered.
		if share, most := ratio(hits, total), 0.9+1/float64(test.sources+1); share < 0.895 || share > most+0.005 {
			t.Errorf("%s: %.3f of texts covered, want 0.9 to %.3f", test.name, share, most)
		}
		if share := ratio(allIn[2], all[2]); share > 0.8 {
			t.Errorf("%s: %.3f of the rare label covered, want it hard", test.name, share)
		}
		for l := range 3 {
			if share := ratio(in[l], rows[l]); share < 0.89 {
				t.Errorf("%s, label %d: %.3f covered, want at least 0.9", test.name, l, share)
			}
		}
	}
}
