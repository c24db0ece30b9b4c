package main

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"

	"github.com/parley-nlp/parley/internal/ledger"
)

// A labelsExportCmd is "classifier labels export".
type labelsExportCmd struct {
	Out  string `short:"o" placeholder:"FILE" help:"Write here instead of to standard output; the file appears when it is complete."`
	Rows bool   `help:"Write the labels that stand, as rows that train and eval read: text, id, group, target, a column a head, selection and selection_probability. Else all events, for labels import."`
	At   int64  `default:"0" placeholder:"SEQ" help:"With --rows: what the ledger said at this event, 0 for now. Texts that were forgotten since are missing."`
}

// Help says when exports are equal.
func (c *labelsExportCmd) Help() string {
	return `Rows are ordered by text and target: ledgers that say the same give the same bytes.
A text whose labels are in conflict, quarantined or void has no label for that head.

Events hold the texts, and the secret by which forgotten texts are recognised: the
file is readable by you alone, so keep it as you keep the ledger. They can be taken
over into a new ledger or into a copy of this one, which then gets what it lacks.`
}

// Run writes events or rows.
func (c *labelsExportCmd) Run(e *env, l *labelsCmd) error {
	if c.At != 0 && !c.Rows {
		return usagef("--at goes with --rows")
	}
	if c.Out != "" {
		if err := checkOutput(c.Out); err != nil {
			return err
		}
	}
	return l.with(e, func(led *ledger.Ledger) error {
		write := func(w io.Writer) error { return led.Export(e.ctx, w) }
		if c.Rows {
			r, err := led.Resolve(e.ctx, c.At)
			if err != nil {
				return err
			}
			write = func(w io.Writer) error { return writeLabelRows(w, r.Rows) }
		}
		buffered := func(w io.Writer) error {
			b := bufio.NewWriter(w)
			if err := write(b); err != nil {
				return err
			}
			return b.Flush()
		}
		if c.Out == "" {
			return buffered(e.stdout)
		}
		if c.Rows {
			return writeOutput(c.Out, buffered)
		}
		return writePrivate(c.Out, buffered)
	})
}

// rowColumns are those of rows that are no heads.
var rowColumns = []string{"text", "id", "group", "target", selectionColumn, probabilityColumn}

// writeLabelRows writes rows as lines of JSON, ordered by what they say.
func writeLabelRows(w io.Writer, rows []ledger.Row) error {
	rows = slices.Clone(rows)
	slices.SortFunc(rows, func(a, b ledger.Row) int { return cmp.Or(cmp.Compare(a.Text, b.Text), cmp.Compare(a.Target, b.Target)) })
	for i := range rows {
		if len(rows[i].Labels) == 0 {
			continue
		}
		line, err := labelRow(&rows[i])
		if err != nil {
			return err
		}
		if _, err := w.Write(append(line, '\n')); err != nil {
			return err
		}
	}
	return nil
}

// labelRow is a row as JSON: text, id, group, target, heads by name, selection.
func labelRow(r *ledger.Row) ([]byte, error) {
	var o object
	o.add("text", r.Text)
	o.addSet("id", r.ID)
	o.addSet("group", r.Group)
	o.addSet("target", r.Target)
	for _, head := range slices.Sorted(maps.Keys(r.Labels)) {
		if slices.Contains(rowColumns, head) {
			return nil, fmt.Errorf("head %q has the name of a column: rows cannot hold its labels", head)
		}
		o.add(head, r.Labels[head].Label)
	}
	o.addSet(selectionColumn, string(r.Selection))
	if r.SelectionProbability > 0 {
		o.add(probabilityColumn, r.SelectionProbability)
	}
	return append(o.b, '}'), nil
}

// An object is one of JSON, with its members in the order in which they are added.
type object struct{ b []byte }

func (o *object) add(name string, value any) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	open := byte(',')
	if len(o.b) == 0 {
		open = '{'
	}
	o.b = append(o.b, open)
	for i, v := range []any{name, value} {
		b.Reset()
		if err := enc.Encode(v); err != nil {
			panic(err) // strings and a finite number
		}
		if i > 0 {
			o.b = append(o.b, ':')
		}
		o.b = append(o.b, bytes.TrimSuffix(b.Bytes(), []byte("\n"))...)
	}
}

// addSet adds a member that is not empty.
func (o *object) addSet(name, value string) {
	if value != "" {
		o.add(name, value)
	}
}

// A labelsImportCmd is "classifier labels import".
type labelsImportCmd struct {
	File string `arg:"" help:"Events that labels export wrote, - for standard input."`
}

// Run takes over events.
func (c *labelsImportCmd) Run(e *env, l *labelsCmd) error {
	in := e.stdin
	if c.File != "-" {
		f, err := os.Open(c.File)
		if err != nil {
			return err
		}
		defer f.Close()
		in = f
	}
	return l.open(e, func(led *ledger.Ledger) error {
		done, err := led.Import(e.ctx, in)
		if err != nil {
			return at(c.File, err)
		}
		v := imported{led.ID(), done.Events, done.Position}
		return l.write(e, v, func(w io.Writer) {
			fmt.Fprintf(w, "%s taken over; ledger %s, position %d\n", plural(v.Events, "event"), v.Ledger, v.Position)
		})
	})
}

// imported is what an import did.
type imported struct {
	Ledger   string `json:"ledger_id"`
	Events   int    `json:"events"`
	Position int64  `json:"position"`
}
