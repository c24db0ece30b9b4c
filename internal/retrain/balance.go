package retrain

import (
	"fmt"

	"github.com/parley-nlp/parley/internal/dataset"
	"github.com/parley-nlp/parley/internal/judge"
)

const (
	// balanceFrom is how many new labels it takes to speak of shares.
	balanceFrom = 30
	// balanceFactor is by how much a share must differ to be told.
	balanceFactor = 2
)

// imbalances tells of labels whose share among the labels given since a position
// differs greatly from their share before: the 95% interval of the new share
// leaves out twice or half the old one. New labels may be so for good reasons,
// such as being corrections; the prior of the next model follows them.
func (s *Split) imbalances(since int64) []string {
	var warnings []string
	for h, head := range s.Heads {
		before, after := map[string]int{}, map[string]int{}
		old, recent := 0, 0
		for i := range s.List {
			r := &s.List[i]
			switch {
			case r.Labels[h] == "":
			case r.Given[h].newest() > since:
				after[r.Labels[h]]++
				recent++
			default:
				before[r.Labels[h]]++
				old++
			}
		}
		if recent < balanceFrom || old < balanceFrom {
			continue
		}
		for _, label := range dataset.LabelsOf(s.examples(), h) {
			was := float64(before[label]) / float64(old)
			now := judge.NewShare(after[label], recent)
			if now.Interval.Low > balanceFactor*was || now.Interval.High < was/balanceFactor {
				warnings = append(warnings, fmt.Sprintf("%s: label %q has %.1f%% of the %d new labels (95%% interval %.1f to %.1f), and had %.1f%% before",
					head, label, 100*now.Share, recent, 100*now.Interval.Low, 100*now.Interval.High, 100*was))
			}
		}
	}
	return warnings
}
