package client

import (
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/parley-nlp/parley/internal/serve"
)

// A client of another model shares the connection and changes nothing else.
func TestForModel(t *testing.T) {
	c := mustDial(t, start(t, serve.Config{}, true).addr)
	answer, err := c.Classify(t.Context(), "late goal", nil)
	if err != nil {
		t.Fatal(err)
	}
	pinned := c.ForModel(answer.GetModelRevision())
	if again, err := pinned.Classify(t.Context(), "late goal", nil); err != nil || again.GetModelRevision() != answer.GetModelRevision() {
		t.Errorf("%v answers, error %v", again.GetModelRevision(), err)
	}
	if _, err := c.ForModel("models/none").Classify(t.Context(), "late goal", nil); status.Code(err) != codes.NotFound {
		t.Errorf("got error %v, want NotFound", err)
	}
	if _, err := c.Classify(t.Context(), "late goal", nil); err != nil {
		t.Errorf("the first client: %v", err)
	}
}
