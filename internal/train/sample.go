package train

import (
	"bytes"
	"cmp"
	"container/heap"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/parley-nlp/parley/internal/dataset"
)

// Sample chooses rows by which a training from statistics is judged: the most of them
// whose sources have the smallest hashes. It depends on the rows alone, not on their
// order, and a sample of samples of parts is that of the whole. The result is sorted by
// content.
func Sample(rows []dataset.Example, most int) []dataset.Example {
	s := NewSampler(most)
	for _, ex := range rows {
		s.Add(ex)
	}
	return s.Rows()
}

// A Sampler is a Sample of rows that come one by one.
type Sampler struct {
	most int
	kept sampledRows
}

// NewSampler returns one that keeps at most so many rows.
func NewSampler(most int) *Sampler { return &Sampler{most: max(most, 0)} }

// Add offers a row.
func (s *Sampler) Add(ex dataset.Example) {
	if s.most == 0 {
		return
	}
	r := sampledRow{source: [32]byte(sourceHash(ex)), row: ex}
	full := len(s.kept) == s.most
	if full && bytes.Compare(r.source[:], s.kept[0].source[:]) > 0 {
		return
	}
	if r.sum = contentSum(ex); full && r.compare(&s.kept[0]) >= 0 {
		return
	}
	if full {
		s.kept[0] = r
		heap.Fix(&s.kept, 0)
	} else {
		heap.Push(&s.kept, r)
	}
}

// Rows returns the sample of the rows so far.
func (s *Sampler) Rows() []dataset.Example {
	list := slices.Clone(s.kept)
	slices.SortFunc(list, func(a, b sampledRow) int {
		return cmp.Or(bytes.Compare(a.sum[:], b.sum[:]), a.compareIDs(&b))
	})
	rows := make([]dataset.Example, len(list))
	for i := range list {
		rows[i] = list[i].row
	}
	return rows
}

// A sampledRow is a row with what it is ordered by.
type sampledRow struct {
	source, sum contentHash
	row         dataset.Example
}

func (r *sampledRow) compare(other *sampledRow) int {
	return cmp.Or(bytes.Compare(r.source[:], other.source[:]), bytes.Compare(r.sum[:], other.sum[:]), r.compareIDs(other))
}

// compareIDs tells rows apart that say the same.
func (r *sampledRow) compareIDs(other *sampledRow) int { return cmp.Compare(r.row.ID, other.row.ID) }

// sampledRows is a heap with the largest row on top.
type sampledRows []sampledRow

func (s sampledRows) Len() int           { return len(s) }
func (s sampledRows) Less(i, j int) bool { return s[i].compare(&s[j]) > 0 }
func (s sampledRows) Swap(i, j int)      { s[i], s[j] = s[j], s[i] }

// Push and Pop are for container/heap.
func (s *sampledRows) Push(x any) { *s = append(*s, x.(sampledRow)) }

func (s *sampledRows) Pop() any {
	last := (*s)[len(*s)-1]
	*s = (*s)[:len(*s)-1]
	return last
}

// sampleColumns are those of a sample beside the labels.
var sampleColumns = []string{"text", "group", "target"}

// CheckSampleHeads refuses heads whose labels a sample has no column for.
func CheckSampleHeads(heads []string) error {
	for _, name := range heads {
		if slices.Contains(sampleColumns, name) {
			return fmt.Errorf("head %s: the sample has another column of that name", name)
		}
	}
	return nil
}

// EncodeSample writes rows as JSON lines: text, group and target if there are any, and
// the labels by head. Ids are left out: equal rows must not be told apart by them.
func EncodeSample(heads []string, rows []dataset.Example) ([]byte, error) {
	var b bytes.Buffer
	for _, r := range rows {
		fields := [][2]string{{"text", r.Text}}
		for _, f := range [][2]string{{"group", r.Group}, {"target", r.Target}} {
			if f[1] != "" {
				fields = append(fields, f)
			}
		}
		for h, name := range heads {
			fields = append(fields, [2]string{name, r.Labels[h]})
		}
		before := byte('{')
		for _, f := range fields {
			key, err := json.Marshal(f[0])
			if err != nil {
				return nil, err
			}
			value, err := json.Marshal(f[1])
			if err != nil {
				return nil, err
			}
			b.WriteByte(before)
			b.Write(key)
			b.WriteByte(':')
			b.Write(value)
			before = ','
		}
		b.WriteString("}\n")
	}
	return b.Bytes(), nil
}
