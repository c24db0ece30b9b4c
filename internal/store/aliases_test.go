package store

import (
	"slices"
	"testing"
)

func TestAliases(t *testing.T) {
	each(t, func(t *storeTest) {
		ctx, s := t.Context(), t.open()
		a, b := publish(t, s, 1), publish(t, s, 2)
		empty := must[State](t)(s.State(ctx, "news"))
		if empty.Etag != NoEtag || len(empty.Aliases) != 0 {
			t.Errorf("state %+v", empty)
		}
		_, err := s.Alias(ctx, "news", "live")
		wantError(t, err, ErrNotFound)

		first := must[State](t)(s.SetAlias(ctx, "news", "live", a, NoEtag, "the first"))
		if first.Etag == NoEtag || first.Aliases["live"].Revision != a || first.Aliases["live"].Previous != "" {
			t.Errorf("state %+v", first)
		}
		second := must[State](t)(t.open().SetAlias(ctx, "news", "live", b, first.Etag, "the second"))
		got := must[Alias](t)(s.Alias(ctx, "news", "live"))
		if got.Revision != b || got.Previous != a || got.Reason != "the second" || got.Time.IsZero() || got.Name != "live" {
			t.Errorf("alias %+v", got)
		}
		for _, etag := range []string{NoEtag, first.Etag, "x"} {
			_, err = s.SetAlias(ctx, "news", "live", a, etag, "")
			wantError(t, err, ErrEtagMismatch)
			_, err = s.Rollback(ctx, "news", "live", etag, "")
			wantError(t, err, ErrEtagMismatch)
		}
		same := must[State](t)(s.SetAlias(ctx, "news", "live", b, second.Etag, ""))
		if same.Etag != second.Etag {
			t.Errorf("etag %s after nothing moved, want %s", same.Etag, second.Etag)
		}
		other := must[State](t)(s.SetAlias(ctx, "news", "shadow", a, "", ""))
		if other.Etag == second.Etag || other.Aliases["live"].Revision != b || other.Aliases["shadow"].Revision != a {
			t.Errorf("state %+v", other)
		}
	})
}

func TestRollback(t *testing.T) {
	each(t, func(t *storeTest) {
		ctx, s := t.Context(), t.open()
		a, b := publish(t, s, 1), publish(t, s, 2)
		_, err := s.Rollback(ctx, "news", "live", "", "")
		wantError(t, err, ErrNotFound)
		must[State](t)(s.SetAlias(ctx, "news", "live", a, "", ""))
		_, err = s.Rollback(ctx, "news", "live", "", "")
		wantError(t, err, ErrNoPrevious)
		must[State](t)(s.SetAlias(ctx, "news", "live", b, "", ""))
		for _, want := range []string{a, b, a} { // a second one undoes the first
			state := must[State](t)(t.open().Rollback(ctx, "news", "live", "", "bad answers"))
			if got := state.Aliases["live"].Revision; got != want {
				t.Errorf("live is %s, want %s", got, want)
			}
		}
		var got []string
		for _, m := range must[[]Move](t)(s.History(ctx, "news", "live", 10)) {
			got = append(got, m.To)
		}
		if want := []string{a, b, a, b, a}; !slices.Equal(got, want) {
			t.Errorf("history %q, want %q", got, want)
		}
		if two := must[[]Move](t)(s.History(ctx, "news", "live", 2)); len(two) != 2 || two[0].From != b || two[0].Reason != "bad answers" {
			t.Errorf("history %+v", two)
		}
	})
}

func TestRemoveAlias(t *testing.T) {
	each(t, func(t *storeTest) {
		ctx, s := t.Context(), t.open()
		a := publish(t, s, 1)
		set := must[State](t)(s.SetAlias(ctx, "news", "shadow", a, "", ""))
		state := must[State](t)(s.RemoveAlias(ctx, "news", "shadow", set.Etag, "compared enough"))
		if len(state.Aliases) != 0 || state.Etag == set.Etag || state.Etag == NoEtag {
			t.Errorf("state %+v", state)
		}
		_, err := t.open().Alias(ctx, "news", "shadow")
		wantError(t, err, ErrNotFound)
		_, err = s.RemoveAlias(ctx, "news", "shadow", "", "")
		wantError(t, err, ErrNotFound)
	})
}

func TestSetAliasRefusesWhatIsNotThere(t *testing.T) {
	each(t, func(t *storeTest) {
		ctx, s := t.Context(), t.open()
		_, err := s.SetAlias(ctx, "news", "live", newModel(t, 1).Revision(), "", "")
		wantError(t, err, ErrNotFound)
		_, err = s.SetAlias(ctx, "news", "live", "abc", "", "")
		wantError(t, err, ErrInvalid)
		_, err = s.SetAlias(ctx, "news", "Live", publish(t, s, 1), "", "")
		wantError(t, err, ErrInvalid)
		_, err = s.SetAlias(ctx, "news", "live", publish(t, s, 1), "", "two\nlines")
		wantError(t, err, ErrInvalid)
		if state := must[State](t)(s.State(ctx, "news")); state.Etag != NoEtag {
			t.Errorf("state %+v", state)
		}
	})
}
