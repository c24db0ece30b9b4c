package serve

import (
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/parley-nlp/parley/internal/store"
	parleyv1 "github.com/parley-nlp/parley/proto/parley/v1"
)

// withdrawal is that of a revision, as the store last told; nil if it was not
// withdrawn.
func (k *keeper) withdrawal(id string) *store.Withdrawal {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.state.Withdrawn(id)
}

// Withdrawal is that of the revision that answers; nil unless it was withdrawn. It
// goes on answering, since nobody has said what should answer instead.
func (s *Server) Withdrawal() *store.Withdrawal {
	if s.keeper == nil {
		return nil
	}
	return s.keeper.withdrawal(s.Live())
}

// describeWithdrawal adds that a revision was withdrawn.
func (k *keeper) describeWithdrawal(out *parleyv1.ModelRevision, id string) {
	if w := k.withdrawal(id); w != nil {
		out.WithdrawTime, out.WithdrawalReason = timestamppb.New(w.Time), w.Reason
	}
}

// noteWithdrawal warns, once for each revision, that what answers was withdrawn.
func (k *keeper) noteWithdrawal() {
	live := k.server.Live()
	w := k.withdrawal(live)
	if w == nil || k.warned == live {
		return
	}
	k.warned = live
	k.server.cfg.Log.Warn().Str("revision", live).Time("since", w.Time).Msg("the live revision has been withdrawn; it answers until the alias is moved")
}
