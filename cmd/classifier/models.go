package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/parley-nlp/parley/internal/store"
)

// A modelsCmd is "classifier models": a store and the commands on it.
type modelsCmd struct {
	Store string `required:"" placeholder:"URL" help:"Store: a directory, s3://BUCKET?region=REGION or gs://BUCKET, with prefix=PATH/ and endpoint=URL if need be."`
	Model string `placeholder:"NAME" help:"Model in the store. Default: default; of list: all."`
	JSON  bool   `name:"json" help:"Write the answer as JSON."`

	Publish  modelsPublishCmd  `cmd:"" help:"Make a model file a revision of the store."`
	List     modelsListCmd     `cmd:"" help:"List the revisions, newest first, and what aliases point to them."`
	Show     modelsShowCmd     `cmd:"" help:"Show the card of a revision."`
	History  modelsHistoryCmd  `cmd:"" help:"List the moves of an alias, newest first."`
	Fetch    modelsFetchCmd    `cmd:"" help:"Write the model file of a revision."`
	Diff     modelsDiffCmd     `cmd:"" help:"Show which labels and features moved most between two revisions."`
	Promote  modelsPromoteCmd  `cmd:"" help:"Verify a revision and point an alias to it."`
	Rollback modelsRollbackCmd `cmd:"" help:"Point an alias to the revision that it pointed to before; twice is where it was."`
	Unalias  modelsUnaliasCmd  `cmd:"" help:"Take an alias away, such as shadow."`
	Withdraw modelsWithdrawCmd `cmd:"" help:"Take revisions out of use for good: they can no longer be promoted or rolled back to."`
	Verify   modelsVerifyCmd   `cmd:"" help:"Hash revisions again, parse them and run their self-tests."`
	GC       modelsGCCmd       `cmd:"" name:"gc" help:"Remove old revisions that no alias needs, and what publishers left that died."`
}

// Help says what a revision may be called.
func (c *modelsCmd) Help() string {
	return `A revision is named by its SHA-256, by the beginning of it (four digits or
more), or by an alias. Servers that watch the store answer with the alias live.

Every move of an alias changes the etag of the model, which list shows. With
--etag an alias moves only if none has moved since.`
}

// with calls run with the store.
func (c *modelsCmd) with(e *env, run func(*store.Store) error) error {
	return withStore(e, c.Store, run)
}

// withStore calls run with the store at url.
func withStore(e *env, url string, run func(*store.Store) error) error {
	s, err := store.Open(e.ctx, url)
	if err == nil {
		err = errors.Join(run(s), s.Close())
	}
	if errors.Is(err, store.ErrInvalid) {
		return usageError{err}
	}
	return err
}

// defaultName is the model that is meant when none is named, as by serve.
const defaultName = "default"

// name is the model that is meant.
func (c *modelsCmd) name() string {
	if c.Model == "" {
		return defaultName
	}
	return c.Model
}

// write writes v as JSON, or what text writes.
func (c *modelsCmd) write(e *env, v any, text func(w io.Writer)) error {
	if c.JSON {
		enc := json.NewEncoder(e.stdout)
		enc.SetIndent("", "  ")
		enc.SetEscapeHTML(false)
		return enc.Encode(v)
	}
	t := tabwriter.NewWriter(e.stdout, 0, 0, 2, ' ', 0)
	text(t)
	return t.Flush()
}

// short is enough of a revision to name it.
func short(revision string) string {
	if revision == "" {
		return "none"
	}
	return fmt.Sprintf("%.12s", revision)
}

// aliasesOf are the aliases that point to a revision, ascending.
func aliasesOf(state store.State, revision string) string {
	var names []string
	for _, a := range state.Sorted() {
		if a.Revision == revision {
			names = append(names, a.Name)
		}
	}
	return strings.Join(names, ", ")
}

// moveFlags are those of commands that move aliases.
type moveFlags struct {
	Alias  string `default:"live" placeholder:"NAME" help:"Alias to move. Default: ${default}."`
	Etag   string `placeholder:"ETAG" help:"Move it only if no alias of the model has moved since its etag was this."`
	Reason string `placeholder:"TEXT" help:"Why; history shows it."`
}

// A moved is what a move did.
type moved struct {
	Model    string `json:"model"`
	Alias    string `json:"alias"`
	Previous string `json:"previous_revision,omitempty"`
	Revision string `json:"revision,omitempty"`
	Etag     string `json:"etag"`
	DryRun   bool   `json:"validate_only,omitempty"`
}

func (m moved) text(w io.Writer) {
	would := ""
	if m.DryRun {
		would = "would move: "
	}
	fmt.Fprintf(w, "%s%s of %s: %s -> %s\n", would, m.Alias, m.Model, short(m.Previous), short(m.Revision))
	fmt.Fprintf(w, "etag %s\n", m.Etag)
}
