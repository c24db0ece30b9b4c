package store

import (
	"context"
	"encoding/json"
	"slices"
	"testing"
	"time"
)

func TestPublishAndLoad(t *testing.T) {
	each(t, func(t *storeTest) {
		ctx, s, m := t.Context(), t.open(), newModel(t, 1)
		about := Provenance{TrainerVersion: "v1", Trained: time.Unix(1e9, 0).UTC(), Note: "first", Configuration: json.RawMessage(`{"b":1,"a":[2]}`)}
		before := s.now()
		card := must[Card](t)(s.Publish(ctx, "news", m, about))
		if card.Revision != m.Revision() || card.Bytes != int64(len(m.Bytes())) || card.TrainingData != m.TrainingData() || card.Model != "news" {
			t.Errorf("card %+v", card)
		}
		if card.Published.Before(before) || card.Note != "first" || !card.Trained.Equal(about.Trained) || card.TrainerVersion != "v1" {
			t.Errorf("card %+v", card)
		}
		var configuration map[string]any
		if err := json.Unmarshal(card.Configuration, &configuration); err != nil || len(configuration) != 2 {
			t.Errorf("configuration %s", card.Configuration)
		}
		again := t.open()
		loaded, err := again.Load(ctx, "news", m.Revision())
		if err != nil || !slices.Equal(loaded.Bytes(), m.Bytes()) {
			t.Fatalf("loaded another model, error %v", err)
		}
		if got := must[Card](t)(again.Verify(ctx, "news", m.Revision())); string(encode(got)) != string(encode(card)) {
			t.Errorf("card %s\nwant %s", encode(got), encode(card))
		}
	})
}

func TestPublishTwiceKeepsTheCard(t *testing.T) {
	each(t, func(t *storeTest) {
		s, m := t.open(), newModel(t, 1)
		first := must[Card](t)(s.Publish(t.Context(), "news", m, Provenance{Note: "first"}))
		second := must[Card](t)(t.open().Publish(t.Context(), "news", m, Provenance{Note: "second"}))
		if string(encode(first)) != string(encode(second)) {
			t.Errorf("card %s\nwant %s", encode(second), encode(first))
		}
		if cards := must[[]Card](t)(s.Revisions(t.Context(), "news")); len(cards) != 1 {
			t.Errorf("%d revisions", len(cards))
		}
	})
}

func TestModelsAndRevisions(t *testing.T) {
	each(t, func(t *storeTest) {
		ctx, s := t.Context(), t.open()
		if names := must[[]string](t)(s.Models(ctx)); names != nil {
			t.Errorf("models %q", names)
		}
		var want []string
		for bias := range int64(5) {
			want = append([]string{publish(t, s, bias)}, want...)
		}
		must[Card](t)(s.Publish(ctx, "another", newModel(t, 9), Provenance{}))
		if names := must[[]string](t)(s.Models(ctx)); !slices.Equal(names, []string{"another", "news"}) {
			t.Errorf("models %q", names)
		}
		var got []string
		for _, c := range must[[]Card](t)(s.Revisions(ctx, "news")) {
			got = append(got, c.Revision)
		}
		if !slices.Equal(got, want) {
			t.Errorf("revisions %q, want %q", got, want)
		}
		if none := must[[]Card](t)(s.Revisions(ctx, "nosuch")); len(none) != 0 {
			t.Errorf("revisions %v", none)
		}
	})
}

func TestResolve(t *testing.T) {
	each(t, func(t *storeTest) {
		ctx, s := t.Context(), t.open()
		byPrefix := map[byte]string{}
		for bias := int64(0); ; bias++ { // until two begin with the same four digits would take long: with the same one
			r := publish(t, s, bias)
			if _, twice := byPrefix[r[0]]; twice {
				break
			}
			byPrefix[r[0]] = r
		}
		r := must[[]Card](t)(s.Revisions(ctx, "news"))[0].Revision
		must[State](t)(s.SetAlias(ctx, "news", "live", r, "", ""))
		for _, ref := range []string{r, r[:8], r[:63], "live"} {
			if got := must[string](t)(s.Resolve(ctx, "news", ref)); got != r {
				t.Errorf("%s is %s, want %s", ref, got, r)
			}
		}
		for _, ref := range []string{"", "ab", "nosuch", "0123456789", r + "0", newModel(t, -1).Revision()} {
			_, err := s.Resolve(ctx, "news", ref)
			wantError(t, err, ErrNotFound)
		}
	})
}

func TestBadArguments(t *testing.T) {
	s, ctx := open(t, "mem://"), context.Background()
	m := newModel(t, 1)
	for _, name := range []string{"", "News", "a/b", "../a", "1a"} {
		_, err := s.Publish(ctx, name, m, Provenance{})
		wantError(t, err, ErrInvalid)
		_, err = s.State(ctx, name)
		wantError(t, err, ErrInvalid)
	}
	for _, about := range []Provenance{
		{Parent: "x"}, {Note: "a\nb"}, {Note: string(make([]byte, MaxReasonBytes+1))},
		{Configuration: json.RawMessage("[]")}, {Configuration: json.RawMessage("null")}, {TrainerVersion: "\xff"}, {Trained: time.Unix(1e12, 0)},
	} {
		_, err := s.Publish(ctx, "news", m, about)
		wantError(t, err, ErrInvalid)
	}
	_, err := s.Load(ctx, "news", "../../x")
	wantError(t, err, ErrInvalid)
}
