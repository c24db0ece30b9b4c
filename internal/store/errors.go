package store

import "errors"

// Errors of a store, wrapped with what is wrong. Errors of a context stay what
// they are.
var (
	// ErrUnavailable: the store cannot be reached, read or written, or is gone.
	// What it holds may be fine.
	ErrUnavailable = errors.New("store unavailable")
	// ErrNotFound: there is no such model, revision or alias.
	ErrNotFound = errors.New("not found")
	// ErrCorrupt: what the store holds is damaged, incomplete or not what its
	// name says. Publishing the model again repairs it.
	ErrCorrupt = errors.New("corrupt")
	// ErrIncompatible: the store holds what this program cannot use, though it is
	// not damaged: it is of another version, or fails its self-test.
	ErrIncompatible = errors.New("incompatible")
	// ErrInvalid: an argument that no store takes.
	ErrInvalid = errors.New("invalid")
	// ErrAmbiguous: more than one revision begins so.
	ErrAmbiguous = errors.New("ambiguous")
	// ErrEtagMismatch: an alias of the model has moved since.
	ErrEtagMismatch = errors.New("etag mismatch")
	// ErrNoPrevious: the alias has pointed to one revision only, or all before have
	// been withdrawn.
	ErrNoPrevious = errors.New("no previous revision")
	// ErrWithdrawn: the revision has been withdrawn and may not answer any more.
	ErrWithdrawn = errors.New("withdrawn revision")
	// ErrExists: something else is there already that never changes.
	ErrExists = errors.New("exists already")
	// ErrBusy: the revision is being removed, or another removal is under way.
	ErrBusy = errors.New("being removed")
)

// errExists: create found something there.
var errExists = errors.New("exists already")
