package serve

import (
	"context"
	"errors"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/protoadapt"

	"github.com/parley-nlp/parley/internal/ledger"
	"github.com/parley-nlp/parley/internal/rpcerror"
	parleyv1 "github.com/parley-nlp/parley/proto/parley/v1"
)

func errNoLedger() error {
	return rpcerror.New(codes.FailedPrecondition, parleyv1.ErrorReason_ERROR_REASON_NO_LEDGER,
		"this server has no ledger: it takes no labels", nil)
}

func errLedgerUnavailable(message string) error {
	return rpcerror.New(codes.Unavailable, parleyv1.ErrorReason_ERROR_REASON_LEDGER_UNAVAILABLE, message, rpcerror.RetryAfter(retryAfter))
}

func errPredictionLog() error {
	return rpcerror.New(codes.Unavailable, parleyv1.ErrorReason_ERROR_REASON_PREDICTION_LOG_UNAVAILABLE,
		"the prediction log could not be searched: nothing was forgotten", rpcerror.RetryAfter(retryAfter))
}

// ledgerError is the status of an error of the ledger. The messages of errors that
// are about the request hold no content of it.
func ledgerError(ctx context.Context, err error) error {
	switch {
	case ctx.Err() != nil:
		return status.FromContextError(ctx.Err()).Err()
	case errors.Is(err, ledger.ErrInvalid), errors.Is(err, ledger.ErrTooLarge):
		return rpcerror.New(codes.InvalidArgument, parleyv1.ErrorReason_ERROR_REASON_INVALID_FIELD, err.Error(), nil)
	case errors.Is(err, ledger.ErrForgotten):
		return rpcerror.New(codes.FailedPrecondition, parleyv1.ErrorReason_ERROR_REASON_TEXT_FORGOTTEN, err.Error(), nil)
	case errors.Is(err, ledger.ErrNotFound):
		info := &errdetails.ResourceInfo{ResourceType: "parley.v1.LedgerEvent", Description: err.Error()}
		return rpcerror.New(codes.NotFound, parleyv1.ErrorReason_ERROR_REASON_LEDGER_ENTRY_NOT_FOUND, err.Error(), []protoadapt.MessageV1{info})
	case errors.Is(err, ledger.ErrConflict):
		return rpcerror.New(codes.Aborted, parleyv1.ErrorReason_ERROR_REASON_LEDGER_CONFLICT, err.Error(), nil)
	case errors.Is(err, ledger.ErrRequestReused):
		return rpcerror.New(codes.AlreadyExists, parleyv1.ErrorReason_ERROR_REASON_REQUEST_REUSED, err.Error(), nil)
	case errors.Is(err, ledger.ErrLocked):
		return errLedgerUnavailable("others have been writing to the ledger for too long")
	}
	return errLedgerUnavailable("the ledger does not answer")
}

// isLedgersFault tells errors of the ledger from those of requests.
func isLedgersFault(err error) bool {
	for _, own := range []error{ledger.ErrInvalid, ledger.ErrTooLarge, ledger.ErrForgotten, ledger.ErrNotFound, ledger.ErrConflict, ledger.ErrRequestReused} {
		if errors.Is(err, own) {
			return false
		}
	}
	return true
}
