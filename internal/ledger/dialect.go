package ledger

import (
	"context"
	"database/sql"
	"io/fs"
	"time"

	"github.com/pressly/goose/v3"
)

// A dialect is all that differs between the databases that hold a ledger. What a
// ledger does is written once, in SQL that both understand, with ? for arguments.
type dialect interface {
	// SQL returns the query as the database takes it.
	SQL(query string) string
	// TxOptions are how transactions begin that only read, and that write (nil).
	TxOptions(*sql.TxOptions) *sql.TxOptions
	// Lock makes the transaction the only one that writes, before it looks at
	// anything, or fails with ErrLocked.
	Lock(ctx context.Context, tx *sql.Tx) error
	// Committing is called at the end of a transaction that wrote events.
	Committing(ctx context.Context, tx *sql.Tx) error
	// Heard is closed when there may be new events (or nil), but look after the time
	// that comes with it anyway.
	Heard() (<-chan struct{}, time.Duration)
	// Scrub rids the files of what was deleted.
	Scrub(ctx context.Context, db *sql.DB) error
	// Stale reports whether a transaction could not begin because its connection, made
	// earlier, was broken: another may do.
	Stale(err error) bool
	// Error returns the error as one of this package, or of the context.
	Error(err error) error
	// Migrations are for goose, with its name of the database.
	Migrations() (goose.Dialect, fs.FS)
	// HasTable counts the tables of a name.
	HasTable() string
	// SessionLock and SessionUnlock keep other processes from migrating meanwhile.
	SessionLock(ctx context.Context, conn *sql.Conn) error
	SessionUnlock(ctx context.Context, conn *sql.Conn) error
	Close() error
}
