package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"unicode/utf8"

	"github.com/parley-nlp/parley/internal/ledger"
)

// A labelsForgetCmd is "classifier labels forget".
type labelsForgetCmd struct {
	ID            []string `name:"id" sep:"none" placeholder:"ID" help:"Forget the text of this id; repeat for several."`
	Group         []string `sep:"none" placeholder:"NAME" help:"Forget all texts of this source document; repeat for several."`
	TextFile      []string `sep:"none" placeholder:"FILE" help:"Forget the text that this file holds, - for standard input; repeat for several. The ledger need not have it: it is then kept from coming in, and from base files at retraining."`
	PredictionLog []string `sep:"none" placeholder:"PATH" help:"Erase the texts from this prediction log too, and from its older files; repeat for several."`
	Store         string   `placeholder:"URL" help:"Withdraw the revisions of this store that were trained on the texts: they can no longer be promoted or rolled back to."`
	Reason        string   `placeholder:"TEXT" help:"Why; the event keeps it, so it should not tell what was forgotten."`
	Yes           bool     `help:"Do not ask."`
}

// Help says what goes and what stays.
func (c *labelsForgetCmd) Help() string {
	return `The texts, their ids, groups and targets are erased from the ledger: its labels,
its queue, its answers to requests. What stays is that something was labelled, by
whom and when, and a tombstone: an HMAC of the text under a secret of the ledger,
by which the text is recognised and refused when it comes again, and left out when
a base file has it. Exports and backups are yours to erase.

What goes is shown first. On a terminal the command then asks; elsewhere it wants
--yes, and without it forgets nothing and fails.

Models that were trained on a text still hold what they learned of it. With --store
their revisions are withdrawn; one that is live goes on answering until classifier
retrain has made another, and given the receipt.`
}

// Run shows what goes, asks, and erases it.
func (c *labelsForgetCmd) Run(e *env, l *labelsCmd) error {
	refs, err := c.refs(e)
	if err != nil {
		return err
	}
	return l.with(e, func(led *ledger.Ledger) error {
		found, err := c.show(e, led, refs)
		if err != nil {
			return err
		}
		if err := c.ask(e); err != nil {
			return err
		}
		done, err := c.forget(e, led, refs, found)
		return errors.Join(l.write(e, done, done.text), err)
	})
}

// refs are the texts that are meant.
func (c *labelsForgetCmd) refs(e *env) (refs []ledger.TextRef, err error) {
	for _, id := range c.ID {
		refs = append(refs, ledger.TextRef{ID: id})
	}
	for _, group := range c.Group {
		refs = append(refs, ledger.TextRef{Group: group})
	}
	for _, path := range c.TextFile {
		text, err := readText(e, path)
		if err != nil {
			return nil, err
		}
		refs = append(refs, ledger.TextRef{Text: text})
	}
	for _, r := range refs {
		if r == (ledger.TextRef{}) {
			return nil, usagef("want no empty --id or --group")
		}
	}
	if len(refs) == 0 {
		return nil, usagef("want --id, --group or --text-file")
	}
	return refs, nil
}

// readText reads the text of a file. One line break at its end is the file's.
func readText(e *env, path string) (string, error) {
	in, name := e.stdin, "standard input"
	if path != "-" {
		f, err := os.Open(path)
		if err != nil {
			return "", err
		}
		defer f.Close()
		in, name = f, path
	}
	b, err := io.ReadAll(io.LimitReader(in, ledger.MaxText+3))
	text := strings.TrimSuffix(strings.TrimSuffix(string(b), "\n"), "\r")
	switch {
	case err != nil:
		return "", fmt.Errorf("%s: %w", name, err)
	case len(text) > ledger.MaxText:
		return "", fmt.Errorf("%s: the text has more than %d bytes, the limit", name, ledger.MaxText)
	case !utf8.ValidString(text):
		return "", fmt.Errorf("%s: not valid UTF-8", name)
	case strings.TrimSpace(text) == "":
		return "", fmt.Errorf("%s: the text is empty", name)
	}
	return text, nil
}

// show shows what goes, on standard error.
func (c *labelsForgetCmd) show(e *env, led *ledger.Ledger, refs []ledger.TextRef) (found []ledger.Text, err error) {
	seen := map[int64]bool{}
	for _, ref := range refs {
		texts, err := led.Find(e.ctx, ref)
		if errors.Is(err, ledger.ErrNotFound) {
			err = nil
		}
		if err != nil {
			return nil, err
		}
		if len(texts) == 0 && ref.Text == "" {
			return nil, fmt.Errorf("the ledger has no text of %s", refName(ref))
		}
		for _, t := range texts {
			if !seen[t.TextID] {
				seen[t.TextID] = true
				found = append(found, t)
				fmt.Fprintf(e.stderr, "text %d: %s%s\n", t.TextID, beginning(t.Text, 60), names(t))
			}
		}
		if len(texts) == 0 {
			fmt.Fprintln(e.stderr, "a text that the ledger does not have: it will be kept out")
		}
	}
	return found, nil
}

func refName(ref ledger.TextRef) string {
	if ref.ID != "" {
		return fmt.Sprintf("id %q", ref.ID)
	}
	return fmt.Sprintf("group %q", ref.Group)
}

func names(t ledger.Text) string {
	s := ""
	for _, part := range []struct {
		what string
		list []string
	}{{"id", t.IDs}, {"group", t.Groups}} {
		for _, name := range part.list {
			s += fmt.Sprintf(", %s %s", part.what, beginning(name, 40))
		}
	}
	return s
}

// ask asks unless --yes says so already.
func (c *labelsForgetCmd) ask(e *env) error {
	if c.Yes {
		return nil
	}
	in, isTerminal := e.terminal()
	if !isTerminal {
		return errors.New("nothing is forgotten: repeat it with --yes")
	}
	fmt.Fprint(e.stderr, "Forget this for ever? [y/N] ")
	line, err := bufio.NewReader(interruptible{e.ctx, in}).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	if answer := strings.ToLower(strings.TrimSpace(line)); answer != "y" && answer != "yes" {
		return errors.New("nothing is forgotten")
	}
	return nil
}

// terminal returns standard input if it is a terminal.
func (e *env) terminal() (*os.File, bool) {
	in, ok := e.stdin.(interruptible)
	if !ok {
		return nil, false
	}
	f, ok := in.r.(*os.File)
	return f, ok && isTerminal(f)
}
