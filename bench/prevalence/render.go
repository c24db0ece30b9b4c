package main

import (
	"fmt"
	"io"
)

// render prints the figures as Markdown tables, errors in points of a share.
func render(w io.Writer, list []*result) {
	fmt.Fprintln(w, "| set | labels | test rows | answers | mean probability | adjusted count | EM | mixture | mixture / answers |\n|---|---|---|---|---|---|---|---|---|")
	sums, ratios := map[string]float64{}, 0.0
	for _, r := range list {
		e := r.Errors
		ratio := e["mixture"] / e["answers"]
		fmt.Fprintf(w, "| %s | %d | %d | %.2f | %.2f | %s | %.2f | %.2f | %.2f |\n", r.Set, r.Labels, r.Test,
			100*e["answers"], 100*e["probabilistic"], points(e, "adjusted"), 100*e["em"], 100*e["mixture"], ratio)
		for name, x := range e {
			sums[name] += x / float64(len(list))
		}
		ratios += ratio / float64(len(list))
	}
	fmt.Fprintf(w, "| mean | | | %.2f | %.2f | | %.2f | %.2f | %.2f; of the means %.2f |\n", 100*sums["answers"], 100*sums["probabilistic"],
		100*sums["em"], 100*sums["mixture"], ratios, sums["mixture"]/sums["answers"])
	fmt.Fprintln(w, "\n| set | draws | coverage | mean width | coverage among the rows | natural shift | answers | mixture | labels inside | of these rows | audited | its width | its coverage |\n|---|---|---|---|---|---|---|---|---|---|---|---|---|")
	source, rows, counted := 0.0, 0.0, 0.0
	for _, r := range list {
		fmt.Fprintf(w, "| %s | %d | %.1f%% | %.1f | %.1f%% | %.2f | %.2f | %.2f | %d of %d | %d | %.2f | %.1f | %.1f%% |\n", r.Set, r.Coverage.Draws, 100*r.Coverage.Source,
			100*r.Coverage.Width, 100*r.Coverage.Rows, 100*r.Natural.Shift, 100*r.Natural.Answers, 100*r.Natural.Mixture, r.Natural.InSource, r.Labels, r.Natural.Inside,
			100*r.Audit.Error, 100*r.Audit.Width, 100*r.Audit.Coverage)
		if r.Coverage.Draws > 0 {
			source, rows, counted = source+r.Coverage.Source, rows+r.Coverage.Rows, counted+1
		}
	}
	if counted > 0 {
		fmt.Fprintf(w, "| mean | | %.1f%% | | %.1f%% | | | | | | | | |\n", 100*source/counted, 100*rows/counted)
	}
}

// points are the points of an estimate, which a head with labels that cannot be
// told apart does not have.
func points(errors map[string]float64, name string) string {
	x, ok := errors[name]
	if !ok {
		return "–"
	}
	return fmt.Sprintf("%.2f", 100*x)
}
