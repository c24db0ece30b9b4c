package main

import (
	"bytes"
	"context"
	_ "embed"
	"fmt"
	"net"
	"os"
	"strings"
	"time"

	"github.com/rs/zerolog"

	"github.com/parley-nlp/parley/client"
	"github.com/parley-nlp/parley/internal/model"
	"github.com/parley-nlp/parley/internal/score"
	"github.com/parley-nlp/parley/internal/serve"
)

// A demoCmd is "classifier demo".
type demoCmd struct {
	File string `arg:"" optional:"" help:"Article to classify, paragraphs separated by blank lines. Default: one that is built in."`
}

// article is not part of the corpus: the model has not seen it.
//
//go:embed article.txt
var article []byte

// Run trains, serves, asks and stops: the whole of Parley in one go.
func (c *demoCmd) Run(e *env) error {
	paragraphs, err := c.paragraphs()
	if err != nil {
		return err
	}
	m, report, err := trainBuiltin(e)
	if err != nil {
		return err
	}
	fmt.Fprintf(e.stdout, "Trained on %d paragraphs from %d sources: revision %.12s.\n", report.Rows, report.Sources, report.Revision)
	for _, h := range report.Heads {
		fmt.Fprintf(e.stdout, "%-6s macro-F1 %.2f on sources held out (always %q: %.2f)\n", h.Head, h.MacroF1, h.MajorityLabel, h.MajorityMacroF1)
	}
	addr, stop, err := serveDemo(e.ctx, m)
	if err != nil {
		return err
	}
	rows, err := ask(e.ctx, addr, paragraphs)
	if err := stop(); err != nil {
		return err
	}
	if err != nil {
		return err
	}
	fmt.Fprintf(e.stdout, "Served over gRPC, asked paragraph by paragraph:\n")
	for i, row := range rows {
		fmt.Fprintf(e.stdout, "\n%s", renderParagraph(i+1, paragraphs[i], row))
	}
	return nil
}

// paragraphs returns those of the article.
func (c *demoCmd) paragraphs() ([]string, error) {
	text := article
	if c.File != "" {
		var err error
		if text, err = os.ReadFile(c.File); err != nil {
			return nil, err
		}
	}
	var list []string
	for _, p := range bytes.Split(bytes.ReplaceAll(text, []byte("\r\n"), []byte("\n")), []byte("\n\n")) {
		if p = bytes.TrimSpace(p); len(p) > 0 {
			list = append(list, string(p))
		}
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("%s: no paragraphs", c.File)
	}
	return list, nil
}

// serveDemo serves m on a free port of this machine.
func serveDemo(ctx context.Context, m *model.Model) (addr string, stop func() error, err error) {
	s, err := serve.New(serve.Config{Log: zerolog.Nop(), DrainTimeout: 5 * time.Second})
	if err != nil {
		return "", nil, err
	}
	lis, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, err
	}
	s.Use(m)
	ctx, cancel := context.WithCancel(ctx)
	served := make(chan error, 1)
	go func() { served <- s.Serve(ctx, lis) }()
	return lis.Addr().String(), func() error { cancel(); return <-served }, nil
}

// ask classifies the paragraphs one by one, as a service would.
func ask(ctx context.Context, addr string, paragraphs []string) ([]score.Row, error) {
	c, err := client.Dial(addr)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	r, err := score.Remote(c, score.Options{Evidence: 3}, score.Calls{})
	if err != nil {
		return nil, err
	}
	var rows []score.Row
	for _, p := range paragraphs {
		answer, err := r.Classify(ctx, []score.Document{{Text: p}})
		if err != nil {
			return nil, err
		}
		rows = append(rows, answer...)
	}
	return rows, nil
}

// renderParagraph renders a paragraph of the article and its answer.
func renderParagraph(n int, text string, row score.Row) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d. %s\n", n, shorten(oneLine(text), 96))
	if row.Err != nil {
		fmt.Fprintf(&b, "   %s\n", row.Err.Message)
	}
	for _, p := range row.Predictions {
		fmt.Fprintf(&b, "   %-6s  %-20s %.2f  %s\n", p.Head, verdict(p), p.Probability, renderEvidence(p.Evidence))
	}
	return b.String()
}
