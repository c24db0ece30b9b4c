package ledger

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"time"
)

// A Ledger is an open ledger, for any number of goroutines. Several processes may
// have the same one open.
type Ledger struct {
	db       *sql.DB
	dialect  dialect
	id       atomic.Pointer[string]
	writing  chan struct{} // holds one token while a transaction of this process writes
	lockWait time.Duration
}

// defaultLockWait is how long a write waits for other writers.
const defaultLockWait = 10 * time.Second

// Open opens the ledger at a URL, and makes it if there is none: a path or
// sqlite:PATH is a file of SQLite, postgres://... a database of PostgreSQL (in the
// schema that its parameter search_path names, parley_ledger by default).
func Open(ctx context.Context, url string) (*Ledger, error) {
	return open(ctx, url, defaultLockWait)
}

// open tries until it has waited for others: SQLite does not wait while a file gets
// its write-ahead log.
func open(ctx context.Context, url string, lockWait time.Duration) (*Ledger, error) {
	for deadline := time.Now().Add(lockWait); ; {
		l, err := openOnce(ctx, url, lockWait)
		if !errors.Is(err, ErrLocked) || time.Now().After(deadline) {
			return l, err
		}
		select {
		case <-time.After(20 * time.Millisecond):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

func openOnce(ctx context.Context, url string, lockWait time.Duration) (*Ledger, error) {
	db, d, err := connect(ctx, url, lockWait)
	if err != nil {
		return nil, err
	}
	l := &Ledger{db: db, dialect: d, writing: make(chan struct{}, 1), lockWait: lockWait}
	if err := l.prepare(ctx); err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return l, nil
}

func connect(ctx context.Context, url string, lockWait time.Duration) (*sql.DB, dialect, error) {
	scheme, _, hasScheme := strings.Cut(url, "://")
	switch {
	case url == "":
		return nil, nil, fmt.Errorf("%w: no ledger is named: want a file or a postgres:// URL", ErrInvalid)
	case scheme == "postgres" || scheme == "postgresql":
		return connectPostgres(ctx, url, lockWait)
	case hasScheme && !strings.HasPrefix(url, "sqlite:"):
		return nil, nil, fmt.Errorf("%w: a ledger is a file or a postgres:// URL, none of %s", ErrInvalid, scheme)
	}
	path := strings.TrimPrefix(url, "sqlite:")
	if abs, ok := strings.CutPrefix(path, "///"); ok {
		path = "/" + abs
	}
	return connectSQLite(ctx, path, lockWait)
}

// prepare migrates the ledger and gives a new one its id and salt.
func (l *Ledger) prepare(ctx context.Context) error {
	if err := l.migrate(ctx); err != nil {
		return err
	}
	return l.identify(ctx)
}

func (l *Ledger) identify(ctx context.Context) error {
	err := l.read(ctx, func(t *tx) error {
		m, err := t.meta()
		l.id.Store(&m.id)
		return err
	})
	if !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	return l.lockedTx(ctx, func(t *tx) error {
		m, err := t.meta()
		if errors.Is(err, sql.ErrNoRows) {
			m = newMeta()
			err = t.exec(`INSERT INTO ledger (one, id, salt) VALUES (1, ?, ?)`, m.id, m.salt)
		}
		l.id.Store(&m.id)
		return err
	})
}

// meta is what a ledger is made with.
type meta struct {
	id   string
	salt []byte
}

func newMeta() meta {
	id, salt := make([]byte, 16), make([]byte, 32)
	rand.Read(id) // never fails
	rand.Read(salt)
	return meta{hex.EncodeToString(id), salt}
}

// Close closes the ledger. Waiting calls fail.
func (l *Ledger) Close() error {
	return errors.Join(l.db.Close(), l.dialect.Close())
}

// ID is random, made with the ledger, and kept by Export and Import.
func (l *Ledger) ID() string { return *l.id.Load() }

// Position is the number of the newest event, 0 if there is none.
func (l *Ledger) Position(ctx context.Context) (position int64, err error) {
	err = l.read(ctx, func(t *tx) error {
		position, err = t.position()
		return err
	})
	return position, err
}

// pollTime is how often a ledger is looked at for others' events where nobody tells
// of them: one look is one key of an index.
const pollTime = 200 * time.Millisecond

// Wait returns the position once it is beyond after, whoever wrote.
func (l *Ledger) Wait(ctx context.Context, after int64) (int64, error) {
	for {
		heard, look := l.dialect.Heard() // before the position: nothing is missed
		position, err := l.Position(ctx)
		if err != nil || position > after {
			return position, err
		}
		select {
		case <-heard:
		case <-time.After(look):
		case <-ctx.Done():
			return 0, ctx.Err()
		}
	}
}
