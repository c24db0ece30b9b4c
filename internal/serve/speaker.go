package serve

import (
	"cmp"
	"context"

	"github.com/parley-nlp/parley/internal/guard"
	"github.com/parley-nlp/parley/internal/ledger"
	parleyv1 "github.com/parley-nlp/parley/proto/parley/v1"
)

// A speaker is the caller of a call about labels: what it may say in whose name. The
// name is one that no caller can choose, that of its key or certificate; where
// anybody may call everything it is empty.
type speaker struct {
	name string
	role guard.Role
	ctx  context.Context
}

func speakerOf(ctx context.Context) speaker {
	return speaker{guard.CallerOf(ctx), guard.RoleOf(ctx), ctx}
}

// has reports whether the speaker has any of the roles.
func (s speaker) has(roles guard.Role) bool { return s.role&roles != 0 }

// annotator is who says what a call says, if the caller names that one.
func (s speaker) annotator(named string) (string, error) {
	switch {
	case s.name == "" && named == "":
		return "", badField(parleyv1.ErrorReason_ERROR_REASON_INVALID_FIELD, "annotator", "it is missing, and the server does not know its callers")
	case s.name == "", named != "" && s.has(guard.Relay):
		return named, nil
	case named == "" || named == s.name:
		return s.name, nil
	}
	return "", guard.ErrRole(s.ctx, guard.Relay)
}

// source is through whom a label came: the caller itself, so that what one caller
// says can be told from what others do, limited, and found again.
func (s speaker) source(named string) (string, error) {
	switch {
	case s.name == "", s.role == guard.Admin:
		return cmp.Or(named, s.name), nil
	case named == "" || named == s.name:
		return s.name, nil
	}
	return "", guard.ErrRole(s.ctx, guard.Admin)
}

// restrict limits a query to what the caller may read: all, or what it said itself,
// or what came through it.
func (s speaker) restrict(q *ledger.Query) error {
	if s.has(guard.Auditor | guard.Curator) {
		return nil
	}
	own := &q.Annotator
	if s.has(guard.Relay) {
		own = &q.Source
	}
	if *own != "" && *own != s.name {
		return guard.ErrRole(s.ctx, guard.Auditor|guard.Curator)
	}
	*own = s.name
	return nil
}
