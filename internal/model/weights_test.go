package model

import (
	"math"
	"slices"
	"testing"
)

// TestWeightsAreWhatAWordAdds compares them with the scores of texts of one word.
func TestWeightsAreWhatAWordAdds(t *testing.T) {
	f := Features{Words: 1}
	for _, m := range []*Model{tiny(t, f, "goal scored", "shares fell"), aimed(t, f, "goal scored", "shares fell")} {
		ids := featureIDs(t, f, "goal scored", "shares fell")
		if m.FeatureCount() != len(ids) {
			t.Fatalf("%d features, want %d", m.FeatureCount(), len(ids))
		}
		for _, word := range []string{"goal", "scored", "shares", "fell"} {
			i := slices.Index(ids, wordID(t, word))
			if m.FeatureID(i) != ids[i] {
				t.Errorf("feature %d is %x, want %x", i, m.FeatureID(i), ids[i])
			}
			r := m.NewClassifier().Classify(word, "")
			for h, p := range r.Predictions {
				weights := m.AppendWeights([]float64{7}, i, h)
				if len(weights) != 1+len(p.Raw) || weights[0] != 7 {
					t.Fatalf("weights %v", weights)
				}
				for l, raw := range p.Raw {
					want := math.Ldexp(float64(raw-m.Heads()[h].Bias[l]), -ScoreBits)
					if weights[1+l] != want {
						t.Errorf("%s: head %d, label %d: %v, want %v", word, h, l, weights[1+l], want)
					}
				}
			}
		}
	}
}
