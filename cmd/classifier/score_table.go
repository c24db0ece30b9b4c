package main

import (
	"io"
	"os"

	"golang.org/x/term"

	"github.com/parley-nlp/parley/internal/score"
)

// tableStyle is that for where a table goes: on a terminal it has the width of
// that and colours, unless NO_COLOR is set; elsewhere lines are whole.
func tableStyle(w io.Writer) score.TableStyle {
	f, ok := w.(*os.File)
	if !ok || !isTerminal(w) {
		return score.TableStyle{}
	}
	width, _, err := term.GetSize(int(f.Fd()))
	if err != nil || width <= 0 {
		width = 80
	}
	return score.TableStyle{Width: width, Colour: os.Getenv("NO_COLOR") == ""}
}
