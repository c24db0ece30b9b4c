package store

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/parley-nlp/parley/internal/model"
)

// A kind of store: its function makes an empty one and returns its URL.
type kind struct {
	name string
	url  func(t testing.TB) string
}

// kinds are those that the tests run on. The build tag servers adds S3.
var kinds = []kind{
	{"directory", func(t testing.TB) string { return t.TempDir() }},
	{"memory", func(testing.TB) string { return "mem://" }},
}

// A storeTest opens the same store as often as it likes.
type storeTest struct {
	*testing.T
	url   string
	first *Store

	mu      sync.Mutex
	handles []*Store // see stores
}

// each runs a test on an empty store of every kind.
func each(t *testing.T, test func(t *storeTest)) {
	t.Helper()
	for _, k := range kinds {
		t.Run(k.name, func(t *testing.T) { test(&storeTest{T: t, url: k.url(t)}) })
	}
}

// open opens the store, another time unless it is in memory.
func (t *storeTest) open() *Store {
	t.Helper()
	if t.url == "mem://" && t.first != nil {
		return t.first
	}
	t.first = open(t.T, t.url)
	return t.first
}

func open(t testing.TB, url string) *Store {
	t.Helper()
	s, err := Open(context.Background(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// newModel returns a small model; another one for every bias.
func newModel(t testing.TB, bias int64) *model.Model {
	t.Helper()
	return modelOf(t, bias, "goal scored", "shares fell", "the bank raised its rate", "a keeper saved")
}

// largeModel returns a model of some 70 kB.
func largeModel(t testing.TB, bias int64) *model.Model {
	t.Helper()
	var text strings.Builder
	for i := range 3000 {
		fmt.Fprintf(&text, "word%d ", i)
	}
	return modelOf(t, bias, text.String())
}

func modelOf(t testing.TB, bias int64, texts ...string) *model.Model {
	t.Helper()
	ids, names := features(t, model.Features{Words: 1}, texts)
	s := model.Spec{
		Features: model.Features{Words: 1}, IDs: ids, Strings: names,
		Heads: []model.Head{{
			Name: "topic", Labels: []string{"money", "sport"}, DocCounts: []uint64{2, 1}, Prior: []float64{0.6, 0.4},
			Blocks: []model.Block{{Value: model.Binary, WeightBits: 11}}, Bias: []int64{bias, -bias},
			InverseTemperature: 1, TargetInverseTemperature: 1,
			Evaluation: model.Evaluation{Examples: 3, Accuracy: 0.75, MacroF1: 0.5},
		}},
	}
	for i := range ids {
		s.Weights = append(s.Weights, int16(i*70%401-200), int16(i*31%401-200))
	}
	m, err := model.New(s)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func features(t testing.TB, f model.Features, texts []string) (ids []model.FeatureID, names []string) {
	t.Helper()
	x, err := model.NewExtractor(f, 0)
	if err != nil {
		t.Fatal(err)
	}
	known := map[model.FeatureID]string{}
	for _, text := range texts {
		list := slices.Clone(x.Extract(text))
		x.Strings(func(int) bool { return true }, func(i int, s string) { known[list[i].ID] = s })
	}
	ids = slices.Sorted(maps.Keys(known))
	for _, id := range ids {
		names = append(names, known[id])
	}
	return ids, names
}

// publish publishes the model of a bias.
func publish(t testing.TB, s *Store, bias int64) string {
	t.Helper()
	card, err := s.Publish(context.Background(), "news", newModel(t, bias), Provenance{})
	if err != nil {
		t.Fatal(err)
	}
	return card.Revision
}

// wantError fails the test unless err is want.
func wantError(t testing.TB, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("got error %v, want %v", err, want)
	}
}

func must[T any](t testing.TB) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// atStart and atEnd are what servers of the tests need.
var (
	atStart []func() error
	atEnd   []func()
)

func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "child" {
		os.Exit(child(os.Args[2:]))
	}
	os.Exit(run(m))
}

func run(m *testing.M) int {
	for _, start := range atStart {
		if err := start(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
	}
	defer func() {
		for _, end := range atEnd {
			end()
		}
	}()
	return m.Run()
}
