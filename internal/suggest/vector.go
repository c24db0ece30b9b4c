package suggest

import (
	"github.com/parley-nlp/parley/internal/exact"
	"github.com/parley-nlp/parley/internal/model"
)

// A vector is a text as its words, weighted by TF-IDF, of length 1.
type vector struct {
	words  []int // numbers
	values []float64
}

// vectorise returns the vectors of texts, and how many different words they have.
// A word that is tf times in a text and in df of n texts weighs
// (1 + ln tf) (1 + ln((n + 1) / (df + 1))).
func vectorise(texts []string) ([]vector, int) {
	x, err := model.NewExtractor(model.Features{Words: 1}, 0)
	if err != nil {
		panic(err) // a constant that NewExtractor takes
	}
	numbers := map[model.FeatureID]int{}
	var df []int
	vectors := make([]vector, len(texts))
	for i, text := range texts {
		v, at := &vectors[i], map[int]int{}
		for _, f := range x.Extract(text) {
			if !f.Counted {
				continue
			}
			word, known := numbers[f.ID]
			if !known {
				word = len(df)
				numbers[f.ID], df = word, append(df, 0)
			}
			j, again := at[word]
			if !again {
				j = len(v.words)
				at[word] = j
				v.words, v.values = append(v.words, word), append(v.values, 0)
				df[word]++
			}
			v.values[j]++ // tf, for now
		}
	}
	for _, v := range vectors {
		for j, word := range v.words {
			idf := 1 + exact.Log(float64(len(texts)+1)/float64(df[word]+1))
			v.values[j] = (1 + exact.Log(v.values[j])) * idf
		}
		normalise(v.values)
	}
	return vectors, len(df)
}
