package train

import (
	"encoding/hex"

	"github.com/parley-nlp/parley/internal/dataset"
)

// DataSum is the SHA-256 over what examples say, in any order: that which a model
// trained on them has as its TrainingData.
func DataSum(examples []dataset.Example, heads []string) string {
	sums := contentSums(examples)
	sum := dataSum(heads, sums, byContent(sums))
	return hex.EncodeToString(sum[:])
}

// ContentSum is a SHA-256 of what an example says: its text, group, target and
// labels. Train sees examples in the order of these.
func ContentSum(ex dataset.Example) [32]byte { return contentSum(ex) }

// Components numbers what must stay on one side of every split: examples of one
// group, and examples whose texts are equal or near-duplicates, belong together.
func Components(examples []dataset.Example) []int { return groups(examples) }
