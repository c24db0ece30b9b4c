package annotate

import (
	"fmt"
	"strings"
	"time"

	"github.com/rivo/uniseg"
)

const (
	leastText = 3 // lines of the text, however small the terminal
	maxShown  = 5 // labels and terms of a prediction
	rateAfter = 10 * time.Second
)

// screen is what the task at hand looks like: progress and what is known of the
// text, the text or a page of it, what the model says, and the question with its
// keys.
func (s *session) screen() []string {
	width, height := s.console.size()
	top := append(s.header(width), "")
	bottom := append(append([]string{""}, s.notes(width)...), s.question(width)...)
	text := Wrap(Clean(s.task.Text), width)
	if height > 0 {
		text = s.paged(text, width, max(leastText, height-len(top)-len(bottom)))
	}
	return append(append(top, text...), bottom...)
}

// allDone says that there is nothing left.
func (s *session) allDone() []string {
	width, _ := s.console.size()
	return []string{fit(fmt.Sprintf("All is done. Labels: %d, texts: %d.", s.summary.Labels, s.summary.Tasks), width), "",
		fit("[<] undo  [Enter] leave", width), fit(s.status, width)}
}

// paged returns the page of a text that is to be shown; the last line says which
// when there are several.
func (s *session) paged(lines []string, width, height int) []string {
	if len(lines) <= height {
		s.page = 0
		return lines
	}
	height-- // for that last line
	pages := (len(lines) + height - 1) / height
	s.page %= pages
	from := s.page * height
	to := min(len(lines), from+height)
	return append(lines[from:to:to], fit(fmt.Sprintf("-- page %d of %d, space: next --", s.page+1, pages), width))
}

// header says how far the annotator is, and what the text is.
func (s *session) header(width int) []string {
	done := s.summary.Tasks + s.summary.Skipped
	progress := fmt.Sprintf("%d of %d", done+1, max(s.Total, done+1))
	if since := s.Now().Sub(s.began); since >= rateAfter && s.summary.Tasks > 0 {
		progress += fmt.Sprintf(", %.1f per minute", float64(s.summary.Tasks)/since.Minutes())
	}
	lines := []string{fit(progress+", "+CleanLine(s.Who), width)}
	var about []string
	for _, part := range [][2]string{{"id", s.task.ID}, {"group", s.task.Group}, {"target", s.task.Target}, {"from", s.task.Place}} {
		if part[1] != "" {
			about = append(about, part[0]+" "+CleanLine(part[1]))
		}
	}
	if len(about) > 0 {
		lines = append(lines, fit(strings.Join(about, ", "), width))
	}
	return lines
}

// notes are what is to be known and what the model says of the head.
func (s *session) notes(width int) (lines []string) {
	for _, note := range s.task.Notes {
		lines = append(lines, fit(CleanLine(note), width))
	}
	for i := range s.predictions {
		if p := &s.predictions[i]; p.Head == s.task.Heads[s.head] {
			lines = append(lines, p.lines(width)...)
		}
	}
	if len(lines) > 0 {
		lines = append(lines, "")
	}
	return lines
}

func (p *Prediction) lines(width int) []string {
	var scores, terms []string
	for _, l := range p.Labels[:min(maxShown, len(p.Labels))] {
		scores = append(scores, fmt.Sprintf("%s %.3f", CleanLine(l.Label), l.Probability))
	}
	for _, e := range p.Evidence[:min(maxShown, len(p.Evidence))] {
		terms = append(terms, fmt.Sprintf("%s %+.2f", fit(CleanLine(e.Term), 30), e.Nats))
	}
	lines := []string{fit("the model: "+strings.Join(scores, ", "), width)}
	if len(terms) > 0 {
		lines = append(lines, fit("because of "+strings.Join(terms, ", "), width))
	}
	return lines
}

// question is the head with its labels' keys, the commands, and what there is to
// say.
func (s *session) question(width int) []string {
	lines := []string{fit(CleanLine(s.task.Heads[s.head])+"?", width)}
	if s.find == nil {
		lines = append(lines, columns(keyed(s.choices()), width)...)
		lines = append(lines, fit("[.] skip  [<] undo  [/] find a label  [Q] quit", width))
	} else {
		lines = append(lines, fit("/"+CleanLine(s.find.text), width))
		lines = append(lines, columns(cleaned(matching(s.choices(), s.find.text)), width)...)
		lines = append(lines, fit("[Enter] take it  [Tab] complete  [Esc] back", width))
	}
	if s.status != "" {
		lines = append(lines, fit(s.status, width))
	}
	return lines
}

func keyed(list []choice) (cells []string) {
	for _, c := range list {
		key := string(c.key)
		if c.key == 0 {
			key = "/"
		}
		cells = append(cells, fmt.Sprintf("[%s] %s", key, CleanLine(c.label)))
	}
	return cells
}

func cleaned(list []string) (cells []string) {
	for _, s := range list {
		cells = append(cells, CleanLine(s))
	}
	return cells
}

// maxRows is how many lines labels may take.
const maxRows = 8

// columns puts cells side by side where there is room.
func columns(cells []string, width int) (lines []string) {
	widest := 0
	for i, c := range cells {
		cells[i] = fit(c, width)
		widest = max(widest, uniseg.StringWidth(cells[i]))
	}
	perLine := max(1, (width+2)/(widest+2))
	for i := 0; i < len(cells); i += perLine {
		if len(lines) == maxRows {
			return append(lines, fit(fmt.Sprintf("and %d more", len(cells)-i), width))
		}
		row := cells[i:min(len(cells), i+perLine)]
		var b strings.Builder
		for k, c := range row {
			b.WriteString(c)
			if k < len(row)-1 {
				b.WriteString(strings.Repeat(" ", widest+2-uniseg.StringWidth(c)))
			}
		}
		lines = append(lines, b.String())
	}
	return lines
}
