package main

import (
	"fmt"
	"testing"

	"github.com/rs/zerolog"
	"google.golang.org/protobuf/proto"

	"github.com/parley-nlp/parley/internal/dataset"
	"github.com/parley-nlp/parley/internal/model"
	"github.com/parley-nlp/parley/internal/serve"
	"github.com/parley-nlp/parley/internal/train"
	parleyv1 "github.com/parley-nlp/parley/proto/parley/v1"
)

// small returns a trained model.
func small(t *testing.T) *model.Model {
	t.Helper()
	var examples []dataset.Example
	for i, label := range []string{"con", "pro", "con", "pro", "con", "pro"} {
		examples = append(examples, dataset.Example{Text: fmt.Sprintf("%s word%d", label, i), Labels: []string{label}})
	}
	m, _, err := train.Train(t.Context(), examples, []string{"label"}, pinned(features[wordsOnly]))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// An answer of the echo is as long as one of the server, apart from the time
// that it took.
func TestEchoAnswersAreAsLong(t *testing.T) {
	s, err := serve.New(serve.Config{Log: zerolog.Nop()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Stop)
	s.Use(small(t))
	document := &parleyv1.Document{Text: "a pro with more words"}
	answer, err := s.Classify(t.Context(), &parleyv1.ClassifyRequest{Document: document})
	if err != nil {
		t.Fatal(err)
	}
	echo := newEcho(answer)
	for _, n := range []int{1, 10, 100, maxBatch} {
		var req parleyv1.BatchClassifyRequest
		for range n {
			req.Items = append(req.Items, &parleyv1.BatchClassifyItem{Document: document})
		}
		want, err := s.BatchClassify(t.Context(), &req)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range want.GetResults() {
			r.GetClassification().ComputeTime = answer.GetClassification().GetComputeTime()
		}
		got, err := echo.BatchClassify(t.Context(), &req)
		if err != nil {
			t.Fatal(err)
		}
		if proto.Size(got) != proto.Size(want) || len(got.GetResults()) != n {
			t.Errorf("%d documents: %d results of %d bytes, want %d bytes", n, len(got.GetResults()), proto.Size(got), proto.Size(want))
		}
	}
	if got, err := echo.Classify(t.Context(), nil); err != nil || !proto.Equal(got, answer) {
		t.Errorf("got %v, %v", got, err)
	}
}

func TestSyntheticModelIsAlwaysTheSame(t *testing.T) {
	a, err := synthetic(500)
	if err != nil {
		t.Fatal(err)
	}
	b, err := synthetic(500)
	if err != nil {
		t.Fatal(err)
	}
	if a.Revision() != b.Revision() || a.FeatureCount() != 500 || len(a.Heads()[0].Labels) != syntheticLabels {
		t.Errorf("revisions %s and %s, %d features", a.Revision(), b.Revision(), a.FeatureCount())
	}
}
