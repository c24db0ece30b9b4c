package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"time"

	"github.com/pressly/goose/v3"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// applicationID marks a file of SQLite as a ledger: "Prly".
const applicationID = 'P'<<24 | 'r'<<16 | 'l'<<8 | 'y'

// connections are how many a process has to one ledger.
const connections = 8

// onSQLite is the dialect of SQLite. Its write-ahead log lets others read while one
// writes; synchronous=FULL makes a commit durable, secure_delete overwrites what
// is deleted.
type onSQLite struct {
	path string
	file os.FileInfo // that was opened
}

func connectSQLite(ctx context.Context, path string, lockWait time.Duration) (*sql.DB, dialect, error) {
	d := &onSQLite{path: path}
	if err := d.mark(ctx, lockWait); err != nil {
		return nil, nil, fmt.Errorf("ledger %s: %w", path, d.Error(err))
	}
	file, err := os.Stat(path)
	if err != nil {
		return nil, nil, fmt.Errorf("ledger %s: %w: %w", path, ErrUnavailable, errors.Unwrap(err))
	}
	d.file = file
	db, err := sql.Open("sqlite", sqliteURL(path, lockWait, "journal_mode(WAL)", "synchronous(FULL)", "secure_delete(ON)", "trusted_schema(OFF)"))
	if err != nil {
		return nil, nil, fmt.Errorf("ledger %s: %w", path, d.Error(err))
	}
	db.SetMaxOpenConns(connections)
	db.SetMaxIdleConns(connections)
	return db, d, nil
}

// sqliteURL is the path as the driver takes it: whatever it holds is a path.
func sqliteURL(path string, lockWait time.Duration, pragmas ...string) string {
	q := url.Values{"_txlock": {"immediate"}}
	q.Add("_pragma", fmt.Sprintf("busy_timeout(%d)", lockWait.Milliseconds()))
	for _, p := range pragmas {
		q.Add("_pragma", p)
	}
	return "file:" + (&url.URL{Path: path}).EscapedPath() + "?" + q.Encode()
}

// mark makes the file, with the mark of a ledger, and refuses a file that is
// something else before anything is written to it. Only the owner may read a new
// one: it has texts and the salt.
func (d *onSQLite) mark(ctx context.Context, lockWait time.Duration) error {
	if f, err := os.OpenFile(d.path, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600); err == nil {
		f.Close()
	} else if !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%w: %w", ErrUnavailable, errors.Unwrap(err))
	}
	db, err := sql.Open("sqlite", sqliteURL(d.path, lockWait))
	if err != nil {
		return err
	}
	defer db.Close()
	id, tables, err := whose(ctx, db)
	switch {
	case err != nil || id == applicationID:
		return err
	case tables > 0 || id != 0:
		return fmt.Errorf("%w, but another program's database", ErrNotLedger)
	}
	_, err = db.ExecContext(ctx, fmt.Sprintf(`PRAGMA application_id = %d`, applicationID))
	return err
}

// whose reads the mark of a file and the number of its tables, both of one moment:
// another may be making the ledger.
func whose(ctx context.Context, db *sql.DB) (id, tables int, err error) {
	tx, err := db.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return 0, 0, err
	}
	defer tx.Rollback() // it only reads
	err = first(tx.QueryRowContext(ctx, `SELECT COUNT(*) FROM sqlite_master`).Scan(&tables),
		tx.QueryRowContext(ctx, `PRAGMA application_id`).Scan(&id))
	return id, tables, err
}

func (*onSQLite) SQL(query string) string                   { return query }
func (*onSQLite) TxOptions(o *sql.TxOptions) *sql.TxOptions { return o }
func (*onSQLite) Heard() (<-chan struct{}, time.Duration)   { return nil, pollTime }
func (*onSQLite) Stale(error) bool                          { return false }
func (*onSQLite) Close() error                              { return nil }

// Lock leaves the lock to BEGIN IMMEDIATE.
func (d *onSQLite) Lock(context.Context, *sql.Tx) error { return d.inPlace() }

// Committing looks again, right before events count as durable.
func (d *onSQLite) Committing(context.Context, *sql.Tx) error { return d.inPlace() }

// inPlace looks whether the file is where it was opened: one that was removed or
// replaced can be written as long as it is open, and what is written is lost.
func (d *onSQLite) inPlace() error {
	if now, err := os.Stat(d.path); err != nil || !os.SameFile(d.file, now) {
		return fmt.Errorf("%w: the file %s was removed or replaced since it was opened", ErrUnavailable, d.path)
	}
	return nil
}

func (*onSQLite) HasTable() string {
	return `SELECT COUNT(*) FROM sqlite_master WHERE type = 'table' AND name = ?`
}

// Scrub moves the write-ahead log into the file, where deleted content was
// overwritten, and empties it.
func (d *onSQLite) Scrub(ctx context.Context, db *sql.DB) error {
	var busy, logged, moved int
	if err := db.QueryRowContext(ctx, `PRAGMA wal_checkpoint(TRUNCATE)`).Scan(&busy, &logged, &moved); err != nil {
		return d.Error(err)
	}
	if busy != 0 {
		return fmt.Errorf("%w or reader: the write-ahead log could not be emptied", ErrLocked)
	}
	return nil
}

func (*onSQLite) Migrations() (goose.Dialect, fs.FS) {
	files, err := fs.Sub(migrations, "migrations/sqlite")
	if err != nil {
		panic(err) // the name is a constant
	}
	return goose.DialectSQLite3, files
}

// SessionLock has nothing to do: a migration is a transaction, which has the file's
// lock, and notes its number, which can be there once only. Who comes second finds
// that it is done.
func (*onSQLite) SessionLock(context.Context, *sql.Conn) error   { return nil }
func (*onSQLite) SessionUnlock(context.Context, *sql.Conn) error { return nil }

func (*onSQLite) Error(err error) error {
	var e *sqlite.Error
	if !errors.As(err, &e) {
		return databaseError(err)
	}
	switch e.Code() & 0xff { // the rest of the code says more
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED:
		return fmt.Errorf("%w: %w", ErrLocked, err)
	case sqlite3.SQLITE_NOTADB:
		return fmt.Errorf("%w: no file of SQLite", ErrNotLedger)
	case sqlite3.SQLITE_CONSTRAINT:
		return fmt.Errorf("%w: rows contradict each other (%d)", ErrConflict, e.Code())
	case sqlite3.SQLITE_FULL:
		return fmt.Errorf("%w: the disk is full: %w", ErrUnavailable, err)
	case sqlite3.SQLITE_INTERRUPT:
		return fmt.Errorf("%w: %w", context.Canceled, err)
	case sqlite3.SQLITE_IOERR:
		if e.Code() == sqlite3.SQLITE_IOERR_SHMSIZE { // FULL is for the other files
			return fmt.Errorf("%w: its -shm file cannot grow: is the disk full? %w", ErrUnavailable, err)
		}
	}
	return fmt.Errorf("%w: %w", ErrUnavailable, err)
}
