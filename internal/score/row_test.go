package score

import (
	"encoding/json"
	"testing"
)

func TestRowsAsJSON(t *testing.T) {
	for _, c := range []struct {
		name string
		row  Row
		want string
	}{
		{"predictions in the order of the heads", Row{
			ID: "1", Revision: "abc", Input: Input{Tokens: 3, KnownTokens: 2},
			Predictions: []Prediction{
				{Head: "topic", Label: "sport", Probability: 0.75, Decision: "LABELED", Scores: []Score{{"sport", 0.75}, {"money", 0.25}}},
				{Head: "a stance", Decision: "AMBIGUOUS", Probability: 0.5, Scores: []Score{{"con", 0.5}}, Evidence: []Evidence{{"goal", 1}}},
			},
		}, `{"id":"1","predictions":{` +
			`"topic":{"label":"sport","probability":0.75,"decision":"LABELED","scores":[{"label":"sport","probability":0.75},{"label":"money","probability":0.25}]},` +
			`"a stance":{"label":"","probability":0.5,"decision":"AMBIGUOUS","scores":[{"label":"con","probability":0.5}]}},` +
			`"input":{"tokens":3,"known_tokens":2},"revision":"abc"}`},
		{"targets and label sets", Row{
			ID: "1", Revision: "abc",
			Predictions: []Prediction{
				{Head: "topic", Label: "sport", Probability: 1, Decision: "LABELED", Scores: []Score{{"sport", 1}}, LabelSet: []string{"money", "sport"}, Coverage: 0.9},
				{Head: "stance", Label: "con", Probability: 1, Decision: "LABELED", Scores: []Score{{"con", 1}}, TargetWeights: PerTarget},
				{Head: "tone", Label: "dry", Probability: 1, Decision: "LABELED", Scores: []Score{{"dry", 1}}, TargetWeights: Pooled, LabelSet: []string{}, Coverage: 0.9},
			},
		}, `{"id":"1","predictions":{` +
			`"topic":{"label":"sport","probability":1,"decision":"LABELED","scores":[{"label":"sport","probability":1}],"label_set":["money","sport"]},` +
			`"stance":{"label":"con","probability":1,"decision":"LABELED","scores":[{"label":"con","probability":1}],"target_weights":"PER_TARGET"},` +
			`"tone":{"label":"dry","probability":1,"decision":"LABELED","scores":[{"label":"dry","probability":1}],"target_weights":"POOLED","label_set":[]}},` +
			`"input":{"tokens":0,"known_tokens":0},"revision":"abc"}`},
		{"no heads", Row{ID: "2", Revision: "abc"}, `{"id":"2","predictions":{},"input":{"tokens":0,"known_tokens":0},"revision":"abc"}`},
		{"a text that was cut", Row{Input: Input{Truncated: true}}, `{"id":"","predictions":{},"input":{"tokens":0,"known_tokens":0,"truncated":true},"revision":""}`},
		{"an error alone", Row{ID: "3", Revision: "abc", Err: invalid("no")}, `{"id":"3","error":{"code":"INVALID_ARGUMENT","message":"no"}}`},
		{"markup as it is", Row{ID: "<a> & b", Err: invalid("<b> & c")}, `{"id":"<a> & b","error":{"code":"INVALID_ARGUMENT","message":"<b> & c"}}`},
		{"escapes", Row{ID: "\x00\n\"\\\u2028\U0001f600é", Err: invalid("")}, `{"id":"\u0000\n\"\\\u2028😀é","error":{"code":"INVALID_ARGUMENT","message":""}}`},
		{"a head of odd characters", Row{Predictions: []Prediction{{Head: "<\"&\u2029>", Label: "<l>", Scores: []Score{{"&", 1}}}}},
			`{"id":"","predictions":{"<\"&\u2029>":{"label":"<l>","probability":0,"decision":"","scores":[{"label":"&","probability":1}]}},"input":{"tokens":0,"known_tokens":0},"revision":""}`},
	} {
		got, err := c.row.MarshalJSON()
		if err != nil || string(got) != c.want || !json.Valid(got) {
			t.Errorf("%s: got %s, error %v, want %s", c.name, got, err, c.want)
		}
	}
}

func TestRound(t *testing.T) {
	for _, c := range []struct{ p, want float64 }{
		{0, 0}, {1, 1}, {0.1234564, 0.123456}, {0.1234567, 0.123457}, {0.99999951, 1}, {4e-7, 0}, {6e-7, 1e-6},
	} {
		if got := round(c.p); got != c.want {
			t.Errorf("round(%v) = %v, want %v", c.p, got, c.want)
		}
	}
}
