package annotate

import (
	"strings"
	"unicode/utf8"

	"github.com/rivo/uniseg"
)

// maxCluster is how many bytes of a character with its marks are shown: terminals
// choke on hundreds of marks on one letter.
const maxCluster = 64

// Wrap breaks a text that is clean (see Clean) into lines of at most width cells
// of a terminal, where Unicode allows a break and else between characters. White
// space at the end of a line is dropped.
func Wrap(s string, width int) []string {
	var lines []string
	for paragraph := range strings.SplitSeq(s, "\n") {
		lines = append(lines, wrapLine(paragraph, max(width, 2))...)
	}
	return lines
}

// wrapLine keeps the line so far and, in it, the last place that allows a break.
func wrapLine(s string, width int) (lines []string) {
	var line strings.Builder
	cells, breakAt, breakCells := 0, 0, 0
	for state := -1; s != ""; {
		var cluster string
		var boundaries int
		cluster, s, boundaries, state = uniseg.StepString(s, state)
		cluster, w := cutCluster(cluster, width)
		for cells > 0 && cells+w > width && cluster != " " { // twice when that place was early in the line
			full := line.String()
			if breakAt == 0 {
				breakAt, breakCells = len(full), cells
			}
			lines = append(lines, strings.TrimRight(full[:breakAt], " "))
			line.Reset()
			line.WriteString(full[breakAt:])
			cells -= breakCells
			breakAt, breakCells = 0, 0
		}
		line.WriteString(cluster)
		cells += w
		if boundaries&uniseg.MaskLine == uniseg.LineCanBreak {
			breakAt, breakCells = line.Len(), cells
		}
	}
	return append(lines, strings.TrimRight(line.String(), " "))
}

// cutCluster drops marks of a character until it takes at most maxCluster bytes and
// width cells (marks of some scripts take a cell each), and returns its cells.
func cutCluster(c string, width int) (string, int) {
	for {
		_, last := utf8.DecodeLastRuneInString(c)
		if last == len(c) || len(c) <= maxCluster && uniseg.StringWidth(c) <= width {
			return c, uniseg.StringWidth(c)
		}
		c = c[:len(c)-last]
	}
}

// fit cuts a line that is clean to width cells; the last is then "…".
func fit(s string, width int) string {
	if uniseg.StringWidth(s) <= width {
		return s
	}
	var b strings.Builder
	cells := 0
	for clusters := uniseg.NewGraphemes(s); clusters.Next(); {
		cluster, w := cutCluster(clusters.Str(), width)
		if cells += w; cells > width-1 {
			break
		}
		b.WriteString(cluster)
	}
	return b.String() + "…"
}
