package bayesian

import (
	"bytes"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"
)

// trained learns what the files of testdata have learned, but for the words
// observed.
func trained(t *testing.T, tfIdf bool) *libraryModel {
	t.Helper()
	var lines []struct{ Class, Text string }
	readJSON(t, "testdata/training.json", &lines)
	m := newLibraryModel(tfIdf, "hopeful", "skeptical", "neutral")
	for _, line := range lines {
		m.learn(strings.Split(line.Text, " "), line.Class)
	}
	return m
}

// checkCounts fails unless counts are those of want.
func checkCounts(t *testing.T, counts Counts, want *libraryModel) {
	t.Helper()
	if counts.Documents != int64(want.Learned) || len(counts.Classes) != len(want.Classes) {
		t.Errorf("%d documents, %d classes, want %d, %d", counts.Documents, len(counts.Classes), want.Learned, len(want.Classes))
	}
	for i, class := range counts.Classes {
		data := want.Datas[class.Name]
		if class.Name != want.Classes[i] || class.Total != int64(data.Total) || len(class.Words) != len(data.Freqs) {
			t.Errorf("class %q: %d words of %d, want class %q with %d of %d",
				class.Name, len(class.Words), class.Total, want.Classes[i], len(data.Freqs), data.Total)
		}
		sum := int64(0)
		for j, w := range class.Words {
			if float64(w.Count) != data.Freqs[w.Word] {
				t.Errorf("class %q: word %q: %d, want %v", class.Name, w.Word, w.Count, data.Freqs[w.Word])
			}
			if j > 0 && w.Word <= class.Words[j-1].Word {
				t.Errorf("class %q: word %q after %q", class.Name, w.Word, class.Words[j-1].Word)
			}
			sum += w.Count
		}
		if sum != class.Total {
			t.Errorf("class %q: counts add up to %d, the total is %d", class.Name, sum, class.Total)
		}
	}
}

func TestCounts(t *testing.T) {
	plain := trained(t, false)
	plain.Datas["hopeful"].Freqs["ceasefire"] += 7
	plain.Datas["hopeful"].Total += 7
	counts, err := readFile(t, "testdata/plain.gob").Counts()
	if err != nil {
		t.Fatal(err)
	}
	checkCounts(t, counts, plain)

	folder, err := ReadClasses(os.DirFS("testdata/per-class"))
	if err != nil {
		t.Fatal(err)
	}
	if counts, err = folder.Counts(); err != nil {
		t.Fatal(err)
	}
	plain.Learned = 0
	slices.Sort(plain.Classes)
	checkCounts(t, counts, plain)

	if counts, err = readFile(t, "testdata/tfidf-before.gob").Counts(); err != nil {
		t.Fatal(err)
	}
	checkCounts(t, counts, trained(t, true))
}

func TestNoCounts(t *testing.T) {
	counts, err := readFile(t, "testdata/tfidf-after.gob").Counts()
	want := `a tf-idf model has lost its word counts: class "hopeful": word "a": frequency `
	if !errors.Is(err, ErrNoCounts) || !strings.HasPrefix(err.Error(), want) || counts.Classes != nil {
		t.Errorf("counts %v, error %v, want %s...", counts, err, want)
	}
}

// Conversion in helpers_test.go is the library's, so that random models stand
// for its own.
func TestConversionOfHelpers(t *testing.T) {
	m := trained(t, true)
	m.convert()
	want := readFile(t, "testdata/tfidf-after.gob")
	for _, class := range want.classes {
		data := m.Datas[class.name]
		for _, w := range class.words {
			if !near([]float64{data.Freqs[w.text]}, []float64{w.frequency}) {
				t.Errorf("class %q: word %q: %v, want %v", class.name, w.text, data.Freqs[w.text], w.frequency)
			}
		}
	}
}

func TestNewRefusesClassTwice(t *testing.T) {
	class, err := ReadClass("a", bytes.NewReader(encode(t, libraryClass{Total: 0, Freqs: map[string]float64{}})))
	if err != nil {
		t.Fatal(err)
	}
	want := `not a readable model file of bayesian: class "a" is there twice`
	if c, err := New(class, class); c != nil || !errors.Is(err, ErrFormat) || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
}

func TestKindString(t *testing.T) {
	for kind, want := range map[Kind]string{Plain: "plain", Unconverted: "tf-idf, not converted", Converted: "tf-idf", 7: "kind 7"} {
		if got := kind.String(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
