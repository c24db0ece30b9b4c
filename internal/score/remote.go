package score

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"google.golang.org/genproto/googleapis/rpc/code"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/parley-nlp/parley/client"
	"github.com/parley-nlp/parley/internal/model"
	parleyv1 "github.com/parley-nlp/parley/proto/parley/v1"
)

// ErrRevision is wrapped by the errors that end a run because another revision
// would have to answer.
var ErrRevision = errors.New("another revision")

// Calls say how a server is called.
type Calls struct {
	Most     int           // calls in flight at most; 0: MostCalls
	RetryFor time.Duration // how long a call that fails is made again; 0: not at all
	// Revision must answer: its id, or models/NAME/revisions/ID to ask for it; ""
	// for the one that is live when the first call is made.
	Revision string
	// MayChange lets another revision answer once the first one is gone.
	MayChange bool
	// Waiting is told why a call is made again that has failed for some seconds;
	// nil for nobody. It may be called by several goroutines.
	Waiting func(why string)
}

// patience is how long a call fails before Waiting is told.
const patience = 3 * time.Second

// MostCalls is how many calls are in flight at most unless Calls says so. How
// many there are follows from what the server takes.
const MostCalls = 64

// callTime is how long a call may take.
const callTime = time.Minute

// goneTries is how often a revision is asked for that is gone: of several
// servers another one may still have it.
const goneTries = 4

// remote classifies with a server.
type remote struct {
	calls Calls
	opts  *parleyv1.ClassifyOptions
	limit *limit
	*pin
}

// Remote returns a classifier that asks a server. One revision answers all its
// calls.
func Remote(c *client.Client, o Options, calls Calls) (Classifier, error) {
	if err := o.Check(); err != nil {
		return nil, err
	}
	if calls.Most == 0 {
		calls.Most = MostCalls
	}
	opts := &parleyv1.ClassifyOptions{
		Heads: o.Heads, TopK: int32(o.Top), MinProbability: o.MinProbability,
		MaxEvidenceTerms: int32(o.Evidence), MinMargin: &o.MinMargin,
	}
	r := &remote{calls, opts, newLimit(calls.Most), newPin(c)}
	if r.want = RevisionID(calls.Revision); r.want != calls.Revision {
		r.set(calls.Revision)
	}
	return r, nil
}

func (r *remote) Revision() string { return r.get() }

func (r *remote) Classify(ctx context.Context, documents []Document) ([]Row, error) {
	if len(documents) == 0 {
		return nil, ctx.Err()
	}
	results, err := r.ask(ctx, documents)
	if err != nil {
		return nil, err
	}
	rows := make([]Row, len(results))
	for i, result := range results {
		if result.Err != nil {
			rows[i].Err = rowError(result.Err)
		} else {
			rows[i] = remoteRow(result)
		}
	}
	return rows, nil
}

// ask calls the server until it has answered, as the errors advise.
func (r *remote) ask(ctx context.Context, documents []Document) ([]client.Result, error) {
	var pause backoff
	for gone := 0; ; {
		results, pinned, err := r.call(ctx, func(c *client.Client) ([]client.Result, error) { return r.send(ctx, c, documents) })
		if err == nil || ctx.Err() != nil {
			return results, ctx.Err()
		}
		switch remedyOf(err) {
		case giveUp:
			return nil, err
		case sendLess:
			return r.sendHalves(ctx, documents, err)
		case goneAsked:
			if gone++; pinned == "" {
				return nil, err
			} else if r.calls.MayChange {
				r.drop(pinned)
				continue
			} else if gone == goneTries {
				return nil, fmt.Errorf("%w would have to go on, as %s is gone: %s", ErrRevision, pinned, status.Convert(err).Message())
			}
		}
		r.tell(&pause, err)
		if waited := pause.wait(ctx, retryDelay(err), r.calls.RetryFor); waited != nil {
			return nil, tried(err, waited, r.calls.RetryFor)
		}
	}
}

// tell tells that calls fail, when they have done so for some time.
func (r *remote) tell(pause *backoff, err error) {
	if r.calls.Waiting != nil && !pause.began.IsZero() && time.Since(pause.began) > patience {
		r.calls.Waiting(briefly(err))
	}
}

// tried is the error when no more tries are made: that of the last one, with why
// there are no more.
func tried(err, waited error, limit time.Duration) error {
	switch {
	case !errors.Is(waited, errTooLong):
		return waited
	case limit == 0:
		return err
	}
	return fmt.Errorf("no answer within %v, at last %s", limit, briefly(err))
}

// briefly is the code and message of an error, without what gRPC says of its own
// retries.
func briefly(err error) string {
	s := status.Convert(err)
	message := s.Message()
	if _, last, ok := strings.Cut(message, "desc = "); ok && strings.HasPrefix(message, "max retries exhausted") {
		message = last
	}
	return codeName(s.Code()) + ": " + message
}

// send makes one call, when the limit lets it.
func (r *remote) send(ctx context.Context, c *client.Client, documents []Document) ([]client.Result, error) {
	sent := make([]*parleyv1.Document, len(documents))
	for i, d := range documents {
		sent[i] = &parleyv1.Document{Text: d.Text, Target: d.Target}
	}
	if err := r.limit.acquire(ctx); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	start := time.Now()
	results, err := c.ClassifyDocuments(ctx, sent, r.opts)
	if errors.Is(err, context.DeadlineExceeded) { // the client's own, without a status
		err = status.FromContextError(err).Err()
	}
	r.limit.release(start, work(documents), err, err != nil && remedyOf(err) == slowDown)
	return results, err
}

// sendHalves sends documents that are too many, or too large, for one call in
// two. A single one that is too large has that as its error.
func (r *remote) sendHalves(ctx context.Context, documents []Document, tooLarge error) ([]client.Result, error) {
	if len(documents) == 1 {
		if status.Code(tooLarge) != codes.ResourceExhausted {
			return nil, tooLarge
		}
		return []client.Result{{Err: tooLarge}}, nil
	}
	half := len(documents) / 2
	first, err := r.ask(ctx, documents[:half])
	if err != nil {
		return nil, err
	}
	second, err := r.ask(ctx, documents[half:])
	return append(first, second...), err
}

func remoteRow(result client.Result) Row {
	c := result.Classification
	row := Row{
		Input: Input{
			Tokens: int(c.GetInput().GetTokenCount()), KnownTokens: int(c.GetInput().GetKnownTokenCount()),
			Truncated: c.GetInput().GetTruncated(),
		},
		Revision: RevisionID(result.Revision),
	}
	for _, p := range c.GetPredictions() {
		row.Predictions = append(row.Predictions, remotePrediction(p))
	}
	return row
}

func remotePrediction(p *parleyv1.HeadPrediction) Prediction {
	out := Prediction{Head: p.GetHead(), Label: p.GetLabel(), Decision: strings.TrimPrefix(p.GetDecision().String(), "DECISION_")}
	for _, s := range p.GetScores() {
		out.Scores = append(out.Scores, Score{s.GetLabel(), round(s.GetProbability())})
	}
	if len(out.Scores) > 0 {
		out.Probability = out.Scores[0].Probability
	}
	switch p.GetTargetWeights() {
	case parleyv1.TargetWeights_TARGET_WEIGHTS_PER_TARGET:
		out.TargetWeights = PerTarget
	case parleyv1.TargetWeights_TARGET_WEIGHTS_POOLED:
		out.TargetWeights = Pooled
	}
	if out.Coverage = p.GetLabelSetCoverage(); out.Coverage > 0 {
		out.LabelSet = append([]string{}, p.GetLabelSet()...)
	}
	if len(p.GetEvidence()) > 0 {
		for _, e := range p.GetEvidence()[0].GetTerms() {
			out.Evidence = append(out.Evidence, Evidence{e.GetTerm(), model.Nats(e.GetContribution())})
		}
	}
	return out
}

// rowError is what the server says of a document, without its place in the
// batch.
func rowError(err error) *Error {
	s := status.Convert(err)
	for _, d := range s.Details() {
		if b, ok := d.(*errdetails.BadRequest); ok && len(b.GetFieldViolations()) > 0 {
			return &Error{codeName(s.Code()), b.GetFieldViolations()[0].GetDescription()}
		}
	}
	return &Error{codeName(s.Code()), s.Message()}
}

// codeName is the code's name in the gRPC specification, as INVALID_ARGUMENT.
func codeName(c codes.Code) string { return code.Code(c).String() }
