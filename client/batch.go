package client

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"
	"unicode/utf8"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	parleyv1 "github.com/parley-nlp/parley/proto/parley/v1"
)

// A Result is the outcome for one text of ClassifyAll or ClassifyDocuments.
type Result struct {
	// Revision is the one that answered: models/{model}/revisions/{revision}.
	Revision string
	// Classification is nil when the text could not be classified.
	Classification *parleyv1.Classification
	// Err says why not, as Classify would have.
	Err error
}

// ClassifyAll classifies any number of texts in batches, several in flight,
// and returns one result a text in their order. A text that cannot be
// classified has its error in its result. When a whole call fails, the others
// are called off and its error is returned; when ctx ends first, its cause. A
// call that the server refuses because it has too much to do is repeated up to
// 30 times, after the time that the server says.
func (c *Client) ClassifyAll(ctx context.Context, texts []string, o *parleyv1.ClassifyOptions) ([]Result, error) {
	documents := make([]*parleyv1.Document, len(texts))
	for i, t := range texts {
		documents[i] = &parleyv1.Document{Text: t}
	}
	return c.ClassifyDocuments(ctx, documents, o)
}

// ClassifyDocuments is ClassifyAll for texts of which more is known, such as the
// targets of stances.
func (c *Client) ClassifyDocuments(ctx context.Context, documents []*parleyv1.Document, o *parleyv1.ClassifyOptions) ([]Result, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	results := make([]Result, len(documents))
	slots := make(chan struct{}, c.cfg.inFlight)
	var calls sync.WaitGroup
	for _, b := range c.cut(documents) {
		slots <- struct{}{}
		if ctx.Err() != nil {
			break
		}
		calls.Go(func() {
			defer func() { <-slots }()
			if err := c.batch(ctx, documents[b.lo:b.hi], o, results[b.lo:b.hi]); err != nil {
				cancel(err)
			}
		})
	}
	calls.Wait()
	if err := context.Cause(ctx); err != nil {
		return nil, err
	}
	return results, nil
}

// A span is the documents from lo up to hi.
type span struct{ lo, hi int }

// maxBusy is how often a batch is sent to a server that has too much to do.
const maxBusy = 30

// whenIdle makes a call that waits for a server that has too much to do: for as long
// as the server says, give or take half of it.
func whenIdle[T any](ctx context.Context, call func() (T, error)) (T, error) {
	for try := 1; ; try++ {
		resp, err := call()
		delay := retryDelay(err)
		if delay == 0 || try == maxBusy {
			return resp, err
		}
		select {
		case <-time.After(delay/2 + rand.N(delay)):
		case <-ctx.Done():
			return resp, err
		}
	}
}

// retryDelay is how long the server asks to wait, 0 if it does not.
func retryDelay(err error) time.Duration {
	s := status.Convert(err)
	if s.Code() != codes.ResourceExhausted {
		return 0
	}
	for _, d := range s.Details() {
		if retry, ok := d.(*errdetails.RetryInfo); ok {
			return max(0, retry.GetRetryDelay().AsDuration())
		}
	}
	return 0
}

// cut divides the documents into batches.
func (c *Client) cut(documents []*parleyv1.Document) []span {
	var list []span
	lo, bytes := 0, 0
	for i, d := range documents {
		if i > lo && (i-lo == c.cfg.batchItems || bytes+size(d) > c.cfg.batchBytes) {
			list = append(list, span{lo, i})
			lo, bytes = i, 0
		}
		bytes += size(d)
	}
	if len(documents) > lo {
		list = append(list, span{lo, len(documents)})
	}
	return list
}

// size is how many bytes of text a document has.
func size(d *parleyv1.Document) int { return len(d.GetText()) + len(d.GetTarget()) }

// batch classifies documents in one call. Those that cannot travel get their
// error here: they must not take the others with them.
func (c *Client) batch(ctx context.Context, documents []*parleyv1.Document, o *parleyv1.ClassifyOptions, results []Result) error {
	var items []*parleyv1.BatchClassifyItem
	var sent []int
	for i, d := range documents {
		if err := checkDocument(d); err != nil {
			results[i].Err = err
			continue
		}
		items = append(items, &parleyv1.BatchClassifyItem{Document: d})
		sent = append(sent, i)
	}
	if len(items) == 0 {
		return nil
	}
	resp, err := whenIdle(ctx, func() (*parleyv1.BatchClassifyResponse, error) { return c.BatchClassify(ctx, items, o) })
	if err != nil {
		return err
	}
	if len(resp.GetResults()) != len(items) {
		return status.Errorf(codes.Internal, "the server gave %d results for %d texts", len(resp.GetResults()), len(items))
	}
	for i, r := range resp.GetResults() {
		result := &results[sent[i]]
		result.Revision, result.Classification = resp.GetModelRevision(), r.GetClassification()
		if r.GetError() != nil {
			result.Err = status.FromProto(r.GetError()).Err()
		}
	}
	return nil
}

// maxTextBytes leaves room in a message for what is around a text.
const maxTextBytes = maxSendBytes - 64<<10

// checkDocument refuses what would make a whole message fail.
func checkDocument(d *parleyv1.Document) error {
	text, target := d.GetText(), d.GetTarget()
	switch {
	case len(text) > maxTextBytes:
		return status.Errorf(codes.InvalidArgument, "the text has %d bytes, a message holds at most %d", len(text), maxTextBytes)
	case size(d) > maxTextBytes:
		return status.Errorf(codes.InvalidArgument, "text and target have %d bytes, a message holds at most %d", size(d), maxTextBytes)
	case !utf8.ValidString(text):
		return status.Error(codes.InvalidArgument, "the text is not valid UTF-8")
	case !utf8.ValidString(target):
		return status.Error(codes.InvalidArgument, "the target is not valid UTF-8")
	}
	return nil
}
