package serve

import (
	"bufio"
	"encoding/json"
	"os"
	"regexp"
	"testing"

	"google.golang.org/grpc/metadata"

	"github.com/parley-nlp/parley/internal/predictionlog"
	parleyv1 "github.com/parley-nlp/parley/proto/parley/v1"
)

// A kept is a row of the prediction log as a reader of JSON sees it.
type kept struct {
	ID, Text, Target, Revision string
	RequestID                  string `json:"request_id"`
	Predictions                map[string]struct {
		Label, Decision string
		Probability     float64
		Scores          []struct {
			Label       string
			Probability float64
		}
		TargetWeights string   `json:"target_weights"`
		LabelSet      []string `json:"label_set"`
	}
	Input struct {
		Tokens, KnownTokens int
		Truncated           bool
	}
	Share float64 `json:"selection_probability"`
}

func readKept(t *testing.T, path string) []kept {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var rows []kept
	for lines := bufio.NewScanner(f); lines.Scan(); {
		var r kept
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			t.Fatalf("%s: %v", lines.Bytes(), err)
		}
		rows = append(rows, r)
	}
	return rows
}

// What the log keeps is what was answered, with the scores of all labels
// whatever the caller asked for, and nothing of what could not be answered.
func TestPredictionLog(t *testing.T) {
	log, path := newPredictionLog(t, predictionlog.Config{Share: 1, Redact: []*regexp.Regexp{regexp.MustCompile("secret")}})
	m := newTargetModel(t)
	s := start(t, Config{MaxDocumentBytes: 30, Telemetry: Telemetry{Predictions: log}}, m)
	ctx := metadata.AppendToOutgoingContext(t.Context(), "x-request-id", "mine")
	req := request("great goal", nil)
	req.Document.Target = "Oil  price"
	answer, err := s.client.Classify(ctx, req)
	if err != nil {
		t.Fatal(err)
	}
	long := &parleyv1.ClassifyOptions{Truncation: parleyv1.Truncation_TRUNCATION_KEEP_HEAD, Heads: []string{"stance"}}
	items := batch("great goal", "", "the secret shares", "shares shares shares shares shares shares")
	items.Options = long
	many, err := s.client.BatchClassify(ctx, items)
	if err != nil {
		t.Fatal(err)
	}
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
	rows := readKept(t, path)
	if len(rows) != 4 {
		t.Fatalf("%d rows, want 4: %+v", len(rows), rows)
	}
	one := rows[0]
	if one.ID != "mine" || one.RequestID != "mine" || one.Text != "great goal" || one.Target != "Oil  price" || one.Revision != m.Revision() || one.Share != 1 {
		t.Errorf("kept %+v", one)
	}
	for _, want := range answer.GetClassification().GetPredictions() {
		got := one.Predictions[want.GetHead()]
		if got.Label != want.GetLabel() || "DECISION_"+got.Decision != want.GetDecision().String() || len(got.Scores) < 2 ||
			!close6(got.Probability, want.GetScores()[0].GetProbability()) || got.Scores[0].Probability != got.Probability {
			t.Errorf("kept %+v, answered %v", got, want)
		}
	}
	if got := one.Predictions["stance"]; got.TargetWeights != "PER_TARGET" || got.LabelSet == nil || one.Predictions["topic"].LabelSet != nil {
		t.Errorf("kept %+v, want weights of the target and a label set", got)
	}
	for i, want := range []struct {
		id, text string
		cut      bool
	}{{"mine/0", "great goal", false}, {"mine/2", "the [redacted] shares", false}, {"mine/3", "shares shares shares shares sh", true}} {
		got := rows[i+1]
		if got.ID != want.id || got.Text != want.text || got.Input.Truncated != want.cut || len(got.Predictions) != 1 {
			t.Errorf("kept %+v, want %+v", got, want)
		}
	}
	if p := rows[1].Predictions["stance"]; p.Label != many.GetResults()[0].GetClassification().GetPredictions()[0].GetLabel() {
		t.Errorf("kept the label %s", p.Label)
	}
}

// close6 compares what was rounded to six decimals.
func close6(a, b float64) bool { return a-b < 1e-6 && b-a < 1e-6 }

// A log that cannot be written fails no call.
func TestPredictionLogOnAFullDisk(t *testing.T) {
	log, err := predictionlog.Open(predictionlog.Config{Path: "/dev/full", Share: 1, MaxBytes: 1 << 20})
	if err != nil {
		t.Fatal(err)
	}
	s := start(t, Config{Telemetry: Telemetry{Predictions: log}}, newModel(t, 1))
	for range 20 {
		s.classify(t, "great goal", nil)
	}
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
	s.classify(t, "great goal", nil) // dropped
	checkSeries(t, s.scrape(t), map[string]float64{
		`parley_prediction_log_rows_total{outcome="written"}`: 0,
		`parley_prediction_log_rows_total{outcome="failed"}`:  20,
		`parley_prediction_log_rows_total{outcome="dropped"}`: 1,
		`parley_calls_total{code="OK",method="Classify"}`:     21,
	})
}
