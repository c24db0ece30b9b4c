package prevalence

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
)

// MaxPartValues is how many different values of a column the counts of parts
// hold: of more they could not tell which MaxValues came first.
const MaxPartValues = 20 * MaxValues

// Counts are what a Summariser has counted. Those of parts of the rows add up,
// in any order and grouping, to the very counts of all rows: all of them are
// integers, and what goes by the order of rows is known by its first row.
type Counts struct {
	Rows    int64           `json:"rows"`
	Failed  int64           `json:"failed"`
	All     *group          `json:"all"`
	Columns []columnCounts  `json:"columns"`
	Stated  []*statedSums   `json:"stated"` // per head; nil when a row had no scores
	Found   map[string]bool `json:"found"`  // ids of audited rows that came
}

// A columnCounts has the rows of each value of a column.
type columnCounts struct {
	Groups map[string]*group `json:"groups"`
	Dates  dateCounts        `json:"dates"`
}

// A group is the rows that share a value.
type group struct {
	First  position          `json:"first"` // of them
	Rows   int64             `json:"rows"`
	Failed int64             `json:"failed"`
	Heads  []headCounts      `json:"heads"`
	Counts []map[int]float64 `json:"counts"` // per measure: rows by cell, whole numbers
	Audit  [][]audited       `json:"audit"`  // per measure
}

type headCounts struct {
	Withheld    int64 `json:"withheld"`
	NoEvidence  int64 `json:"no_evidence"`
	OutOfDomain int64 `json:"out_of_domain"`
}

// A position is that of a row among all. Rows of a part count from 1; the zero
// value is no row's.
type position struct {
	Part int64 `json:"part"`
	Row  int64 `json:"row"`
}

// before reports whether p is a row's, and no other comes before it.
func (p position) before(o position) bool {
	return p.Row > 0 && (o.Row == 0 || cmp.Or(cmp.Compare(p.Part, o.Part), cmp.Compare(p.Row, o.Row)) < 0)
}

// MarshalBinary gives equal counts equal bytes.
func (c *Counts) MarshalBinary() ([]byte, error) {
	if c.All != nil {
		c.All.sort()
	}
	for _, column := range c.Columns {
		for _, g := range column.Groups {
			g.sort()
		}
	}
	return json.Marshal(c)
}

func (g *group) sort() {
	for i, list := range g.Audit {
		g.Audit[i] = sortedAudit(list)
	}
}

// UnmarshalBinary reads what MarshalBinary wrote.
func (c *Counts) UnmarshalBinary(b []byte) error { return json.Unmarshal(b, c) }

// Add adds the counts of other rows, which become part of c.
func (c *Counts) Add(o *Counts) error {
	if c.All == nil {
		*c = *o
		return nil
	}
	if len(c.Columns) != len(o.Columns) || len(c.Stated) != len(o.Stated) || !c.All.like(o.All) {
		return errors.New("counts of other heads or columns cannot be added")
	}
	for id := range o.Found {
		if c.Found[id] {
			return errTwice(id)
		}
		c.Found[id] = true
	}
	c.Rows, c.Failed = c.Rows+o.Rows, c.Failed+o.Failed
	c.All.add(o.All)
	for i := range c.Stated {
		if c.Stated[i] == nil || o.Stated[i] == nil {
			c.Stated[i] = nil
			continue
		}
		c.Stated[i].merge(o.Stated[i])
	}
	for i := range c.Columns {
		if err := c.Columns[i].add(&o.Columns[i]); err != nil {
			return err
		}
	}
	return nil
}

func errTwice(id string) error {
	return fmt.Errorf("two rows have the id %q, which is that of an audited row", id)
}

func errManyValues(by By) error {
	return fmt.Errorf("--by %s: more than %d different values: those of parts of the rows cannot be added", by, MaxPartValues)
}

func (c *columnCounts) add(o *columnCounts) error {
	for name, g := range o.Groups {
		if c.Groups[name] == nil {
			c.Groups[name] = g
		} else {
			c.Groups[name].add(g)
		}
	}
	c.Dates.add(o.Dates)
	if len(c.Groups) > MaxPartValues {
		return errManyValues(o.Dates.By)
	}
	return nil
}

// like reports whether groups count the same things.
func (g *group) like(o *group) bool {
	return len(g.Heads) == len(o.Heads) && len(g.Counts) == len(o.Counts) && len(g.Audit) == len(o.Audit)
}

func (g *group) add(o *group) {
	if o.First.before(g.First) {
		g.First = o.First
	}
	g.Rows, g.Failed = g.Rows+o.Rows, g.Failed+o.Failed
	for i, h := range o.Heads {
		own := &g.Heads[i]
		own.Withheld, own.NoEvidence, own.OutOfDomain = own.Withheld+h.Withheld, own.NoEvidence+h.NoEvidence, own.OutOfDomain+h.OutOfDomain
	}
	for i := range o.Counts {
		for cell, n := range o.Counts[i] {
			g.Counts[i][cell] += n
		}
		g.Audit[i] = append(g.Audit[i], o.Audit[i]...)
	}
}

// Counts returns what has been counted.
func (s *Summariser) Counts() *Counts { return &s.counts }

// Of returns a Summariser that has counted these rows: the one of all rows, if
// the counts are those of all parts.
func Of(heads []Head, o Options, c *Counts) (*Summariser, error) {
	s := New(heads, o)
	if c.All == nil { // no part
		return s, nil
	}
	if len(c.Columns) != len(o.By) || len(c.Stated) != len(heads) || !c.All.like(s.counts.All) {
		return nil, errors.New("the counts are of other heads or columns")
	}
	s.counts = *c
	for i := range c.Columns {
		if err := c.Columns[i].Dates.check(); err != nil {
			return nil, err
		}
		s.join(i)
	}
	return s, nil
}

// join puts values together that are too many: those that come last.
func (s *Summariser) join(column int) {
	groups := s.counts.Columns[column].Groups
	if len(groups) <= MaxValues {
		return
	}
	names := slices.SortedFunc(maps.Keys(groups), func(a, b string) int {
		if groups[a].First.before(groups[b].First) {
			return -1
		}
		return 1
	})
	for _, name := range names[MaxValues:] {
		g := groups[name]
		delete(groups, name)
		if groups[others] == nil {
			groups[others] = s.newGroup()
		}
		groups[others].add(g)
	}
}
