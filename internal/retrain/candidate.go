package retrain

import (
	"context"
	"fmt"

	"github.com/parley-nlp/parley/internal/dataset"
	"github.com/parley-nlp/parley/internal/model"
	"github.com/parley-nlp/parley/internal/train"
)

// A candidate is a model that may become the champion.
type candidate struct {
	split    *Split
	examples []dataset.Example // that it was trained on
	row      map[string]int    // of split, by place in the report
	model    *model.Model
	report   *train.Report
}

// rowFile is what training rows have for a file: the line is the row's number,
// so that the report of a training says which rows it is about.
const rowFile = "row"

// trainOn trains a model on the rows of a split that are not held out.
func trainOn(ctx context.Context, s *Split, cfg train.Config) (*candidate, error) {
	c := &candidate{split: s, row: map[string]int{}}
	for i, row := range s.List {
		if s.held[i] {
			continue
		}
		ex := row.Example
		ex.File, ex.Line = rowFile, i
		c.row[fmt.Sprintf("%s:%d", ex.File, ex.Line)] = i
		c.examples = append(c.examples, ex)
	}
	var err error
	c.model, c.report, err = train.Train(ctx, c.examples, s.Heads, cfg)
	return c, err
}
