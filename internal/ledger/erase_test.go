package ledger

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// Databases move rows between pages as they grow. No copy of what is forgotten
// stays behind, whatever the order and size of what came and went.
func TestForgettingErasesCopies(t *testing.T) {
	for seed := range uint64(4) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) { eraseAtRandom(t, rand.New(rand.NewPCG(seed, 9))) })
	}
}

func eraseAtRandom(t *testing.T, random *rand.Rand) {
	dir := t.TempDir()
	l := openAt(t, filepath.Join(dir, "labels.db"))
	names := map[string]bool{}
	for range 12 {
		var labels []NewLabel
		for range 60 {
			name := fmt.Sprintf("<%016x>", random.Uint64())
			names[name] = true
			labels = append(labels, NewLabel{Text: name + strings.Repeat("a", random.IntN(1+random.IntN(9000))), ID: "id " + name, Group: "group " + name,
				Target: "target " + name, Head: "topic", Label: "x", Annotator: "ann"})
		}
		must(t, l, labels...)
		queueSome(t, l, labels, random)
		forgetSome(t, l, names, random.IntN(len(names)))
	}
	forgetSome(t, l, names, len(names)*9/10)
	left := 0
	for _, name := range namesInFiles(t, dir) {
		if !names[name] {
			left++
		}
	}
	if left > 0 {
		t.Errorf("%d names of forgotten texts are still in the files", left)
	}
}

func queueSome(t *testing.T, l *Ledger, labels []NewLabel, random *rand.Rand) {
	t.Helper()
	var items []QueueItem
	for _, n := range labels {
		if random.IntN(2) == 0 {
			items = append(items, QueueItem{Text: n.Text, Heads: []string{"stance"}, Predictions: []byte(`{"evidence":"` + n.ID + `"}`)})
		}
	}
	if _, err := l.Enqueue(t.Context(), items); err != nil {
		t.Fatal(err)
	}
}

// forgetSome forgets so many of the texts, by id, and takes them out of names.
func forgetSome(t *testing.T, l *Ledger, names map[string]bool, n int) {
	t.Helper()
	var refs []TextRef
	for name := range names {
		if len(refs) == n {
			break
		}
		refs = append(refs, TextRef{ID: "id " + name})
		delete(names, name)
	}
	f, err := l.Forget(t.Context(), "", refs, "asked to")
	if err != nil || f.Texts != n {
		t.Fatal(f.Texts, err)
	}
}

var nameInFile = regexp.MustCompile(`<[0-9a-f]{16}>`)

// namesInFiles are the names that the folder's files hold.
func namesInFiles(t *testing.T, dir string) (names []string) {
	t.Helper()
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		data, err := os.ReadFile(filepath.Join(dir, f.Name()))
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range nameInFile.FindAll(data, -1) {
			names = append(names, string(name))
		}
	}
	return names
}
