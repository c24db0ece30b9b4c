package page

import (
	"fmt"
	"html/template"

	"github.com/parley-nlp/parley/internal/judge"
)

// A measure is a figure with its interval, as text and as a small bar.
type measure struct {
	Value, Interval string
	Bar             template.HTML
}

// newMeasure renders a share, which lies between 0 and 1.
func newMeasure(v float64, i judge.Interval) measure {
	return measure{decimal(v, 2), interval(i, 2, "–"), bar(v, i, -1)}
}

// barWidth is the length of a bar of 1, in pixels.
const barWidth = 80

// bar draws a share with its interval, and a mark to compare with unless that
// is negative. It says nothing that the text beside it does not.
func bar(v float64, i judge.Interval, mark float64) template.HTML {
	if !finite(v) {
		return ""
	}
	s := fmt.Sprintf(`<svg class="bar" viewBox="0 0 %d 12" width="%[1]d" height="12" aria-hidden="true">`+
		`<rect class="f-track" y="2" width="%[1]d" height="8"/><rect class="f-bar" y="2" width="%.1f" height="8"/>`, barWidth, along(v))
	if measured(i) {
		low, high := along(i.Low), along(i.High)
		s += fmt.Sprintf(`<path class="s-ink" d="M%.1f 6H%.1fM%.1[1]f 3.5v5M%.1[2]f 3.5v5"/>`, low, high)
	}
	if mark >= 0 {
		s += fmt.Sprintf(`<path class="s-mark" d="M%.1f 0v12"/>`, along(mark))
	}
	return template.HTML(s + "</svg>")
}

// along is where a share lies on a bar, in pixels.
func along(v float64) float64 { return barWidth * max(0, min(1, v)) }
