package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"unicode/utf8"

	"github.com/parley-nlp/parley/internal/bayesian"
	"github.com/parley-nlp/parley/internal/score"
)

// libraryRow is what a model of the other library says of a text.
type libraryRow struct {
	Text          string         `json:"text"`
	LogScores     *libraryAnswer `json:"log_scores"` // null where the library panics
	Probabilities *libraryAnswer `json:"probabilities"`
	// Defined is false when the library's probabilities mean nothing (NaN, or
	// lost to underflow). Proper ones are then given.
	Defined bool           `json:"defined"`
	Proper  *libraryAnswer `json:"proper_probabilities,omitempty"`
}

// A libraryAnswer has a score per class, in the order of the file.
type libraryAnswer struct {
	Best   string         `json:"best"`
	Strict bool           `json:"strict"` // no other class has as high a score
	Scores []libraryScore `json:"scores"`
}

type libraryScore struct {
	Class string `json:"class"`
	Score number `json:"score"`
}

// A number is written with all its digits; one that JSON does not have as a
// string: "NaN", "+Inf" or "-Inf".
type number float64

func (n number) MarshalJSON() ([]byte, error) {
	if f := float64(n); math.IsNaN(f) || math.IsInf(f, 0) {
		return fmt.Appendf(nil, "%q", fmt.Sprint(f)), nil
	}
	return json.Marshal(float64(n))
}

// runScores answers texts as the other library does.
func (c *importCmd) runScores(e *env) error {
	if c.Out != "" || c.Alpha != nil || c.Prior != nil {
		return usagef("--scores imports nothing: it can't be used with --out, --alpha or --prior")
	}
	source, err := readBayesian(c.Path)
	if err != nil {
		return err
	}
	out := bufio.NewWriter(e.stdout)
	enc := json.NewEncoder(out)
	enc.SetEscapeHTML(false)
	err = c.eachText(e.stdin, func(text string) error {
		if err := e.ctx.Err(); err != nil {
			return err
		}
		return enc.Encode(newLibraryRow(source, text))
	})
	if flushed := out.Flush(); err == nil {
		err = flushed
	}
	return err
}

// eachText calls answer with the texts of the arguments or of standard input.
func (c *importCmd) eachText(stdin io.Reader, answer func(string) error) error {
	if len(c.Text) > 0 {
		for i, text := range c.Text {
			if !utf8.ValidString(text) {
				return fmt.Errorf("text %d is not valid UTF-8", i+1)
			}
			if err := answer(text); err != nil {
				return err
			}
		}
		return nil
	}
	lines := bufio.NewScanner(stdin)
	lines.Buffer(nil, score.MaxDocumentBytes)
	n := 0
	for lines.Scan() {
		n++
		if !utf8.ValidString(lines.Text()) {
			return fmt.Errorf("standard input:%d: not valid UTF-8", n)
		}
		if err := answer(lines.Text()); err != nil {
			return err
		}
	}
	switch err := lines.Err(); {
	case errors.Is(err, bufio.ErrTooLong):
		return fmt.Errorf("standard input:%d: longer than %d bytes, the limit", n+1, score.MaxDocumentBytes)
	case err != nil:
		return fmt.Errorf("standard input:%d: %w", n+1, err)
	}
	return nil
}

// newLibraryRow splits a text at every space, as most programs that use the
// library do: two spaces have an empty word between them. An empty text has no
// words.
func newLibraryRow(source *bayesian.Classifier, text string) libraryRow {
	var words []string
	if text != "" {
		words = strings.Split(text, " ")
	}
	classes := source.Classes()
	probabilities := source.ProbScores(words)
	row := libraryRow{
		Text:      text,
		LogScores: newLibraryAnswer(classes, source.LogScores(words)), Probabilities: newLibraryAnswer(classes, probabilities),
		Defined: probabilities.Defined(),
	}
	if !row.Defined {
		row.Proper = newLibraryAnswer(classes, source.SafeProbabilities(words))
	}
	return row
}

// newLibraryAnswer is nil without scores.
func newLibraryAnswer(classes []string, a bayesian.Answer) *libraryAnswer {
	if len(a.Scores) == 0 {
		return nil
	}
	answer := &libraryAnswer{Best: classes[a.Best], Strict: a.Strict}
	for i, s := range a.Scores {
		answer.Scores = append(answer.Scores, libraryScore{classes[i], number(s)})
	}
	return answer
}
