package serve

import (
	"context"

	"google.golang.org/grpc/status"

	"github.com/parley-nlp/parley/internal/ledger"
	"github.com/parley-nlp/parley/internal/predictionlog"
	parleyv1 "github.com/parley-nlp/parley/proto/parley/v1"
)

// ForgetTexts erases texts from the prediction log and then from the ledger: as long
// as the ledger has them, a call that failed in between finds them again.
func (s *Server) ForgetTexts(ctx context.Context, req *parleyv1.ForgetTextsRequest) (*parleyv1.ForgetTextsResponse, error) {
	l, err := s.clerk.open(ctx)
	if err != nil {
		return nil, err
	}
	refs := refsOf(req.GetReferences())
	callOf(ctx).items = len(refs)
	rows, err := s.forgetLogged(ctx, l, refs)
	if err != nil {
		return nil, err
	}
	defer s.clerk.time()()
	f, err := l.Forget(ctx, req.GetRequestId(), refs, req.GetReason())
	s.clerk.ties.forget()
	if err != nil {
		return nil, s.clerk.fail(ctx, err)
	}
	return s.forgotten(ctx, f, rows), nil
}

func refsOf(list []*parleyv1.TextReference) []ledger.TextRef {
	refs := make([]ledger.TextRef, len(list))
	for i, r := range list {
		refs[i] = ledger.TextRef{Text: r.GetText(), ID: r.GetTextId(), Group: r.GetGroup()}
	}
	return refs
}

// forgetLogged erases the texts that references name from the prediction log.
func (s *Server) forgetLogged(ctx context.Context, l *ledger.Ledger, refs []ledger.TextRef) (rows int, err error) {
	log := s.cfg.Telemetry.Predictions
	if log == nil {
		return 0, nil
	}
	var texts []string
	for _, r := range refs {
		if r.Text != "" {
			texts = append(texts, r.Text)
			continue
		}
		found, err := l.Find(ctx, r)
		if err != nil {
			return 0, s.clerk.fail(ctx, err)
		}
		for i := range found {
			texts = append(texts, found[i].Text)
		}
	}
	if len(texts) == 0 {
		return 0, nil
	}
	rows, err = log.Forget(ctx, predictionlog.Matching(texts))
	switch {
	case err == nil:
		return rows, nil
	case ctx.Err() != nil:
		return 0, status.FromContextError(ctx.Err()).Err()
	}
	s.cfg.Log.Error().Str("request_id", callOf(ctx).id).Err(err).Msg("prediction log")
	return 0, errPredictionLog()
}

// forgotten is the answer of ForgetTexts.
func (s *Server) forgotten(ctx context.Context, f ledger.Forgotten, rows int) *parleyv1.ForgetTextsResponse {
	resp := &parleyv1.ForgetTextsResponse{
		TextCount: int32(f.Texts), UnknownTextCount: int32(f.Unknown), LabelCount: int32(f.Labels), QueuedCount: int32(f.Queued),
		LogRowCount: int32(rows), Position: f.Position,
	}
	for _, o := range f.Outcomes {
		r := &parleyv1.ForgetTextsResult{Outcome: &parleyv1.ForgetTextsResult_Forgotten{Forgotten: o.Seq}}
		if o.Err != nil {
			r.Outcome = &parleyv1.ForgetTextsResult_Error{Error: status.Convert(ledgerError(ctx, o.Err)).Proto()}
			resp.ErrorCount++
		}
		resp.Results = append(resp.Results, r)
	}
	callOf(ctx).errors = int(resp.ErrorCount)
	if int(resp.ErrorCount) < len(resp.Results) {
		resp.Remaining = []parleyv1.RemainingErasure{
			parleyv1.RemainingErasure_REMAINING_ERASURE_REVISIONS,
			parleyv1.RemainingErasure_REMAINING_ERASURE_OTHER_LOGS,
			parleyv1.RemainingErasure_REMAINING_ERASURE_COPIES,
		}
	}
	return resp
}
