package serve

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/protoadapt"

	"github.com/parley-nlp/parley/internal/rpcerror"
	parleyv1 "github.com/parley-nlp/parley/proto/parley/v1"
)

// A violation names a field and says what is wrong with it.
type violation struct{ field, description string }

// badField makes an INVALID_ARGUMENT about one field.
func badField(reason parleyv1.ErrorReason, field, message string, metadata ...string) error {
	return rpcerror.New(codes.InvalidArgument, reason, field+": "+message, badRequest(violation{field, message}), metadata...)
}

func badRequest(list ...violation) []protoadapt.MessageV1 {
	b := &errdetails.BadRequest{}
	for _, v := range list {
		b.FieldViolations = append(b.FieldViolations, &errdetails.BadRequest_FieldViolation{Field: v.field, Description: v.description})
	}
	return []protoadapt.MessageV1{b}
}

func errMalformed(cause error) error {
	// The cause itself names gRPC's internals, and its wording varies.
	message := "the request is not a valid protocol buffer message"
	if strings.Contains(cause.Error(), "invalid UTF-8") {
		message = "the request has a string that is not valid UTF-8"
	}
	return rpcerror.New(codes.InvalidArgument, parleyv1.ErrorReason_ERROR_REASON_MALFORMED_REQUEST, message, nil)
}

func errInvalidFields(list []violation) error {
	parts := make([]string, len(list))
	for i, v := range list {
		parts[i] = v.field + ": " + v.description
	}
	return rpcerror.New(codes.InvalidArgument, parleyv1.ErrorReason_ERROR_REASON_INVALID_FIELD, strings.Join(parts, "; "), badRequest(list...))
}

// textField is the field of errors about a document: also in the results of a
// batch, whose errors are those of Classify.
const textField = "document.text"

func errEmptyDocument() error {
	return badField(parleyv1.ErrorReason_ERROR_REASON_EMPTY_DOCUMENT, textField, "the text is empty")
}

func errDocumentTooLarge(size, limit int) error { return errTextTooLarge(textField, size, limit) }

func errTextTooLarge(field string, size, limit int) error {
	return badField(parleyv1.ErrorReason_ERROR_REASON_DOCUMENT_TOO_LARGE, field,
		fmt.Sprintf("the text has %d bytes, the limit is %d", size, limit),
		"size_bytes", strconv.Itoa(size), "limit_bytes", strconv.Itoa(limit))
}

func errBatchTooLarge(field string, items, limit int) error {
	return badField(parleyv1.ErrorReason_ERROR_REASON_BATCH_TOO_LARGE, field,
		fmt.Sprintf("the batch has %d items, the limit is %d", items, limit),
		"items", strconv.Itoa(items), "limit", strconv.Itoa(limit))
}

func errDuplicateItemID(field, id string) error {
	return badField(parleyv1.ErrorReason_ERROR_REASON_DUPLICATE_ITEM_ID, field, fmt.Sprintf("the id %q is that of an earlier item", id), "id", id)
}

func errUnknownHead(field, head string, known []string) error {
	list := strings.Join(known, ",")
	return badField(parleyv1.ErrorReason_ERROR_REASON_UNKNOWN_HEAD, field,
		fmt.Sprintf("the model has no head %q; it has %s", head, list), "head", head, "known", list)
}

func errTooMuchEvidence(terms, limit int) error {
	return errInvalidFields([]violation{{"options.max_evidence_terms",
		fmt.Sprintf("items x labels x terms is %d, the limit is %d: ask for fewer, or send smaller batches", terms, limit)}})
}

func errModelNotFound(model string) error {
	return notFound(parleyv1.ErrorReason_ERROR_REASON_MODEL_NOT_FOUND, "parley.v1.Model", model,
		fmt.Sprintf("there is no %s", model), "model", model)
}

func errRevisionNotFound(model, name string) error {
	return notFound(parleyv1.ErrorReason_ERROR_REASON_REVISION_NOT_FOUND, "parley.v1.ModelRevision", name,
		fmt.Sprintf("there is no %s on this server", name), "model", model, "revision", name)
}

func errRevisionNotReady(model, id string, state parleyv1.RevisionState) error {
	name := revisionName(model, id)
	words := map[parleyv1.RevisionState]string{
		parleyv1.RevisionState_REVISION_STATE_AVAILABLE: "is not in this server's memory",
		parleyv1.RevisionState_REVISION_STATE_LOADING:   "is being loaded",
		parleyv1.RevisionState_REVISION_STATE_FAILED:    "could not be loaded",
	}
	return rpcerror.New(codes.FailedPrecondition, parleyv1.ErrorReason_ERROR_REASON_REVISION_NOT_READY, name+" "+words[state], nil,
		"model", model, "revision", name, "state", strings.TrimPrefix(state.String(), "REVISION_STATE_"))
}

// errNotLoadable is about a revision that is damaged, cannot be used or is going.
func errNotLoadable(model, id string, cause error) error {
	name := revisionName(model, id)
	return rpcerror.New(codes.FailedPrecondition, parleyv1.ErrorReason_ERROR_REASON_REVISION_NOT_READY,
		fmt.Sprintf("%s could not be loaded: %v", name, cause), nil, "model", model, "revision", name, "state", "FAILED")
}

// errWithdrawn is about a revision that may not answer any more.
func errWithdrawn(model, id, why string) error {
	name := revisionName(model, id)
	return rpcerror.New(codes.FailedPrecondition, parleyv1.ErrorReason_ERROR_REASON_REVISION_WITHDRAWN,
		fmt.Sprintf("%s has been withdrawn: %s", name, why), nil, "model", model, "revision", name, "withdrawal", why)
}

func errNoStore(model string) error {
	return rpcerror.New(codes.FailedPrecondition, parleyv1.ErrorReason_ERROR_REASON_NO_STORE,
		"this server has no store: its model is the one it was started with", nil, "model", model)
}

func errNoPrevious(model, alias string) error {
	return rpcerror.New(codes.FailedPrecondition, parleyv1.ErrorReason_ERROR_REASON_NO_PREVIOUS_REVISION,
		fmt.Sprintf("alias %q of %s never pointed at another revision", alias, model), nil, "model", model, "alias", alias)
}

func errEtagMismatch(current string) error {
	return rpcerror.New(codes.Aborted, parleyv1.ErrorReason_ERROR_REASON_ETAG_MISMATCH,
		"an alias has moved since: read the model again", nil, "current_etag", current)
}

func errStoreUnavailable(cause error) error {
	return rpcerror.New(codes.Unavailable, parleyv1.ErrorReason_ERROR_REASON_STORE_UNAVAILABLE,
		fmt.Sprintf("the store does not answer: %v", cause), rpcerror.RetryAfter(retryAfter))
}

func errPageToken() error {
	return errInvalidFields([]violation{{"page_token", "not a token of an earlier answer"}})
}

func notFound(reason parleyv1.ErrorReason, kind, name, message string, metadata ...string) error {
	info := &errdetails.ResourceInfo{ResourceType: kind, ResourceName: name, Description: message}
	return rpcerror.New(codes.NotFound, reason, message, []protoadapt.MessageV1{info}, metadata...)
}

// retryAfter is how long a client should wait for a server that is starting.
const retryAfter = time.Second

func errNotReady() error {
	return rpcerror.New(codes.Unavailable, parleyv1.ErrorReason_ERROR_REASON_SERVER_NOT_READY, "no model is loaded yet", rpcerror.RetryAfter(retryAfter))
}

func errInternal(requestID string) error {
	return rpcerror.New(codes.Internal, parleyv1.ErrorReason_ERROR_REASON_INTERNAL,
		"internal error; the server's log has the cause under request id "+requestID, nil, "request_id", requestID)
}

// errContext is the status of a call that was cancelled or ran out of time.
func errContext(ctx context.Context) error {
	cause := ctx.Err()
	if errors.Is(cause, context.DeadlineExceeded) {
		return status.Error(codes.DeadlineExceeded, "the deadline passed before all items were classified")
	}
	return status.FromContextError(cause).Err()
}
