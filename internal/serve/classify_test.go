package serve

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	parleyv1 "github.com/parley-nlp/parley/proto/parley/v1"
)

// render writes predictions as "topic LABELED money: money 0.9 sport 0.1; ...".
func render(c *parleyv1.Classification) string {
	var parts []string
	for _, p := range c.GetPredictions() {
		s := p.GetHead() + " " + strings.TrimPrefix(p.GetDecision().String(), "DECISION_")
		if p.GetLabel() != "" {
			s += " " + p.GetLabel()
		}
		s += ":"
		for _, l := range p.GetScores() {
			s += fmt.Sprintf(" %s %.3f", l.GetLabel(), l.GetProbability())
		}
		parts = append(parts, s)
	}
	return strings.Join(parts, "; ")
}

func TestClassify(t *testing.T) {
	s := start(t, Config{}, newModel(t, 1))
	options := func(heads ...string) *parleyv1.ClassifyOptions { return &parleyv1.ClassifyOptions{Heads: heads} }
	for _, test := range []struct {
		name, text string
		options    *parleyv1.ClassifyOptions
		want       string
	}{
		{"defaults", "great shares", nil, "topic LABELED money: money 0.998; stance LABELED pro: pro 0.844"},
		{"empty options", "great shares", options(), "topic LABELED money: money 0.998; stance LABELED pro: pro 0.844"},
		{"one head", "great shares", options("stance"), "stance LABELED pro: pro 0.844"},
		{"heads in the order asked for", "great shares", options("stance", "topic"), "stance LABELED pro: pro 0.844; topic LABELED money: money 0.998"},
		{"pairs of words", "late goal", options("topic"), "topic LABELED sport: sport 0.993"},
		{"the head's own threshold", "shares", options("stance"), "stance LOW_CONFIDENCE: neutral 0.452"},
		{"top 1", "goal", &parleyv1.ClassifyOptions{TopK: 1, Heads: []string{"topic"}}, "topic LABELED sport: sport 0.982"},
		{"top 2", "great", &parleyv1.ClassifyOptions{TopK: 2, Heads: []string{"stance"}}, "stance LABELED pro: pro 0.844 neutral 0.114"},
		{"top of more than there are", "goal", &parleyv1.ClassifyOptions{TopK: 9, Heads: []string{"topic"}}, "topic LABELED sport: sport 0.982 money 0.018"},
		{"all", "great", &parleyv1.ClassifyOptions{TopK: -1, Heads: []string{"stance"}}, "stance LABELED pro: pro 0.844 neutral 0.114 con 0.042"},
		{"level labels in the head's order", "the", &parleyv1.ClassifyOptions{TopK: -1, Heads: []string{"stance"}}, "stance LOW_CONFIDENCE: neutral 0.452 con 0.274 pro 0.274"},
		{"threshold of 0", "shares", &parleyv1.ClassifyOptions{MinProbability: proto.Float64(0), Heads: []string{"stance"}}, "stance LABELED neutral: neutral 0.452"},
		{"threshold that is not reached", "goal", &parleyv1.ClassifyOptions{MinProbability: proto.Float64(0.99), Heads: []string{"topic"}}, "topic LOW_CONFIDENCE: sport 0.982"},
		{"margin that is reached", "goal", &parleyv1.ClassifyOptions{MinMargin: proto.Float64(0.96), Heads: []string{"topic"}}, "topic LABELED sport: sport 0.982"},
		{"margin that is not reached", "goal", &parleyv1.ClassifyOptions{MinMargin: proto.Float64(0.97), Heads: []string{"topic"}}, "topic AMBIGUOUS: sport 0.982"},
		{"Japanese: the prior", "首脳会談は金曜日に行われる。", &parleyv1.ClassifyOptions{TopK: -1}, "topic NO_EVIDENCE: money 0.600 sport 0.400; stance NO_EVIDENCE: con 0.400 pro 0.400 neutral 0.200"},
		{"gibberish: the prior", "qwrtzx vbnmlk", nil, "topic NO_EVIDENCE: money 0.600; stance NO_EVIDENCE: con 0.400"},
		{"marks only: the prior", "?! --", options("topic"), "topic NO_EVIDENCE: money 0.600"},
		{"mostly unknown", "goal qwrtzx vbnmlk asdfgh yxcvbn", options("topic"), "topic OUT_OF_DOMAIN: sport 0.982"},
	} {
		if got := render(s.classify(t, test.text, test.options)); got != test.want {
			t.Errorf("%s:\n got %s\nwant %s", test.name, got, test.want)
		}
	}
}

func TestAppliedThresholds(t *testing.T) {
	s := start(t, Config{}, newModel(t, 1))
	for _, test := range []struct {
		options *parleyv1.ClassifyOptions
		want    string
	}{
		{nil, "topic 0 0, stance 0.5 0"},
		{&parleyv1.ClassifyOptions{MinMargin: proto.Float64(0.25)}, "topic 0 0.25, stance 0.5 0.25"},
		{&parleyv1.ClassifyOptions{MinProbability: proto.Float64(0)}, "topic 0 0, stance 0 0"},
		{&parleyv1.ClassifyOptions{MinProbability: proto.Float64(1), MinMargin: proto.Float64(1)}, "topic 1 1, stance 1 1"},
	} {
		var parts []string
		for _, p := range s.classify(t, "great goal", test.options).GetPredictions() {
			parts = append(parts, fmt.Sprintf("%s %v %v", p.GetHead(), p.GetAppliedMinProbability(), p.GetAppliedMinMargin()))
		}
		if got := strings.Join(parts, ", "); got != test.want {
			t.Errorf("%v: applied %s, want %s", test.options, got, test.want)
		}
	}
}

func TestInputReport(t *testing.T) {
	s := start(t, Config{}, newModel(t, 1))
	c := s.classify(t, "The GREAT unknown, #goal!", nil)
	want := &parleyv1.InputReport{UsedBytes: 25, TokenCount: 3, KnownTokenCount: 2}
	if !proto.Equal(c.GetInput(), want) {
		t.Errorf("input is %v, want %v", c.GetInput(), want)
	}
	if d := c.GetComputeTime(); !d.IsValid() || d.AsDuration() < 0 {
		t.Errorf("compute time is %v", d)
	}
}

// The terms of this text: spans of the original, the largest first.
func TestEvidence(t *testing.T) {
	s := start(t, Config{}, newModel(t, 1))
	c := s.classify(t, "Über GREAT, great late goal", &parleyv1.ClassifyOptions{TopK: -1, MaxEvidenceTerms: 2})
	var got []string
	for _, p := range c.GetPredictions() {
		for _, e := range p.GetEvidence() {
			line := fmt.Sprintf("%s %d", e.GetLabel(), e.GetBias()/nat)
			for _, term := range e.GetTerms() {
				line += fmt.Sprintf(" %s[%d:%d]x%d=%d", term.GetTerm(), term.GetStart(), term.GetEnd(), term.GetCount(), term.GetContribution()/nat)
			}
			got = append(got, fmt.Sprintf("%s rest %d", line, e.GetRemainder()/nat))
		}
	}
	want := []string{
		"sport 0 goal[24:28]x1=3 late goal[19:28]x1=1 rest 0",
		"money 1 goal[24:28]x1=-2 Über[0:5]x1=1 rest 0",
		"pro 0 GREAT[6:11]x2=8 late goal[19:28]x1=1 rest 0",
		"neutral 1 GREAT[6:11]x2=-2 rest 0",
		"con 0 GREAT[6:11]x2=-4 rest 0",
	}
	if g, w := strings.Join(got, "\n"), strings.Join(want, "\n"); g != w {
		t.Errorf("got\n%s\nwant\n%s", g, w)
	}
}

// checkClassification fails unless the parts of an answer fit together. All
// labels must have been asked for.
func checkClassification(t testing.TB, c *parleyv1.Classification, text string, terms int) {
	t.Helper()
	for _, p := range c.GetPredictions() {
		sum := 0.0
		for _, l := range p.GetScores() {
			if !(l.GetProbability() >= 0 && l.GetProbability() <= 1) {
				t.Errorf("%s %s has probability %v", p.GetHead(), l.GetLabel(), l.GetProbability())
			}
			sum += l.GetProbability()
		}
		if !(math.Abs(sum-1) < 1e-9) {
			t.Errorf("the probabilities of %s add up to %v: %v", p.GetHead(), sum, p.GetScores())
		}
		if (p.GetDecision() == parleyv1.Decision_DECISION_LABELED) != (p.GetLabel() != "") || p.GetDecision() == parleyv1.Decision_DECISION_UNSPECIFIED {
			t.Errorf("%s: decision %v with label %q", p.GetHead(), p.GetDecision(), p.GetLabel())
		}
		if p.GetLabel() != "" && p.GetLabel() != p.GetScores()[0].GetLabel() {
			t.Errorf("%s: label %q is not the best of %v", p.GetHead(), p.GetLabel(), p.GetScores())
		}
		checkTargetAndSet(t, p)
		checkEvidence(t, p, text, terms)
	}
}

// checkTargetAndSet fails unless the weights are named, and the label set is a
// part of the labels, in order, that comes with its coverage.
func checkTargetAndSet(t testing.TB, p *parleyv1.HeadPrediction) {
	t.Helper()
	if p.GetTargetWeights() == parleyv1.TargetWeights_TARGET_WEIGHTS_UNSPECIFIED {
		t.Errorf("%s: target weights %v", p.GetHead(), p.GetTargetWeights())
	}
	set := p.GetLabelSet()
	if !slices.IsSorted(set) || len(slices.Compact(slices.Clone(set))) != len(set) {
		t.Errorf("%s: label set %q is not in order", p.GetHead(), set)
	}
	if len(set) > 0 && !(p.GetLabelSetCoverage() > 0) {
		t.Errorf("%s: label set %q of coverage %v", p.GetHead(), set, p.GetLabelSetCoverage())
	}
	for _, label := range set {
		if !slices.ContainsFunc(p.GetScores(), func(l *parleyv1.LabelScore) bool { return l.GetLabel() == label }) {
			t.Errorf("%s: %q of the label set is no label", p.GetHead(), label)
		}
	}
}

// checkEvidence fails unless bias, terms and remainder add up to the raw
// scores and the terms are spans of the text.
func checkEvidence(t testing.TB, p *parleyv1.HeadPrediction, text string, terms int) {
	t.Helper()
	if terms > 0 && len(p.GetEvidence()) != len(p.GetScores()) || terms == 0 && len(p.GetEvidence()) > 0 {
		t.Fatalf("%s: evidence for %d of %d labels, %d terms asked for", p.GetHead(), len(p.GetEvidence()), len(p.GetScores()), terms)
	}
	for i, e := range p.GetEvidence() {
		if len(e.GetTerms()) > terms {
			t.Errorf("%s: %d terms, want at most %d", e.GetLabel(), len(e.GetTerms()), terms)
		}
		sum := e.GetBias() + e.GetRemainder()
		for _, term := range e.GetTerms() {
			sum += term.GetContribution()
			if span := text[term.GetStart():term.GetEnd()]; span != term.GetTerm() {
				t.Errorf("term %q has the span of %q", term.GetTerm(), span)
			}
		}
		if l := p.GetScores()[i]; e.GetLabel() != l.GetLabel() || sum != l.GetRawScore() {
			t.Errorf("evidence for %s adds up to %d, the raw score of %s is %d", e.GetLabel(), sum, l.GetLabel(), l.GetRawScore())
		}
	}
}

func TestAnswersFitTogether(t *testing.T) {
	s := start(t, Config{}, newModel(t, 1))
	for _, text := range []string{
		"great", "GREAT late goal, terrible shares", "Über das Ziel", "首脳会談", "👍🏽 goal — e\u0301te\u0301", "?!",
		"\x00goal\x00", strings.Repeat("a great late goal! ", 2000), strings.Repeat("ß", 100_000), "goal\u202eshares\ufeff",
	} {
		for _, terms := range []int{0, 1, 2, 50} {
			c := s.classify(t, text, &parleyv1.ClassifyOptions{TopK: -1, MaxEvidenceTerms: int32(terms), MinProbability: proto.Float64(0)})
			checkClassification(t, c, text, terms)
		}
	}
}

func TestTruncation(t *testing.T) {
	s := start(t, Config{MaxDocumentBytes: 10}, newModel(t, 1))
	keep := &parleyv1.ClassifyOptions{Truncation: parleyv1.Truncation_TRUNCATION_KEEP_HEAD}
	for _, test := range []struct {
		text      string
		used      int64
		truncated bool
	}{
		{"1234567890", 10, false},
		{"12345678901", 10, true},
		{"123456789é", 9, true},
		{"12345678é", 10, false},
		{"1234567👍", 7, true},
		{"123456👍", 10, false},
		{"123456👍👍", 10, true},
		{"          goal", 10, true}, // nothing but white space is left: no error
	} {
		in := s.classify(t, test.text, keep).GetInput()
		if in.GetUsedBytes() != test.used || in.GetTruncated() != test.truncated {
			t.Errorf("%q: used %d, truncated %t, want %d, %t", test.text, in.GetUsedBytes(), in.GetTruncated(), test.used, test.truncated)
		}
	}
}

// What is cut off has no influence, and the default limit is 1 MiB.
func TestTruncationOfALongText(t *testing.T) {
	s := start(t, Config{}, newModel(t, 1))
	c := s.classify(t, "great "+strings.Repeat("é", 1<<20)+" terrible", &parleyv1.ClassifyOptions{
		Truncation: parleyv1.Truncation_TRUNCATION_KEEP_HEAD, Heads: []string{"stance"}, MaxEvidenceTerms: 50,
	})
	want := &parleyv1.InputReport{Truncated: true, UsedBytes: 1 << 20, TokenCount: 2, KnownTokenCount: 1}
	if !proto.Equal(c.GetInput(), want) {
		t.Errorf("input is %v, want %v", c.GetInput(), want)
	}
	terms := c.GetPredictions()[0].GetEvidence()[0].GetTerms()
	if len(terms) != 1 || terms[0].GetTerm() != "great" {
		t.Errorf("evidence is %v, want great alone", terms)
	}
}
