package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
)

// defaultSchema holds the ledger's tables unless the URL names another.
const defaultSchema = "parley_ledger"

// onPostgres is the dialect of PostgreSQL. Writers take turns by a lock that ends
// with their transaction, so events become visible in the order of their numbers.
type onPostgres struct {
	lockWait time.Duration
	*listener
}

// Keys of advisory locks, beside a hash of the schema.
const (
	writeLock   = 0x7072 // "pr"
	migrateLock = 0x7073
)

func connectPostgres(ctx context.Context, url string, lockWait time.Duration) (*sql.DB, dialect, error) {
	cfg, err := pgx.ParseConfig(url)
	if err != nil { // its text may hold parts of the URL
		return nil, nil, fmt.Errorf("%w: the URL of the ledger is none that PostgreSQL takes", ErrInvalid)
	}
	if cfg.RuntimeParams["search_path"] == "" {
		cfg.RuntimeParams["search_path"] = defaultSchema
	}
	if cfg.RuntimeParams["application_name"] == "" {
		cfg.RuntimeParams["application_name"] = "parley"
	}
	cfg.RuntimeParams["synchronous_commit"] = "on"
	if cfg.ConnectTimeout == 0 {
		cfg.ConnectTimeout = lockWait
	}
	d := &onPostgres{lockWait, newListener(cfg)}
	db := stdlib.OpenDB(*cfg)
	db.SetMaxOpenConns(connections)
	db.SetMaxIdleConns(connections)
	schema := pgx.Identifier{cfg.RuntimeParams["search_path"]}.Sanitize()
	if err := d.makeSchema(ctx, db, schema); err != nil {
		return nil, nil, errors.Join(d.Error(err), db.Close())
	}
	return db, d, nil
}

// makeSchema makes the schema if it is not there: to ask first spares the right to
// make one. A schema with tables of others is refused.
func (*onPostgres) makeSchema(ctx context.Context, db *sql.DB, schema string) error {
	var there bool
	var ours, all int
	err := db.QueryRowContext(ctx, `SELECT current_schema() IS NOT NULL, COUNT(*) FILTER (WHERE tablename = $1), COUNT(*)
		FROM pg_tables WHERE schemaname = current_schema()`, versions).Scan(&there, &ours, &all)
	if err == nil && ours == 0 && all > 0 {
		err = fmt.Errorf("%w: the schema %s has other tables: name another by search_path in the URL", ErrNotLedger, schema)
	}
	if err != nil || there {
		return err
	}
	_, err = db.ExecContext(ctx, `CREATE SCHEMA IF NOT EXISTS `+schema)
	if e := (*pgconn.PgError)(nil); errors.As(err, &e) && (e.Code == "23505" || e.Code == "42P06") {
		return nil // another was faster
	}
	return err
}

// SQL numbers the places of arguments: no query of the ledger has a ? elsewhere.
func (*onPostgres) SQL(query string) string {
	var b strings.Builder
	for n := 1; ; n++ {
		before, after, found := strings.Cut(query, "?")
		b.WriteString(before)
		if !found {
			return b.String()
		}
		b.WriteString("$" + strconv.Itoa(n))
		query = after
	}
}

// TxOptions let readers see one position throughout.
func (*onPostgres) TxOptions(o *sql.TxOptions) *sql.TxOptions {
	if o == nil {
		return nil
	}
	return &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true}
}

func (d *onPostgres) Lock(ctx context.Context, tx *sql.Tx) error {
	if _, err := tx.ExecContext(ctx, d.waiting("LOCAL")); err != nil {
		return err
	}
	_, err := tx.ExecContext(ctx, `SELECT pg_advisory_xact_lock($1, hashtext(current_schema()))`, writeLock)
	return err
}

// waiting bounds how long the transaction (LOCAL) or session waits for locks.
func (d *onPostgres) waiting(scope string) string {
	return fmt.Sprintf(`SET %s lock_timeout = %d`, scope, max(1, d.lockWait.Milliseconds()))
}

// Scrub takes the deleted rows out of the tables' pages. The server's own write-ahead
// log keeps them for as long as the server is set to.
func (d *onPostgres) Scrub(ctx context.Context, db *sql.DB) error {
	_, err := db.ExecContext(ctx, `VACUUM texts, ids, groups, targets, queued`)
	return d.Error(err)
}

func (*onPostgres) Migrations() (goose.Dialect, fs.FS) {
	files, err := fs.Sub(migrations, "migrations/postgres")
	if err != nil {
		panic(err) // the name is a constant
	}
	return goose.DialectPostgres, files
}

func (*onPostgres) HasTable() string {
	return `SELECT COUNT(*) FROM pg_tables WHERE schemaname = current_schema() AND tablename = ?`
}

func (d *onPostgres) SessionLock(ctx context.Context, conn *sql.Conn) error {
	if _, err := conn.ExecContext(ctx, d.waiting("")); err != nil {
		return err
	}
	_, err := conn.ExecContext(ctx, `SELECT pg_advisory_lock($1, hashtext(current_schema()))`, migrateLock)
	return err
}

func (*onPostgres) SessionUnlock(ctx context.Context, conn *sql.Conn) error {
	_, err := conn.ExecContext(ctx, `SELECT pg_advisory_unlock($1, hashtext(current_schema()))`, migrateLock)
	_, reset := conn.ExecContext(ctx, `RESET lock_timeout`)
	return errors.Join(err, reset)
}

func (*onPostgres) Stale(err error) bool {
	var answer *pgconn.PgError
	var connect *pgconn.ConnectError
	switch {
	case isOwn(err), errors.As(err, &connect):
		return false
	case errors.As(err, &answer):
		return strings.HasPrefix(answer.Code, "57P") // what it was told when the server went
	}
	return true
}

// Error tells what went wrong without what the server says of rows (its messages
// and details may quote them), and without the URL.
func (*onPostgres) Error(err error) error {
	if err == nil || isOwn(err) {
		return err
	}
	if e := (*pgconn.PgError)(nil); errors.As(err, &e) {
		if e.Code == "55P03" {
			return fmt.Errorf("%w (%s)", ErrLocked, e.Code)
		}
		if strings.HasPrefix(e.Code, "23") {
			return fmt.Errorf("%w: rows contradict each other (%s)", ErrConflict, e.Code)
		}
		return fmt.Errorf("%w: PostgreSQL answers %s%s", ErrUnavailable, e.Code, because(e))
	}
	if e := (net.Error)(nil); errors.As(err, &e) {
		return fmt.Errorf("%w: PostgreSQL cannot be reached", ErrUnavailable)
	}
	if e := (*pgconn.ConnectError)(nil); errors.As(err, &e) {
		return fmt.Errorf("%w: PostgreSQL cannot be reached", ErrUnavailable)
	}
	return fmt.Errorf("%w: the connection to PostgreSQL broke", ErrUnavailable)
}

// because names the errors that people can mend.
func because(e *pgconn.PgError) string {
	switch {
	case e.Code == "53100":
		return ": the disk is full"
	case e.Code == "53300":
		return ": too many connections"
	case e.Code == "28P01" || e.Code == "28000":
		return ": the user or the password is wrong"
	case e.Code == "3D000":
		return ": there is no such database"
	case e.Code == "42501":
		return ": the user has not the rights"
	case e.Code == "25006":
		return ": the server is read-only"
	case strings.HasPrefix(e.Code, "57P"):
		return ": the server is shutting down"
	}
	return ""
}
