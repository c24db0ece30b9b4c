package store

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// Keep says what GC keeps. What aliases point to, and would roll back to, always
// stays. Revisions that were withdrawn go, whatever it says, unless an alias points
// to them.
type Keep struct {
	Newest int           // so many revisions of a model, whatever points to them
	Moves  int           // so many moves of each alias, with the revisions they name
	Age    time.Duration // whatever is younger; at least MinAge
}

// MinAge is the least age of what GC removes: a publisher or a mover of aliases
// that is slower than that would be taken for a dead one. The clocks of the store
// and of its users may differ by less than that.
const MinAge = time.Hour

// A Removal is what GC removed of one model, or would remove.
type Removal struct {
	Model     string   `json:"model"`
	Revisions []string `json:"revisions,omitempty"`
	Files     []string `json:"files,omitempty"` // of revisions that were never published whole, or not removed whole
	Entries   int      `json:"log_entries"`     // of the log of aliases
	Temporary int      `json:"temporary_files"` // of publishers that died
	Bytes     int64    `json:"bytes"`           // of model files and temporary ones
}

// GC removes from a model the revisions that nothing keeps, files that dead
// publishers left, and the old part of the log of its aliases. With dry it only
// tells what it would remove.
//
// It can run beside publishers and movers of aliases: first it adds to the log
// which revisions go, so that an alias which moves at the same time either keeps
// its revision or is refused. An alias cannot be pointed to such a revision, nor
// can it be published anew, until GC has written that it is done. If it dies
// before that, another GC takes over after sweepTime.
func (s *Store) GC(ctx context.Context, name string, keep Keep, dry bool) (Removal, error) {
	if err := errors.Join(checkModel(name), keep.check()); err != nil {
		return Removal{}, err
	}
	for {
		r, err := s.tryGC(ctx, name, keep, dry)
		if !errors.Is(err, errExists) { // else an alias moved meanwhile: look again
			return r, err
		}
	}
}

func (k *Keep) check() error {
	if k.Newest < 0 || k.Moves < 0 {
		return fmt.Errorf("%w: revisions or moves to keep: want 0 or more", ErrInvalid)
	}
	if k.Age < MinAge {
		return fmt.Errorf("%w: age %s: want at least %s", ErrInvalid, k.Age, MinAge)
	}
	return nil
}

// sweepTime is how long a GC may remove things after it said which.
const sweepTime = 30 * time.Minute

func (s *Store) tryGC(ctx context.Context, name string, keep Keep, dry bool) (Removal, error) {
	ctx, cancel := context.WithTimeout(ctx, sweepTime)
	defer cancel()
	state, err := s.State(ctx, name)
	if err != nil {
		return Removal{}, err
	}
	if since := s.now().Sub(state.entry.RemovingSince); len(state.entry.Removing) > 0 && since < 2*sweepTime {
		return Removal{}, fmt.Errorf("%s: model %s: %w: another removal began %s ago", s, name, ErrBusy, since.Round(time.Second))
	}
	g, err := s.survey(ctx, state, name, keep)
	if err != nil || dry {
		return g.Removal, err
	}
	if err := s.sweep(ctx, state.entry, &g); err != nil {
		return Removal{}, err
	}
	for _, key := range g.keys {
		if err := s.bucket.remove(ctx, key); err != nil {
			return Removal{}, err
		}
	}
	return g.Removal, nil
}

// A garbage is what can be removed.
type garbage struct {
	Removal
	state  State
	now    time.Time
	before time.Time // what is younger stays
	keys   []string  // of log entries and temporary files
}

// survey finds what can be removed.
func (s *Store) survey(ctx context.Context, state State, name string, keep Keep) (garbage, error) {
	g := garbage{Removal: Removal{Model: name}, state: state, before: s.now().Add(-keep.Age), now: s.now()}
	entries, err := s.entries(ctx, name)
	if err != nil {
		return g, err
	}
	kept := g.surveyLog(entries, keep.Moves)
	cards, files, err := s.objects(ctx, name)
	if err != nil {
		return g, err
	}
	g.surveyRevisions(cards, kept, keep.Newest)
	g.surveyFiles(cards, files)
	for _, r := range slices.Concat(g.Revisions, g.Files) {
		g.Bytes += files[r].bytes
	}
	return g, s.surveyTemporary(ctx, &g)
}

// surveyLog finds the entries that can go, and returns the revisions that those
// which stay name.
func (g *garbage) surveyLog(entries []entry, moves int) map[string]bool {
	kept, seen := map[string]bool{}, map[string]int{}
	for i, e := range entries { // newest first
		stays := i == 0 || e.Time.After(g.before)
		if e.Change != nil {
			seen[e.Change.Alias]++
			stays = stays || seen[e.Change.Alias] <= moves
		}
		if !stays {
			g.keys, g.Entries = append(g.keys, e.key(g.Model)), g.Entries+1
			continue
		}
		if e.Change != nil {
			kept[e.Change.From], kept[e.Change.To] = true, true
		}
		for _, a := range e.Aliases {
			if i == 0 {
				kept[a.Revision], kept[a.Previous] = true, true
			}
		}
	}
	return kept
}

// surveyRevisions finds the revisions that can go.
func (g *garbage) surveyRevisions(cards map[string]object, kept map[string]bool, newest int) {
	byAge := slices.SortedFunc(maps.Keys(cards), func(a, b string) int {
		if c := cards[b].modified.Compare(cards[a].modified); c != 0 {
			return c
		}
		return strings.Compare(a, b)
	})
	for i, r := range byAge {
		goes := i >= newest && !kept[r] && cards[r].modified.Before(g.before)
		if g.state.Withdrawn(r) != nil {
			goes = !g.state.pointsTo(r)
		}
		if goes {
			g.Revisions = append(g.Revisions, r)
		}
	}
	slices.Sort(g.Revisions)
}

// surveyFiles finds the lone files that can go.
func (g *garbage) surveyFiles(cards, files map[string]object) {
	for _, r := range slices.Sorted(maps.Keys(files)) {
		if _, published := cards[r]; !published && g.old(r, files[r]) {
			g.Files = append(g.Files, r)
		}
	}
}

// old reports whether a lone file can go. What was withdrawn need not wait until
// it is as old as Keep says, only until no publisher can be at it.
func (g *garbage) old(revision string, file object) bool {
	if g.state.Withdrawn(revision) != nil {
		return file.modified.Before(g.now.Add(-MinAge))
	}
	return file.modified.Before(g.before)
}

// pointsTo reports whether an alias points to a revision.
func (s *State) pointsTo(revision string) bool {
	for _, a := range s.Aliases {
		if a.Revision == revision {
			return true
		}
	}
	return false
}

// surveyTemporary finds the temporary files that dead publishers left in a
// directory; other stores have none.
func (s *Store) surveyTemporary(ctx context.Context, g *garbage) error {
	list, err := s.bucket.list(ctx, temporary+"/", 0)
	for _, o := range list {
		if o.modified.Before(g.before) {
			g.keys = append(g.keys, temporary+"/"+o.name)
			g.Temporary, g.Bytes = g.Temporary+1, g.Bytes+o.bytes
		}
	}
	return err
}

// objects lists the cards of a model, and its files with the records of trainings,
// by revision.
func (s *Store) objects(ctx context.Context, name string) (cards, files map[string]object, err error) {
	cards, err = s.byRevision(ctx, modelPrefix(name)+"cards/", ".json")
	if err != nil {
		return nil, nil, err
	}
	files, err = s.byRevision(ctx, modelPrefix(name)+"files/", ".model")
	if err != nil {
		return nil, nil, err
	}
	records, err := s.byRevision(ctx, trainingPrefix(name), trainingSuffix)
	for r, o := range records {
		f := files[r]
		if o.modified.After(f.modified) {
			f.modified = o.modified
		}
		f.bytes += o.bytes
		files[r] = f
	}
	return cards, files, err
}

func (s *Store) byRevision(ctx context.Context, prefix, suffix string) (map[string]object, error) {
	list, err := s.bucket.list(ctx, prefix, 0)
	byRevision := map[string]object{}
	for _, o := range list {
		if r := strings.TrimSuffix(o.name, suffix); checkRevision(r) == nil {
			byRevision[r] = o
		}
	}
	return byRevision, err
}

// sweep says in the log, after the entry last, which revisions go, removes them,
// and says that it is done. It leaves out of g what had to stay.
func (s *Store) sweep(ctx context.Context, last entry, g *garbage) error {
	going := slices.Concat(g.Revisions, g.Files)
	if len(going) == 0 && len(last.Removing) == 0 {
		return nil
	}
	begin := last.next(s.now())
	begin.Removing, begin.RemovingSince = going, begin.Time
	if _, err := s.add(ctx, g.Model, begin); err != nil {
		return err
	}
	// Only now is it sure that nobody begins to publish them: a file that came
	// to be published since the survey is young, or has a card.
	cards, files, err := s.objects(ctx, g.Model)
	if err != nil {
		return err
	}
	g.Files = slices.DeleteFunc(g.Files, func(r string) bool {
		_, published := cards[r]
		stays := published || !g.old(r, files[r])
		if stays {
			g.Bytes -= files[r].bytes
		}
		return stays
	})
	for _, r := range slices.Concat(g.Revisions, g.Files) {
		if err := s.removeRevision(ctx, g.Model, r); err != nil {
			return err
		}
	}
	return s.swept(ctx, g.Model)
}

// removeRevision removes all of a revision, its card first.
func (s *Store) removeRevision(ctx context.Context, name, revision string) error {
	keys := []string{cardKey(name, revision), fileKey(name, revision), trainingKey(name, revision)}
	verdicts, err := s.bucket.list(ctx, verdictPrefix(name, revision), 0)
	if err != nil {
		return err
	}
	for _, v := range verdicts {
		keys = append(keys, verdictPrefix(name, revision)+v.name)
	}
	for _, key := range keys {
		if err := s.bucket.remove(ctx, key); err != nil {
			return err
		}
	}
	return nil
}

// swept says in the log that nothing is being removed any more.
func (s *Store) swept(ctx context.Context, name string) error {
	for {
		state, err := s.State(ctx, name)
		if err != nil {
			return err
		}
		end := state.entry.next(s.now())
		end.Removing, end.RemovingSince = nil, time.Time{}
		if _, err := s.add(ctx, name, end); !errors.Is(err, errExists) {
			return err
		}
	}
}
