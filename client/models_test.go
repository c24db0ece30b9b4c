package client

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/parley-nlp/parley/internal/model/modeltest"
	"github.com/parley-nlp/parley/internal/serve"
	"github.com/parley-nlp/parley/internal/store"
	parleyv1 "github.com/parley-nlp/parley/proto/parley/v1"
)

// Moves of an alias are tried again while the store is away, but not rollbacks: a
// second one would undo the first.
func TestMovesAreRetriedButRollbacks(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "store")
	st, err := store.Open(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	m := modeltest.Topics(t)
	if _, err := st.Publish(t.Context(), "default", m, store.Provenance{}); err != nil {
		t.Fatal(err)
	}
	if _, err := st.SetAlias(t.Context(), "default", "live", m.Revision(), "", ""); err != nil {
		t.Fatal(err)
	}
	open := func(ctx context.Context) (*store.Store, error) { return store.Open(ctx, dir) }
	s := start(t, serve.Config{Revisions: serve.Revisions{Open: open, Poll: time.Hour}}, false)
	<-s.Loaded()
	c := mustDial(t, s.addr)
	if _, err := c.Classify(t.Context(), "goal", nil); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(dir, dir+".away"); err != nil {
		t.Fatal(err)
	}
	_, err = c.Models().AliasModelRevision(t.Context(), &parleyv1.AliasModelRevisionRequest{Name: "models/default/revisions/" + m.Revision(), AliasId: "canary"})
	if status.Code(err) != codes.Unavailable {
		t.Errorf("a move: %v, want Unavailable", err)
	}
	_, err = c.Models().RollbackModel(t.Context(), &parleyv1.RollbackModelRequest{Name: "models/default", AliasId: "live"})
	if status.Code(err) != codes.Unavailable {
		t.Errorf("a rollback: %v, want Unavailable", err)
	}
	got := map[string]int{}
	for got["RollbackModel"] == 0 { // its line comes last
		for _, e := range s.calls() {
			got[filepath.Base(e.Method)]++
		}
	}
	if got["AliasModelRevision"] != 5 || got["RollbackModel"] != 1 {
		t.Errorf("%d attempts to move and %d to roll back, want 5 and 1", got["AliasModelRevision"], got["RollbackModel"])
	}
}
