package serve

import (
	"context"
	"strings"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/parley-nlp/parley/internal/metrics"
	"github.com/parley-nlp/parley/internal/model"
	"github.com/parley-nlp/parley/internal/store"
	parleyv1 "github.com/parley-nlp/parley/proto/parley/v1"
)

// liveAlias is the alias of the revision that answers when none is named.
const liveAlias = "live"

// A revision is a model with its names in the API.
type revision struct {
	model  *model.Model
	parent string      // models/{model}
	id     string      // {revision}
	name   string      // models/{model}/revisions/{revision}
	memory int64       // bytes
	card   *store.Card // nil without a store

	// What a call gets that does not ask for anything else.
	heads      []int // all
	thresholds []model.Thresholds

	seen    *metrics.Heads // what it has answered
	decided [][]string     // head=DECISION, by head and decision, for the log
}

func newRevision(modelName string, m *model.Model) *revision {
	r := &revision{model: m, parent: "models/" + modelName, id: m.Revision(), memory: m.MemoryBytes()}
	r.name = revisionName(r.parent, r.id)
	for i := range m.Heads() {
		r.heads, r.thresholds = append(r.heads, i), append(r.thresholds, m.Heads()[i].Thresholds())
	}
	r.seen, r.decided = metrics.NewHeads(m), decidedNames(m)
	return r
}

func revisionName(parent, id string) string { return parent + "/revisions/" + id }

// ListModels lists the one model of this server.
func (s *Server) ListModels(ctx context.Context, req *parleyv1.ListModelsRequest) (*parleyv1.ListModelsResponse, error) {
	if req.GetPageToken() != "" { // there is one page
		return nil, errPageToken()
	}
	m, err := s.describeModel(ctx)
	if err != nil {
		return nil, err
	}
	return &parleyv1.ListModelsResponse{Models: []*parleyv1.Model{m}}, nil
}

// GetModel describes a model.
func (s *Server) GetModel(ctx context.Context, req *parleyv1.GetModelRequest) (*parleyv1.GetModelResponse, error) {
	if err := s.checkParent(req.GetName()); err != nil {
		return nil, err
	}
	m, err := s.describeModel(ctx)
	if err != nil {
		return nil, err
	}
	return &parleyv1.GetModelResponse{Model: m}, nil
}

// checkParent refuses any model but the server's.
func (s *Server) checkParent(parent string) error {
	if parent != s.parent() {
		return errModelNotFound(parent)
	}
	return nil
}

// describeModel describes the server's model: as its store has it now, or had it
// when it last answered.
func (s *Server) describeModel(ctx context.Context) (*parleyv1.Model, error) {
	if s.keeper != nil {
		state, err := s.keeper.stateNow(ctx)
		if err != nil {
			return nil, err
		}
		return s.modelOf(state), nil
	}
	h, err := s.holds()
	if err != nil {
		return nil, err
	}
	return &parleyv1.Model{Name: h.parent, Aliases: map[string]string{liveAlias: h.live.id}}, nil
}

func (s *Server) modelOf(state store.State) *parleyv1.Model {
	m := &parleyv1.Model{Name: s.parent(), Aliases: map[string]string{}, Etag: state.Etag}
	for name, a := range state.Aliases {
		m.Aliases[name] = a.Revision
	}
	return m
}

// ListModelRevisions lists the revisions of the store, or without one those in
// memory.
func (s *Server) ListModelRevisions(ctx context.Context, req *parleyv1.ListModelRevisionsRequest) (*parleyv1.ListModelRevisionsResponse, error) {
	if err := s.checkParent(req.GetParent()); err != nil {
		return nil, err
	}
	list, err := s.revisions(ctx)
	if err != nil {
		return nil, err
	}
	page, next, err := pageOf(list, req.GetPageToken(), int(req.GetPageSize()))
	if err != nil {
		return nil, err
	}
	return &parleyv1.ListModelRevisionsResponse{ModelRevisions: page, NextPageToken: next}, nil
}

// revisions describes all revisions, newest first.
func (s *Server) revisions(ctx context.Context) ([]*parleyv1.ModelRevision, error) {
	if s.keeper != nil {
		return s.keeper.revisions(ctx)
	}
	h, err := s.holds()
	if err != nil {
		return nil, err
	}
	list := []*parleyv1.ModelRevision{h.live.describe()}
	if h.previous != nil {
		list = append(list, h.previous.describe())
	}
	return list, nil
}

// GetModelRevision describes a revision.
func (s *Server) GetModelRevision(ctx context.Context, req *parleyv1.GetModelRevisionRequest) (*parleyv1.GetModelRevisionResponse, error) {
	parent, id, _ := strings.Cut(req.GetName(), "/revisions/")
	if err := s.checkParent(parent); err != nil {
		return nil, err
	}
	out, err := s.describe(ctx, req.GetName(), id)
	if err != nil {
		return nil, err
	}
	_, callOf(ctx).revision, _ = strings.Cut(out.GetName(), "/revisions/")
	return &parleyv1.GetModelRevisionResponse{ModelRevision: out}, nil
}

// describe describes the revision of that name, whose last part is id: one in
// memory, else one of the store.
func (s *Server) describe(ctx context.Context, name, id string) (*parleyv1.ModelRevision, error) {
	if h := s.held.Load(); h != nil {
		if r, err := h.resolve(name); err == nil {
			return s.describeHeld(r), nil
		}
	} else if s.keeper == nil {
		return nil, errNotReady()
	}
	if s.keeper == nil {
		return nil, errRevisionNotFound(s.parent(), name)
	}
	return s.keeper.revision(ctx, id)
}

// describeHeld describes a revision in memory, with what the store says of it.
func (s *Server) describeHeld(r *revision) *parleyv1.ModelRevision {
	out := r.describe()
	if s.keeper != nil {
		s.keeper.describeWithdrawal(out, r.id)
	}
	return out
}

// describe describes a revision in memory.
func (r *revision) describe() *parleyv1.ModelRevision {
	out := &parleyv1.ModelRevision{
		Name:               r.name,
		ArtifactSha256:     r.model.Revision(),
		TrainingDataSha256: r.model.TrainingData(),
		ArtifactBytes:      int64(len(r.model.Bytes())),
		FeatureCount:       int64(r.model.FeatureCount()),
		ScoreUnitLog2:      -model.ScoreBits,
		State:              parleyv1.RevisionState_REVISION_STATE_READY,
		MemoryBytes:        r.memory,
	}
	for _, h := range r.model.Heads() {
		out.Heads = append(out.Heads, describeHead(&h))
		if h.Evaluation.Examples > 0 {
			out.Evaluations = append(out.Evaluations, describeEvaluation(h.Name, &h.Evaluation))
		}
	}
	if r.card != nil {
		describeOrigin(out, r.card)
	}
	return out
}

// describeOrigin adds what only the store knows.
func describeOrigin(out *parleyv1.ModelRevision, card *store.Card) {
	out.TrainerVersion = card.TrainerVersion
	out.PublishTime = timestamppb.New(card.Published)
	if !card.Trained.IsZero() {
		out.TrainTime = timestamppb.New(card.Trained)
	}
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
