package serve

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/emptypb"

	parleyv1 "github.com/parley-nlp/parley/proto/parley/v1"
)

// renderStance writes the prediction of stance as
// "PER_TARGET LABELED con, threshold 0.25: con 0.7 neutral 0.2 pro 0.1 {con neutral}".
func renderStance(c *parleyv1.Classification) string {
	p := c.GetPredictions()[1]
	s := fmt.Sprintf("%s %s", strings.TrimPrefix(p.GetTargetWeights().String(), "TARGET_WEIGHTS_"), strings.TrimPrefix(p.GetDecision().String(), "DECISION_"))
	if p.GetLabel() != "" {
		s += " " + p.GetLabel()
	}
	s += fmt.Sprintf(", threshold %v:", p.GetAppliedMinProbability())
	for _, l := range p.GetScores() {
		s += fmt.Sprintf(" %s %.3f", l.GetLabel(), l.GetProbability())
	}
	return s + " {" + strings.Join(p.GetLabelSet(), " ") + "}"
}

// "great" gives raw scores of -2, 0, 4 with the weights of all targets, and of
// 5, 0, -2 about the oil price; the inverse temperatures are 0.5 and 0.25.
func TestTargets(t *testing.T) {
	s := start(t, Config{}, newTargetModel(t))
	const (
		pooled = "POOLED LOW_CONFIDENCE, threshold 0.875: pro 0.844 neutral 0.114 con 0.042 {pro}"
		oil    = "PER_TARGET LABELED con, threshold 0.25: con 0.685 neutral 0.196 pro 0.119 {con}"
	)
	for _, test := range []struct{ name, text, target, want string }{
		{"absent", "great", "", pooled},
		{"unknown", "great", "rain", pooled},
		{"part of a name", "great", "oil", pooled},
		{"white space", "great", " \t", pooled},
		{"known", "great", "oil price", oil},
		{"in capitals, with more white space", "great", "\u00a0OIL \n Price ", oil},
		{"composed otherwise", "the", "STRASSE 1 U\u0308", "POOLED LOW_CONFIDENCE, threshold 0.625: neutral 0.452 con 0.274 pro 0.274 {con}"},
		{"composed otherwise, known", "the", "Straße 1 U\u0308", "PER_TARGET LOW_CONFIDENCE, threshold 0.625: neutral 0.481 pro 0.292 con 0.227 {con pro}"},
		{"nothing is likely enough", "the the", "straße 1 ü", "PER_TARGET LOW_CONFIDENCE, threshold 0.625: neutral 0.604 pro 0.222 con 0.173 {}"},
		{"no evidence: the prior of the target", "qwrtzx", "oil price", "PER_TARGET NO_EVIDENCE, threshold 0.875: pro 0.750 con 0.125 neutral 0.125 {pro}"},
		{"no evidence: the prior of all", "qwrtzx", "rain", "POOLED NO_EVIDENCE, threshold 0.25: con 0.500 neutral 0.250 pro 0.250 {con}"},
	} {
		c := s.classifyAbout(t, test.text, test.target, &parleyv1.ClassifyOptions{TopK: -1})
		if got := renderStance(c); got != test.want {
			t.Errorf("%s:\n got %s\nwant %s", test.name, got, test.want)
		}
		topic := c.GetPredictions()[0]
		if topic.GetTargetWeights() != parleyv1.TargetWeights_TARGET_WEIGHTS_NONE || topic.GetLabelSetCoverage() != 0 || len(topic.GetLabelSet()) != 0 {
			t.Errorf("%s: topic has %v and the label set %q, want none of them", test.name, topic.GetTargetWeights(), topic.GetLabelSet())
		}
		if got := c.GetPredictions()[1].GetLabelSetCoverage(); got != 0.9 {
			t.Errorf("%s: coverage %v, want 0.9", test.name, got)
		}
	}
}

// A request's threshold takes the place of the head's and of its labels'; a
// margin does not. Label sets stay what they are.
func TestThresholdsOfLabels(t *testing.T) {
	s := start(t, Config{}, newTargetModel(t))
	for _, test := range []struct {
		name, text string
		options    *parleyv1.ClassifyOptions
		want       string
	}{
		{"below the label's own", "great", &parleyv1.ClassifyOptions{}, "POOLED LOW_CONFIDENCE, threshold 0.875: pro 0.844 {pro}"},
		{"above it", "great great", &parleyv1.ClassifyOptions{}, "POOLED LABELED pro, threshold 0.875: pro 0.987 {pro}"},
		{"a label without one", "terrible", &parleyv1.ClassifyOptions{}, "POOLED LABELED con, threshold 0.25: con 0.844 {con}"},
		{"the request's is lower", "great", &parleyv1.ClassifyOptions{MinProbability: proto.Float64(0.8)}, "POOLED LABELED pro, threshold 0.8: pro 0.844 {pro}"},
		{"none by the request", "the", &parleyv1.ClassifyOptions{MinProbability: proto.Float64(0)}, "POOLED LABELED neutral, threshold 0: neutral 0.452 {con}"},
		{"the request's is higher", "terrible", &parleyv1.ClassifyOptions{MinProbability: proto.Float64(0.9)}, "POOLED LOW_CONFIDENCE, threshold 0.9: con 0.844 {con}"},
		{"a margin alone", "great", &parleyv1.ClassifyOptions{MinMargin: proto.Float64(0.1)}, "POOLED LOW_CONFIDENCE, threshold 0.875: pro 0.844 {pro}"},
	} {
		if got := renderStance(s.classify(t, test.text, test.options)); got != test.want {
			t.Errorf("%s:\n got %s\nwant %s", test.name, got, test.want)
		}
	}
}

// The probabilities are the softmax of the raw scores, as the .proto files say,
// with what ModelService tells of the revision.
func TestRawScoresAreLogits(t *testing.T) {
	s := start(t, Config{}, newTargetModel(t))
	resp, err := s.models.GetModelRevision(t.Context(), &parleyv1.GetModelRevisionRequest{Name: "models/default/revisions/live"})
	if err != nil {
		t.Fatal(err)
	}
	revision := resp.GetModelRevision()
	for _, target := range []string{"", "rain", "oil price", "straße 1 ü"} {
		for _, text := range []string{"great", "the great goal", "terrible shares, late goal", "Über"} {
			for h, p := range s.classifyAbout(t, text, target, &parleyv1.ClassifyOptions{TopK: -1}).GetPredictions() {
				head := revision.GetHeads()[h]
				inverse := head.GetInverseTemperature()
				if p.GetTargetWeights() == parleyv1.TargetWeights_TARGET_WEIGHTS_PER_TARGET {
					inverse = head.GetTargetInverseTemperature()
				}
				checkSoftmax(t, p, math.Ldexp(inverse, int(revision.GetScoreUnitLog2())))
			}
		}
	}
}

// checkSoftmax fails unless the probabilities are the softmax of scale times the
// raw scores.
func checkSoftmax(t *testing.T, p *parleyv1.HeadPrediction, scale float64) {
	t.Helper()
	sum := 0.0
	for _, l := range p.GetScores() {
		sum += math.Exp(scale * float64(l.GetRawScore()))
	}
	for _, l := range p.GetScores() {
		if want := math.Exp(scale*float64(l.GetRawScore())) / sum; math.Abs(l.GetProbability()-want) > 1e-9 {
			t.Errorf("%s %s: probability %v, the raw scores give %v", p.GetHead(), l.GetLabel(), l.GetProbability(), want)
		}
	}
}

// The evidence adds up with the weights and the bias of a target too.
func TestEvidenceAboutATarget(t *testing.T) {
	s := start(t, Config{}, newTargetModel(t))
	for _, target := range []string{"", "oil price", "straße 1 ü"} {
		const text = "the great, great late goal"
		c := s.classifyAbout(t, text, target, &parleyv1.ClassifyOptions{TopK: -1, MaxEvidenceTerms: 1})
		checkClassification(t, c, text, 1)
	}
	c := s.classifyAbout(t, "great", "oil price", &parleyv1.ClassifyOptions{Heads: []string{"stance"}, MaxEvidenceTerms: 9})
	e := c.GetPredictions()[0].GetEvidence()[0]
	if e.GetLabel() != "con" || e.GetBias() != nat || len(e.GetTerms()) != 1 || e.GetTerms()[0].GetContribution() != 4*nat {
		t.Errorf("got %v, want con with a bias of 1 nat and one term of 4", e)
	}
}

// Every item of a batch has a target of its own.
func TestTargetsOfABatch(t *testing.T) {
	s := start(t, Config{}, newTargetModel(t))
	targets := []string{"oil price", "", "rain", "straße 1 ü", strings.Repeat("ü", 129), "oil price"}
	req := batch("great", "great", "the", "the", "great", "")
	for i, target := range targets {
		req.Items[i].Document.Target = target
	}
	resp, err := s.client.BatchClassify(t.Context(), req)
	if err != nil || resp.GetErrorCount() != 2 {
		t.Fatalf("%d errors and %v, want 2", resp.GetErrorCount(), err)
	}
	for i, got := range resp.GetResults() {
		single, err := s.client.Classify(t.Context(), &parleyv1.ClassifyRequest{Document: req.Items[i].Document})
		want := single.GetClassification()
		if want != nil {
			want.ComputeTime = got.GetClassification().GetComputeTime()
		}
		if !proto.Equal(got.GetClassification(), want) || refusal(status.FromProto(got.GetError()).Err()) != refusal(err) {
			t.Errorf("%.20q:\n got %v\nwant %v and %v", targets[i], got, want, err)
		}
	}
}

func TestLongTargets(t *testing.T) {
	s := start(t, Config{}, newTargetModel(t))
	about := func(target string) *parleyv1.ClassifyRequest {
		return &parleyv1.ClassifyRequest{Document: &parleyv1.Document{Text: "great", Target: target}}
	}
	for _, target := range []string{strings.Repeat("t", 256), strings.Repeat("ü", 128)} {
		if _, err := s.client.Classify(t.Context(), about(target)); err != nil {
			t.Errorf("%d bytes: %v", len(target), err)
		}
	}
	for _, target := range []string{strings.Repeat("t", 257), strings.Repeat("ü", 129), strings.Repeat("secret ", 1<<18)} {
		req := about(target)
		checkInvalid(t, s.conn.Invoke(t.Context(), classifyMethod, req, &emptypb.Empty{}), req, "document.target")
		if event := s.log.last(t); event["error"] != "INVALID_FIELD document.target" {
			t.Errorf("logged %v", event)
		}
	}
}

// A head without targets and label sets says so.
func TestWithoutTargets(t *testing.T) {
	s := start(t, Config{}, newModel(t, 1))
	for _, p := range s.classifyAbout(t, "great goal", "oil price", nil).GetPredictions() {
		if p.GetTargetWeights() != parleyv1.TargetWeights_TARGET_WEIGHTS_NONE || p.GetLabelSetCoverage() != 0 || len(p.GetLabelSet()) != 0 {
			t.Errorf("%s has %v and the label set %q, want none of them", p.GetHead(), p.GetTargetWeights(), p.GetLabelSet())
		}
	}
}
