package ledger

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"reflect"
	"slices"
	"testing"
)

// The rule of the package's documentation, written down once more as simply as can
// be, over a list of events.
func naiveLabel(events []Event, text string, target, head string) (label string, settled bool) {
	newest := map[string]Event{}
	held, confirmed := map[int64]bool{}, map[int64]bool{}
	for _, e := range events {
		switch {
		case e.Kind == KindLabel && e.Text == text && e.Target == target && e.Head == head:
			newest[e.Annotator] = e
		case e.Kind == KindQuarantine:
			held[e.Ref] = true
		case e.Kind == KindConfirm:
			confirmed[e.Ref] = true
		}
	}
	votes := map[string]int{}
	var judge Event
	for _, e := range newest {
		e.Label = naiveRemap(events, e)
		if e.Label == "" || held[e.Seq] && !confirmed[e.Seq] {
			continue
		}
		votes[e.Label]++
		if e.Adjudicated && e.Seq > judge.Seq {
			judge = e
		}
	}
	if judge.Seq > 0 {
		return judge.Label, true
	}
	most := 0
	for _, n := range votes {
		most = max(most, n)
	}
	for l, n := range votes {
		if n == most {
			if label != "" {
				return "", false
			}
			label = l
		}
	}
	return label, label != ""
}

func naiveRemap(events []Event, e Event) string {
	label := e.Label
	for _, r := range events {
		if r.Kind == KindRemap && r.Seq > e.Seq && r.Head == e.Head && r.Label == label && label != "" {
			d, _ := parseDetails(string(r.Details))
			if label = ""; len(d.To) == 1 {
				label = d.To[0]
			}
		}
	}
	return label
}

// TestRuleOfRandomHistories: what a ledger settles, now and at any position, is what
// the naive rule says.
func TestRuleOfRandomHistories(t *testing.T) {
	for seed := range uint64(20) {
		random := rand.New(rand.NewPCG(seed, 3))
		l := openAt(t, filepath.Join(t.TempDir(), "labels.db"))
		pick := func(list ...string) string { return list[random.IntN(len(list))] }
		for range 60 {
			step(t, l, random, pick)
		}
		events, err := l.Events(t.Context(), Query{})
		if err != nil {
			t.Fatal(err)
		}
		for at := 1; at <= len(events); at += 1 + random.IntN(4) {
			r := resolved(t, l, int64(at))
			for _, text := range []string{"a", "b", "c"} {
				for _, target := range []string{"", "t"} {
					for _, head := range []string{"topic", "stance"} {
						want, settled := naiveLabel(events[:at], text, target, head)
						if got, has := labelOf(r, text, target, head); got != want || has != settled {
							t.Fatalf("seed %d, position %d, %s@%s %s: got %q %t, want %q %t", seed, at, text, target, head, got, has, want, settled)
						}
					}
				}
			}
		}
		if again := resolved(t, l, 0); !reflect.DeepEqual(again, resolved(t, l, int64(len(events)))) {
			t.Fatal("the newest position is not now")
		}
	}
}

func labelOf(r *Resolution, text, target, head string) (string, bool) {
	i := slices.IndexFunc(r.Rows, func(row Row) bool { return row.Text == text && row.Target == target })
	if i < 0 {
		return "", false
	}
	s, has := r.Rows[i].Labels[head]
	return s.Label, has
}

// step does something to the ledger at random; what it refuses is no matter here.
func step(t *testing.T, l *Ledger, random *rand.Rand, pick func(...string) string) {
	t.Helper()
	at, err := l.Position(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	switch random.IntN(10) {
	case 0:
		_, err = l.Remap(t.Context(), "", Remap{Head: pick("topic", "stance"), From: pick("x", "y"), To: [][]string{{"z"}, {"x", "z"}, nil}[random.IntN(3)], Annotator: "ann"})
	case 1, 2:
		if at > 0 {
			_ = l.Quarantine(t.Context(), []Quarantined{{Seq: 1 + random.Int64N(at), Reason: "r"}})
		}
	case 3:
		if at > 0 {
			_, err = l.Confirm(t.Context(), "", []int64{1 + random.Int64N(at)}, pick("ann", "bob", "cec"))
		}
	default:
		n := label(pick("a", "b", "c"), pick("topic", "stance"), pick("x", "y", "z", ""), pick("ann", "bob", "cec"))
		n.Target, n.Adjudicated = pick("", "", "t"), random.IntN(8) == 0
		_, err = l.Add(t.Context(), "", []NewLabel{n})
	}
	if err != nil {
		t.Fatal(fmt.Errorf("at %d: %w", at, err))
	}
}
