package train

import (
	"cmp"
	"slices"

	"github.com/parley-nlp/parley/internal/model"
)

// DefaultBudget is the work of a search that a training run may do: see
// candidate.work. It is about a minute of one core.
const DefaultBudget = 4 << 30

// maxScoreCells bounds the scores that a search keeps: examples x labels x
// candidates.
const maxScoreCells = 1 << 28

// work is about how many table cells are visited to judge the candidate on one
// fold: entries (features of all texts) times columns times passes. It is
// counted, not timed, so that what is tried does not depend on the machine.
func (c candidate) work(size spaceSize, labels int64) int64 {
	if !c.Estimator.linear() {
		return size.entries*(2+labels/4) + size.rows*labels/2
	}
	columns := labels
	if labels == 2 {
		columns = 1
	}
	return size.entries*(4+2*columns)*linearPasses*3/4 + size.rows*columns
}

// affordable returns the candidates that the search can judge within the
// budget, in their order, and how many it left out. Preferred are low tiers,
// then those that take little work.
func (t *task) affordable(candidates []candidate, budget int64) ([]candidate, int) {
	if budget == 0 {
		budget = DefaultBudget
	}
	sizes := t.sizes(candidates)
	works := make([]int64, len(candidates))
	order := make([]int, len(candidates))
	for i, c := range candidates {
		works[i] = c.work(sizes[c.Features], int64(len(t.labels)))
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		return cmp.Or(cmp.Compare(candidates[a].tier, candidates[b].tier), cmp.Compare(works[a], works[b]))
	})
	most := max(1, maxScoreCells/max(1, len(t.examples)*len(t.labels)))
	in, used := map[int]bool{}, int64(0)
	for _, i := range order {
		if len(in) == most {
			break
		}
		// The rounds after the first take about as much again.
		if len(in) == 0 || used+2*works[i] <= budget {
			in[i] = true
			used += 2 * works[i]
		}
	}
	var kept []candidate
	for i, c := range candidates {
		if in[i] {
			kept = append(kept, c)
		}
	}
	return kept, len(candidates) - len(kept)
}

// A spaceSize is how much there is of a feature set.
type spaceSize struct{ entries, rows int64 } // features of all texts, and different ones

// sizes measures the feature sets of candidates.
func (t *task) sizes(candidates []candidate) map[model.Features]spaceSize {
	var byKind [model.MaxWords + 1]spaceSize
	for row, k := range t.kinds {
		byKind[k.words].entries += int64(t.texts[row])
		byKind[k.words].rows++
	}
	sizes := map[model.Features]spaceSize{}
	for _, c := range candidates {
		if _, ok := sizes[c.Features]; ok {
			continue
		}
		var sum spaceSize
		for words, of := range byKind {
			if (kind{words: uint8(words)}).in(c.Features) {
				sum.entries += of.entries
				sum.rows += of.rows
			}
		}
		sizes[c.Features] = sum
	}
	return sizes
}
