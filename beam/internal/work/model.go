package work

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/parley-nlp/parley/internal/model"
	"github.com/parley-nlp/parley/internal/store"

	"github.com/parley-nlp/parley/beam/internal/place"
)

// A ModelRef says where a model is: in a file, or in a store.
type ModelRef struct {
	File     string
	Store    string
	Name     string // of the model, in a store
	Revision string // SHA-256 of the model file
}

func (r ModelRef) String() string {
	if r.Store == "" {
		return place.Bare(r.File)
	}
	return fmt.Sprintf("model %s of the store", r.Name)
}

// Resolve finds the model that a file holds, or an alias or revision of a store
// means, and returns it with its hash in the reference.
func Resolve(ctx context.Context, r ModelRef, revision string) (*model.Model, ModelRef, error) {
	if r.Store == "" {
		m, err := readModel(ctx, r.File)
		if err != nil {
			return nil, r, err
		}
		r.Revision = m.Revision()
		return m, r, nil
	}
	var m *model.Model
	err := withStore(ctx, r.Store, func(s *store.Store) (err error) {
		if r.Revision, err = s.Resolve(ctx, r.Name, revision); err == nil {
			m, err = s.Load(ctx, r.Name, r.Revision)
		}
		return err
	})
	return m, r, err
}

func withStore(ctx context.Context, url string, do func(*store.Store) error) error {
	s, err := store.Open(ctx, url)
	if err != nil {
		return err
	}
	return errors.Join(do(s), s.Close())
}

// maxModelBytes is the largest model file that is read.
const maxModelBytes = store.MaxModelBytes

func readModel(ctx context.Context, url string) (*model.Model, error) {
	r, err := place.Open(ctx, url, 0)
	if err != nil {
		return nil, fmt.Errorf("model: %w", err)
	}
	defer r.Close()
	b, err := io.ReadAll(io.LimitReader(r, maxModelBytes+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("model: %s: %w", place.Bare(url), err)
	case len(b) > maxModelBytes:
		return nil, fmt.Errorf("model: %s has more than %d bytes", place.Bare(url), int64(maxModelBytes))
	}
	m, err := model.Parse(b)
	if err != nil {
		return nil, fmt.Errorf("model: %s: %w", place.Bare(url), err)
	}
	return m, nil
}

// loaded are the models that this process has read, by reference. A worker
// answers with each of them from many goroutines.
var loaded sync.Map

type loading struct {
	mu    sync.Mutex
	model *model.Model
}

// load reads a model once in a process, and checks that it is the one with the
// hash. A failure is not kept: the next try may find the store again.
func (r ModelRef) load(ctx context.Context) (*model.Model, error) {
	value, _ := loaded.LoadOrStore(r, &loading{})
	l := value.(*loading)
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.model != nil {
		return l.model, nil
	}
	var m *model.Model
	var err error
	if r.Store == "" {
		m, err = readModel(ctx, r.File)
	} else {
		err = withStore(ctx, r.Store, func(s *store.Store) (err error) {
			m, err = s.Load(ctx, r.Name, r.Revision)
			return err
		})
	}
	if err != nil {
		return nil, err
	}
	if got := m.Revision(); got != r.Revision {
		return nil, fmt.Errorf("model: %s has the SHA-256 %s, the job is for %s: it has changed since the job was submitted", r, got, r.Revision)
	}
	l.model = m
	return m, nil
}
