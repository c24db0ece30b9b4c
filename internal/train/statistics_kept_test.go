package train

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/parley-nlp/parley/internal/dataset"
	"github.com/parley-nlp/parley/internal/model"
)

// Names of features are in the file and in the model while a row has the feature.
func TestStringsGoWithTheLastRow(t *testing.T) {
	rows := []dataset.Example{
		{Text: "oil prices rise", Labels: []string{"a"}}, {Text: "peace talks begin", Labels: []string{"b"}},
		{Text: "oil prices fall", Labels: []string{"a"}}, {Text: "peace talks end", Labels: []string{"b"}},
	}
	secret := dataset.Example{Text: "Rumpelstiltskin talks", Labels: []string{"a"}}
	s := newTestStatistics(t, model.Features{Words: 2}, []string{"topic"})
	if err := errors.Join(s.KeepStrings(), s.Learn(rows), s.Learn([]dataset.Example{secret})); err != nil {
		t.Fatal(err)
	}
	if s.KeepStrings() == nil || s.KeepNoMarks() == nil {
		t.Error("what is kept can be changed after the first row")
	}
	name := []byte("rumpelstiltskin talks")
	if !bytes.Contains(s.Encode(), name) || !bytes.Contains(fromStatistics(t, s, rows).Bytes(), name) {
		t.Error("names of features are missing")
	}
	if err := s.Forget([]dataset.Example{secret}); err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(s.Encode(), name[:15]) || bytes.Contains(fromStatistics(t, s, rows).Bytes(), name[:15]) {
		t.Error("a word of a row that was forgotten is still there")
	}
}

// A model can be made of the features alone that some number of texts have.
func TestMinTexts(t *testing.T) {
	rows := paragraphs(t, 24)
	s := recount(t, model.Features{Words: 2}, twoHeads, rows)
	cfg := countedConfig()
	cfg.MinTexts = 3
	m, _, err := FromStatistics(t.Context(), s, rows, cfg)
	if err != nil {
		t.Fatal(err)
	}
	want := 0
	for _, w := range s.words.all {
		if w.texts() >= 3 {
			want++
		}
	}
	if got := m.FeatureCount(); got != want || want == 0 {
		t.Errorf("%d features, of at least three texts are %d", got, want)
	}
	if cfg.MinTexts = 21; refusedConfig(t, s, rows, cfg) == nil {
		t.Error("more texts than are told apart: no error")
	}
	if _, _, err := Train(t.Context(), rows, twoHeads, cfg); err == nil {
		t.Error("Train counts no texts: no error")
	}
}

func refusedConfig(t *testing.T, s *Statistics, rows []dataset.Example, cfg Config) error {
	_, _, err := FromStatistics(t.Context(), s, rows, cfg)
	return err
}

// Without marks there is no forgetting, but all else.
func TestStatisticsWithoutMarks(t *testing.T) {
	rows := paragraphs(t, 24)
	marked, s := recount(t, tallied, twoHeads, rows), newTestStatistics(t, tallied, twoHeads)
	if err := errors.Join(s.KeepNoMarks(), s.Learn(rows)); err != nil {
		t.Fatal(err)
	}
	if fromStatistics(t, s, rows).Revision() != fromStatistics(t, marked, rows).Revision() {
		t.Error("another model than that of statistics with marks")
	}
	if saved := len(marked.Encode()) - len(s.Encode()); saved < 16*len(rows) {
		t.Errorf("%d bytes saved of %d rows", saved, len(rows))
	}
	read, err := DecodeStatistics(s.Encode())
	if err != nil || read.HasMarks() {
		t.Errorf("read again: %v", err)
	}
	before := s.Encode()
	for _, err := range []error{s.Forget(rows[:1]), s.Subtract(s.Empty()), s.Apply(rows, rows[:1])} {
		if !errors.Is(err, ErrNoMarks) {
			t.Errorf("got %v", err)
		}
	}
	if !bytes.Equal(s.Encode(), before) || s.Merge(marked) == nil {
		t.Error("refused, and changed; or merged with statistics that can forget")
	}
	strange := slices.Clone(rows)
	strange[0].Text += " rumpelstiltskin"
	if refusedConfig(t, s, strange, countedConfig()) == nil {
		t.Error("a sample with words that were never counted was taken")
	}
}

// A file whose counts are too small for the rows that it claims to have learned is
// forged: taking the rows back is refused, and nothing changes.
func TestForgedStatisticsRefuseToForget(t *testing.T) {
	rows := []dataset.Example{{Text: "oil prices", Labels: []string{"a"}}, {Text: "peace talks", Labels: []string{"b"}}}
	other := []dataset.Example{{Text: "frost", Labels: []string{"a"}}, {Text: "wind", Labels: []string{"b"}}}
	s := recount(t, model.Features{Words: 1}, []string{"topic"}, rows)
	s.words = recount(t, model.Features{Words: 1}, []string{"topic"}, other).words
	forged := s.Encode()
	if read, err := DecodeStatistics(forged); err == nil {
		s = read
	}
	before := s.Encode()
	if err := s.Forget(rows); !errors.Is(err, ErrNeverLearned) || !bytes.Equal(s.Encode(), before) {
		t.Errorf("got %v", err)
	}
}

// What no program writes is refused where it is read.
func TestForgedStatisticsAreNotRead(t *testing.T) {
	rows := []dataset.Example{{Text: "oil prices", Labels: []string{"a"}}, {Text: "peace talks", Labels: []string{"b"}}}
	for name, forge := range map[string]func(*Statistics){
		"a label is empty": func(s *Statistics) {
			s.heads[0].number[""] = 0
			delete(s.heads[0].number, "a")
			s.heads[0].labels[0] = ""
		},
		"a label is not UTF-8": func(s *Statistics) {
			s.heads[0].number["b\xff"] = 1
			delete(s.heads[0].number, "b")
			s.heads[0].labels[1] = "b\xff"
		},
		"more often than a text can have it: a sum wraps": func(s *Statistics) { s.words.list[0].cells[1].occurrences = 1 << 63 },
	} {
		s := recount(t, model.Features{Words: 1}, []string{"topic"}, rows)
		if _, err := DecodeStatistics(s.Encode()); err != nil {
			t.Fatal(err)
		}
		forge(s)
		if _, err := DecodeStatistics(s.Encode()); !errors.Is(err, ErrStatistics) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

// Near-duplicates without a group are in different folds, mostly, and that is said.
func TestNearDuplicatesInOtherFoldsAreWarnedOf(t *testing.T) {
	rows := paragraphs(t, 48)
	for i := range rows {
		rows[i].Group = ""
	}
	for _, ex := range slices.Clone(rows) {
		ex.Text += " Again."
		rows = append(rows, ex)
	}
	s := recount(t, model.Features{Words: 1}, twoHeads, rows)
	_, report, err := FromStatistics(t.Context(), s, rows, countedConfig())
	if err != nil {
		t.Fatal(err)
	}
	says := func(w string) bool { return strings.Contains(w, "have near-duplicates in other folds") }
	if report.Counted.Split < len(rows)/4 || !slices.ContainsFunc(report.Warnings, says) {
		t.Errorf("%d of %d rows are split; warnings %q", report.Counted.Split, len(rows), report.Warnings)
	}
	if report.Folds != s.Folds() || report.Counted.SampleRows != len(rows) {
		t.Errorf("%d folds, a sample of %d", report.Folds, report.Counted.SampleRows)
	}
}

// Counts have room for 2^32 occurrences: more are not cut down unsaid.
func TestTooManyOccurrences(t *testing.T) {
	rows := paragraphs(t, 24)
	s := recount(t, model.Features{Words: 1}, twoHeads, rows)
	for _, w := range s.words.all {
		for i := range w.ofLabels() {
			w.ofLabels()[i].occurrences += 1 << 31
		}
	}
	if refusedConfig(t, s, rows, countedConfig()) == nil {
		t.Error("more occurrences than there is room for: no error")
	}
	binary := countedConfig()
	binary.Values = []model.Value{model.Binary}
	if err := refusedConfig(t, s, rows, binary); err != nil {
		t.Errorf("binary values: %v", err)
	}
}

func TestReadStatistics(t *testing.T) {
	s := recount(t, tallied, twoHeads, paragraphs(t, 100))
	path := filepath.Join(t.TempDir(), "counts")
	if err := os.WriteFile(path, s.Encode(), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, sum := range []string{"", s.Sum()} {
		if read, err := ReadStatistics(path, sum); err != nil || !read.Equal(s) {
			t.Errorf("sum %q: got %v", sum, err)
		}
	}
	if _, err := ReadStatistics(path, s.TrainingData()); !errors.Is(err, ErrStatistics) {
		t.Errorf("another sum: got %v", err)
	}
	if _, err := ReadStatistics(path+"x", ""); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no file: got %v", err)
	}
}

// A sample of samples of parts is that of the whole, whatever the order.
func TestSampleOfSamples(t *testing.T) {
	rows := generated(3, 200)
	for _, most := range []int{0, 1, 37, 200, 500} {
		want := Sample(rows, most)
		if len(want) != min(most, len(rows)) {
			t.Fatalf("%d rows of %d", len(want), most)
		}
		mixed := shuffled(rows, 4)
		parts := slices.Concat(Sample(mixed[:50], most), Sample(mixed[50:51], most), Sample(mixed[51:], most))
		if !slices.EqualFunc(Sample(parts, most), want, func(a, b dataset.Example) bool { return a.ID == b.ID }) {
			t.Errorf("the sample of %d rows is not that of its parts' samples", most)
		}
	}
}
