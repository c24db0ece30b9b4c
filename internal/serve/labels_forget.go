package serve

import (
	"context"
	"errors"
	"maps"
	"slices"

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
	s.clerk.ties.forget(ctx)
	if err != nil {
		return nil, s.clerk.fail(ctx, err)
	}
	resp := s.forgotten(ctx, f, rows)
	if int(resp.ErrorCount) < len(refs) {
		resp.Remaining = s.withdrawTrained(ctx, l, resp)
	}
	return resp, nil
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
	return resp
}

// withdrawTrained withdraws the revisions that were trained on forgotten texts, and
// returns what is still to be done. It looks for all texts that were ever forgotten,
// so that it makes good what a call before could not do because the store was away:
// that keeps no text from being forgotten.
func (s *Server) withdrawTrained(ctx context.Context, l *ledger.Ledger, resp *parleyv1.ForgetTextsResponse) []parleyv1.RemainingErasure {
	remaining := []parleyv1.RemainingErasure{
		parleyv1.RemainingErasure_REMAINING_ERASURE_OTHER_LOGS, parleyv1.RemainingErasure_REMAINING_ERASURE_COPIES,
	}
	var unknown []string
	err := errNoStore(s.parent())
	if s.keeper != nil {
		var withdrawn []string
		if withdrawn, unknown, err = s.keeper.withdrawTrained(ctx, l); err != nil {
			s.cfg.Log.Error().Str("request_id", callOf(ctx).id).Err(err).Msg("revisions trained on forgotten texts are not withdrawn")
		}
		for _, id := range withdrawn {
			resp.WithdrawnRevisions = append(resp.WithdrawnRevisions, revisionName(s.parent(), id))
		}
	}
	if err != nil || len(unknown)+len(resp.WithdrawnRevisions) > 0 {
		remaining = slices.Insert(remaining, 0, parleyv1.RemainingErasure_REMAINING_ERASURE_REVISIONS)
	}
	return remaining
}

// withdrawTrained withdraws the revisions that were trained on texts that a ledger has
// forgotten. Of the unknown nobody knows what they were trained on.
func (k *keeper) withdrawTrained(ctx context.Context, l *ledger.Ledger) (withdrawn, unknown []string, err error) {
	st := k.store.Load()
	if st == nil {
		return nil, nil, errors.New("the store could not be opened yet")
	}
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	forgotten, err := l.Tombstones(ctx)
	if err != nil {
		return nil, nil, err
	}
	var digests []ledger.Digest
	for _, t := range forgotten.List() {
		digests = append(digests, t.Digest)
	}
	hits, unknown, err := st.TrainedOn(ctx, k.server.cfg.ModelName, l.ID(), digests)
	if err != nil || len(hits) == 0 {
		return nil, unknown, err
	}
	withdrawn = slices.Sorted(maps.Keys(hits))
	if _, err := st.Withdraw(ctx, k.server.cfg.ModelName, withdrawn, "trained on a text that was forgotten"); err != nil {
		return nil, unknown, err
	}
	k.hurry()
	return withdrawn, unknown, nil
}
