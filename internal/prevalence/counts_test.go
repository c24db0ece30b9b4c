package prevalence

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// rowsOfParts are rows with probabilities, dates of which a few are none, many
// sources, and an audit.
func rowsOfParts(rng *rand.Rand, n, sources int) ([]Row, map[string]Audited) {
	var rows []Row
	audit := map[string]Audited{}
	for i := range n {
		id, label := fmt.Sprint("row ", i), rng.IntN(3)
		r := threeLabels.row(rng, id, label)
		p := rng.Float64()
		r.Heads[0].Scores = []float64{p, (1 - p) / 3, 2 * (1 - p) / 3}
		if date := fmt.Sprintf("2025-%02d-15", 1+rng.IntN(12)); i > 0 && rng.IntN(9) == 0 {
			r.By = []string{fmt.Sprint("day ", i), ""}
		} else {
			r.By = []string{date, fmt.Sprint(rng.IntN(sources))}
		}
		if rng.IntN(20) == 0 {
			r = Row{ID: id, Failed: true, By: r.By}
		} else if rng.IntN(10) == 0 {
			audit[id] = Audited{[]string{threeLabels.labels[label]}, float64(1+rng.IntN(3)) / 7}
		}
		rows = append(rows, r)
	}
	return rows, audit
}

// report sums up rows in parts, whose counts are sent as bytes and added in a
// random order; in one go when there is one part.
func report(t *testing.T, rng *rand.Rand, h Head, rows []Row, o Options, parts int) []byte {
	t.Helper()
	s := New([]Head{h}, o)
	if parts == 1 {
		for _, r := range rows {
			mustAdd(t, s, r)
		}
	} else {
		s = must[*Summariser](t)(Of([]Head{h}, o, addParts(t, rng, h, rows, o, parts)))
	}
	var b bytes.Buffer
	if err := mustReport(t, s).WriteJSON(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func addParts(t *testing.T, rng *rand.Rand, h Head, rows []Row, o Options, parts int) *Counts {
	t.Helper()
	all := &Counts{}
	var sent [][]byte
	for i := range parts {
		o.Part = int64(i + 1)
		s := New([]Head{h}, o)
		for _, r := range rows[len(rows)*i/parts : len(rows)*(i+1)/parts] {
			mustAdd(t, s, r)
		}
		sent = append(sent, must[[]byte](t)(s.Counts().MarshalBinary()))
	}
	rng.Shuffle(parts, func(i, j int) { sent[i], sent[j] = sent[j], sent[i] })
	for _, b := range sent {
		var c Counts
		if err := c.UnmarshalBinary(b); err != nil {
			t.Fatal(err)
		}
		if err := all.Add(&c); err != nil {
			t.Fatal(err)
		}
	}
	return all
}

func must[T any](t *testing.T) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func TestPartsGiveTheBytesOfTheWhole(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 5))
	h := threeLabels.head("h", rng, 200)
	for _, sources := range []int{5, 3 * MaxValues} {
		rows, audit := rowsOfParts(rng, 6000, sources)
		o := Options{By: []By{{"date", "month"}, {"source", ""}}, Audit: audit}
		want := report(t, rng, h, rows, o, 1)
		for _, parts := range []int{2, 7, 64} {
			if got := report(t, rng, h, rows, o, parts); !bytes.Equal(got, want) {
				t.Errorf("%d sources, %d parts: %d bytes are not the %d of the whole", sources, parts, len(got), len(want))
			}
		}
		slices.Reverse(rows)
		o.By = o.By[:0]
		if a, b := report(t, rng, h, rows, o, 1), report(t, rng, h, rows, o, 7); !bytes.Equal(a, b) {
			t.Error("without columns, reversed: other bytes")
		}
	}
}

func TestCountsDoNotGoByTheOrder(t *testing.T) {
	rng := rand.New(rand.NewPCG(4, 6))
	h := threeLabels.head("h", rng, 200)
	rows, audit := rowsOfParts(rng, 500, 4)
	o := Options{By: []By{{"source", ""}}, Audit: audit}
	for i := range rows {
		rows[i].By = rows[i].By[1:]
	}
	a := must[[]byte](t)(addParts(t, rng, h, rows, o, 9).MarshalBinary())
	if b := must[[]byte](t)(addParts(t, rng, h, rows, o, 9).MarshalBinary()); !bytes.Equal(a, b) {
		t.Error("the same parts, in another order, have other counts")
	}
}

func TestWrongPartsAreRefused(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 7))
	h := threeLabels.head("h", rng, 200)
	rows, _ := rowsOfParts(rng, 50, 4)
	dates := Options{By: []By{{"date", "month"}, {"source", ""}}, Audit: map[string]Audited{"row 3": {[]string{"a"}, 1}}}
	counts := addParts(t, rng, h, rows, dates, 3)
	if err := counts.Add(addParts(t, rng, h, rows, dates, 2)); err == nil || !strings.Contains(err.Error(), `two rows have the id "row 3"`) {
		t.Errorf("an audited row twice: error %v", err)
	}
	if _, err := Of([]Head{h}, Options{}, counts); err == nil {
		t.Error("counts by other columns are taken")
	}
	if err := addParts(t, rng, h, rows, dates, 3).Add(New([]Head{h, h}, dates).Counts()); err == nil {
		t.Error("counts of other heads are added")
	}
	rows[0].By[0] = "tomorrow"
	counts = addParts(t, rng, h, rows, dates, 3)
	if _, err := Of([]Head{h}, dates, counts); err == nil || !strings.Contains(err.Error(), `row "row 0" has "tomorrow"`) {
		t.Errorf("the first value is no date: error %v", err)
	}
}
