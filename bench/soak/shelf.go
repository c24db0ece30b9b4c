package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/parley-nlp/parley/internal/model"
	"github.com/parley-nlp/parley/internal/store"
)

// A shelf is a store in a folder with revisions of one model.
type shelf struct {
	ctx   context.Context
	dir   string
	name  string
	store *store.Store
	base  *model.Model
	made  int
	good  []string // revisions, that are promoted in turn
	at    int
}

// goodRevisions are more than a server holds, so that each swap loads a file.
const goodRevisions = 8

// newShelf makes a store in which the first good revision is live.
func newShelf(w *workshop, name string) (*shelf, error) {
	b, err := os.ReadFile(w.model)
	if err != nil {
		return nil, err
	}
	s := &shelf{ctx: w.ctx, dir: w.file("store"), name: name}
	if s.base, err = model.Parse(b); err != nil {
		return nil, fmt.Errorf("%s: %w", w.model, err)
	}
	if err := os.Mkdir(s.dir, 0o755); err != nil {
		return nil, err
	}
	if s.store, err = store.Open(w.ctx, s.dir); err != nil {
		return nil, err
	}
	for range goodRevisions {
		id, err := s.publish()
		if err != nil {
			return nil, err
		}
		s.good = append(s.good, id)
	}
	return s, s.promote(s.good[0])
}

func (s *shelf) close() error { return s.store.Close() }

// publish adds a revision that was not there: a label has another name in each.
func (s *shelf) publish() (string, error) {
	head := s.base.Heads()[0]
	s.made++
	m, err := s.base.Rename(head.Name, map[string]string{head.Labels[0]: fmt.Sprintf("%s %d", head.Labels[0], s.made)})
	if err != nil {
		return "", err
	}
	card, err := s.store.Publish(s.ctx, s.name, m, store.Provenance{Note: "soak"})
	return card.Revision, err
}

func (s *shelf) promote(id string) error {
	_, err := s.store.SetAlias(s.ctx, s.name, store.Live, id, "", "soak")
	return err
}

// nextGood is the good revision that was longest not live.
func (s *shelf) nextGood() string {
	s.at = (s.at + 1) % len(s.good)
	return s.good[s.at]
}

func (s *shelf) file(id string) string {
	return filepath.Join(s.dir, "models", s.name, "files", id+".model")
}

// A fault is something that happens to artefacts. It returns what mends it.
type fault struct {
	name string
	make func(s *shelf, id string) (mend func() error, err error)
}

// faults are taken in turn.
var faults = []fault{
	{"corrupt", damage(func(b []byte, _ *shelf) ([]byte, error) {
		b[len(b)/2] ^= 1
		return b, nil
	})},
	{"truncated", damage(func(b []byte, _ *shelf) ([]byte, error) { return b[:len(b)/2], nil })},
	{"vanished", func(s *shelf, id string) (func() error, error) { return nothing, os.Remove(s.file(id)) }},
	{"wrong hash", damage(func(_ []byte, s *shelf) ([]byte, error) { return os.ReadFile(s.file(s.good[s.at])) })},
	{"vanished store", hide},
}

func nothing() error { return nil }

// damage changes the bytes of a revision's file.
func damage(change func([]byte, *shelf) ([]byte, error)) func(*shelf, string) (func() error, error) {
	return func(s *shelf, id string) (func() error, error) {
		b, err := os.ReadFile(s.file(id))
		if err != nil {
			return nil, err
		}
		changed, err := change(bytes.Clone(b), s)
		if err != nil {
			return nil, err
		}
		if bytes.Equal(b, changed) {
			return nil, errors.New("nothing was damaged")
		}
		return nothing, os.WriteFile(s.file(id), changed, 0o644)
	}
}

// hide takes the whole store away for a while; the revision is fine.
func hide(s *shelf, _ string) (func() error, error) {
	away := s.dir + "-away"
	return func() error { return os.Rename(away, s.dir) }, os.Rename(s.dir, away)
}
