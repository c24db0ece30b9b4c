package serve

import (
	"context"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/parley-nlp/parley/internal/ledger"
	parleyv1 "github.com/parley-nlp/parley/proto/parley/v1"
)

// defaultSuggestions is how many items of the queue a caller gets that does not say.
const defaultSuggestions = 10

// SuggestDocuments returns what an annotator shall label next.
func (s *Server) SuggestDocuments(ctx context.Context, req *parleyv1.SuggestDocumentsRequest) (*parleyv1.SuggestDocumentsResponse, error) {
	l, err := s.clerk.open(ctx)
	if err != nil {
		return nil, err
	}
	annotator, err := speakerOf(ctx).annotator(req.GetAnnotator())
	if err != nil {
		return nil, err
	}
	limit := defaultSuggestions
	if n := int(req.GetMaxDocuments()); n > 0 {
		limit = n
	}
	defer s.clerk.time()()
	pending, err := l.Pending(ctx, annotator, limit)
	if err != nil {
		return nil, s.clerk.fail(ctx, err)
	}
	resp := &parleyv1.SuggestDocumentsResponse{}
	bytes := 0
	for i := range pending {
		d := describeItem(&pending[i], req.GetWithPredictions())
		if bytes += len(d.Text) + len(d.Predictions); bytes > maxListBytes && i > 0 {
			break
		}
		resp.Documents = append(resp.Documents, d)
	}
	callOf(ctx).items = len(resp.Documents)
	return resp, nil
}

func describeItem(q *ledger.QueueItem, withPredictions bool) *parleyv1.SuggestedDocument {
	d := &parleyv1.SuggestedDocument{
		Number: q.Seq, Text: q.Text, TextId: q.ID, Group: q.Group, Target: q.Target, Heads: q.Heads,
		Selection: selectionOf(q.Selection), SelectionProbability: q.SelectionProbability,
		Revision: q.Revision, Batch: q.Batch, QueueTime: timestamppb.New(q.Time),
	}
	if withPredictions {
		d.Predictions = string(q.Predictions)
	}
	return d
}

// SkipDocument takes an item of the queue out of an annotator's sight.
func (s *Server) SkipDocument(ctx context.Context, req *parleyv1.SkipDocumentRequest) (*parleyv1.SkipDocumentResponse, error) {
	l, err := s.clerk.open(ctx)
	if err != nil {
		return nil, err
	}
	annotator, err := speakerOf(ctx).annotator(req.GetAnnotator())
	if err != nil {
		return nil, err
	}
	defer s.clerk.time()()
	if err := l.Skip(ctx, req.GetNumber(), annotator); err != nil {
		return nil, s.clerk.fail(ctx, err)
	}
	return &parleyv1.SkipDocumentResponse{}, nil
}
