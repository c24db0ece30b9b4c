package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"
)

// A tx is a transaction, and how queries are made in it.
type tx struct {
	ctx context.Context
	l   *Ledger
	tx  *sql.Tx
}

// read calls f in a transaction that sees the ledger as it is at one position.
func (l *Ledger) read(ctx context.Context, f func(*tx) error) error {
	return l.inTx(ctx, &sql.TxOptions{ReadOnly: true}, f)
}

// lockedTx calls f in the only transaction that writes.
func (l *Ledger) lockedTx(ctx context.Context, f func(*tx) error) error {
	if err := l.take(ctx); err != nil {
		return err
	}
	defer func() { <-l.writing }()
	return l.inTx(ctx, nil, func(t *tx) error {
		if err := l.dialect.Lock(ctx, t.tx); err != nil {
			return err
		}
		return f(t)
	})
}

// take waits for other goroutines of this process: they queue here, in order,
// instead of trying for the database's lock again and again.
func (l *Ledger) take(ctx context.Context) error {
	wait := time.NewTimer(l.lockWait)
	defer wait.Stop()
	select {
	case l.writing <- struct{}{}:
		return nil
	case <-wait.C:
		return fmt.Errorf("%w of this process for %v", ErrLocked, l.lockWait)
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (l *Ledger) inTx(ctx context.Context, opts *sql.TxOptions, f func(*tx) error) error {
	t, err := l.begin(ctx, l.dialect.TxOptions(opts))
	if err != nil {
		return l.dialect.Error(err)
	}
	if err := f(&tx{ctx, l, t}); err != nil {
		t.Rollback() // what failed is told; the connection is thrown away if this fails
		return l.dialect.Error(err)
	}
	return l.dialect.Error(t.Commit())
}

// begin tries again where connections broke while nobody used them.
func (l *Ledger) begin(ctx context.Context, opts *sql.TxOptions) (t *sql.Tx, err error) {
	for range connections + 1 {
		if t, err = l.db.BeginTx(ctx, opts); err == nil || !l.dialect.Stale(err) {
			break
		}
	}
	return t, err
}

func (t *tx) exec(query string, args ...any) error {
	_, err := t.tx.ExecContext(t.ctx, t.l.dialect.SQL(query), args...)
	return err
}

// deleted is exec that tells how many rows were concerned.
func (t *tx) deleted(query string, args ...any) (int, error) {
	r, err := t.tx.ExecContext(t.ctx, t.l.dialect.SQL(query), args...)
	if err != nil {
		return 0, err
	}
	n, err := r.RowsAffected()
	return int(n), err
}

// query calls each for every row, with the function that scans it.
func (t *tx) query(each func(scan func(...any) error) error, query string, args ...any) error {
	rows, err := t.tx.QueryContext(t.ctx, t.l.dialect.SQL(query), args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := each(rows.Scan); err != nil {
			return err
		}
	}
	return rows.Err()
}

// one scans the only row into dest: sql.ErrNoRows if there is none.
func (t *tx) one(dest []any, query string, args ...any) error {
	return t.tx.QueryRowContext(t.ctx, t.l.dialect.SQL(query), args...).Scan(dest...)
}

func (t *tx) meta() (m meta, err error) {
	err = t.one([]any{&m.id, &m.salt}, `SELECT id, salt FROM ledger`)
	return m, err
}

func (t *tx) position() (n int64, err error) {
	err = t.one([]any{&n}, `SELECT COALESCE(MAX(seq), 0) FROM events`)
	return n, err
}

// rowsPerStatement keeps statements below the number of arguments that databases take.
const rowsPerStatement = 100

// insert inserts rows; columns are named as in SQL.
func (t *tx) insert(table, columns string, rows [][]any) error {
	for len(rows) > 0 {
		n := min(len(rows), rowsPerStatement)
		one := "(" + marks(len(rows[0])) + ")"
		var args []any
		for _, r := range rows[:n] {
			args = append(args, r...)
		}
		query := "INSERT INTO " + table + " (" + columns + ") VALUES " + one + strings.Repeat(", "+one, n-1)
		if err := t.exec(query, args...); err != nil {
			return err
		}
		rows = rows[n:]
	}
	return nil
}

// marks are places for n arguments.
func marks(n int) string {
	if n == 0 {
		return ""
	}
	return "?" + strings.Repeat(", ?", n-1)
}

// queryIn is query for any number of keys: the query's %s becomes their places.
func queryIn[K any](t *tx, keys []K, each func(scan func(...any) error) error, query string) error {
	for len(keys) > 0 {
		n := min(len(keys), rowsPerStatement)
		var args []any
		for _, k := range keys[:n] {
			args = append(args, k)
		}
		if err := t.query(each, strings.Replace(query, "%s", marks(n), 1), args...); err != nil {
			return err
		}
		keys = keys[n:]
	}
	return nil
}

// optional is err unless there was just no row.
func optional(err error) error {
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	return err
}

// micros and fromMicros: times are kept as microseconds since 1970.
func micros(t time.Time) int64 { return t.UnixMicro() }

func fromMicros(n int64) time.Time { return time.UnixMicro(n).UTC() }
