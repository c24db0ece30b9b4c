package client

import (
	"context"
	"crypto/rand"
	"iter"
	"unicode/utf8"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	parleyv1 "github.com/parley-nlp/parley/proto/parley/v1"
)

// Labels calls the server's LabelService. Calls are repeated when the server or its
// ledger was unavailable: give each its own request id, as the methods here do.
func (c *Client) Labels() parleyv1.LabelServiceClient { return c.labels }

// newRequestID returns an id that no other request has.
func newRequestID() string { return rand.Text() }

// A CreatedLabel is the outcome for one label of CreateLabels.
type CreatedLabel struct {
	// Label is the one that was given.
	Label *parleyv1.NewLabel
	// Created says where it is in the ledger; nil if it could not be taken.
	Created *parleyv1.CreatedLabel
	// Err says why not.
	Err error
}

// CreateLabels gives any number of labels, in batches as WithBatches says, one after
// the other in the order of the labels, and yields an outcome a label in that order.
// Batches are sent when they are full or labels ends, and what was yielded is durable.
// A label that the server does not take has its error in its outcome. When a whole
// call fails, its error is yielded, with a nil outcome, and that is the end: of the
// labels whose outcome was not yielded some may have been taken. To give them again
// does no harm, as a label that is there already is Existing.
//
// A call is repeated with its request id when the server did not answer or has too
// much to do, so that no label is taken twice.
func (c *Client) CreateLabels(ctx context.Context, labels iter.Seq[*parleyv1.NewLabel]) iter.Seq2[*CreatedLabel, error] {
	return func(yield func(*CreatedLabel, error) bool) {
		var batch []*parleyv1.NewLabel
		bytes := 0
		send := func() bool {
			outcomes, err := c.createLabels(ctx, batch)
			batch, bytes = nil, 0
			if err != nil {
				yield(nil, err)
				return false
			}
			for _, o := range outcomes {
				if !yield(o, nil) {
					return false
				}
			}
			return true
		}
		for l := range labels {
			size := proto.Size(l)
			if n := len(batch); n > 0 && (n == c.cfg.batchItems || bytes+size > c.cfg.batchBytes) && !send() {
				return
			}
			batch, bytes = append(batch, l), bytes+size
		}
		if len(batch) > 0 {
			send()
		}
	}
}

// createLabels gives labels in one call. Those that cannot travel get their error
// here: they must not take the others with them.
func (c *Client) createLabels(ctx context.Context, labels []*parleyv1.NewLabel) ([]*CreatedLabel, error) {
	outcomes := make([]*CreatedLabel, len(labels))
	var sent []*parleyv1.NewLabel
	var waiting []*CreatedLabel
	for i, l := range labels {
		outcomes[i] = &CreatedLabel{Label: l, Err: checkLabel(l)}
		if outcomes[i].Err == nil {
			sent, waiting = append(sent, l), append(waiting, outcomes[i])
		}
	}
	if len(sent) == 0 {
		return outcomes, nil
	}
	resp, err := c.BatchCreateLabels(ctx, newRequestID(), sent)
	if err != nil {
		return nil, err
	}
	if len(resp.GetResults()) != len(sent) {
		return nil, status.Errorf(codes.Internal, "the server gave %d results for %d labels", len(resp.GetResults()), len(sent))
	}
	for i, r := range resp.GetResults() {
		waiting[i].Created = r.GetCreated()
		if r.GetError() != nil {
			waiting[i].Err = status.FromProto(r.GetError()).Err()
		}
	}
	return outcomes, nil
}

// checkLabel refuses what would make a whole message fail.
func checkLabel(l *parleyv1.NewLabel) error {
	if size := proto.Size(l); size > maxTextBytes {
		return status.Errorf(codes.InvalidArgument, "the label has %d bytes, a message holds at most %d", size, maxTextBytes)
	}
	for _, s := range []string{l.GetText(), l.GetTextId(), l.GetGroup(), l.GetTarget(), l.GetHead(), l.GetLabel(), l.GetAnnotator(), l.GetSource()} {
		if !utf8.ValidString(s) {
			return status.Error(codes.InvalidArgument, "the label has a string that is not valid UTF-8")
		}
	}
	return nil
}

// BatchCreateLabels gives labels in one call. A request that may be made anew, after
// a crash for example, needs a request id that is the same then; "" makes one.
func (c *Client) BatchCreateLabels(ctx context.Context, requestID string, labels []*parleyv1.NewLabel) (*parleyv1.BatchCreateLabelsResponse, error) {
	if requestID == "" {
		requestID = newRequestID()
	}
	req := &parleyv1.BatchCreateLabelsRequest{RequestId: requestID, Labels: labels}
	return whenIdle(ctx, func() (*parleyv1.BatchCreateLabelsResponse, error) { return c.labels.BatchCreateLabels(ctx, req) })
}

// ConfirmLabels takes labels out of quarantine; annotator says that they are right,
// "" being the caller.
func (c *Client) ConfirmLabels(ctx context.Context, annotator string, numbers ...int64) (*parleyv1.ConfirmLabelsResponse, error) {
	req := &parleyv1.ConfirmLabelsRequest{RequestId: newRequestID(), Annotator: annotator, Numbers: numbers}
	return whenIdle(ctx, func() (*parleyv1.ConfirmLabelsResponse, error) { return c.labels.ConfirmLabels(ctx, req) })
}

// ForgetTexts erases texts for ever. The answer says what remains to be done.
func (c *Client) ForgetTexts(ctx context.Context, reason string, refs ...*parleyv1.TextReference) (*parleyv1.ForgetTextsResponse, error) {
	req := &parleyv1.ForgetTextsRequest{RequestId: newRequestID(), Reason: reason, References: refs}
	return whenIdle(ctx, func() (*parleyv1.ForgetTextsResponse, error) { return c.labels.ForgetTexts(ctx, req) })
}

// ListLabels yields the events that a request asks for, page by page, from the page
// that it names on. An error ends them.
func (c *Client) ListLabels(ctx context.Context, req *parleyv1.ListLabelsRequest) iter.Seq2[*parleyv1.LedgerEvent, error] {
	return pages(ctx, req.GetPageToken(), func(token string) ([]*parleyv1.LedgerEvent, string, error) {
		req := proto.CloneOf(req)
		req.PageToken = token
		resp, err := c.labels.ListLabels(ctx, req)
		return resp.GetEvents(), resp.GetNextPageToken(), err
	})
}

// ListConflicts yields the texts that annotators disagree on, as ListLabels does.
func (c *Client) ListConflicts(ctx context.Context, req *parleyv1.ListConflictsRequest) iter.Seq2[*parleyv1.LabelConflict, error] {
	return pages(ctx, req.GetPageToken(), func(token string) ([]*parleyv1.LabelConflict, string, error) {
		req := proto.CloneOf(req)
		req.PageToken = token
		resp, err := c.labels.ListConflicts(ctx, req)
		return resp.GetConflicts(), resp.GetNextPageToken(), err
	})
}

// pages yields what a call returns for a token, and what the pages after it hold.
func pages[T any](ctx context.Context, first string, call func(token string) (list []T, next string, err error)) iter.Seq2[T, error] {
	type page struct {
		list []T
		next string
	}
	return func(yield func(T, error) bool) {
		for token := first; ; {
			p, err := whenIdle(ctx, func() (page, error) {
				list, next, err := call(token)
				return page{list, next}, err
			})
			if err != nil {
				var none T
				yield(none, err)
				return
			}
			for _, x := range p.list {
				if !yield(x, nil) {
					return
				}
			}
			if token = p.next; token == "" {
				return
			}
		}
	}
}
