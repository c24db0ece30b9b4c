package main

import (
	"encoding/json"
	"io"
	"text/tabwriter"
)

// A labelsCmd is "classifier labels": a ledger of labels and the commands on it.
type labelsCmd struct {
	Ledger string `placeholder:"URL" help:"Ledger: a SQLite file (PATH or sqlite:PATH), which is made when it is not there, or postgres://HOST/DATABASE."`
	JSON   bool   `name:"json" help:"Write the answer as JSON; where it is a list, a line an element."`
}

// Help says what a ledger is.
func (c *labelsCmd) Help() string {
	return `A ledger is append-only: every label, withdrawal, renaming and forgotten text is an
event with a number, and nothing is changed in place but that a forgotten text is
erased. What counts is resolved from the events: of each annotator the newest label
of a text, target and head; of several annotators the majority, unless an adjudicated
label settles it. A tie gives no label.

A prediction is never a label. Only people, and callers that say who gave the
label, add any.`
}

// write writes v as JSON, or what text writes.
func (c *labelsCmd) write(e *env, v any, text func(w io.Writer)) error {
	if c.JSON {
		enc := json.NewEncoder(e.stdout)
		enc.SetEscapeHTML(false)
		return enc.Encode(v)
	}
	t := tabwriter.NewWriter(e.stdout, 0, 0, 2, ' ', 0)
	text(t)
	return t.Flush()
}

// url is where the ledger is.
func (c *labelsCmd) url() (string, error) {
	if c.Ledger == "" {
		return "", usagef("--ledger: name the ledger, as in --ledger labels.db")
	}
	return c.Ledger, nil
}

