package main

import (
	"fmt"
	"io"
	"strconv"
	"strings"
)

// A report is what the comparison found out.
type report struct {
	Machine  machine   `json:"machine"`
	Runs     int       `json:"runs"`
	Data     dataSize  `json:"data"`
	Sections []section `json:"sections"`
	Goals    []goal    `json:"goals"`
}

// A dataSize is how much there was to train and test on.
type dataSize struct {
	TrainingRows  int      `json:"training_rows"`
	TrainingBytes int      `json:"training_bytes"` // of text
	TestRows      int      `json:"test_rows"`
	TestBytes     int      `json:"test_bytes"`
	Heads         []string `json:"heads"`
	Labels        int      `json:"labels"` // of the first head
}

// A section is the table of one measurement.
type section struct {
	Title   string   `json:"title"`
	Columns []column `json:"columns"`
	Rows    []row    `json:"rows"`
}

// A column says what the values below it are.
type column struct {
	Name   string `json:"name"`
	Unit   string `json:"unit,omitempty"`
	Digits int    `json:"-"` // behind the point
}

// A row is one system; values that were not measured have no runs.
type row struct {
	System string   `json:"system"`
	Values []spread `json:"values"` // by column
}

// add appends a row. Values that are left out were not measured.
func (s *section) add(system string, values ...spread) {
	for len(values) < len(s.Columns) {
		values = append(values, spread{})
	}
	s.Rows = append(s.Rows, row{system, values})
}

// none stands for what was not measured.
const none = "-"

// format is the median, with the extremes when they differ from it.
func (s spread) format(digits int) string {
	if s.Runs == 0 {
		return none
	}
	median, low, high := fixed(s.Median, digits), fixed(s.Min, digits), fixed(s.Max, digits)
	if low == median && high == median {
		return median
	}
	return fmt.Sprintf("%s (%s to %s)", median, low, high)
}

func fixed(v float64, digits int) string {
	s := strconv.FormatFloat(v, 'f', digits, 64)
	if strings.Trim(s, "-0.") == "" {
		s = strings.TrimPrefix(s, "-")
	}
	return s
}

// number is v as a flag.
func number(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }

// writeMarkdown writes the report for people.
func (r *report) writeMarkdown(w io.Writer) {
	r.writeHead(w)
	for _, s := range r.Sections {
		s.writeMarkdown(w)
	}
	if len(r.Goals) == 0 {
		return
	}
	fmt.Fprintf(w, "\n## What was asked and what was reached\n\n")
	var rows [][]string
	for _, g := range r.Goals {
		rows = append(rows, []string{g.What, g.asked(), g.Reached.format(2), g.answer()})
	}
	writeTable(w, []string{"figure", "asked", "reached", "met"}, rows)
}

func (r *report) writeHead(w io.Writer) {
	m, d := r.Machine, r.Data
	fmt.Fprintf(w, "%s, %d cores, %s, %s", m.CPU, m.Cores, m.System, m.Go)
	if m.Load != "" {
		fmt.Fprintf(w, ", load average at the start %s", m.Load)
	}
	if m.Sklearn != "" {
		fmt.Fprintf(w, ", scikit-learn %s", m.Sklearn)
	}
	fmt.Fprintf(w, ".\n%d training rows (%.1f MB), %d test rows (%.1f MB), %d labels of head %s.\n",
		d.TrainingRows, float64(d.TrainingBytes)/1e6, d.TestRows, float64(d.TestBytes)/1e6, d.Labels, d.Heads[0])
	fmt.Fprintf(w, "Medians of %d runs in turns (of starts and loads at least %d), in brackets the least and the greatest.\n", r.Runs, minStarts)
}

func (s *section) writeMarkdown(w io.Writer) {
	fmt.Fprintf(w, "\n## %s\n\n", s.Title)
	header := []string{""}
	for _, c := range s.Columns {
		name := c.Name
		if c.Unit != "" {
			name += ", " + c.Unit
		}
		header = append(header, name)
	}
	var rows [][]string
	for _, r := range s.Rows {
		cells := []string{r.System}
		for i, v := range r.Values {
			cells = append(cells, v.format(s.Columns[i].Digits))
		}
		rows = append(rows, cells)
	}
	writeTable(w, header, rows)
}

// writeTable writes a table in Markdown.
func writeTable(w io.Writer, header []string, rows [][]string) {
	writeCells(w, header)
	fmt.Fprintln(w, strings.Repeat("|---", len(header))+"|")
	for _, cells := range rows {
		writeCells(w, cells)
	}
}

func writeCells(w io.Writer, cells []string) {
	for _, c := range cells {
		fmt.Fprintf(w, "| %s ", strings.ReplaceAll(c, "|", `\|`))
	}
	fmt.Fprintln(w, "|")
}
