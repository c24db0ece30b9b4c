package main

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/parley-nlp/parley/internal/score"
)

// A classifyCmd is "classifier classify".
type classifyCmd struct {
	Text []string `arg:"" optional:"" help:"Text to classify; the words are joined. Default: standard input."`
	askFlags
	Target   string `placeholder:"NAME" help:"What the text is about, such as whom a stance is towards. Heads trained on texts about it then use its own weights."`
	Top      int    `default:"3" help:"Labels to show a head, --top=-1 for all."`
	Evidence int    `default:"5" help:"Terms to show a head."`
	JSON     bool   `name:"json" help:"Write the answer as a line of JSON, as score does."`
}

// Run classifies one text.
func (c *classifyCmd) Run(e *env) error {
	if len(c.Target) > score.MaxTargetBytes {
		return usagef("--target has %d bytes, the limit is %d", len(c.Target), score.MaxTargetBytes)
	}
	text, err := c.text(e.stdin)
	if err != nil {
		return err
	}
	classifier, _, done, err := c.classifier(e, score.Options{Top: c.Top, Evidence: c.Evidence}, score.Calls{})
	if err != nil {
		return err
	}
	defer done()
	rows, err := classifier.Classify(e.ctx, []score.Document{{Text: text, Target: c.Target}})
	if err != nil {
		return err
	}
	row := rows[0]
	if row.Err != nil {
		return errors.New(row.Err.Message)
	}
	if c.JSON {
		b, err := row.MarshalJSON()
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(e.stdout, "%s\n", b)
		return err
	}
	names, err := classifier.Names(e.ctx, row.Revision)
	if err != nil {
		return err
	}
	callByName(row, names)
	_, err = io.WriteString(e.stdout, renderRow(row, c.Target))
	return err
}

// text returns the text of the arguments or of standard input.
func (c *classifyCmd) text(stdin io.Reader) (string, error) {
	text := strings.Join(c.Text, " ")
	if len(c.Text) == 0 {
		b, err := io.ReadAll(io.LimitReader(stdin, score.MaxDocumentBytes+1))
		if err != nil {
			return "", fmt.Errorf("standard input: %w", err)
		}
		text = string(b)
	}
	switch {
	case len(text) > score.MaxDocumentBytes:
		return "", fmt.Errorf("the text has more than %d bytes, the limit", score.MaxDocumentBytes)
	case !utf8.ValidString(text):
		return "", errors.New("the text is not valid UTF-8")
	case strings.TrimSpace(text) == "":
		return "", errors.New("the text is empty")
	}
	return text, nil
}
