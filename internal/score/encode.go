package score

import (
	"context"
	"fmt"
	"slices"
)

// An Encoder writes rows in a format that can be appended to. One that exists is
// used by one goroutine at a time.
type Encoder interface {
	// Header returns what comes before the first row; none for JSONL.
	Header() []byte
	// Append appends a row and its line break to dst. On an error, such as a
	// probability that is no number, dst comes back as it was.
	Append(dst []byte, r *Row) ([]byte, error)
}

// A Format is a way to write rows.
type Format string

// The formats. Those without an Encoder are made from rows in JSONL.
const (
	JSONL   Format = "jsonl"
	CSV     Format = "csv"
	TSV     Format = "tsv"
	Parquet Format = "parquet"
	Table   Format = "table"
)

// A Layout says what the rows of a run have, so that formats with columns know
// them before the first row.
type Layout struct {
	Heads    []HeadLayout
	Evidence bool     // rows say which words made the best label
	Columns  []string // carried along from the input
	More     bool     // rows may have other columns of the input too
}

// A HeadLayout says what the predictions of a head have.
type HeadLayout struct {
	Name    string
	Scores  bool // of more than the best label
	Targets bool // weights of targets
	Sets    bool // label sets
}

// LayoutOf asks a classifier for an answer and returns what its rows have; the
// columns that are carried along are left to the caller. It fails when the
// classifier does, so that a run which could not begin ends before it has
// written anything.
func LayoutOf(ctx context.Context, c Classifier, o Options) (Layout, error) {
	rows, err := c.Classify(ctx, []Document{{Text: "a"}})
	if err != nil {
		return Layout{}, err
	}
	if rows[0].Err != nil {
		return Layout{}, fmt.Errorf("%s: %s", rows[0].Err.Code, rows[0].Err.Message)
	}
	l := Layout{Evidence: o.Evidence > 0}
	for _, p := range rows[0].Predictions {
		l.Heads = append(l.Heads, HeadLayout{
			Name: p.Head, Scores: o.Top < 0 || o.Top > 1,
			Targets: p.TargetWeights != "", Sets: p.LabelSet != nil,
		})
	}
	return l, nil
}

// NewEncoder returns an encoder of rows that have the layout.
func NewEncoder(f Format, l Layout) (Encoder, error) {
	switch f {
	case JSONL:
		return jsonEncoder{l.Evidence}, nil
	case CSV:
		return newDelimitedEncoder(',', l), nil
	case TSV:
		return newDelimitedEncoder('\t', l), nil
	}
	return nil, fmt.Errorf("rows cannot be appended in the format %q", f)
}

// head returns the place of a head, -1 if there is no such head.
func (l Layout) head(name string) int {
	return slices.IndexFunc(l.Heads, func(h HeadLayout) bool { return h.Name == name })
}
