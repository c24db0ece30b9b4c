package serve

import (
	"context"
	"strings"

	"github.com/parley-nlp/parley/internal/metrics"
	"github.com/parley-nlp/parley/internal/model"
	parleyv1 "github.com/parley-nlp/parley/proto/parley/v1"
)

// liveAlias is the alias of the revision that answers when none is named.
const liveAlias = "live"

// A revision is a model with its names in the API.
type revision struct {
	model  *model.Model
	parent string // models/{model}
	id     string // {revision}
	name   string // models/{model}/revisions/{revision}

	seen    *metrics.Heads // what it has answered
	decided [][]string     // head=DECISION, by head and decision, for the log
}

func newRevision(modelName string, m *model.Model) *revision {
	r := &revision{model: m, parent: "models/" + modelName, id: m.Revision()}
	r.name = r.parent + "/revisions/" + r.id
	r.seen, r.decided = metrics.NewHeads(m), decidedNames(m)
	return r
}

// resolve returns the revision of that name: models/{model}, optionally with
// /revisions/{revision or alias}; "" is the live one.
func (s *Server) resolve(name string) (*revision, error) {
	live := s.live.Load()
	if live == nil {
		return nil, errNotReady()
	}
	parent, id, found := strings.Cut(name, "/revisions/")
	switch {
	case name != "" && parent != live.parent:
		return nil, errModelNotFound(parent)
	case found && id != liveAlias && id != live.id:
		return nil, errRevisionNotFound(parent, name)
	}
	return live, nil
}

// ListModels lists the one model of this server.
func (s *Server) ListModels(ctx context.Context, req *parleyv1.ListModelsRequest) (*parleyv1.ListModelsResponse, error) {
	if err := checkPageToken(req.GetPageToken()); err != nil {
		return nil, err
	}
	r, err := s.resolve("")
	if err != nil {
		return nil, err
	}
	return &parleyv1.ListModelsResponse{Models: []*parleyv1.Model{r.describeModel()}}, nil
}

// GetModel describes a model.
func (s *Server) GetModel(ctx context.Context, req *parleyv1.GetModelRequest) (*parleyv1.GetModelResponse, error) {
	r, err := s.resolve(req.GetName())
	if err != nil {
		return nil, err
	}
	return &parleyv1.GetModelResponse{Model: r.describeModel()}, nil
}

// ListModelRevisions lists the revisions that this server holds: the live one.
func (s *Server) ListModelRevisions(ctx context.Context, req *parleyv1.ListModelRevisionsRequest) (*parleyv1.ListModelRevisionsResponse, error) {
	if err := checkPageToken(req.GetPageToken()); err != nil {
		return nil, err
	}
	r, err := s.resolve(req.GetParent())
	if err != nil {
		return nil, err
	}
	return &parleyv1.ListModelRevisionsResponse{ModelRevisions: []*parleyv1.ModelRevision{r.describe()}}, nil
}

// GetModelRevision describes a revision.
func (s *Server) GetModelRevision(ctx context.Context, req *parleyv1.GetModelRevisionRequest) (*parleyv1.GetModelRevisionResponse, error) {
	r, err := s.resolve(req.GetName())
	if err != nil {
		return nil, err
	}
	callOf(ctx).revision = r.id
	return &parleyv1.GetModelRevisionResponse{ModelRevision: r.describe()}, nil
}

// checkPageToken refuses tokens: every list fits one page, so none was given
// out.
func checkPageToken(token string) error {
	if token == "" {
		return nil
	}
	return errInvalidFields([]violation{{"page_token", "not a token of an earlier answer"}})
}

func (r *revision) describeModel() *parleyv1.Model {
	return &parleyv1.Model{Name: r.parent, Aliases: map[string]string{liveAlias: r.id}}
}

func (r *revision) describe() *parleyv1.ModelRevision {
	out := &parleyv1.ModelRevision{
		Name:               r.name,
		ArtifactSha256:     r.model.Revision(),
		TrainingDataSha256: r.model.TrainingData(),
		ArtifactBytes:      int64(len(r.model.Bytes())),
		FeatureCount:       int64(r.model.FeatureCount()),
		ScoreUnitLog2:      -model.ScoreBits,
	}
	for _, h := range r.model.Heads() {
		out.Heads = append(out.Heads, describeHead(&h))
		if h.Evaluation.Examples > 0 {
			out.Evaluations = append(out.Evaluations, describeEvaluation(h.Name, &h.Evaluation))
		}
	}
	return out
}

func describeHead(h *model.Head) *parleyv1.Head {
	out := &parleyv1.Head{
		Id: h.Name, Labels: h.Labels, LabelNames: h.Names,
		MinProbability: h.MinProbability, LabelMinProbabilities: h.LabelThresholds, LabelSetCoverage: h.Sets.Coverage,
		InverseTemperature: h.InverseTemperature, TargetInverseTemperature: h.TargetInverseTemperature,
		DecisionWeights: h.DecisionWeights,
	}
	for _, p := range h.Curve {
		out.CalibrationCurve = append(out.CalibrationCurve, &parleyv1.CalibrationPoint{Probability: p.Probability, Share: p.Share})
	}
	for _, n := range h.DocCounts {
		out.DocumentCounts = append(out.DocumentCounts, int64(n))
	}
	for _, t := range h.Targets {
		out.Targets = append(out.Targets, t.Name)
	}
	return out
}

func describeEvaluation(head string, e *model.Evaluation) *parleyv1.Evaluation {
	out := &parleyv1.Evaluation{
		Head: head, ExampleCount: int64(e.Examples), Accuracy: e.Accuracy, MacroF1: e.MacroF1, MajorityAccuracy: e.MajorityAccuracy,
		ExpectedCalibrationError: e.ECE, ExpectedCalibrationErrorIfPerfect: e.PerfectECE,
		NegativeLogLikelihood: e.NLL, BrierScore: e.Brier,
	}
	for _, p := range e.Learning {
		out.LearningCurve = append(out.LearningCurve, &parleyv1.LearningPoint{ExampleCount: int64(p.Examples), Accuracy: p.Accuracy, MacroF1: p.MacroF1})
	}
	return out
}
