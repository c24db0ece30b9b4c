package main

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/parley-nlp/parley/internal/train"
)

// A countShowCmd is "classifier count show".
type countShowCmd struct {
	Counts string `arg:"" name:"counts" help:"File of counts."`
	JSON   bool   `name:"json" help:"Write it as JSON."`
}

// Run shows a file of counts.
func (c *countShowCmd) Run(e *env) error {
	s, err := train.ReadStatistics(c.Counts, "")
	if err != nil {
		return err
	}
	return writeReport(e, describeCounts(c.Counts, s, s.Encode()), c.JSON)
}

// A countsReport says what a file of counts has.
type countsReport struct {
	File         string        `json:"file"`
	SHA256       string        `json:"sha256"`
	TrainingData string        `json:"training_data"`
	Counted      string        `json:"counted"` // features
	Strings      bool          `json:"strings"`
	Forgettable  bool          `json:"forgettable"`
	Bytes        int           `json:"bytes"`
	Rows         uint64        `json:"rows"`
	Features     int           `json:"features"`
	FoldRows     []uint64      `json:"rows_of_folds"`
	Heads        []countedHead `json:"heads"`
}

type countedHead struct {
	Head   string         `json:"head"`
	Labels []countedLabel `json:"labels"`
}

type countedLabel struct {
	Label string `json:"label"`
	Rows  uint64 `json:"rows"`
}

// describeCounts describes statistics and the file that they are.
func describeCounts(path string, s *train.Statistics, file []byte) *countsReport {
	sum := sha256.Sum256(file)
	r := &countsReport{
		File: path, SHA256: hex.EncodeToString(sum[:]), TrainingData: s.TrainingData(), Counted: s.Features().String(),
		Strings: s.HasStrings(), Forgettable: s.HasMarks(), Bytes: len(file), Rows: s.Rows(), Features: s.FeatureCount(), FoldRows: s.RowsOfFolds(),
	}
	for h, name := range s.Heads() {
		head := countedHead{Head: name, Labels: []countedLabel{}}
		labels, rows := s.Labels(h)
		for i, label := range labels {
			head.Labels = append(head.Labels, countedLabel{label, rows[i]})
		}
		r.Heads = append(r.Heads, head)
	}
	return r
}

// WriteText writes the report for people.
func (r *countsReport) WriteText(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(t, "counts\t%s, %d bytes\n", r.File, r.Bytes)
	fmt.Fprintf(t, "SHA-256\t%s\n", r.SHA256)
	fmt.Fprintf(t, "training data\t%s\n", r.TrainingData)
	fmt.Fprintf(t, "rows\t%d, in folds of %v\n", r.Rows, r.FoldRows)
	fmt.Fprintf(t, "features\t%d, %s%s\n", r.Features, r.Counted, map[bool]string{true: ", with what they are called"}[r.Strings])
	if !r.Forgettable {
		fmt.Fprintf(t, "forgetting\tnot possible: no marks of rows\n")
	}
	for _, h := range r.Heads {
		for i, l := range h.Labels {
			name := ""
			if i == 0 {
				name = h.Head
			}
			fmt.Fprintf(t, "%s\t%d  %q\n", name, l.Rows, l.Label)
		}
	}
	return t.Flush()
}
