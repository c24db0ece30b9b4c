package ledger

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"slices"
)

// Errors of a ledger, wrapped with what is wrong. No error holds a text, a
// caller's name of one, or a password. Errors of a context stay what they are.
var (
	// ErrUnavailable: the ledger cannot be reached, read or written: the disk is
	// full or read-only, the server is gone. Nothing half-written is left; a write
	// may have become durable if the connection broke while it was committed, so
	// repeat it with the same request id.
	ErrUnavailable = errors.New("ledger unavailable")
	// ErrLocked: another process has been writing for longer than a write waits.
	ErrLocked = errors.New("ledger locked by another writer")
	// ErrNotLedger: the file, or the schema of the database, is something else.
	ErrNotLedger = errors.New("not a ledger")
	// ErrNewer: the ledger was made by a newer version of this program.
	ErrNewer = errors.New("ledger of a newer version")
	// ErrInvalid: an argument that no ledger takes; the message names the field.
	ErrInvalid = errors.New("invalid")
	// ErrTooLarge: an argument above a limit; the message names the limit.
	ErrTooLarge = errors.New("too large")
	// ErrNotFound: no such text, label or event.
	ErrNotFound = errors.New("not found")
	// ErrForgotten: the text was forgotten and may not come back.
	ErrForgotten = errors.New("text was forgotten")
	// ErrConflict: what the ledger says is not what the caller takes it to be.
	ErrConflict = errors.New("conflict")
	// ErrRequestReused: the request id was used for another request.
	ErrRequestReused = errors.New("request id was used for another request")
	// ErrFormat: what shall be imported is not an export of a ledger.
	ErrFormat = errors.New("not an export of a ledger")
)

// outcomeErrors are those that an outcome can have, by the code under which a
// request's outcomes are kept.
var outcomeErrors = map[string]error{
	"invalid":   ErrInvalid,
	"too large": ErrTooLarge,
	"not found": ErrNotFound,
	"forgotten": ErrForgotten,
	"conflict":  ErrConflict,
}

// An outcomeError is an error of one item, equal to itself when it is read back.
type outcomeError struct {
	code    string
	message string
}

func (e *outcomeError) Error() string { return e.message }
func (e *outcomeError) Unwrap() error { return outcomeErrors[e.code] }

// databaseError is for errors that are no database's own: what the ledger or a
// context says stays; what is left comes from the connection.
func databaseError(err error) error {
	switch {
	case err == nil || isOwn(err):
		return err
	case errors.Is(err, sql.ErrConnDone), errors.Is(err, sql.ErrTxDone), errors.Is(err, driver.ErrBadConn):
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	return err
}

func isOwn(err error) bool {
	own := []error{ErrUnavailable, ErrLocked, ErrNotLedger, ErrNewer, ErrInvalid, ErrTooLarge, ErrNotFound, ErrForgotten,
		ErrConflict, ErrRequestReused, ErrFormat, context.Canceled, context.DeadlineExceeded, sql.ErrNoRows}
	return slices.ContainsFunc(own, func(e error) bool { return errors.Is(err, e) })
}
