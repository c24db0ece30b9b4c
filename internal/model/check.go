package model

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// check returns an error when s breaks one of the format's rules.
func (s *Spec) check() error {
	if err := s.Features.check(); err != nil {
		return err
	}
	if !inRange(s.MinKnownShare, 0, 1) {
		return fmt.Errorf("share of known words %v: want 0 to 1", s.MinKnownShare)
	}
	if n := len(s.Heads); n < 1 || n > MaxHeads {
		return fmt.Errorf("%d heads: want 1 to %d", n, MaxHeads)
	}
	names := map[string]bool{}
	for i := range s.Heads {
		if err := s.Heads[i].check(); err != nil {
			return fmt.Errorf("head %q: %w", s.Heads[i].Name, err)
		}
		if names[s.Heads[i].Name] {
			return fmt.Errorf("two heads are called %q", s.Heads[i].Name)
		}
		names[s.Heads[i].Name] = true
	}
	if columns := s.columns(); columns > MaxLabels {
		return fmt.Errorf("%d labels: want at most %d", columns, MaxLabels)
	}
	return nil
}

func (s *Spec) checkRows() error {
	if err := checkRows(s.IDs, s.Weights, s.columns()); err != nil {
		return err
	}
	if want := len(s.IDs); len(s.IDF) != want && (s.weighted() || len(s.IDF) != 0) {
		return fmt.Errorf("%d inverse document frequencies: want one for each of %d features", len(s.IDF), want)
	}
	if !s.weighted() && len(s.IDF) != 0 {
		return errors.New("inverse document frequencies that no block uses")
	}
	if n := len(s.Strings); n != 0 && n != len(s.IDs) {
		return fmt.Errorf("%d strings: want one for each of %d features, or none", n, len(s.IDs))
	}
	for i, text := range s.Strings {
		if text == "" || !utf8.ValidString(text) {
			return fmt.Errorf("the string of feature %d is %q: want UTF-8", i, text)
		}
	}
	for i := range s.Heads {
		h := &s.Heads[i]
		if err := checkRows(h.TargetIDs, h.TargetWeights, h.targetColumns()); err != nil {
			return fmt.Errorf("head %q: targets: %w", h.Name, err)
		}
	}
	return nil
}

func checkRows(ids []FeatureID, weights []int16, columns int) error {
	if len(ids) > maxFeatures {
		return fmt.Errorf("%d features: want at most %d", len(ids), maxFeatures)
	}
	if len(weights) != columns*len(ids) {
		return fmt.Errorf("%d weights: want %d features x %d labels", len(weights), len(ids), columns)
	}
	return nil
}

func (h *Head) check() error {
	if err := CheckName(h.Name); err != nil {
		return fmt.Errorf("name: %w", err)
	}
	n := len(h.Labels)
	if n < 1 {
		return errors.New("no labels")
	}
	for i, label := range h.Labels {
		if err := CheckName(label); err != nil {
			return fmt.Errorf("label %d: %w", i, err)
		}
		if i > 0 && label <= h.Labels[i-1] {
			return fmt.Errorf("label %q: labels are not in ascending order", label)
		}
	}
	if err := h.checkNames(); err != nil {
		return err
	}
	if err := checkLabels(n, h.DocCounts, h.Prior, h.Bias); err != nil {
		return err
	}
	switch {
	case !inRange(h.InverseTemperature, 1e-9, 1e9):
		return fmt.Errorf("inverse temperature %v: want 1e-9 to 1e9", h.InverseTemperature)
	case !inRange(h.MinProbability, 0, 1):
		return fmt.Errorf("threshold %v: want 0 to 1", h.MinProbability)
	case !inRange(h.Sets.Coverage, 0, 1):
		return fmt.Errorf("coverage %v: want 0 to 1", h.Sets.Coverage)
	case (h.Sets.Coverage > 0) != (len(h.Sets.Thresholds) > 0):
		return fmt.Errorf("coverage %v with %d set thresholds", h.Sets.Coverage, len(h.Sets.Thresholds))
	}
	if err := checkThresholds("label", n, h.LabelThresholds); err != nil {
		return err
	}
	if err := checkThresholds("set", n, h.Sets.Thresholds); err != nil {
		return err
	}
	if err := h.Curve.check(); err != nil {
		return err
	}
	if n := len(h.DecisionWeights); n != 0 && n != len(h.Labels) {
		return fmt.Errorf("%d decision weights: want one for each of %d labels, or none", n, len(h.Labels))
	}
	for _, w := range h.DecisionWeights {
		if !inRange(w, 1e-3, 1e3) {
			return fmt.Errorf("decision weight %v: want 0.001 to 1000", w)
		}
	}
	if err := h.checkBlocks(); err != nil {
		return err
	}
	if err := h.checkTargets(); err != nil {
		return err
	}
	if err := h.Evaluation.check(); err != nil {
		return err
	}
	if err := h.Evaluation.Outcomes.check(n); err != nil {
		return fmt.Errorf("evaluation: %w", err)
	}
	return nil
}

func (h *Head) checkNames() error {
	if n := len(h.Names); n != 0 && n != len(h.Labels) {
		return fmt.Errorf("%d names: want one for each of %d labels, or none", n, len(h.Labels))
	}
	named := map[string]string{} // label by name
	for i, name := range h.Names {
		if err := CheckName(name); err != nil {
			return fmt.Errorf("label %q: name: %w", h.Labels[i], err)
		}
		if other, found := named[name]; found {
			return fmt.Errorf("labels %q and %q are both called %q", other, h.Labels[i], name)
		}
		named[name] = h.Labels[i]
	}
	if len(h.Names) > 0 && slices.Equal(h.Names, h.Labels) {
		return errors.New("names that are those of the labels")
	}
	return nil
}

// checkLabels checks what a head or target says of each of n labels.
func checkLabels(n int, docs []uint64, prior []float64, bias []int64) error {
	if len(docs) != n || len(prior) != n || len(bias) != n {
		return fmt.Errorf("%d labels, %d document counts, %d priors, %d biases: want equal numbers", n, len(docs), len(prior), len(bias))
	}
	sum := 0.0
	for i := range n {
		if bias[i] < -maxBias || bias[i] > maxBias {
			return fmt.Errorf("bias %d: want at most %d either way", bias[i], int64(maxBias))
		}
		if !inRange(prior[i], 0, 1) {
			return fmt.Errorf("prior %v: want 0 to 1", prior[i])
		}
		sum += prior[i]
	}
	if math.Abs(sum-1) > 1e-9 {
		return fmt.Errorf("priors add up to %v: want 1", sum)
	}
	return nil
}

// checkThresholds checks a threshold for each of n labels, or none.
func checkThresholds(kind string, n int, list []float64) error {
	if len(list) != 0 && len(list) != n {
		return fmt.Errorf("%d %s thresholds: want one for each of %d labels, or none", len(list), kind, n)
	}
	for _, t := range list {
		if !inRange(t, 0, 2) {
			return fmt.Errorf("%s threshold %v: want 0 to 2", kind, t)
		}
	}
	return nil
}

func (h *Head) checkBlocks() error {
	if n := len(h.Blocks); n < 1 || n > values {
		return fmt.Errorf("%d blocks: want 1 to %d", n, values)
	}
	for i, b := range h.Blocks {
		switch {
		case b.Value >= values:
			return fmt.Errorf("value function %d: want 0 to %d", b.Value, values-1)
		case b.WeightBits > b.Value.MaxWeightBits():
			return fmt.Errorf("weight bits %d: want at most %d", b.WeightBits, b.Value.MaxWeightBits())
		case i > 0 && b.Value <= h.Blocks[i-1].Value:
			return errors.New("blocks are not in ascending order of their values")
		case b.Targets && len(h.Targets) == 0:
			return errors.New("a block for targets, of which there are none")
		}
	}
	return nil
}

func (h *Head) checkTargets() error {
	if len(h.Targets) > MaxTargets {
		return fmt.Errorf("%d targets: want at most %d", len(h.Targets), MaxTargets)
	}
	if !inRange(h.TargetInverseTemperature, 1e-9, 1e9) {
		return fmt.Errorf("inverse temperature with a target %v: want 1e-9 to 1e9", h.TargetInverseTemperature)
	}
	for i, t := range h.Targets {
		if err := CheckName(t.Name); err != nil {
			return fmt.Errorf("target %d: %w", i, err)
		}
		if t.Name != CanonicalTarget(t.Name) {
			return fmt.Errorf("target %q: not in canonical form", t.Name)
		}
		if i > 0 && t.Name <= h.Targets[i-1].Name {
			return fmt.Errorf("target %q: targets are not in ascending order", t.Name)
		}
		if err := checkLabels(len(h.Labels), t.DocCounts, t.Prior, t.Bias); err != nil {
			return fmt.Errorf("target %q: %w", t.Name, err)
		}
	}
	return nil
}

func (e *Evaluation) check() error {
	if len(e.Learning) > maxLearning {
		return fmt.Errorf("%d points of a learning curve: want at most %d", len(e.Learning), maxLearning)
	}
	for _, f := range []struct {
		name        string
		value, most float64
	}{
		{"accuracy", e.Accuracy, 1}, {"macro-F1", e.MacroF1, 1}, {"majority accuracy", e.MajorityAccuracy, 1},
		{"ECE", e.ECE, 1}, {"perfect ECE", e.PerfectECE, 1}, {"Brier score", e.Brier, 2},
	} {
		if !inRange(f.value, 0, f.most) {
			return fmt.Errorf("evaluation: %s %v: want 0 to %v", f.name, f.value, f.most)
		}
	}
	for i, p := range e.Learning {
		if !inRange(p.Accuracy, 0, 1) || !inRange(p.MacroF1, 0, 1) {
			return fmt.Errorf("evaluation: point %d of the learning curve: accuracy %v, macro-F1 %v: want 0 to 1", i, p.Accuracy, p.MacroF1)
		}
	}
	if !inRange(e.NLL, 0, math.MaxFloat64) {
		return fmt.Errorf("evaluation: negative log-likelihood %v: want a number from 0", e.NLL)
	}
	return nil
}

// inRange is false for NaN, and for -0, which would be a second way to write 0.
func inRange(f, lo, hi float64) bool { return f >= lo && f <= hi && !(f == 0 && math.Signbit(f)) }

// CheckName returns an error unless s can name a head or a label: 1 to
// MaxNameBytes bytes of UTF-8 without control characters.
func CheckName(s string) error {
	switch {
	case s == "":
		return errors.New("empty")
	case len(s) > MaxNameBytes:
		return fmt.Errorf("%d bytes: want at most %d", len(s), MaxNameBytes)
	case !utf8.ValidString(s):
		return fmt.Errorf("%q is not UTF-8", s)
	case strings.ContainsFunc(s, unicode.IsControl):
		return fmt.Errorf("%q has a control character", s)
	}
	return nil
}
