package store

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// rounds is how many publishers are killed.
const rounds = 30

// TestKilledPublishers kills publishers at moments that a seed chooses: nothing
// half-written is ever seen, a rerun completes what was begun, and GC removes
// the rest.
func TestKilledPublishers(t *testing.T) {
	each(t, func(t *storeTest) {
		if t.url == "mem://" {
			t.Skip("ends with its process")
		}
		random := rand.New(rand.NewPCG(1, 2))
		s := t.open()
		whole := t.whole()
		begun, left, halves := 0, 0, 0
		for round := range rounds {
			files := modelFiles(t, int64(round))
			p := startChild(t.T, append([]string{"publish", t.url}, files...)...)
			time.Sleep(time.Duration(random.Int64N(int64(whole))))
			p.Process.Kill()
			if err := p.Wait(); err != nil {
				begun++
			}
			t.checkWhole(s)
			if now := t.leftovers(s); now > left {
				left, halves = now, halves+1
			}
			if round%8 == 7 {
				t.rerun(s, files)
			}
		}
		t.Logf("%d of %d publishers were killed before they were done; %d left something half-done", begun, rounds, halves)
		if begun == 0 {
			t.Error("all publishers were done before they were killed: the test shows nothing")
		}
		if _, err := later(t.open(), 48*time.Hour).GC(t.Context(), "news", Keep{Newest: 1e6, Age: time.Hour}, false); err != nil {
			t.Fatal(err)
		}
		if left := t.leftovers(s); left != 0 {
			t.Errorf("%d files are left after GC", left)
		}
		t.checkWhole(s)
	})
}

// whole is how long a publisher of modelFiles takes that is not killed.
func (t *storeTest) whole() time.Duration {
	t.Helper()
	p := startChild(t.T, append([]string{"publish", t.url}, modelFiles(t, rounds)...)...)
	start := time.Now()
	if err := p.Wait(); err != nil {
		t.Fatal(err)
	}
	return time.Since(start)
}

// modelFiles writes three model files that no other round has.
func modelFiles(t *storeTest, round int64) []string {
	t.Helper()
	dir := t.TempDir()
	var files []string
	for i := range int64(3) {
		path := filepath.Join(dir, fmt.Sprintf("%d.model", i))
		if err := os.WriteFile(path, largeModel(t, round*3+i).Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
		files = append(files, path)
	}
	return files
}

// checkWhole fails the test unless all revisions that are seen, and those that
// aliases name, are whole.
func (t *storeTest) checkWhole(s *Store) {
	t.Helper()
	ctx := t.Context()
	revisions, err := s.Revisions(ctx, "news")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range revisions[:min(3, len(revisions))] { // the others were whole before
		must[Card](t)(s.Verify(ctx, "news", c.Revision))
	}
	state := must[State](t)(s.State(ctx, "news"))
	if a, found := state.Aliases[Live]; found && !slices.ContainsFunc(revisions, func(c Card) bool { return c.Revision == a.Revision }) {
		t.Errorf("live is %s, which is not there", a.Revision)
	}
}

// leftovers counts the files that dead publishers left.
func (t *storeTest) leftovers(s *Store) int {
	t.Helper()
	cards, files, err := s.objects(t.Context(), "news")
	if err != nil {
		t.Fatal(err)
	}
	temp := must[[]object](t)(s.bucket.list(t.Context(), temporary+"/", 0))
	return len(temp) + len(files) - len(cards)
}

// rerun publishes the files of a killed publisher again.
func (t *storeTest) rerun(s *Store, files []string) {
	t.Helper()
	p := startChild(t.T, append([]string{"publish", t.url}, files...)...)
	if err := p.Wait(); err != nil {
		t.Fatal(err)
	}
	for _, path := range files {
		data := must[[]byte](t)(os.ReadFile(path))
		must[Card](t)(s.Verify(t.Context(), "news", sha(data)))
	}
	last := must[[]byte](t)(os.ReadFile(files[2]))
	if a := must[Alias](t)(s.Alias(t.Context(), "news", Live)); a.Revision != sha(last) {
		t.Errorf("live is %s, want %s", a.Revision, sha(last))
	}
}
