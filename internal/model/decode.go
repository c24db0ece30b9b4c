package model

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"errors"
	"fmt"
	"math"
	"unicode/utf8"
)

// A decoder reads the regions. Its first error sticks: from then on it returns
// zeros.
type decoder struct {
	all, rest []byte
	err       error
}

// fail records err as a format error, if it is the first.
func (d *decoder) fail(err error) {
	if d.err == nil && err != nil {
		d.err = fmt.Errorf("%w: %w", ErrFormat, err)
	}
}

// take returns the next n bytes: all access to the file goes through it.
func (d *decoder) take(n uint64, what string) []byte {
	if d.err == nil && n > uint64(len(d.rest)) {
		d.fail(fmt.Errorf("the file ends within %s", what))
	}
	if d.err != nil {
		return nil
	}
	b := d.rest[:n]
	d.rest = d.rest[n:]
	return b
}

func (d *decoder) byte(what string) byte {
	if b := d.take(1, what); b != nil {
		return b[0]
	}
	return 0
}

func (d *decoder) uint32(what string) uint32 {
	if b := d.take(4, what); b != nil {
		return le.Uint32(b)
	}
	return 0
}

func (d *decoder) uint64(what string) uint64 {
	if b := d.take(8, what); b != nil {
		return le.Uint64(b)
	}
	return 0
}

func (d *decoder) float(what string) float64 { return math.Float64frombits(d.uint64(what)) }

func (d *decoder) string(what string) string { return string(d.take(uint64(d.uint32(what)), what)) }

// magic checks the first line. Another version of this format is told apart
// from another kind of file.
func (d *decoder) magic() {
	line, _, found := bytes.Cut(d.rest[:min(len(d.rest), 64)], []byte("\n"))
	version, isModel := bytes.CutPrefix(line, []byte("parley model "))
	switch {
	case !found || !isModel:
		d.fail(errors.New(`it does not begin with "parley model"`))
	case len(line)+1 != len(magic) || string(version) != "1":
		d.err = fmt.Errorf("%w: format %q, this program reads 1", ErrVersion, version)
	}
	d.take(uint64(len(magic)), "the magic")
}

// model reads what comes between the magic and the self-test.
func (d *decoder) model() *Model {
	m := &Model{}
	m.pool.New = func() any { return m.NewClassifier() }
	s := &m.spec
	d.versions()
	s.Features = Features{
		Words: int(d.byte("features")), CharMin: int(d.byte("features")), CharMax: int(d.byte("features")),
	}
	s.MinKnownShare = d.float("domain")
	copy(s.TrainingData[:], d.take(sha256.Size, "training"))
	heads := d.uint32("heads")
	if heads > MaxHeads {
		d.fail(fmt.Errorf("%d heads: want at most %d", heads, MaxHeads))
	}
	for i := uint32(0); i < heads && d.err == nil; i++ {
		s.Heads = append(s.Heads, d.head())
	}
	if d.err == nil {
		d.fail(s.check())
	}
	if d.err != nil {
		return m
	}
	m.table = d.table(newLayout(s.Heads, s.weighted(), func(Block) bool { return true }))
	m.targets = make([]table, len(s.Heads))
	for i := range s.Heads {
		if len(s.Heads[i].Targets) > 0 {
			m.targets[i] = d.table(targetLayout(s.Heads[i : i+1]))
		}
	}
	m.ends, m.strings = d.strings(m.table.rows)
	return m
}

// table reads a table and indexes it.
func (d *decoder) table(l layout) table {
	for _, b := range d.take(uint64(-(len(d.all)-len(d.rest))&7), "padding") {
		if b != 0 {
			d.fail(errors.New("padding is not 0"))
		}
	}
	rows := d.uint64("rows")
	if rows > maxFeatures {
		d.fail(fmt.Errorf("%d features: want at most %d", rows, maxFeatures))
	}
	cells := toCells(d.take(8*rows*uint64(l.stride), "rows")) // below 2^54: rows < 2^31, a row has less than 2^20 cells
	if d.err != nil {
		return table{}
	}
	t, err := newTable(l, cells)
	d.fail(err)
	return t
}

// strings reads where the strings of rows end, and their text.
func (d *decoder) strings(rows int) (ends []uint32, text []byte) {
	size := d.uint64("strings")
	if size == 0 {
		return nil, nil
	}
	list := d.take(4*uint64(rows), "strings")
	if text = d.take(size, "strings"); d.err != nil {
		return nil, nil
	}
	ends = make([]uint32, rows)
	last := uint32(0)
	for i := range ends {
		ends[i] = le.Uint32(list[4*i:])
		if ends[i] <= last || uint64(ends[i]) > size {
			d.fail(fmt.Errorf("the string of feature %d ends at %d, the one before at %d, all at %d", i, ends[i], last, size))
			return nil, nil
		}
		if int(last) < len(text) && !utf8.RuneStart(text[last]) {
			d.fail(fmt.Errorf("the string of feature %d does not begin with a character", i))
			return nil, nil
		}
		last = ends[i]
	}
	switch {
	case uint64(last) != size:
		d.fail(fmt.Errorf("the strings end at %d: want %d", last, size))
	case !utf8.Valid(text):
		d.fail(errors.New("the strings are not UTF-8"))
	}
	return ends, text
}

func (d *decoder) versions() {
	extractor, tables := d.uint32("extractor"), d.string("unicode")
	if d.err == nil && (extractor != ExtractorVersion || tables != UnicodeVersion) {
		d.err = fmt.Errorf("%w: it reads texts with extractor %d and Unicode %q, this program with %d and %q: train it again",
			ErrVersion, extractor, tables, ExtractorVersion, UnicodeVersion)
	}
}

func (d *decoder) head() (h Head) {
	h.Name = d.string("a head's name")
	if kind := d.byte("a head's kind"); kind != 0 && d.err == nil {
		d.err = fmt.Errorf("%w: head %q is of kind %d, which this program does not know", ErrVersion, h.Name, kind)
	}
	d.labels(&h)
	for range d.list("blocks", 3) {
		h.Blocks = append(h.Blocks, d.block())
	}
	h.InverseTemperature = d.float("temperature")
	targets := d.list("targets", 4)
	if targets > MaxTargets { // here, since they take more memory than bytes of the file
		d.fail(fmt.Errorf("head %q: %d targets: want at most %d", h.Name, targets, MaxTargets))
	}
	for range targets {
		if d.err == nil {
			h.Targets = append(h.Targets, d.target(len(h.Labels)))
		}
	}
	h.TargetInverseTemperature = d.float("temperature")
	for range d.list("calibration curve", 16) {
		h.Curve = append(h.Curve, CurvePoint{d.float("calibration curve"), d.float("calibration curve")})
	}
	h.DecisionWeights = d.floats("decision weights")
	h.MinProbability = d.float("threshold")
	h.LabelThresholds = d.floats("thresholds")
	h.Sets.Coverage, h.Sets.Thresholds = d.float("coverage"), d.floats("set thresholds")
	e := &h.Evaluation
	e.Examples = d.uint64("evaluation")
	for _, f := range e.figures() {
		*f = d.float("evaluation")
	}
	for range d.list("learning curve", 24) {
		e.Learning = append(e.Learning, LearningPoint{d.uint64("learning curve"), d.float("learning curve"), d.float("learning curve")})
	}
	e.Outcomes.Levels = d.floats("levels of confidence")
	for range d.list("outcomes", 20) {
		e.Outcomes.Counts = append(e.Outcomes.Counts, Outcome{d.uint32("outcomes"), d.uint32("outcomes"), d.uint32("outcomes"), d.uint64("outcomes")})
	}
	e.Outcomes.Stated = d.floats("stated probabilities")
	e.Outcomes.Dispersion = d.float("dispersion")
	return h
}

// list reads the length of a list whose entries have at least size bytes: 0
// when so many cannot follow.
func (d *decoder) list(what string, size uint64) uint32 {
	n := d.uint32(what)
	if uint64(n)*size > uint64(len(d.rest)) {
		d.fail(fmt.Errorf("the file ends within %s", what))
		return 0
	}
	return n
}

func (d *decoder) floats(what string) []float64 {
	var list []float64
	for range d.list(what, 8) {
		list = append(list, d.float(what))
	}
	return list
}

func (d *decoder) labels(h *Head) {
	for range d.list("labels", 32) {
		label, name := d.string("a label"), d.string("a label's name")
		if name == label && name != "" {
			d.fail(fmt.Errorf("head %q: label %q has its own name", h.Name, label))
		}
		if name != "" && h.Names == nil { // those before it are called by their labels
			h.Names = append(make([]string, 0, 1), h.Labels...)
		}
		h.Labels = append(h.Labels, label)
		if h.Names != nil {
			h.Names = append(h.Names, cmp.Or(name, label))
		}
		h.DocCounts = append(h.DocCounts, d.uint64("document counts"))
		h.Prior = append(h.Prior, d.float("priors"))
		h.Bias = append(h.Bias, int64(d.uint64("biases")))
	}
}

func (d *decoder) block() Block {
	b := Block{Value: Value(d.byte("a block's value")), WeightBits: d.byte("weight bits")}
	switch d.byte("a block's targets") {
	case 0:
	case 1:
		b.Targets = true
	default:
		d.fail(errors.New("a block's targets: want 0 or 1"))
	}
	return b
}

func (d *decoder) target(labels int) (t Target) {
	t.Name = d.string("a target")
	for i := 0; i < labels && d.err == nil; i++ {
		t.DocCounts = append(t.DocCounts, d.uint64("document counts"))
		t.Prior = append(t.Prior, d.float("priors"))
		t.Bias = append(t.Bias, int64(d.uint64("biases")))
	}
	return t
}
