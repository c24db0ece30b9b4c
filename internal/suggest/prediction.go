package suggest

import (
	"encoding/json"

	"github.com/parley-nlp/parley/internal/model"
)

// A Prediction is an answer as rows of "classifier score" and of the prediction log
// have it, under the name of its head.
type Prediction struct {
	Label       string  `json:"label"`
	Probability float64 `json:"probability"`
	Scores      []Score `json:"scores"`
}

// listedScores is how many labels of an answer are listed.
const listedScores = 10

// Predictions are answers by head, probabilities to six decimals.
func Predictions(answers []Answer) map[string]Prediction {
	all := map[string]Prediction{}
	for _, a := range answers {
		var scores []Score
		for _, s := range a.Scores[:min(listedScores, len(a.Scores))] {
			scores = append(scores, Score{s.Label, model.Millionths(s.Probability)})
		}
		all[a.Head] = Prediction{scores[0].Label, scores[0].Probability, scores}
	}
	return all
}

// ParseAnswers reads the predictions of a row. Heads without scores have none.
func ParseAnswers(data []byte) ([]Answer, error) {
	var all map[string]Prediction
	if err := json.Unmarshal(data, &all); err != nil {
		return nil, err
	}
	var answers []Answer
	for head, p := range all { // they are looked up by head
		if len(p.Scores) > 0 {
			answers = append(answers, Answer{head, p.Scores})
		}
	}
	return answers, nil
}
