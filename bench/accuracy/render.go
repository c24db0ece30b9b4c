package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/parley-nlp/parley/internal/judge"
)

// measureTitles name measures for people.
var measureTitles = map[string]string{macroF1Name: "macro-F1", fAvgName: "F_avg"}

// none stands for what is not known.
const none = "-"

// writeResult writes what is known of one set, in points.
func writeResult(w io.Writer, r *result) {
	fmt.Fprintf(w, "%s: %s %.2f", r.Set, measureTitles[r.Measure], 100*r.Value)
	if c := r.Comparison; c != nil {
		fmt.Fprintf(w, ", peer %s, difference %s: %s", c.peer(), c.difference(), c.Standing)
	}
	m := &r.Metrics
	fmt.Fprintf(w, "\n  accuracy %.2f, macro-F1 %.2f", 100*r.Accuracy, 100*r.MacroF1)
	if r.FAvg != nil {
		fmt.Fprintf(w, ", F_avg %.2f (mean over targets %.2f)", 100**r.FAvg, 100**r.TargetFAvg)
	}
	fmt.Fprintf(w, ", on the more confident half %.1f\n", 100*r.HalfCovered)
	fmt.Fprintf(w, "  ECE %.1f (perfect %.1f, excess %s), NLL %.3f, Brier %.3f\n",
		100*m.ECE, 100*m.PerfectECE, signed(m.ExcessECE, &m.ExcessECEInterval, 1), m.NLL, m.Brier)
	fmt.Fprintf(w, "  %d training rows, %s CPU s, %s, model of %s: %s\n",
		r.TrainingRows, seconds(r.CPUSeconds), megabytes(r.PeakBytes), megabytes(int64(r.ModelBytes)), r.usualChoice())
	for _, warning := range r.Warnings {
		fmt.Fprintf(w, "  warning: %s\n", warning)
	}
}

// writeSummary writes how Parley stands over all sets, if there are peers.
func writeSummary(w io.Writer, s *summary) {
	if s == nil {
		return
	}
	fmt.Fprintf(w, "Mean lead over %d sets: %s points.", s.Sets, signed(s.MeanLead, s.Interval, 2))
	fmt.Fprintf(w, " Ahead or level on %d: ahead on %d (interval above 0 on %d), level on %d (within 0.05 points on %d).",
		s.Ahead+s.Level, s.Ahead, s.SurelyAhead, s.Level, s.LevelPoints)
	fmt.Fprintf(w, " Behind on %d; interval wholly below -0.7 on %d.\n", s.Behind, s.FarBehind)
}

// writeMarkdown writes the table of all sets.
func writeMarkdown(w io.Writer, all *report) {
	fmt.Fprintln(w, "| set | measure | Parley | best peer | difference (95%) | ECE excess (95%) | accuracy at 50% coverage | CPU s | memory | chosen |")
	fmt.Fprintln(w, "|---|---|---|---|---|---|---|---|---|---|")
	for _, r := range all.Sets {
		peer, difference := none, none
		if c := r.Comparison; c != nil {
			peer, difference = c.peer(), c.difference()
		}
		cells := []string{
			r.Set, measureTitles[r.Measure], fmt.Sprintf("%.2f", 100*r.Value), peer, difference,
			signed(r.Metrics.ExcessECE, &r.Metrics.ExcessECEInterval, 1), fmt.Sprintf("%.1f", 100*r.HalfCovered),
			seconds(r.CPUSeconds), megabytes(r.PeakBytes), r.usualChoice(),
		}
		for i, c := range cells {
			cells[i] = strings.ReplaceAll(c, "|", `\|`)
		}
		fmt.Fprintf(w, "| %s |\n", strings.Join(cells, " | "))
	}
	if all.Summary != nil {
		fmt.Fprintln(w)
		writeSummary(w, all.Summary)
	}
}

func (c *comparison) peer() string { return fmt.Sprintf("%.2f (%s)", 100*c.PeerValue, c.Peer) }

func (c *comparison) difference() string { return signed(c.Difference, c.Interval, 2) }

// signed is a difference in points with its interval, if known.
func signed(value float64, i *judge.Interval, digits int) string {
	if i == nil {
		return fmt.Sprintf("%+.*f", digits, 100*value)
	}
	return fmt.Sprintf("%+.*f (%+.*f to %+.*f)", digits, 100*value, digits, 100*i.Low, digits, 100*i.High)
}

func seconds(s float64) string {
	if s == 0 {
		return none
	}
	return fmt.Sprintf("%.1f", s)
}

func megabytes(bytes int64) string {
	if bytes == 0 {
		return none
	}
	return fmt.Sprintf("%.1f MB", float64(bytes)/1e6)
}
