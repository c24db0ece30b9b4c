package store

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/parley-nlp/parley/internal/model"
)

// A Diff is what differs between two revisions.
type Diff struct {
	From         string     `json:"from"`
	To           string     `json:"to"`
	SameData     bool       `json:"same_training_data"`
	Features     string     `json:"features"` // of To
	FeaturesWere string     `json:"features_were,omitempty"`
	Known        Counts     `json:"feature_count"`
	Gained       int        `json:"features_gained"`
	Lost         int        `json:"features_lost"`
	Named        bool       `json:"features_named"` // features have strings, not only ids
	HeadsGained  []string   `json:"heads_gained,omitempty"`
	HeadsLost    []string   `json:"heads_lost,omitempty"`
	Heads        []HeadDiff `json:"heads"` // that both have
}

// Counts are a number before and after.
type Counts struct {
	From uint64 `json:"from"`
	To   uint64 `json:"to"`
}

// A HeadDiff is what differs in a head.
type HeadDiff struct {
	Head         string      `json:"head"`
	LabelsGained []string    `json:"labels_gained,omitempty"`
	LabelsLost   []string    `json:"labels_lost,omitempty"`
	Renamed      []Renaming  `json:"labels_renamed,omitempty"`
	Evaluation   []Figure    `json:"evaluation"`
	Labels       []LabelDiff `json:"labels"` // that both have, those that moved most first
}

// A Renaming is a label that is called otherwise.
type Renaming struct {
	Label string `json:"label"`
	From  string `json:"from"`
	To    string `json:"to"`
}

// A Figure is one of the evaluation, before and after.
type Figure struct {
	Name string  `json:"name"`
	From float64 `json:"from"`
	To   float64 `json:"to"`
}

// A LabelDiff is how far the weights of a label moved.
type LabelDiff struct {
	Label     string `json:"label"`
	Documents Counts `json:"documents"`
	// Moved is the mean distance that its weights moved, in nats, over the
	// features that either revision knows; Bias how far its bias did.
	Moved    float64       `json:"mean_move_nats"`
	Bias     float64       `json:"bias_move_nats"`
	Features []FeatureMove `json:"features"` // that moved most, most first
}

// A FeatureMove is how the weight of a feature for a label moved, in nats, beside
// the mean of the labels: what all labels get alike moves no answer.
type FeatureMove struct {
	Feature string  `json:"feature"` // its string, or its id in hexadecimal
	From    float64 `json:"from"`
	To      float64 `json:"to"`
	Known   string  `json:"known"` // "both", or which revision knows it: "from" or "to"
}

func (f *FeatureMove) distance() float64 { return math.Abs(f.To - f.From) }

// Compare returns what differs between two revisions, with the top features of
// each label.
func Compare(from, to *model.Model, top int) Diff {
	d := Diff{
		From: from.Revision(), To: to.Revision(), SameData: from.TrainingData() == to.TrainingData(),
		Features: to.Features().String(), Named: from.Named() && to.Named(),
		Known: Counts{uint64(from.FeatureCount()), uint64(to.FeatureCount())},
	}
	if were := from.Features().String(); were != d.Features {
		d.FeaturesWere = were
	}
	d.Heads = make([]HeadDiff, 0, len(from.Heads())) // pointed to below
	c := comparison{from: side{Model: from}, to: side{Model: to}, top: top}
	for _, h := range to.Heads() {
		if from.Head(h.Name) < 0 {
			d.HeadsGained = append(d.HeadsGained, h.Name)
		}
	}
	for i, h := range from.Heads() {
		k := to.Head(h.Name)
		if k < 0 {
			d.HeadsLost = append(d.HeadsLost, h.Name)
			continue
		}
		d.Heads = append(d.Heads, compareHeads(&h, &to.Heads()[k]))
		c.heads = append(c.heads, newHeadPair(i, k, &h, &to.Heads()[k], &d.Heads[len(d.Heads)-1]))
	}
	c.features(&d)
	for _, p := range c.heads {
		p.finish()
	}
	return d
}

// compareHeads compares all but the weights.
func compareHeads(from, to *model.Head) HeadDiff {
	d := HeadDiff{Head: from.Name, LabelsGained: without(to.Labels, from.Labels), LabelsLost: without(from.Labels, to.Labels)}
	for i, label := range from.Labels {
		if k := slices.Index(to.Labels, label); k >= 0 && from.LabelName(i) != to.LabelName(k) {
			d.Renamed = append(d.Renamed, Renaming{label, from.LabelName(i), to.LabelName(k)})
		}
	}
	a, b := from.Evaluation, to.Evaluation
	d.Evaluation = []Figure{
		{"examples", float64(a.Examples), float64(b.Examples)},
		{"macro-F1", a.MacroF1, b.MacroF1},
		{"accuracy", a.Accuracy, b.Accuracy},
		{"calibration error", a.ECE, b.ECE},
		{"negative log-likelihood", a.NLL, b.NLL},
		{"Brier score", a.Brier, b.Brier},
	}
	return d
}

// without returns what list has and other has not.
func without(list, other []string) []string {
	var rest []string
	for _, s := range list {
		if !slices.Contains(other, s) {
			rest = append(rest, s)
		}
	}
	return rest
}

// A comparison goes through the features of two models, which ascend by id.
type comparison struct {
	from, to side
	heads    []*headPair
	top      int
}

// A side is one of the models, and where the comparison is in it.
type side struct {
	*model.Model
	at int
}

// features compares the weights of all features, and counts those that are new.
func (c *comparison) features(d *Diff) {
	for c.from.left() || c.to.left() {
		id := min(c.from.id(), c.to.id())
		known := "both"
		switch {
		case c.from.id() != id:
			known, d.Gained = "to", d.Gained+1
		case c.to.id() != id:
			known, d.Lost = "from", d.Lost+1
		}
		for _, p := range c.heads {
			p.feature(id, c.from.weights(id, p.from), c.to.weights(id, p.to), known, c.top)
		}
		c.from.next(id)
		c.to.next(id)
	}
	c.name(d.Named)
}

// name gives the features that are shown their strings, or their ids.
func (c *comparison) name(strings bool) {
	names := map[model.FeatureID]string{}
	for _, p := range c.heads {
		for _, id := range slices.Concat(p.ids...) {
			names[id] = fmt.Sprintf("%016x", uint64(id))
		}
	}
	if strings {
		c.from.strings(names)
		c.to.strings(names)
	}
	for _, p := range c.heads {
		for i, ids := range p.ids {
			for k, id := range ids {
				p.moves[i].Features[k].Feature = names[id]
			}
		}
	}
}

func (s *side) left() bool { return s.at < s.FeatureCount() }

// id is the feature where the comparison is.
func (s *side) id() model.FeatureID {
	if !s.left() {
		return math.MaxUint64
	}
	return s.FeatureID(s.at)
}

// weights are those of a feature; none if it is not known.
func (s *side) weights(id model.FeatureID, head int) []float64 {
	if !s.left() || s.id() != id {
		return nil
	}
	return s.AppendWeights(nil, s.at, head)
}

func (s *side) next(id model.FeatureID) {
	if s.left() && s.id() == id {
		s.at++
	}
}

// strings puts what features are into names, for those that are in it.
func (s *side) strings(names map[model.FeatureID]string) {
	for i, text := range s.Strings() {
		if _, want := names[s.FeatureID(i)]; want {
			names[s.FeatureID(i)] = text
		}
	}
}

// A headPair is a head of both models.
type headPair struct {
	from, to int      // in each
	labels   [][2]int // of the labels that both have, in each
	moves    []LabelDiff
	ids      [][]model.FeatureID // of moves' features
	seen     int                 // features
	diff     *HeadDiff
}

func newHeadPair(from, to int, a, b *model.Head, diff *HeadDiff) *headPair {
	p := &headPair{from: from, to: to, diff: diff}
	for i, label := range a.Labels {
		k := slices.Index(b.Labels, label)
		if k < 0 {
			continue
		}
		p.labels = append(p.labels, [2]int{i, k})
		bias := math.Ldexp(float64(b.Bias[k]-a.Bias[i]), -model.ScoreBits)
		p.moves = append(p.moves, LabelDiff{Label: label, Documents: Counts{a.DocCounts[i], b.DocCounts[k]}, Bias: bias})
	}
	p.ids = make([][]model.FeatureID, len(p.labels))
	return p
}

// feature takes in the weights of a feature.
func (p *headPair) feature(id model.FeatureID, from, to []float64, known string, top int) {
	p.seen++
	a, b := p.beside(from, 0), p.beside(to, 1)
	for i := range p.labels {
		move := FeatureMove{From: a[i], To: b[i], Known: known}
		p.moves[i].Moved += move.distance()
		p.keep(i, id, move, top)
	}
}

// beside returns the weights of the common labels less their mean.
func (p *headPair) beside(weights []float64, side int) []float64 {
	list, mean := make([]float64, len(p.labels)), 0.0
	if weights == nil {
		return list
	}
	for i, l := range p.labels {
		list[i] = weights[l[side]]
		mean += list[i] / float64(len(list))
	}
	for i := range list {
		list[i] -= mean
	}
	return list
}

// keep keeps a move if it is among the farthest of the label; of equal ones the
// first.
func (p *headPair) keep(label int, id model.FeatureID, move FeatureMove, top int) {
	list, ids := p.moves[label].Features, p.ids[label]
	at := len(list)
	for at > 0 && list[at-1].distance() < move.distance() {
		at--
	}
	if at == top || move.distance() == 0 {
		return
	}
	list, ids = slices.Insert(list, at, move), slices.Insert(ids, at, id)
	p.moves[label].Features, p.ids[label] = list[:min(len(list), top)], ids[:min(len(ids), top)]
}

// finish gives the labels to the head's diff, those that moved most first.
func (p *headPair) finish() {
	for i := range p.moves {
		p.moves[i].Moved /= float64(max(p.seen, 1))
	}
	slices.SortStableFunc(p.moves, func(a, b LabelDiff) int { return cmp.Compare(b.Moved, a.Moved) })
	p.diff.Labels = p.moves
}
