package main

import (
	"fmt"
	"io"
)

// render prints the curves as Markdown tables.
func (r *result) render(w io.Writer) {
	seeds := len(r.random)
	fmt.Fprintf(w, "## %s, %g%% of the labels wrong\n\n%d labels, %d texts to label, %d to score on, %d seeds.\n\n",
		r.task.name, 100*r.noise, len(r.task.labels()), len(r.task.pool)*9/10, len(r.task.held), seeds)
	fmt.Fprintln(w, "| labels | macro-F1, chosen | macro-F1, random | accuracy, chosen | accuracy, random | random labels for the same macro-F1 |\n|---|---|---|---|---|---|")
	for k, p := range r.random[0] {
		chosen, same := [2]string{"", ""}, ""
		if k < len(r.chosen[0]) {
			chosen = r.both(r.chosen, k)
			same = r.labels(bootstrap(seeds, r.needed(k)))
		}
		random := r.both(r.random, k)
		fmt.Fprintf(w, "| %d | %s | %s | %s | %s | %s |\n", p.labels, chosen[0], random[0], chosen[1], random[1], same)
	}
	fmt.Fprintln(w)
}

// both are macro-F1 and accuracy at a point, in percent.
func (r *result) both(curves [][]point, k int) (list [2]string) {
	for i, measure := range []func(point) float64{macroF1, accuracy} {
		f := bootstrap(len(curves), meanOf(curves, k, measure))
		list[i] = fmt.Sprintf("%.1f (%.1f–%.1f)", 100*f.mean, 100*f.low, 100*f.high)
	}
	return list
}

// labels writes numbers of random labels; those that the curve does not have, as
// more than it has.
func (r *result) labels(f figure) string {
	most := r.random[0][len(r.random[0])-1].labels
	one := func(x float64) string {
		if x > float64(most) {
			return fmt.Sprintf(">%d", most)
		}
		return fmt.Sprintf("%.0f", x)
	}
	return fmt.Sprintf("%s (%s–%s)", one(f.mean), one(f.low), one(f.high))
}
