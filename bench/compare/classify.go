package main

import (
	"context"
	"math"
	"os"
	"slices"
)

// A labelling is what a system's runs over the test texts took.
type labelling struct {
	*system
	accuracy  float64
	bytes     int64 // of the model file
	copies    int
	start     []float64 // seconds from the start of the process to the first label
	startCPU  []float64
	perSecond []float64 // documents, on one core, without starting up
	peakOne   []float64 // resident bytes with one text
	peak      []float64 // with all
}

// minStarts is how often every system is started at least.
const minStarts = 9

// label runs the systems in turns.
func (w *workshop) label(ctx context.Context, systems []*system, runs int, seconds float64) ([]*labelling, error) {
	var list []*labelling
	for _, s := range systems {
		l, err := w.prepare(ctx, s, seconds)
		if err != nil {
			return nil, err
		}
		list = append(list, l)
	}
	for r := range max(runs, minStarts) {
		for _, l := range list {
			if err := w.startOnce(ctx, l); err != nil {
				return nil, err
			}
			if r >= runs {
				continue
			}
			if err := w.labelOnce(ctx, l); err != nil {
				return nil, err
			}
		}
	}
	return list, nil
}

// prepare measures accuracy, and how many copies of the test texts a run needs
// to take so many seconds.
func (w *workshop) prepare(ctx context.Context, s *system, seconds float64) (*labelling, error) {
	l := &labelling{system: s}
	info, err := os.Stat(s.model)
	if err != nil {
		return nil, err
	}
	l.bytes = info.Size()
	one, err := run(ctx, append(slices.Clone(s.command), w.file("one.txt")), oneCore, true)
	if err != nil {
		return nil, err
	}
	test, err := w.copies(1)
	if err != nil {
		return nil, err
	}
	all, err := run(ctx, append(slices.Clone(s.command), test), oneCore, true)
	if err != nil {
		return nil, err
	}
	l.copies = copiesFor(all.cpu-one.cpu, seconds)
	l.accuracy, err = s.accuracy(string(all.output))
	return l, err
}

// maxCopies bounds the size of a file of copies.
const maxCopies = 128

// copiesFor is how many copies take so many seconds when one takes cpu: a power
// of two, so that systems share files.
func copiesFor(cpu, seconds float64) int {
	if cpu <= 0 {
		return maxCopies
	}
	n := math.Exp2(math.Ceil(math.Log2(seconds / cpu)))
	return int(min(max(n, 1), maxCopies))
}

// startOnce runs over a single text.
func (w *workshop) startOnce(ctx context.Context, l *labelling) error {
	u, err := run(ctx, append(slices.Clone(l.command), w.file("one.txt")), oneCore, true)
	if err != nil {
		return err
	}
	l.start = append(l.start, u.first)
	l.startCPU = append(l.startCPU, u.cpu)
	l.peakOne = append(l.peakOne, float64(u.peak))
	return nil
}

// leastSeconds is what a run takes beyond its start at least: less is noise,
// which would make any speed out of a few short texts.
const leastSeconds = 1e-3

// labelOnce runs over the copies, right after a run over a single text.
func (w *workshop) labelOnce(ctx context.Context, l *labelling) error {
	path, err := w.copies(l.copies)
	if err != nil {
		return err
	}
	u, err := run(ctx, append(slices.Clone(l.command), path), oneCore, false)
	if err != nil {
		return err
	}
	beyond := max(u.cpu-l.startCPU[len(l.startCPU)-1], leastSeconds)
	l.perSecond = append(l.perSecond, float64(l.copies*len(w.test)-1)/beyond)
	l.peak = append(l.peak, float64(u.peak))
	return nil
}

// labellingSection is the table of the systems.
func labellingSection(list []*labelling) section {
	s := section{
		Title:   "Classifying: lines in, labels out, on one core",
		Columns: []column{{"accuracy", "%", 1}, {"docs/s", "thousand", 2}, {"start to first answer", "ms", 0}, {"model", "MB", 1}, {"resident, 1 text", "MB", 0}, {"resident, all", "MB", 0}},
	}
	for _, l := range list {
		s.add(l.name, exactly(100*l.accuracy), spreadOf(times(l.perSecond, 1e-3)), spreadOf(times(l.start, 1e3)),
			exactly(float64(l.bytes)/1e6), spreadOf(times(l.peakOne, 1e-6)), spreadOf(times(l.peak, 1e-6)))
	}
	return s
}

// A duel is Parley beside a peer on the same features.
type duel struct {
	kind      string
	who       string
	own, peer *labelling
}

// duels pairs the labellings of the same features.
func duels(list []*labelling) []duel {
	var out []duel
	for _, kind := range []string{wordsOnly, withCharacters} {
		own := named(list, systemName("Parley", kind))
		for _, peer := range []string{fastTextName, sklearnName} {
			if p := named(list, systemName(peer, kind)); own != nil && p != nil {
				out = append(out, duel{kind, peer, own, p})
			}
		}
	}
	return out
}

func (d *duel) speed() spread { return spreadOf(quotients(d.own.perSecond, d.peer.perSecond)) }

// duelSection is the table of ratios.
func duelSection(list []duel) section {
	s := section{
		Title:   "How many times better Parley is",
		Columns: []column{{"docs/s", "", 2}, {"start to first answer", "", 1}, {"model size", "", 1}, {"resident, all", "", 1}},
	}
	for _, d := range list {
		s.add(titles[d.kind]+", beside "+d.peer.name, d.speed(), spreadOf(quotients(d.peer.start, d.own.start)),
			exactly(float64(d.peer.bytes)/float64(d.own.bytes)), spreadOf(quotients(d.peer.peak, d.own.peak)))
	}
	return s
}

// duelGoals are about fastText.
func duelGoals(list []duel) []goal {
	bounds := map[string]float64{wordsOnly: 10, withCharacters: 2}
	var goals []goal
	for _, d := range list {
		if d.who == fastTextName {
			goals = append(goals,
				atLeast("docs/s beside fastText, "+titles[d.kind], bounds[d.kind], d.speed()),
				atLeast("accuracy less fastText's, points, "+titles[d.kind], 0, exactly(100*(d.own.accuracy-d.peer.accuracy))))
		}
	}
	return goals
}

// named returns the labelling of that name, nil when there is none.
func named(list []*labelling, name string) *labelling {
	i := slices.IndexFunc(list, func(l *labelling) bool { return l.name == name })
	if i < 0 {
		return nil
	}
	return list[i]
}
