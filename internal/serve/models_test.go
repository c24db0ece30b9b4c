package serve

import (
	"slices"
	"testing"

	"google.golang.org/protobuf/proto"

	parleyv1 "github.com/parley-nlp/parley/proto/parley/v1"
)

func TestModels(t *testing.T) {
	m := newModel(t, 1)
	s := start(t, Config{ModelName: "summit"}, m)
	model := &parleyv1.Model{Name: "models/summit", Aliases: map[string]string{"live": m.Revision()}}
	list, err := s.models.ListModels(t.Context(), &parleyv1.ListModelsRequest{PageSize: 1})
	if want := (&parleyv1.ListModelsResponse{Models: []*parleyv1.Model{model}}); err != nil || !proto.Equal(list, want) {
		t.Errorf("list: got %v and %v, want %v", list, err, want)
	}
	got, err := s.models.GetModel(t.Context(), &parleyv1.GetModelRequest{Name: "models/summit"})
	if want := (&parleyv1.GetModelResponse{Model: model}); err != nil || !proto.Equal(got, want) {
		t.Errorf("get: got %v and %v, want %v", got, err, want)
	}
}

func TestRevisions(t *testing.T) {
	m := newModel(t, 1)
	s := start(t, Config{ModelName: "summit"}, m)
	want := &parleyv1.ModelRevision{
		Name:               "models/summit/revisions/" + m.Revision(),
		ArtifactSha256:     m.Revision(),
		TrainingDataSha256: m.TrainingData(),
		Heads: []*parleyv1.Head{
			{Id: "topic", Labels: []string{"money", "sport"}, DocumentCounts: []int64{2, 1}, InverseTemperature: 1, TargetInverseTemperature: 1},
			{Id: "stance", Labels: []string{"con", "neutral", "pro"}, DocumentCounts: []int64{1, 0, 1}, MinProbability: 0.5,
				InverseTemperature: 0.5, TargetInverseTemperature: 1},
		},
		Evaluations: []*parleyv1.Evaluation{{
			Head: "stance", ExampleCount: 9, Accuracy: 0.75, MacroF1: 0.5, MajorityAccuracy: 0.25,
			ExpectedCalibrationError: 0.125, ExpectedCalibrationErrorIfPerfect: 0.0625, NegativeLogLikelihood: 1.5, BrierScore: 0.375,
			LearningCurve: []*parleyv1.LearningPoint{{ExampleCount: 3, Accuracy: 0.5, MacroF1: 0.25}, {ExampleCount: 7, Accuracy: 0.75, MacroF1: 0.5}},
		}},
		ArtifactBytes: int64(len(m.Bytes())),
		FeatureCount:  int64(len(vocabulary)),
		ScoreUnitLog2: -20,
		State:         parleyv1.RevisionState_REVISION_STATE_READY,
		MemoryBytes:   m.MemoryBytes(),
	}
	list, err := s.models.ListModelRevisions(t.Context(), &parleyv1.ListModelRevisionsRequest{Parent: "models/summit"})
	if wantList := (&parleyv1.ListModelRevisionsResponse{ModelRevisions: []*parleyv1.ModelRevision{want}}); err != nil || !proto.Equal(list, wantList) {
		t.Errorf("list: got %v and %v, want %v", list, err, wantList)
	}
	for _, id := range []string{"live", m.Revision()} {
		got, err := s.models.GetModelRevision(t.Context(), &parleyv1.GetModelRevisionRequest{Name: "models/summit/revisions/" + id})
		if err != nil || !proto.Equal(got.GetModelRevision(), want) {
			t.Errorf("%s: got %v and %v, want %v", id, got, err, want)
		}
	}
}

func TestHeadWithTargets(t *testing.T) {
	s := start(t, Config{}, newTargetModel(t))
	got, err := s.models.GetModelRevision(t.Context(), &parleyv1.GetModelRevisionRequest{Name: "models/default/revisions/live"})
	if err != nil {
		t.Fatal(err)
	}
	want := &parleyv1.Head{
		Id: "stance", Labels: []string{"con", "neutral", "pro"}, DocumentCounts: []int64{2, 1, 1},
		MinProbability: 0.25, LabelMinProbabilities: []float64{0, 0.625, 0.875},
		Targets: []string{"oil price", "straße 1 ü"}, LabelSetCoverage: 0.9,
		InverseTemperature: 0.5, TargetInverseTemperature: 0.25,
	}
	if head := got.GetModelRevision().GetHeads()[1]; !proto.Equal(head, want) {
		t.Errorf("got %v, want %v", head, want)
	}
	if list := got.GetModelRevision().GetEvaluations(); len(list) != 0 {
		t.Errorf("got the evaluations %v, want none", list)
	}
}

// Labels that are called otherwise are the same in an answer.
func TestLabelNames(t *testing.T) {
	m, err := newModel(t, 1).Rename("stance", map[string]string{"con": "Against", "pro": "In favour"})
	if err != nil {
		t.Fatal(err)
	}
	s := start(t, Config{}, m)
	got, err := s.models.GetModelRevision(t.Context(), &parleyv1.GetModelRevisionRequest{Name: "models/default/revisions/live"})
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []*parleyv1.Head{
		{Labels: []string{"money", "sport"}},
		{Labels: []string{"con", "neutral", "pro"}, LabelNames: []string{"Against", "neutral", "In favour"}},
	} {
		h := got.GetModelRevision().GetHeads()[i]
		if !slices.Equal(h.GetLabels(), want.Labels) || !slices.Equal(h.GetLabelNames(), want.LabelNames) {
			t.Errorf("%s: labels %q called %q, want %q called %q", h.GetId(), h.GetLabels(), h.GetLabelNames(), want.Labels, want.LabelNames)
		}
	}
	options := &parleyv1.ClassifyOptions{Heads: []string{"stance"}, TopK: -1, MaxEvidenceTerms: 1}
	answer, err := s.client.Classify(t.Context(), &parleyv1.ClassifyRequest{Document: document("goal"), Options: options})
	if err != nil {
		t.Fatal(err)
	}
	p := answer.GetClassification().GetPredictions()[0]
	for i := range p.GetScores() {
		for _, label := range []string{p.GetScores()[i].GetLabel(), p.GetEvidence()[i].GetLabel()} {
			if !slices.Contains([]string{"con", "neutral", "pro"}, label) {
				t.Errorf("an answer with the label %q, want one of the model's", label)
			}
		}
	}
	if len(p.GetScores()) != 3 || len(p.GetEvidence()) != 3 {
		t.Errorf("%d scores, %d labels with evidence, want 3 and 3", len(p.GetScores()), len(p.GetEvidence()))
	}
}

// The names by which a caller can ask for the model.
func TestNamesOfTheLiveRevision(t *testing.T) {
	m := newModel(t, 1)
	s := start(t, Config{ModelName: "summit"}, m)
	want := "models/summit/revisions/" + m.Revision()
	for _, name := range []string{"", "models/summit", "models/summit/revisions/live", want} {
		one, err := s.client.Classify(t.Context(), &parleyv1.ClassifyRequest{Model: name, Document: document("goal")})
		if err != nil || one.GetModelRevision() != want {
			t.Errorf("%q: answered by %q, error %v, want %q", name, one.GetModelRevision(), err, want)
		}
		many, err := s.client.BatchClassify(t.Context(), &parleyv1.BatchClassifyRequest{Model: name, Items: batch("goal").Items})
		if err != nil || many.GetModelRevision() != want {
			t.Errorf("%q: batch answered by %q, error %v, want %q", name, many.GetModelRevision(), err, want)
		}
	}
}
