package ledger

import (
	"context"
	"embed"
	"fmt"

	"github.com/pressly/goose/v3"
)

//go:embed migrations
var migrations embed.FS

// versions is the table in which goose notes what it has done.
const versions = "ledger_versions"

// migrate brings the ledger's tables to this program's version, unless they are of
// it already. Whoever else opens the ledger meanwhile waits.
func (l *Ledger) migrate(ctx context.Context) error {
	name, files := l.dialect.Migrations()
	p, err := goose.NewProvider(name, l.db, files, goose.WithTableName(versions),
		goose.WithSessionLocker(l.dialect), goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return err
	}
	sources := p.ListSources()
	newest := sources[len(sources)-1].Version
	var failed error
	for before := int64(-1); ; {
		now, err := l.version(ctx)
		switch {
		case err != nil || now == newest:
			return err
		case now > newest:
			return fmt.Errorf("%w: it is of version %d, this program knows %d", ErrNewer, now, newest)
		case now == before && failed != nil:
			return l.dialect.Error(fmt.Errorf("migrating the ledger: %w", failed))
		}
		// One that fails because another program has just done the same is no failure:
		// the version has moved.
		before = now
		_, failed = p.Up(ctx)
	}
}

// version is that of the tables, 0 if there are none.
func (l *Ledger) version(ctx context.Context) (version int64, err error) {
	err = l.read(ctx, func(t *tx) error {
		var tables int
		if err := t.one([]any{&tables}, l.dialect.HasTable(), versions); err != nil || tables == 0 {
			return err
		}
		return t.one([]any{&version}, `SELECT COALESCE(MAX(version_id), 0) FROM `+versions)
	})
	return version, err
}
