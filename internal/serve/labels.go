package serve

import (
	"context"
	"strings"

	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/parley-nlp/parley/internal/guard"
	"github.com/parley-nlp/parley/internal/ledger"
	parleyv1 "github.com/parley-nlp/parley/proto/parley/v1"
)

// BatchCreateLabels writes labels to the ledger. A label that cannot be taken gets a
// status of its own.
func (s *Server) BatchCreateLabels(ctx context.Context, req *parleyv1.BatchCreateLabelsRequest) (*parleyv1.BatchCreateLabelsResponse, error) {
	items := req.GetLabels()
	if limit := min(s.cfg.MaxBatchItems, ledger.MaxBatch); len(items) > limit {
		return nil, errBatchTooLarge("labels", len(items), limit)
	}
	l, err := s.clerk.open(ctx)
	if err != nil {
		return nil, err
	}
	log := callOf(ctx)
	log.items = len(items)
	resp := &parleyv1.BatchCreateLabelsResponse{Results: make([]*parleyv1.BatchCreateLabelsResult, len(items))}
	labels, sent := s.acceptable(speakerOf(ctx), items, resp.Results)
	done := s.clerk.time()
	outcomes, err := l.Add(ctx, req.GetRequestId(), labels)
	done()
	if err != nil {
		return nil, s.clerk.fail(ctx, err)
	}
	w := s.warner()
	for i, o := range outcomes {
		resp.Results[sent[i]] = created(ctx, o, w, &labels[i])
		resp.Position = max(resp.Position, o.Seq)
	}
	resp.KnownHeads = w.known()
	for i, r := range resp.Results {
		log.bytes += len(items[i].GetText())
		if r.GetError() != nil {
			resp.ErrorCount++
		}
		s.clerk.count(r)
	}
	log.errors = int(resp.ErrorCount)
	return resp, nil
}

// acceptable returns the labels that the ledger shall see, and of which items they
// are. The others get their results.
func (s *Server) acceptable(who speaker, items []*parleyv1.NewLabel, results []*parleyv1.BatchCreateLabelsResult) (labels []ledger.NewLabel, sent []int) {
	for i, item := range items {
		label, err := s.newLabel(who, item)
		if err != nil {
			results[i] = failedLabel(err)
			continue
		}
		labels, sent = append(labels, label), append(sent, i)
	}
	return labels, sent
}

// newLabel is an item as the ledger takes it.
func (s *Server) newLabel(who speaker, item *parleyv1.NewLabel) (n ledger.NewLabel, err error) {
	if err := s.checkLabel(item); err != nil {
		return n, err
	}
	n = ledger.NewLabel{
		Text: item.GetText(), ID: item.GetTextId(), Group: item.GetGroup(), Target: item.GetTarget(),
		Head: item.GetHead(), Label: item.GetLabel(),
		Selection: selections[item.GetSelection()], SelectionProbability: item.GetSelectionProbability(),
		Supersedes: item.GetSupersedes(), Adjudicated: item.GetAdjudicated(),
	}
	if item.GetTime() != nil {
		n.Time = item.GetTime().AsTime()
	}
	if n.Adjudicated && !who.has(guard.Curator) {
		return n, guard.ErrRole(who.ctx, guard.Curator)
	}
	if n.Annotator, err = who.annotator(item.GetAnnotator()); err != nil {
		return n, err
	}
	n.Source, err = who.source(item.GetSource())
	return n, err
}

// checkLabel applies the rules to one label, which the check of the call leaves alone.
func (s *Server) checkLabel(item *parleyv1.NewLabel) error {
	text := item.GetText()
	switch {
	case len(text) > min(s.cfg.MaxDocumentBytes, ledger.MaxText):
		return errTextTooLarge("text", len(text), min(s.cfg.MaxDocumentBytes, ledger.MaxText))
	case strings.TrimSpace(text) == "" && (text != "" || item.GetTextId() == ""):
		return badField(parleyv1.ErrorReason_ERROR_REASON_EMPTY_DOCUMENT, "text", "the text is empty")
	case item.GetTime() != nil && (!item.GetTime().IsValid() || item.GetTime().GetSeconds() < 0):
		return badField(parleyv1.ErrorReason_ERROR_REASON_INVALID_FIELD, "time", "want one of the years 1970 to 9999")
	}
	return s.check(item)
}

// created is the result of a label that the ledger has seen.
func created(ctx context.Context, o ledger.Outcome, w *warner, n *ledger.NewLabel) *parleyv1.BatchCreateLabelsResult {
	if o.Err != nil {
		return failedLabel(ledgerError(ctx, o.Err))
	}
	return &parleyv1.BatchCreateLabelsResult{Outcome: &parleyv1.BatchCreateLabelsResult_Created{
		Created: &parleyv1.CreatedLabel{Number: o.Seq, Existing: o.Existing, Warning: w.warning(n)},
	}}
}

func failedLabel(err error) *parleyv1.BatchCreateLabelsResult {
	return &parleyv1.BatchCreateLabelsResult{Outcome: &parleyv1.BatchCreateLabelsResult_Error{Error: status.Convert(err).Proto()}}
}

// ConfirmLabels takes labels out of quarantine.
func (s *Server) ConfirmLabels(ctx context.Context, req *parleyv1.ConfirmLabelsRequest) (*parleyv1.ConfirmLabelsResponse, error) {
	l, err := s.clerk.open(ctx)
	if err != nil {
		return nil, err
	}
	annotator, err := speakerOf(ctx).annotator(req.GetAnnotator())
	if err != nil {
		return nil, err
	}
	log := callOf(ctx)
	log.items = len(req.GetNumbers())
	done := s.clerk.time()
	outcomes, err := l.Confirm(ctx, req.GetRequestId(), req.GetNumbers(), annotator)
	done()
	if err != nil {
		return nil, s.clerk.fail(ctx, err)
	}
	resp := &parleyv1.ConfirmLabelsResponse{}
	for _, o := range outcomes {
		r := &parleyv1.ConfirmLabelsResult{Outcome: &parleyv1.ConfirmLabelsResult_Confirmed{Confirmed: o.Seq}}
		if o.Err != nil {
			r.Outcome = &parleyv1.ConfirmLabelsResult_Error{Error: status.Convert(ledgerError(ctx, o.Err)).Proto()}
			resp.ErrorCount++
		}
		resp.Results = append(resp.Results, r)
	}
	log.errors = int(resp.ErrorCount)
	return resp, nil
}

// selections are how the ledger calls them.
var selections = map[parleyv1.Selection]ledger.Selection{
	parleyv1.Selection_SELECTION_UNSPECIFIED: ledger.Unknown,
	parleyv1.Selection_SELECTION_RANDOM:      ledger.Random,
	parleyv1.Selection_SELECTION_UNCERTAIN:   ledger.Uncertain,
	parleyv1.Selection_SELECTION_CORRECTION:  ledger.Correction,
	parleyv1.Selection_SELECTION_SUSPECT:     ledger.Suspect,
	parleyv1.Selection_SELECTION_OTHER:       ledger.Other,
}

// selectionOf is how the API calls a selection of the ledger.
func selectionOf(s ledger.Selection) parleyv1.Selection {
	for api, own := range selections {
		if own == s {
			return api
		}
	}
	return parleyv1.Selection_SELECTION_OTHER // one of a newer version
}

func describeEvent(e *ledger.Event) *parleyv1.LedgerEvent {
	return &parleyv1.LedgerEvent{
		Number: e.Seq, Kind: e.Kind, Text: e.Text, TextId: e.ID, Group: e.Group, Target: e.Target, Forgotten: e.Forgotten,
		Head: e.Head, Label: e.Label, Annotator: e.Annotator, Source: e.Source,
		Selection: selectionOf(e.Selection), SelectionProbability: e.SelectionProbability, Adjudicated: e.Adjudicated,
		About: e.Ref, Details: string(e.Details), Time: timestamppb.New(e.Time), RecordTime: timestamppb.New(e.Recorded),
	}
}
