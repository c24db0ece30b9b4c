package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/user"
	"strings"
	"text/tabwriter"

	"github.com/parley-nlp/parley/internal/annotate"
	"github.com/parley-nlp/parley/internal/ledger"
)

// A labelsCmd is "classifier labels": a ledger of labels and the commands on it.
type labelsCmd struct {
	Ledger string `placeholder:"URL" help:"Ledger: a SQLite file (PATH or sqlite:PATH), which is made when labels are added and it is not there, or postgres://HOST/DATABASE."`
	JSON   bool   `name:"json" help:"Write the answer as JSON; of a list, a line an element."`

	Add       labelsAddCmd       `cmd:"" help:"Add labels, of files or one: people's, never a model's."`
	Suggest   labelsSuggestCmd   `cmd:"" help:"Choose the texts that are worth a label next, or whose label is likely wrong."`
	Annotate  labelsAnnotateCmd  `cmd:"" help:"Label texts of the queue or of files in the terminal, one key a label."`
	List      labelsListCmd      `cmd:"" help:"List the events of the ledger."`
	Stats     labelsStatsCmd     `cmd:"" help:"Count what the ledger says now."`
	Conflicts labelsConflictsCmd `cmd:"" help:"Show what annotators disagree on, what is quarantined, and how well annotators agree."`
	Confirm   labelsConfirmCmd   `cmd:"" help:"Confirm quarantined labels of other annotators."`
	Remap     labelsRemapCmd     `cmd:"" help:"Rename, merge, split or drop labels of a head."`
	Forget    labelsForgetCmd    `cmd:"" help:"Erase texts, and keep them from coming back."`
	Export    labelsExportCmd    `cmd:"" help:"Write all events, or the rows to train on."`
	Import    labelsImportCmd    `cmd:"" help:"Take over the events of an export."`
}

// Help says what a ledger is.
func (c *labelsCmd) Help() string {
	return `A ledger is append-only: every label, withdrawal, renaming and forgotten text is an
event with a number, and nothing is changed in place but that a forgotten text is
erased. What counts is resolved from the events: of each annotator the newest label
of a text, target and head; of several annotators the majority, unless an adjudicated
label settles it. A tie gives no label, and a quarantined label does not count until
somebody else confirms it.

A prediction is never a label. Only people, and callers that say who gave the
label, add any.`
}

// with calls run with the ledger. Only what adds makes one that is not there.
func (c *labelsCmd) with(e *env, run func(*ledger.Ledger) error) error {
	if err := ledgerIsThere(c.Ledger); err != nil {
		return err
	}
	return c.open(e, run)
}

// ledgerIsThere refuses a file that is not there: to open it would make it.
func ledgerIsThere(url string) error {
	if path, file := ledgerFile(url); file && path != "" {
		if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("ledger %s: there is no such file", path)
		} else if err != nil {
			return fmt.Errorf("ledger: %w", err)
		}
	}
	return nil
}

// open calls run with the ledger, which is made when it is not there.
func (c *labelsCmd) open(e *env, run func(*ledger.Ledger) error) error {
	if c.Ledger == "" {
		return usagef("--ledger: name the ledger, as in --ledger labels.db")
	}
	return withLedger(e, c.Ledger, run)
}

// ledgerFile returns the file of a ledger that is one.
func ledgerFile(url string) (path string, file bool) {
	if strings.Contains(url, "://") && !strings.HasPrefix(url, "sqlite:") {
		return "", false
	}
	path = strings.TrimPrefix(url, "sqlite:")
	if abs, ok := strings.CutPrefix(path, "///"); ok {
		path = "/" + abs
	}
	return path, true
}

// withLedger calls run with the ledger at url, which is made when it is not there.
func withLedger(e *env, url string, run func(*ledger.Ledger) error) error {
	l, err := ledger.Open(e.ctx, url)
	if errors.Is(err, ledger.ErrInvalid) {
		return usagef("--ledger: %w", err)
	}
	if err != nil {
		return err
	}
	return errors.Join(run(l), l.Close())
}

// write writes v as JSON, or what text writes.
func (c *labelsCmd) write(e *env, v any, text func(w io.Writer)) error {
	if c.JSON {
		return newLines(e.stdout).Encode(v)
	}
	t := tabwriter.NewWriter(e.stdout, 0, 0, 2, ' ', 0)
	text(t)
	return t.Flush()
}

// newLines writes values as lines of JSON.
func newLines(w io.Writer) *json.Encoder {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	return enc
}

// annotatorFlag says who gives labels.
type annotatorFlag struct {
	Annotator string `placeholder:"NAME" help:"Who gives the labels. Default: the user's name on this machine."`
}

// name is the annotator.
func (f annotatorFlag) name() (string, error) {
	if f.Annotator != "" {
		return f.Annotator, nil
	}
	u, err := user.Current()
	if err != nil || u.Username == "" {
		return "", usagef("--annotator: say who gives the labels")
	}
	return u.Username, nil
}

// beginning is how a text begins, harmless on a terminal.
func beginning(text string, n int) string {
	if len(text) > 8*n { // characters have at most four bytes, and white space goes
		text = strings.ToValidUTF8(text[:8*n], "")
	}
	return shorten(annotate.CleanLine(text), n)
}

// plural is a count with its noun.
func plural[N int | int64](n N, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
