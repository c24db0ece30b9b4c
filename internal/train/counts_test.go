package train

import (
	"math/rand/v2"
	"reflect"
	"testing"

	"github.com/parley-nlp/parley/internal/model"
)

// A labelled is a document and its label.
type labelled struct {
	document
	label int
}

// someDocuments returns documents over rows features and of labels labels.
func someDocuments(rng *rand.Rand, n, rows, labels int) []labelled {
	list := make([]labelled, n)
	for i := range list {
		list[i].label = rng.IntN(labels)
		for row := range rows {
			if rng.IntN(3) == 0 {
				list[i].document = append(list[i].document, occurrence{uint32(row), 1 + uint32(rng.IntN(4))})
			}
		}
	}
	return list
}

func TestCountsOfATinyExample(t *testing.T) {
	d := document{{0, 3}, {2, 1}}
	for _, c := range []struct {
		value model.Value
		want  []uint32
	}{
		{model.Binary, []uint32{0, 1, 0, 0, 0, 1}},
		{model.TF, []uint32{0, 3, 0, 0, 0, 1}},
	} {
		counts := newCounts(3, 2)
		counts.add(d, 1, c.value)
		if want := (&Counts{2, []uint64{0, 1}, c.want}); !reflect.DeepEqual(counts, want) {
			t.Errorf("%s: got %v, want %v", c.value, counts, want)
		}
	}
}

func TestSubtractingGivesTheCountsOfTheRest(t *testing.T) {
	const rows, labels = 40, 4
	rng := rand.New(rand.NewPCG(1, 2))
	for _, v := range []model.Value{model.Binary, model.TF} {
		docs := someDocuments(rng, 60, rows, labels)
		all, rest := newCounts(rows, labels), newCounts(rows, labels)
		for _, d := range docs {
			all.add(d.document, d.label, v)
		}
		for _, i := range rng.Perm(len(docs)) { // every document once, in any order
			if i < 25 {
				all.subtract(docs[i].document, docs[i].label, v)
			} else {
				rest.add(docs[i].document, docs[i].label, v)
			}
		}
		if !reflect.DeepEqual(all, rest) {
			t.Errorf("%s: all minus some: got %v, want the counts of the others %v", v, all, rest)
		}
	}
}

func TestCloneIsIndependent(t *testing.T) {
	c := newCounts(1, 1)
	d := document{{0, 1}}
	c.clone().add(d, 0, model.Binary)
	if want := newCounts(1, 1); !reflect.DeepEqual(c, want) {
		t.Errorf("after adding to a clone: got %v, want %v", c, want)
	}
}

func TestPickKeepsTheRowsAskedFor(t *testing.T) {
	c := &Counts{2, []uint64{5, 6}, []uint32{1, 2, 3, 4, 5, 6}}
	got := c.pick([]uint32{2, 0})
	if want := (&Counts{2, []uint64{5, 6}, []uint32{5, 6, 1, 2}}); !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}
