package score

import (
	"cmp"
	"context"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	parleyv1 "github.com/parley-nlp/parley/proto/parley/v1"
)

// Names say what the labels of a revision are called, by head and label.
type Names map[string]map[string]string

// Of returns what a head's label is called: by itself unless there is a name.
func (n Names) Of(head, label string) string { return cmp.Or(n[head][label], label) }

// add takes up the names of a head, which may be none.
func (n Names) add(head string, labels, names []string) {
	n[head] = map[string]string{}
	for i := range min(len(labels), len(names)) {
		n[head][labels[i]] = names[i]
	}
}

func (l *local) Names(context.Context, string) (Names, error) {
	names := Names{}
	for _, h := range l.model.Heads() {
		names.add(h.Name, h.Labels, h.Names)
	}
	return names, nil
}

func (r *remote) Names(ctx context.Context, revision string) (Names, error) {
	service := r.client.Models()
	list, err := service.ListModels(ctx, &parleyv1.ListModelsRequest{})
	if status.Code(err) == codes.PermissionDenied { // a caller that may score alone
		return Names{}, nil
	}
	if err != nil {
		return nil, err
	}
	names := Names{}
	for _, m := range list.GetModels() {
		resp, err := service.GetModelRevision(ctx, &parleyv1.GetModelRevisionRequest{Name: m.GetName() + "/revisions/" + revision})
		if status.Code(err) == codes.NotFound { // of another model, or replaced since
			continue
		}
		if err != nil {
			return nil, err
		}
		for _, h := range resp.GetModelRevision().GetHeads() {
			names.add(h.GetId(), h.GetLabels(), h.GetLabelNames())
		}
	}
	return names, nil
}
