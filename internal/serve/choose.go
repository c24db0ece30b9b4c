package serve

import (
	"context"
	"maps"
	"slices"

	"github.com/parley-nlp/parley/internal/store"
)

// holds reports whether a revision is in memory.
func (k *keeper) holds(id string) bool {
	h := k.server.held.Load()
	return h != nil && h.byID[id] != nil
}

// wanted lists the revisions that should be in memory, the most important first.
// Withdrawn ones are wanted only where an alias points to them: it goes on
// answering until it is moved.
func (k *keeper) wanted(state store.State) []string {
	live := state.Aliases[k.cfg.Alias]
	list := []string{live.Revision, live.Previous}
	if k.cfg.ShadowAlias != "" {
		list = append(list, state.Aliases[k.cfg.ShadowAlias].Revision)
	}
	list = append(list, k.cfg.Pinned...)
	for _, alias := range slices.Sorted(maps.Keys(state.Aliases)) {
		list = append(list, state.Aliases[alias].Revision)
	}
	if h := k.server.held.Load(); h != nil { // what answers goes on until the new one does
		list = append(list, h.live.id)
		if h.previous != nil {
			list = append(list, h.previous.id)
		}
		for _, alias := range slices.Sorted(maps.Keys(h.aliases)) {
			if target, stays := state.Aliases[alias]; stays && h.byID[target.Revision] == nil {
				list = append(list, h.aliases[alias].id)
			}
		}
	}
	return slices.DeleteFunc(unique(list), func(id string) bool { return withdrawnFrom(state, id) })
}

// withdrawnFrom reports whether a revision was withdrawn and no alias points to it
// any more.
func withdrawnFrom(state store.State, id string) bool {
	if state.Withdrawn(id) == nil {
		return false
	}
	for _, a := range state.Aliases {
		if a.Revision == id {
			return false
		}
	}
	return true
}

// unique leaves out empty strings and all but the first of equal ones.
func unique(list []string) []string {
	var out []string
	for _, s := range list {
		if s != "" && !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return out
}

// fits reports whether a revision would find room beside those that matter more.
func (k *keeper) fits(ctx context.Context, state store.State, id string) bool {
	room := k.cfg.MemoryBytes
	h := k.server.held.Load()
	for _, other := range k.wanted(state) {
		if other == id {
			break
		}
		if r := h.byID[other]; r != nil && r != h.live {
			room -= r.memory
		}
	}
	size, err := k.size(ctx, id)
	if err != nil {
		k.fail(id, err)
		return false
	}
	return size <= room
}

// size is how much memory a revision takes: at least that of its file, before it
// was loaded.
func (k *keeper) size(ctx context.Context, id string) (int64, error) {
	k.mu.Lock()
	bytes, loaded := k.memory[id]
	card, known := k.cards[id]
	k.mu.Unlock()
	if loaded {
		return bytes, nil
	}
	if known {
		return card.Bytes, nil
	}
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	card, err := k.store.Load().Card(ctx, k.server.cfg.ModelName, id)
	if err != nil {
		return 0, err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.cards[id] = card
	return card.Bytes, nil
}

// settle makes what is in memory, and loaded unless it is nil, what the server
// holds, as far as state wants it and there is room.
func (k *keeper) settle(state store.State, loaded *revision) {
	s := k.server
	s.holding.Lock()
	defer s.holding.Unlock()
	defer k.remember(state)
	before := s.held.Load()
	memory := map[string]*revision{}
	if before != nil {
		maps.Copy(memory, before.byID)
	}
	if loaded != nil {
		memory[loaded.id] = loaded
	}
	next := k.choose(state, memory, before)
	if next != nil && (before == nil || !same(before, next)) {
		s.hold(next)
		k.logChange(before, next)
	}
}

// choose says which of the revisions in memory the server holds, and as what: none
// until one can be live.
func (k *keeper) choose(state store.State, memory map[string]*revision, before *held) *held {
	next := &held{byID: map[string]*revision{}, aliases: map[string]*revision{}}
	target := state.Aliases[k.cfg.Alias]
	if next.live = k.answering(target, memory, before); next.live == nil {
		return nil
	}
	next.byID[next.live.id] = next.live
	room := k.cfg.MemoryBytes
	for _, id := range k.wanted(state) {
		if r := memory[id]; r != nil && r != next.live && r.memory <= room {
			next.byID[id] = r
			room -= r.memory
		}
	}
	for alias, at := range state.Aliases {
		r := next.byID[at.Revision]
		if r == nil && before != nil && before.aliases[alias] != nil {
			r = next.byID[before.aliases[alias].id]
		}
		if r != nil {
			next.aliases[alias] = r
		}
	}
	next.aliases[k.cfg.Alias] = next.live
	next.previous = previous(next, target.Previous, before, state)
	var pair *shadowPair
	if before != nil {
		pair = before.pair
	}
	if k.cfg.ShadowAlias != "" {
		next.pair = pairOf(next.live, next.aliases[k.cfg.ShadowAlias], pair)
	}
	return next
}

// answering is the revision of those in memory that answers when target is where
// the live alias points: if that cannot be loaded, the one before, also when the
// server has just started, so that it does as those that run.
func (k *keeper) answering(target store.Alias, memory map[string]*revision, before *held) *revision {
	switch {
	case memory[target.Revision] != nil:
		return memory[target.Revision]
	case before != nil:
		return before.live
	case k.unusable(target.Revision):
		return memory[target.Previous]
	}
	return nil
}

// unusable reports whether a revision was found to be damaged, missing or not for
// this program.
func (k *keeper) unusable(id string) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	f := k.failures[id]
	return f != nil && loadResult(f.err) != LoadUnavailable
}

// previous is the revision that a rollback would make live, if it is in memory.
func previous(next *held, id string, before *held, state store.State) *revision {
	candidates := []string{id}
	if before != nil {
		candidates = append(candidates, before.live.id)
		if before.previous != nil {
			candidates = append(candidates, before.previous.id)
		}
	}
	for _, c := range candidates {
		if r := next.byID[c]; r != nil && r != next.live && state.Withdrawn(c) == nil {
			return r
		}
	}
	return nil
}

// same reports whether two say the same.
func same(a, b *held) bool {
	return a.live == b.live && a.previous == b.previous && a.pair == b.pair &&
		maps.Equal(a.byID, b.byID) && maps.Equal(a.aliases, b.aliases)
}

// remember notes state, and drops what is known of revisions that it does not
// want any more.
func (k *keeper) remember(state store.State) {
	wanted := k.wanted(state)
	k.mu.Lock()
	defer k.mu.Unlock()
	k.state = state
	maps.DeleteFunc(k.failures, func(id string, _ *failure) bool { return !slices.Contains(wanted, id) })
	maps.DeleteFunc(k.cards, func(id string, _ store.Card) bool { return !slices.Contains(wanted, id) })
	maps.DeleteFunc(k.memory, func(id string, _ int64) bool { return !slices.Contains(wanted, id) })
}
