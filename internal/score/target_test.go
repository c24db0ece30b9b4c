package score

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"
)

// about returns documents about one target.
func about(target string, texts ...string) []Document {
	var documents []Document
	for _, text := range texts {
		documents = append(documents, Document{text, target})
	}
	return documents
}

// stance writes what a row says of the stance as "LABELED pro 0.982 POOLED [pro]".
func stance(row Row) string {
	p := row.Predictions[1]
	return strings.Join(strings.Fields(fmt.Sprintf("%s %s %.3f %s %v", p.Decision, p.Label, p.Probability, p.TargetWeights, p.LabelSet)), " ")
}

// The answers of a local model and of a server, evidence included, about known
// and unknown targets.
func TestTargets(t *testing.T) {
	m := targetModel(t)
	c := startWith(t, m)
	for _, test := range []struct {
		text, target string
		options      Options
		want         string
	}{
		{"great", "", Options{}, "LABELED pro 0.867 POOLED [pro]"},
		{"great", "the rain", Options{}, "LABELED pro 0.867 POOLED [pro]"},
		{"great", "The  PLAN", Options{}, "LABELED neutral 0.480 PER_TARGET [neutral pro]"},
		{"great", "the rivals", Options{}, "LABELED con 0.574 PER_TARGET [con]"},
		{"terrible", "the rivals", Options{}, "LOW_CONFIDENCE 0.574 PER_TARGET [pro]"},
		{"terrible", "the rivals", Options{MinProbability: ptr(0.5)}, "LABELED pro 0.574 PER_TARGET [pro]"},
		{"terrible", "the rivals", Options{MinProbability: ptr(0)}, "LABELED pro 0.574 PER_TARGET [pro]"},
		{"terrible", "the rivals", Options{MinProbability: ptr(0.6)}, "LOW_CONFIDENCE 0.574 PER_TARGET [pro]"},
		{"terrible", "the rivals", Options{MinProbability: ptr(0), MinMargin: 0.9}, "AMBIGUOUS 0.574 PER_TARGET [pro]"},
		{"said", "", Options{}, "LABELED con 0.333 POOLED [con pro]"},
		{"qwrtz", "the plan", Options{}, "NO_EVIDENCE 0.500 PER_TARGET [con neutral pro]"},
	} {
		test.options.Evidence, test.options.Top = 5, -1
		documents := about(test.target, test.text)
		local, err := mustLocalWith(t, m, test.options).Classify(context.Background(), documents)
		if err != nil {
			t.Fatal(err)
		}
		remote, err := mustRemote(t, c, test.options).Classify(context.Background(), documents)
		if err != nil {
			t.Fatal(err)
		}
		if got := stance(local[0]); got != test.want {
			t.Errorf("%s about %q, %+v: got %s, want %s", test.text, test.target, test.options, got, test.want)
		}
		if !reflect.DeepEqual(local, remote) {
			t.Errorf("%s about %q: remote %+v, local %+v", test.text, test.target, remote, local)
		}
	}
}

// The output names weights only for heads with targets, and sets only for heads
// that have any.
func TestTargetsAndSetsInTheOutput(t *testing.T) {
	file := `{"text": "great goal", "target": "the rivals"}` + "\n" + `{"text": "great goal"}` + "\n"
	lines, _, err := run(mustLocalWith(t, targetModel(t), Options{}), file)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{
		`"stance":{"label":"con","probability":0.574097,"decision":"LABELED","scores":[{"label":"con","probability":0.574097}],"target_weights":"PER_TARGET","label_set":["con"]}`,
		`"stance":{"label":"pro","probability":0.866813,"decision":"LABELED","scores":[{"label":"pro","probability":0.866813}],"target_weights":"POOLED","label_set":["pro"]}`,
	} {
		var row struct{ Predictions map[string]json.RawMessage }
		if err := json.Unmarshal([]byte(lines[i]), &row); err != nil {
			t.Fatal(err)
		}
		if got := `"stance":` + string(row.Predictions["stance"]); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
		if topic := string(row.Predictions["topic"]); strings.Contains(topic, "target_weights") || strings.Contains(topic, "label_set") {
			t.Errorf("topic has no targets and sets, but %s", topic)
		}
	}
	lines, _, err = run(mustLocal(t, Options{}), file)
	if all := strings.Join(lines, ""); err != nil || strings.Contains(all, "target_weights") || strings.Contains(all, "label_set") {
		t.Errorf("the model has no targets and sets, but got %s, error %v", all, err)
	}
}

// A target that is too long is an error of its row, and with a server of its
// document.
func TestLongTargets(t *testing.T) {
	long := strings.Repeat("é", 129)
	file := fmt.Sprintf("{\"text\": \"great\", \"target\": %q}\n{\"text\": \"great\", \"target\": %q}\n", long[:256], long)
	lines, s, err := run(mustLocalWith(t, targetModel(t), Options{}), file)
	if err != nil || s != (count{Rows: 2, Errors: 1}) {
		t.Fatalf("got %+v, error %v, want 2 rows of which 1 error", s, err)
	}
	if want := `{"id":"f0.jsonl:2","error":{"code":"INVALID_ARGUMENT","message":"f0.jsonl:2: the target has 258 bytes, the limit is 256"}}`; lines[1] != want {
		t.Errorf("got %s, want %s", lines[1], want)
	}
	rows, err := mustRemote(t, startWith(t, targetModel(t)), Options{}).Classify(context.Background(), []Document{{"great", long}, {"great", "the plan"}, {"great", "\xff"}})
	if err != nil || rows[0].Err == nil || rows[0].Err.Code != "INVALID_ARGUMENT" || rows[1].Err != nil {
		t.Errorf("got %+v, error %v, want an error of the first document", rows, err)
	}
	if got := rows[2].Err; got == nil || *got != (Error{"INVALID_ARGUMENT", "the target is not valid UTF-8"}) {
		t.Errorf("got %+v, want an error of the last document", got)
	}
}
