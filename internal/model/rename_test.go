package model

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

func TestRename(t *testing.T) {
	m, err := Parse(smallFile())
	if err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct { // one after the other
		head  string
		names map[string]string
		want  []string // what the labels of stance and topic are called
	}{
		{"stance", nil, []string{"con", "pro", "summer"}},
		{"stance", map[string]string{"pro": "In favour"}, []string{"con", "In favour", "summer"}},
		{"stance", map[string]string{"con": "Against"}, []string{"Against", "In favour", "summer"}},
		{"stance", map[string]string{"con": "In favour", "pro": "Against"}, []string{"In favour", "Against", "summer"}},
		{"stance", map[string]string{"con": "pro", "pro": "con"}, []string{"pro", "con", "summer"}},
		{"stance", map[string]string{"con": "été, = 1", "pro": "pro"}, []string{"été, = 1", "pro", "summer"}},
		{"topic", map[string]string{"été": strings.Repeat("x", MaxNameBytes)}, []string{"été, = 1", "pro", strings.Repeat("x", MaxNameBytes)}},
		{"topic", map[string]string{"été": "été"}, []string{"été, = 1", "pro", "été"}},
		{"stance", map[string]string{"con": "con"}, []string{"con", "pro", "été"}},
	} {
		if m, err = m.Rename(step.head, step.names); err != nil {
			t.Fatalf("%s %q: %v", step.head, step.names, err)
		}
		if got := calledIn(m); !slices.Equal(got, step.want) {
			t.Errorf("%s %q: labels called %q, want %q", step.head, step.names, got, step.want)
		}
	}
	for _, h := range m.Heads() {
		if h.Names != nil {
			t.Errorf("head %q has the names %q, want none", h.Name, h.Names)
		}
	}
}

// calledIn returns what the labels of all heads are called.
func calledIn(m *Model) []string {
	var list []string
	for _, h := range m.Heads() {
		for label := range h.Labels {
			list = append(list, h.LabelName(label))
		}
	}
	return list
}

// Whatever labels are called, the model is the same; called as before, its file
// is.
func TestRenamingKeepsAllButTheNames(t *testing.T) {
	f := Features{Words: 2, CharMin: 2, CharMax: 5}
	parsed, err := Parse(smallFile())
	if err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(1, 2))
	for _, m := range []*Model{
		parsed, tiny(t, f, "goal scored in the match"), aimed(t, f, "goal scored in the match", "shares fell"),
		large(t, f, []Block{{Binary, 11, false}, {TFIDF, 8, false}}, paragraphs(t)),
	} {
		before, called := slices.Clone(m.Bytes()), calledIn(m)
		h := m.Heads()[rng.IntN(len(m.Heads()))]
		renamed := m
		for n := range 5 {
			name := fmt.Sprint("name ", n)
			next, err := renamed.Rename(h.Name, map[string]string{h.Labels[rng.IntN(len(h.Labels))]: name})
			if err != nil {
				t.Fatal(err)
			}
			if next.Revision() == renamed.Revision() || !slices.Contains(calledIn(next), name) {
				t.Errorf("head %q: revision %s became %s, labels called %q", h.Name, renamed.Revision(), next.Revision(), calledIn(next))
			}
			renamed = next
		}
		checkSameButNames(t, m, renamed)

		back := map[string]string{}
		for i, label := range h.Labels {
			back[label] = h.LabelName(i)
		}
		again, err := renamed.Rename(h.Name, back)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(again.Bytes(), before) || again.Revision() != m.Revision() {
			t.Errorf("renamed back: %d bytes, revision %s, want %d, %s", len(again.Bytes()), again.Revision(), len(before), m.Revision())
		}
		if !bytes.Equal(m.Bytes(), before) || !slices.Equal(calledIn(m), called) {
			t.Errorf("renaming changed the model that was renamed: labels called %q, want %q", calledIn(m), called)
		}
	}
}

// checkSameButNames fails unless two models are made of the same but for the
// names of labels, and answer the same.
func checkSameButNames(t *testing.T, m, renamed *Model) {
	t.Helper()
	var specs [2]string
	for i, s := range []*Spec{specOf(m), specOf(renamed)} {
		for h := range s.Heads {
			s.Heads[h].Names = nil
		}
		specs[i] = fmt.Sprintf("%+v", *s)
	}
	if specs[0] != specs[1] {
		t.Errorf("made of\n%s, want\n%s", specs[1], specs[0])
	}
	if got, want := renamed.appendSelfTest(nil), m.appendSelfTest(nil); !bytes.Equal(got, want) {
		t.Error("other answers to the texts of the self-test")
	}
}

func TestRenameErrors(t *testing.T) {
	m, err := Parse(smallFile())
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		head  string
		names map[string]string
		want  string
	}{
		{"Stance", nil, `the model has no head "Stance": it has "stance", "topic"`},
		{"stance", map[string]string{"été": "x"}, `head "stance": no label "été": it has "con", "pro"`},
		{"topic", map[string]string{"summer": "x", "": "y"}, `head "topic": no label "", "summer": it has "été"`},
		{"stance", map[string]string{"con": "a", "neutral": "b"}, `head "stance": no label "neutral": it has "con", "pro"`},
		{"stance", map[string]string{"con": "x", "pro": "x"}, `head "stance": labels "con" and "pro" are both called "x"`},
		{"stance", map[string]string{"con": "pro"}, `head "stance": labels "con" and "pro" are both called "pro"`},
		{"stance", map[string]string{"pro": ""}, `head "stance": label "pro": name: empty`},
		{"stance", map[string]string{"pro": strings.Repeat("x", MaxNameBytes+1)}, `head "stance": label "pro": name: 257 bytes: want at most 256`},
		{"stance", map[string]string{"pro": "a\nb"}, `head "stance": label "pro": name: "a\nb" has a control character`},
		{"stance", map[string]string{"pro": "\xff"}, `head "stance": label "pro": name: "\xff" is not UTF-8`},
	} {
		if _, err := m.Rename(c.head, c.names); err == nil || err.Error() != c.want {
			t.Errorf("%s %q: error %v, want %s", c.head, c.names, err, c.want)
		}
	}
}
