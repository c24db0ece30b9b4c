package serve

import (
	"context"
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/parley-nlp/parley/internal/ledger"
	parleyv1 "github.com/parley-nlp/parley/proto/parley/v1"
)

// maxListBytes is how much text a page has at most, unless its first entry has more:
// a gRPC client takes 4 MiB if nobody tells it otherwise.
const maxListBytes = 3 << 20

// A mark is what the token of a page of the ledger says: the page follows the event
// numbered after, in what the ledger had at position until.
type mark struct{ after, until int64 }

func (m mark) token() string {
	return base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, "%d %d", m.after, m.until))
}

func parseMark(token string) (m mark, err error) {
	text, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil {
		return m, errPageToken()
	}
	after, until, _ := strings.Cut(string(text), " ")
	m.after, _ = strconv.ParseInt(after, 10, 64)
	m.until, _ = strconv.ParseInt(until, 10, 64)
	if m.after < 0 || m.until < m.after || m.token() != token { // the last: also what is no number
		return mark{}, errPageToken()
	}
	return m, nil
}

// allKinds is ListLabelsRequest.kind for events of all kinds.
const allKinds = "*"

// ListLabels lists events of the ledger.
func (s *Server) ListLabels(ctx context.Context, req *parleyv1.ListLabelsRequest) (*parleyv1.ListLabelsResponse, error) {
	l, err := s.clerk.open(ctx)
	if err != nil {
		return nil, err
	}
	q, err := queryOf(ctx, req)
	if err != nil {
		return nil, err
	}
	defer s.clerk.time()()
	m, err := s.clerk.firstMark(ctx, l, req.GetPageToken(), req.GetAfter())
	if err != nil {
		return nil, err
	}
	resp := &parleyv1.ListLabelsResponse{Position: m.until}
	if m.after >= m.until {
		return resp, nil
	}
	q.After = m.after
	events, err := l.Events(ctx, q)
	if err != nil {
		return nil, s.clerk.fail(ctx, err)
	}
	if fillPage(resp, events, &m) || mayBeCut(events, q.Limit) && m.after < m.until {
		resp.NextPageToken = m.token()
	}
	callOf(ctx).items = len(resp.Events)
	return resp, nil
}

// fillPage puts events into a page and moves the mark past them. It reports whether
// some are left for another page.
func fillPage(resp *parleyv1.ListLabelsResponse, events []ledger.Event, m *mark) (left bool) {
	bytes := 0
	for i := range events {
		e := &events[i]
		if e.Seq > m.until {
			m.after = m.until
			return false
		}
		if bytes += len(e.Text) + len(e.Details); bytes > maxListBytes && i > 0 {
			return true
		}
		resp.Events = append(resp.Events, describeEvent(e))
		m.after = e.Seq
	}
	return false
}

// mayBeCut reports whether the ledger may have more events than it returned: their
// number is the limit, or another text would not have fitted.
func mayBeCut(events []ledger.Event, limit int) bool {
	bytes := 0
	for i := range events {
		bytes += len(events[i].Text)
	}
	return len(events) == limit || bytes > ledger.MaxPageBytes-ledger.MaxText
}

// queryOf is the query of a request, limited to what the caller may read.
func queryOf(ctx context.Context, req *parleyv1.ListLabelsRequest) (ledger.Query, error) {
	q := ledger.Query{
		Head: req.GetHead(), Annotator: req.GetAnnotator(), Source: req.GetSource(), ID: req.GetTextId(), Kind: req.GetKind(),
		Quarantined: req.GetQuarantined(), Limit: pageSize(req.GetPageSize()),
	}
	switch q.Kind {
	case "":
		q.Kind = ledger.KindLabel
	case allKinds:
		q.Kind = ""
	}
	return q, speakerOf(ctx).restrict(&q)
}

func pageSize(asked int32) int {
	if asked == 0 {
		return defaultPage
	}
	return int(asked)
}

// firstMark is the mark of a token or, without one, of a first page that follows
// after.
func (c *clerk) firstMark(ctx context.Context, l *ledger.Ledger, token string, after int64) (mark, error) {
	if token != "" {
		return parseMark(token)
	}
	position, err := l.Position(ctx)
	if err != nil {
		return mark{}, c.fail(ctx, err)
	}
	return mark{after, position}, nil
}

// ListConflicts lists what annotators disagree on.
func (s *Server) ListConflicts(ctx context.Context, req *parleyv1.ListConflictsRequest) (*parleyv1.ListConflictsResponse, error) {
	l, err := s.clerk.open(ctx)
	if err != nil {
		return nil, err
	}
	defer s.clerk.time()()
	m, err := s.clerk.firstMark(ctx, l, req.GetPageToken(), 0)
	if err != nil {
		return nil, err
	}
	list, err := s.clerk.ties.at(ctx, l, m.until)
	if err != nil {
		return nil, s.clerk.fail(ctx, err)
	}
	resp := &parleyv1.ListConflictsResponse{Position: m.until}
	bytes := 0
	for i := range list {
		c := &list[i]
		if c.Votes[0].Seq <= m.after || req.GetHead() != "" && c.Head != req.GetHead() {
			continue
		}
		bytes += len(c.Text)
		if n := len(resp.Conflicts); n == pageSize(req.GetPageSize()) || n > 0 && bytes > maxListBytes {
			resp.NextPageToken = m.token()
			break
		}
		resp.Conflicts = append(resp.Conflicts, describeConflict(c))
		m.after = c.Votes[0].Seq
	}
	callOf(ctx).items = len(resp.Conflicts)
	return resp, nil
}

func describeConflict(c *ledger.Conflict) *parleyv1.LabelConflict {
	out := &parleyv1.LabelConflict{Text: c.Text, TextId: c.ID, Group: c.Group, Target: c.Target, Head: c.Head}
	for _, v := range c.Votes {
		out.Votes = append(out.Votes, &parleyv1.LabelVote{
			Number: v.Seq, Label: v.Label, Annotator: v.Annotator, Source: v.Source, Time: timestamppb.New(v.Time),
		})
	}
	return out
}
