package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/parley-nlp/parley/internal/dataset"
	"github.com/parley-nlp/parley/internal/quote"
	"github.com/parley-nlp/parley/internal/train"
)

// priorFlags say which shares of the labels a model expects.
type priorFlags struct {
	Prior      string   `enum:"train,uniform,fixed,estimated" default:"train" help:"Shares to expect: train (those of the training data), uniform, fixed (given by --prior-share) or estimated (from --unlabelled)."`
	PriorShare []string `sep:"none" placeholder:"HEAD:LABEL=SHARE" help:"Share of a label, for --prior fixed; repeat for all labels of the head. They are divided by their sum; heads that are not named keep the shares of the training data."`
	Unlabelled []string `sep:"none" placeholder:"FILE" help:"Texts of where the model is used, without labels, for --prior estimated; repeat for several files or folders. Their text column is called as in the labelled files."`
}

var priorModes = map[string]train.PriorMode{
	"train": train.TrainPrior, "uniform": train.UniformPrior, "fixed": train.FixedPrior, "estimated": train.EstimatedPrior,
}

// check refuses flags that do not go together.
func (f priorFlags) check(labelled []string) error {
	switch {
	case f.Prior == "fixed" && len(f.PriorShare) == 0:
		return usagef("--prior fixed: want the shares, by --prior-share")
	case f.Prior != "fixed" && len(f.PriorShare) > 0:
		return usagef("--prior-share is for --prior fixed")
	case f.Prior == "estimated" && len(f.Unlabelled) == 0:
		return usagef("--prior estimated: want texts to estimate from, by --unlabelled")
	case f.Prior != "estimated" && len(f.Unlabelled) > 0:
		return usagef("--unlabelled is for --prior estimated")
	case slices.Contains(labelled, "-") && slices.Contains(f.Unlabelled, "-"):
		return usagef("--unlabelled -: standard input has the labelled rows")
	}
	for _, text := range f.PriorShare {
		if _, _, err := cutShare(text); err != nil {
			return usagef("--prior-share %s: %w", text, err)
		}
	}
	return nil
}

// cutShare cuts a share off the name before it.
func cutShare(text string) (name string, share float64, err error) {
	at := strings.LastIndex(text, "=")
	if at < 0 {
		return "", 0, fmt.Errorf("want HEAD:LABEL=SHARE")
	}
	share, err = strconv.ParseFloat(text[at+1:], 64)
	if err != nil || !(share > 0 && share <= train.MaxStrength) {
		return "", 0, fmt.Errorf("share %q: want a number above 0, at most %v", text[at+1:], train.MaxStrength)
	}
	return text[:at], share, nil
}

// prior returns the prior for the heads of set, and warnings about the texts
// without labels.
func (f priorFlags) prior(e *env, set *dataset.Set, read labelFlags) (train.Prior, []string, error) {
	p := train.Prior{Mode: priorModes[f.Prior]}
	var warnings []string
	var err error
	switch p.Mode {
	case train.FixedPrior:
		p.Shares, err = f.shares(set)
	case train.EstimatedPrior:
		p.Unlabelled, warnings, err = read.unlabelled(e, f.Unlabelled)
	}
	return p, warnings, err
}

// shares returns the fixed shares by head and label. Every label of a head that
// is named must have one, and no other.
func (f priorFlags) shares(set *dataset.Set) (map[string]map[string]float64, error) {
	shares := map[string]map[string]float64{}
	for _, text := range f.PriorShare {
		name, share, err := cutShare(text)
		if err != nil {
			return nil, fmt.Errorf("--prior-share %s: %w", text, err)
		}
		head, label, err := headAndLabel(set, name)
		if err != nil {
			return nil, fmt.Errorf("--prior-share %s: %w", text, err)
		}
		if shares[head] == nil {
			shares[head] = map[string]float64{}
		}
		if _, twice := shares[head][label]; twice {
			return nil, fmt.Errorf("--prior-share %s: label %q of head %q is given twice", text, label, head)
		}
		shares[head][label] = share
	}
	for h, head := range set.Heads {
		missing := slices.DeleteFunc(dataset.LabelsOf(set.Examples, h), func(l string) bool { _, given := shares[head][l]; return given })
		if shares[head] != nil && len(missing) > 0 {
			return nil, fmt.Errorf("--prior-share: head %q: want a share of every label: none is given of %s", head, quote.List(missing))
		}
	}
	return shares, nil
}

// headAndLabel takes HEAD:LABEL apart. Both may themselves have colons.
func headAndLabel(set *dataset.Set, name string) (head, label string, err error) {
	err = fmt.Errorf("no head: want HEAD:LABEL=SHARE, with one of the heads %s", quote.List(set.Heads))
	for h, of := range set.Heads {
		label, found := strings.CutPrefix(name, of+":")
		if !found {
			continue
		}
		labels := dataset.LabelsOf(set.Examples, h)
		if slices.Contains(labels, label) {
			return of, label, nil
		}
		err = fmt.Errorf("head %q has no label %q: its labels are %s", of, label, quote.List(labels))
	}
	return "", "", err
}
