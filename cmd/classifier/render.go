package main

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/parley-nlp/parley/internal/score"
)

// renderRow renders an answer for people: per head the decision, the labels
// with their calibrated probabilities, the label set if there is one, whose
// weights answered if the head has targets, and the evidence for the best label.
func renderRow(row score.Row, target string) string {
	var b strings.Builder
	for _, p := range row.Predictions {
		fmt.Fprintf(&b, "%s: %s\n", p.Head, verdict(p))
		for _, s := range p.Scores {
			fmt.Fprintf(&b, "  %-22s %.3f\n", s.Label, s.Probability)
		}
		if p.Coverage > 0 {
			fmt.Fprintf(&b, "  %.3g%% label set: %s\n", 100*p.Coverage, renderSet(p.LabelSet))
		}
		if p.TargetWeights != "" {
			fmt.Fprintf(&b, "  weights: %s\n", renderWeights(p.TargetWeights, oneLine(target)))
		}
		if len(p.Evidence) > 0 {
			fmt.Fprintf(&b, "  evidence for %s: %s\n", p.Scores[0].Label, renderEvidence(p.Evidence))
		}
	}
	fmt.Fprintf(&b, "%d of %d words known, revision %.12s\n", row.Input.KnownTokens, row.Input.Tokens, row.Revision)
	return b.String()
}

// callByName puts the names of labels in their place.
func callByName(row score.Row, names score.Names) {
	for i := range row.Predictions {
		p := &row.Predictions[i]
		p.Label = names.Of(p.Head, p.Label)
		for k := range p.Scores {
			p.Scores[k].Label = names.Of(p.Head, p.Scores[k].Label)
		}
		for k, label := range p.LabelSet {
			p.LabelSet[k] = names.Of(p.Head, label)
		}
	}
}

// verdict is the label, or why there is none.
func verdict(p score.Prediction) string {
	if p.Label != "" {
		return p.Label
	}
	return "no answer: " + p.Decision
}

// renderSet lists the labels of a set.
func renderSet(labels []string) string {
	if len(labels) == 0 {
		return "none is likely enough"
	}
	return strings.Join(labels, ", ")
}

// renderWeights says whose weights answered about a target.
func renderWeights(weights, target string) string {
	switch {
	case weights == score.PerTarget:
		return fmt.Sprintf("those of %q", target)
	case target == "":
		return "those of all targets; --target names one"
	}
	return fmt.Sprintf("those of all targets; %q has none of its own", target)
}

// renderEvidence lists terms with what they add to the score, in nats.
func renderEvidence(list []score.Evidence) string {
	terms := make([]string, len(list))
	for i, e := range list {
		terms[i] = fmt.Sprintf("%s %+.2f", shorten(oneLine(e.Term), 40), e.Nats)
	}
	return strings.Join(terms, ", ")
}

// oneLine brings white space down to single spaces.
func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

// shorten cuts s to n characters, the last of which is then "…".
func shorten(s string, n int) string {
	if utf8.RuneCountInString(s) <= n {
		return s
	}
	return string([]rune(s)[:n-1]) + "…"
}
