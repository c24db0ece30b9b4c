package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/parley-nlp/parley/internal/model"
)

// A renameCmd is "classifier rename".
type renameCmd struct {
	Names []string `arg:"" name:"label=name" help:"What to call a label from now on, as in sport=Sports; its own name (sport=sport) takes a name away. After -- a label may begin with a dash."`

	Model string `short:"m" required:"" placeholder:"FILE" help:"Model file to read."`
	Out   string `short:"o" required:"" placeholder:"FILE" help:"Model file to write; it may be the one that is read."`
	Head  string `required:"" placeholder:"NAME" help:"Head whose labels are renamed."`
}

// Help says where names are seen.
func (c *renameCmd) Help() string {
	return `The labels themselves stay, and with them all scores and the evaluation: only
the names and the model's revision change.

Names are for people: the text that classify writes has them, and the API as
Head.label_names. What programs read has the labels as they were trained: the
output of score, of classify --json, and the answers of a server. So have the
reports of train and eval, and the labels of the files that eval judges by.`
}

// Run writes the model with other names.
func (c *renameCmd) Run(e *env) error {
	if err := checkOutput(c.Out); err != nil {
		return err
	}
	m, err := readModel(c.Model)
	if err != nil {
		return err
	}
	names, err := c.names(m)
	if err != nil {
		return err
	}
	renamed, err := m.Rename(c.Head, names)
	if err != nil {
		return at(c.Model, err)
	}
	if err := writeOutput(c.Out, func(w io.Writer) error { _, err := w.Write(renamed.Bytes()); return err }); err != nil {
		return err
	}
	return writeNames(e.stdout, renamed, c.Head)
}

// names are what the arguments call labels.
func (c *renameCmd) names(m *model.Model) (map[string]string, error) {
	var labels []string
	if h := m.Head(c.Head); h >= 0 {
		labels = m.Heads()[h].Labels
	}
	names := map[string]string{}
	for _, pair := range c.Names {
		label, name, found := cutLabel(pair, labels)
		if !found {
			return nil, usagef("%q: want LABEL=NAME", pair)
		}
		if _, twice := names[label]; twice {
			return nil, usagef("label %q is renamed twice", label)
		}
		names[label] = name
	}
	return names, nil
}

// cutLabel cuts "label=name". Where that can be done in several ways, as labels
// and names may have a "=" too, it takes the longest label that there is.
func cutLabel(pair string, labels []string) (label, name string, found bool) {
	label, name, found = strings.Cut(pair, "=")
	for _, l := range labels { // ascending: a longer one comes after its beginning
		if n, ok := strings.CutPrefix(pair, l+"="); ok {
			label, name = l, n
		}
	}
	return label, name, found
}

// writeNames writes the revision of a model and what the labels of a head are
// called.
func writeNames(w io.Writer, m *model.Model, head string) error {
	h := &m.Heads()[m.Head(head)]
	fmt.Fprintf(w, "revision  %s\n\n%s\n", m.Revision(), head)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprint(t, "  label\tname\n")
	for i, label := range h.Labels {
		fmt.Fprintf(t, "  %s\t%s\n", label, h.LabelName(i))
	}
	return t.Flush()
}
