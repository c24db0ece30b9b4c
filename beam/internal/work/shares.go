package work

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"path"
	"strings"

	"github.com/parley-nlp/parley/internal/model"
	"github.com/parley-nlp/parley/internal/page"
	"github.com/parley-nlp/parley/internal/prevalence"

	"github.com/parley-nlp/parley/beam/internal/place"
)

// Sums are the counts that label shares are estimated from.
type Sums struct{ Counts *prevalence.Counts }

func encodeSums(s *Sums) ([]byte, error) { return s.Counts.MarshalBinary() }

func decodeSums(b []byte) (*Sums, error) {
	s := &Sums{&prevalence.Counts{}}
	return s, s.Counts.UnmarshalBinary(b)
}

// addFn adds up counts. They are integers: the order does not matter.
type addFn struct{}

func (f *addFn) CreateAccumulator() *Sums { return &Sums{&prevalence.Counts{}} }

// MergeAccumulators adds b to a.
func (f *addFn) MergeAccumulators(a, b *Sums) (*Sums, error) {
	if b.Counts.All == nil {
		return a, nil
	}
	return a, a.Counts.Add(b.Counts)
}

// heads are what is known of the heads that answer.
func (s *Spec) heads(m *model.Model) ([]prevalence.Head, error) {
	var heads []prevalence.Head
	all := prevalence.OfModel(m)
	for _, h := range s.Layout.Heads {
		at := m.Head(h.Name)
		if at < 0 {
			return nil, fmt.Errorf("the model has no head %q", h.Name)
		}
		heads = append(heads, all[at])
	}
	return heads, nil
}

// writers are those of label shares, by the ending of the file.
var writers = map[string]func(io.Writer, string, *prevalence.Report) error{
	".json": func(w io.Writer, _ string, r *prevalence.Report) error { return r.WriteJSON(w) },
	".html": page.WriteShares,
	".htm":  page.WriteShares,
}

// writerOf is that of a file, nil when there is none for it.
func writerOf(url string) func(io.Writer, string, *prevalence.Report) error {
	return writers[strings.ToLower(path.Ext(place.Bare(url)))]
}

// CheckShares refuses a name that does not say in which format shares are written.
func CheckShares(name string) error {
	if writerOf(name) == nil {
		return fmt.Errorf("%s: want a name that ends in .json or .html", place.Bare(name))
	}
	return nil
}

// report estimates the shares.
func (s *Spec) report(ctx context.Context, c *prevalence.Counts) (*prevalence.Report, error) {
	m, err := s.Model.load(ctx)
	if err != nil {
		return nil, err
	}
	heads, err := s.heads(m)
	if err != nil {
		return nil, err
	}
	all, err := prevalence.Of(heads, prevalence.Options{By: s.By}, c)
	if err != nil {
		return nil, err
	}
	r, err := all.Report()
	if err != nil {
		return nil, err
	}
	r.Revision = s.Model.Revision
	return r, nil
}

// render makes the files of label shares.
func (s *Spec) render(ctx context.Context, c *prevalence.Counts) ([][]byte, error) {
	r, err := s.report(ctx, c)
	if err != nil {
		return nil, err
	}
	var files [][]byte
	for _, url := range s.Shares {
		var b bytes.Buffer
		if err := writerOf(url)(&b, s.Title, r); err != nil {
			return nil, err
		}
		files = append(files, b.Bytes())
	}
	return files, nil
}
