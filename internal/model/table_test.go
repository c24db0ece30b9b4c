package model

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// tableOf returns a table of rows without weights.
func tableOf(t *testing.T, ids []uint64) table {
	t.Helper()
	tab, err := newTable(layout{stride: 1}, ids)
	if err != nil {
		t.Fatal(err)
	}
	return tab
}

// Every id is found in its row, and no other, with so many rows and ids that
// crowd at one place, at the last or all over.
func TestTableFindsItsRows(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 1))
	for n := range 70 {
		for _, draw := range []func(i int) uint64{
			func(int) uint64 { return rng.Uint64() },
			func(i int) uint64 { return uint64(i + 1) },
			func(i int) uint64 { return math.MaxUint64 - uint64(i) },
			func(i int) uint64 { return uint64(i+1) << 32 }, // equal in the low half
		} {
			ids := make([]uint64, n)
			for i := range ids {
				ids[i] = draw(i)
			}
			slices.Sort(ids)
			ids = slices.Compact(ids)
			tab := tableOf(t, ids)
			var asked []FeatureID
			want := map[FeatureID]uint32{}
			for i, id := range ids {
				want[FeatureID(id)] = uint32(i)
				asked = append(asked, FeatureID(id), FeatureID(id^1), FeatureID(id^1<<40), FeatureID(rng.Uint64()))
			}
			asked = append(asked, 1, math.MaxUint64)
			list := tab.find(nil, asked)
			for i, id := range asked {
				row, known := want[id]
				if !known {
					row = unknown
				}
				byFind := uint32(unknown)
				if len(list) > 0 && list[0].at == uint32(i) {
					byFind, list = list[0].row, list[1:]
				}
				if byFind != row || tab.row(id) != row {
					t.Fatalf("%d rows: %#x is in row %d by find, %d by row, want %d", n, id, byFind, tab.row(id), row)
				}
			}
			if len(list) > 0 {
				t.Fatalf("%d rows: find says that %v have rows", n, list)
			}
		}
	}
}

// Ids can be made to fall into one bucket. A table that would have to look
// through many is refused.
func TestTableRefusesIDsThatBeginAlike(t *testing.T) {
	for _, c := range []struct {
		alike int
		err   string
	}{
		{maxBucket, ""},
		{maxBucket + 1, "feature ids are not hashes: more than 512 share a place"},
	} {
		var ids []uint64
		for i := range c.alike {
			ids = append(ids, uint64(i+1))
		}
		for i := range uint64(5000) {
			ids = append(ids, (i+10)*(math.MaxUint64/5010))
		}
		_, err := newTable(layout{stride: 1}, ids)
		message := ""
		if err != nil {
			message = err.Error()
		}
		if message != c.err {
			t.Errorf("%d ids that begin alike: %q, want %q", c.alike, message, c.err)
		}
	}
}

// The packed sums are those of one weight after the other, for many hits, large
// values and extreme weights.
func TestSumIsExact(t *testing.T) {
	rng := rand.New(rand.NewPCG(8, 8))
	heads := []Head{{Labels: make([]string, 5), Blocks: []Block{{Value: TF}}}}
	l := newLayout(heads, false, func(Block) bool { return true })
	cells := make([]uint64, 40*l.stride)
	for row := range 40 {
		cells[row*l.stride] = uint64(row+1) << 50
		for c := range 5 {
			w := int16(rng.Uint32())
			if rng.IntN(3) == 0 {
				w = []int16{math.MinInt16, math.MaxInt16}[rng.IntN(2)]
			}
			setLane(cells[row*l.stride:], l.first[0][0]+c, uint16(w))
		}
	}
	tab, err := newTable(l, cells)
	if err != nil {
		t.Fatal(err)
	}
	g := l.groups[0]
	for _, n := range []int{0, 1, 2, 3, 1000, maxLoad - 1, maxLoad, maxLoad + 1, 3*maxLoad + 7} {
		for _, largest := range []int64{0, 1, 4096, maxLoad, maxLoad + 1, math.MaxInt32} {
			rows, values := make([]uint32, n), make([]int32, n)
			want := make([]int64, g.cells*lanes)
			for i := range rows {
				rows[i] = uint32(rng.IntN(40))
				value := int64(1)
				if largest > 0 {
					value = rng.Int64N(largest + 1)
					values[i] = int32(value)
				}
				for c := range 5 {
					want[c] += value * tab.weight(rows[i], l.first[0][0]+c)
				}
			}
			if largest == 0 {
				values = nil
			}
			sums, words := make([]int64, g.cells*lanes), make([]uint64, 2*g.cells)
			tab.sum(sums, words, g, rows, values)
			if !slices.Equal(sums, want) {
				t.Fatalf("%d rows, values up to %d: %v, want %v", n, largest, sums, want)
			}
		}
	}
}
