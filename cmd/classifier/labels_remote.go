package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/parley-nlp/parley/client"
	"github.com/parley-nlp/parley/internal/ledger"
	parleyv1 "github.com/parley-nlp/parley/proto/parley/v1"
)

// remoteFlags choose a server instead of a ledger at hand.
type remoteFlags struct {
	Addr string `placeholder:"HOST:PORT" help:"Give the labels to a server that has a ledger, instead of --ledger; several addresses are separated by commas. The annotator is then the one whose key or certificate the server sees, unless --annotator is given."`
	connectFlags
}

// A remoteAdder adds to the ledger of a server.
type remoteAdder struct {
	client *client.Client
	warned int
	stderr io.Writer
}

// Add gives labels to the server. It tells of those that the server's model does not
// know: they are taken, but look like mistakes.
func (r *remoteAdder) Add(ctx context.Context, requestID string, labels []ledger.NewLabel) ([]ledger.Outcome, error) {
	sent := make([]*parleyv1.NewLabel, len(labels))
	for i := range labels {
		sent[i] = protoLabel(&labels[i])
	}
	resp, err := r.client.BatchCreateLabels(ctx, requestID, sent)
	if err != nil { // as text: the rows that it is about are told before it
		return nil, fmt.Errorf("%s: %s", status.Code(err), status.Convert(err).Message())
	}
	results := resp.GetResults()
	if len(results) != len(labels) {
		return nil, fmt.Errorf("the server gave %d results for %d labels", len(results), len(labels))
	}
	out := make([]ledger.Outcome, len(labels))
	for i, result := range results {
		if e := result.GetError(); e != nil {
			out[i].Err = errors.New(status.FromProto(e).Message())
			continue
		}
		out[i].Seq, out[i].Existing = result.GetCreated().GetNumber(), result.GetCreated().GetExisting()
		r.warn(&labels[i], result.GetCreated().GetWarning())
	}
	return out, nil
}

// warn tells of labels that look like mistakes, of many the first.
func (r *remoteAdder) warn(n *ledger.NewLabel, w parleyv1.LabelWarning) {
	if w == parleyv1.LabelWarning_LABEL_WARNING_UNSPECIFIED {
		return
	}
	what := fmt.Sprintf("head %q", n.Head)
	if w == parleyv1.LabelWarning_LABEL_WARNING_UNKNOWN_LABEL {
		what += fmt.Sprintf(" with label %q", n.Label)
	}
	switch r.warned++; {
	case r.warned <= maxListed:
		fmt.Fprintf(r.stderr, "warning: %s is none that the server's model has\n", what)
	case r.warned == maxListed+1:
		fmt.Fprintln(r.stderr, "and more such warnings")
	}
}

func protoLabel(n *ledger.NewLabel) *parleyv1.NewLabel {
	l := &parleyv1.NewLabel{
		Text: n.Text, TextId: n.ID, Group: n.Group, Target: n.Target, Head: n.Head, Label: n.Label,
		Annotator: n.Annotator, Source: n.Source, Selection: protoSelections[n.Selection],
		SelectionProbability: n.SelectionProbability, Supersedes: n.Supersedes, Adjudicated: n.Adjudicated,
	}
	if !n.Time.IsZero() {
		l.Time = timestamppb.New(n.Time)
	}
	return l
}

var protoSelections = map[ledger.Selection]parleyv1.Selection{
	ledger.Unknown:    parleyv1.Selection_SELECTION_UNSPECIFIED,
	ledger.Random:     parleyv1.Selection_SELECTION_RANDOM,
	ledger.Uncertain:  parleyv1.Selection_SELECTION_UNCERTAIN,
	ledger.Correction: parleyv1.Selection_SELECTION_CORRECTION,
	ledger.Suspect:    parleyv1.Selection_SELECTION_SUSPECT,
	ledger.Other:      parleyv1.Selection_SELECTION_OTHER,
}
