package train

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/parley-nlp/parley/internal/dataset"
	"github.com/parley-nlp/parley/internal/model"
)

var tallied = model.Features{Words: 2, CharMin: 3, CharMax: 3}

func newTestStatistics(t testing.TB, f model.Features, heads []string) *Statistics {
	t.Helper()
	s, err := NewStatistics(f, heads, 3)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// recount counts rows afresh.
func recount(t testing.TB, f model.Features, heads []string, rows []dataset.Example) *Statistics {
	t.Helper()
	s := newTestStatistics(t, f, heads)
	if err := s.Learn(rows); err != nil {
		t.Fatal(err)
	}
	return s
}

// tinyRow makes a row of a few words, of one of few groups and labels.
func tinyRow(random *rand.Rand) dataset.Example {
	words := []string{"oil", "peace", "talks", "frost", "border", "Brent"}
	ex := dataset.Example{Labels: []string{"", ""}, File: "rows", Line: 1}
	for range 1 + random.IntN(4) {
		ex.Text += words[random.IntN(len(words))] + " "
	}
	if random.IntN(2) == 0 {
		ex.Group = fmt.Sprint("group ", random.IntN(5))
	}
	ex.Labels[0] = []string{"a", "b", "c"}[random.IntN(3)]
	if random.IntN(3) > 0 {
		ex.Labels[1] = []string{"x", "y"}[random.IntN(2)]
	}
	return ex
}

// A thousand random histories of learning, forgetting, merging, subtracting, and being
// written and read: the bytes are those of counting what is left, which has the counts of
// every fold, and the model is that of training on it. What was never learned is refused,
// and then nothing changes.
func TestStatisticsOfRandomHistories(t *testing.T) {
	refused, models := 0, 0
	for seed := range uint64(1000) {
		h := newHistory(t, seed)
		for range 12 {
			h.step(t)
		}
		h.random.Shuffle(len(h.left), func(i, j int) { h.left[i], h.left[j] = h.left[j], h.left[i] })
		want := h.count(t, h.left)
		if h.Sum() != want.Sum() || h.TrainingData() != want.TrainingData() {
			t.Fatalf("seed %d: statistics of %d rows are not those of counting them", seed, len(h.left))
		}
		if got, fresh := tinyModel(t, h.Statistics, h.left), tinyModel(t, want, h.left); got != fresh {
			t.Fatalf("seed %d: another model than that of training on what is left", seed)
		} else if got != "" {
			models++
		}
		refused += h.refused
	}
	if refused < 100 || models < 500 {
		t.Errorf("only %d rows that were never learned were to be forgotten, %d models made", refused, models)
	}
}

// tinyModel is the revision of the model made of statistics, "" when a head has less
// than two labels.
func tinyModel(t *testing.T, s *Statistics, rows []dataset.Example) string {
	t.Helper()
	for h := range s.Heads() {
		if labels, _ := s.Labels(h); len(labels) < 2 {
			return ""
		}
	}
	cfg := countedConfig()
	cfg.Estimators, cfg.Values, cfg.Members = cfg.Estimators[:1], cfg.Values[:1], 1
	m, _, err := FromStatistics(t.Context(), s, rows, cfg)
	if err != nil {
		t.Fatal(err)
	}
	return m.Revision()
}

// A history is statistics, and the rows that they ought to be of.
type history struct {
	*Statistics
	random  *rand.Rand
	left    []dataset.Example
	refused int
}

func newHistory(t *testing.T, seed uint64) *history {
	h := &history{random: rand.New(rand.NewPCG(seed, 5))}
	h.Statistics = newTestStatistics(t, tallied, twoHeads)
	if seed%2 == 0 {
		if err := h.KeepStrings(); err != nil {
			t.Fatal(err)
		}
	}
	return h
}

// count counts rows as the history does.
func (h *history) count(t *testing.T, rows []dataset.Example) *Statistics {
	t.Helper()
	s := h.Empty()
	if err := s.Learn(rows); err != nil {
		t.Fatal(err)
	}
	return s
}

// rows makes a few.
func (h *history) rows() []dataset.Example {
	var list []dataset.Example
	for range h.random.IntN(4) {
		list = append(list, tinyRow(h.random))
	}
	return list
}

// some takes a few rows off those that are left.
func (h *history) some() []dataset.Example {
	h.random.Shuffle(len(h.left), func(i, j int) { h.left[i], h.left[j] = h.left[j], h.left[i] })
	n := h.random.IntN(min(4, len(h.left)+1))
	list := slices.Clone(h.left[:n])
	h.left = h.left[n:]
	return list
}

func (h *history) step(t *testing.T) {
	t.Helper()
	var err error
	switch h.random.IntN(7) {
	case 0, 1:
		rows := h.rows()
		err = h.Learn(rows)
		h.left = append(h.left, rows...)
	case 2: // a shard
		part := h.rows()
		err = h.Merge(h.count(t, part))
		h.left = append(h.left, part...)
	case 3:
		err = h.Forget(h.some())
	case 4: // of a shard
		err = h.Subtract(h.count(t, h.some()))
	case 5:
		gone, rows := h.some(), h.rows()
		err = h.Apply(rows, gone)
		h.left = append(h.left, rows...)
	default:
		if h.refuses(t, strange(h.random, h.left)) {
			h.refused++
		}
		h.Statistics, err = DecodeStatistics(h.Encode())
	}
	if err != nil {
		t.Fatal(err)
	}
}

// strange is rows of which one is not among those that were learned, though all its
// counts may be.
func strange(random *rand.Rand, learned []dataset.Example) []dataset.Example {
	row := tinyRow(random)
	if len(learned) > 0 && random.IntN(2) == 0 {
		row = learned[random.IntN(len(learned))]
		row.Labels = slices.Clone(row.Labels)
		switch random.IntN(3) {
		case 0:
			row.Labels[0] = "c"
		case 1:
			row.Group = "group 4"
		default:
			row.Target = "oil"
		}
	}
	return []dataset.Example{row}
}

// refuses reports whether the rows cannot be forgotten, and sees that nothing changes
// then. Rows that can are forgotten and learned again.
func (s *Statistics) refuses(t *testing.T, rows []dataset.Example) bool {
	t.Helper()
	before := s.Encode()
	err := s.Forget(rows)
	if err != nil {
		part := s.Empty()
		if part.Learn(rows) != nil || !errors.Is(s.Subtract(part), ErrNeverLearned) || !errors.Is(s.Apply(rows[:0], rows), ErrNeverLearned) {
			t.Fatal("what cannot be forgotten can be subtracted")
		}
	}
	if err == nil {
		if err := s.Learn(rows); err != nil {
			t.Fatal(err)
		}
	} else if !errors.Is(err, ErrNeverLearned) {
		t.Fatal(err)
	}
	if !bytes.Equal(s.Encode(), before) {
		t.Fatalf("after %v the statistics are others", err)
	}
	return err != nil
}

// Statistics hold the counts that training makes of texts: of all rows, and without each
// fold.
func TestStatisticsAreTheCountsOfTraining(t *testing.T) {
	rows := paragraphs(t, 24)
	s := recount(t, tallied, twoHeads, rows)
	c, err := s.corpus(rows)
	if err != nil {
		t.Fatal(err)
	}
	for h, name := range twoHeads {
		task := newTask(c, name, h)
		fold := c.counted.deal(c.examples)
		for without := -1; without < s.Folds(); without++ {
			for _, v := range []model.Value{model.Binary, model.TF} {
				known := c.counted.seen(c.counted.rows, without)
				list := task.labelled(func(i int) bool { return fold[i] != without })
				want := task.count(c.vectorise(known, tallied, v), list)
				if got := c.counted.lesson(task, space{tallied, v}, known, without).counts; !got.equal(want) {
					t.Errorf("%s, %s values, without fold %d: other counts than training makes", name, v, without)
				}
			}
		}
	}
}

func countedConfig() Config {
	cfg := Default()
	cfg.Estimators, cfg.Alphas = []Estimator{MultinomialNB, ComplementNB}, []float64{0.3}
	cfg.Values, cfg.Members = []model.Value{model.Binary, model.TF}, 2
	return cfg
}

func fromStatistics(t *testing.T, s *Statistics, sample []dataset.Example) *model.Model {
	t.Helper()
	m, _, err := FromStatistics(t.Context(), s, sample, countedConfig())
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// The model made after forgetting is, byte for byte, that of training on what is left;
// and however many shards counted the rows, it is the same.
func TestForgettingMakesTheModelOfNeverHavingSeen(t *testing.T) {
	rows := paragraphs(t, 24)
	f := model.Features{Words: 2}
	gone, left := rows[:7], rows[7:]
	s := recount(t, f, twoHeads, rows)
	if err := s.Forget(gone); err != nil {
		t.Fatal(err)
	}
	want := fromStatistics(t, recount(t, f, twoHeads, left), left)
	if got := fromStatistics(t, s, left); got.Revision() != want.Revision() {
		t.Errorf("after forgetting: revision %s, trained on the rest: %s", got.Revision(), want.Revision())
	}
	for _, shards := range []int{7, 64} {
		sum := newTestStatistics(t, f, twoHeads)
		parts := make([][]dataset.Example, shards)
		for i, row := range shuffled(left, 3) {
			parts[i%shards] = append(parts[i%shards], row)
		}
		var sample []dataset.Example
		for _, part := range parts {
			if err := sum.Merge(recount(t, f, twoHeads, part)); err != nil {
				t.Fatal(err)
			}
			sample = Sample(append(sample, Sample(part, 200)...), 200)
		}
		if got, want := fromStatistics(t, sum, sample), fromStatistics(t, recount(t, f, twoHeads, left), Sample(left, 200)); got.Revision() != want.Revision() {
			t.Errorf("%d shards: revision %s, of one machine %s", shards, got.Revision(), want.Revision())
		}
	}
	if want.TrainingData() != s.TrainingData() {
		t.Errorf("training data %s, the statistics say %s", want.TrainingData(), s.TrainingData())
	}
}

func TestStatisticsRefuse(t *testing.T) {
	rows := paragraphs(t, 8)
	s := recount(t, tallied, twoHeads, rows)
	other := recount(t, model.Features{Words: 1}, twoHeads, rows)
	if err := s.Merge(other); err == nil {
		t.Error("statistics of other features were merged")
	}
	if _, _, err := FromStatistics(t.Context(), s, paragraphs(t, 9), countedConfig()); err == nil {
		t.Error("a sample that was not counted was taken")
	}
	linear := countedConfig()
	linear.Estimators = []Estimator{SVM}
	if _, _, err := FromStatistics(t.Context(), s, rows, linear); err == nil {
		t.Error("a linear model was made of counts")
	}
	data := s.Encode()
	for _, damage := range []func([]byte) []byte{
		func(b []byte) []byte { return b[:len(b)/2] },
		func(b []byte) []byte { b[len(b)/2] ^= 1; return b },
		func(b []byte) []byte { return append(b, 0) },
		func([]byte) []byte { return nil },
	} {
		if _, err := DecodeStatistics(damage(slices.Clone(data))); !errors.Is(err, ErrStatistics) {
			t.Errorf("damaged: got %v", err)
		}
	}
}

var fuzzed = []dataset.Example{{Text: "oil price", Labels: []string{"a"}}, {Text: "peace", Labels: []string{""}}}

// FuzzDecodeStatistics: whatever is taken is written as it was.
func FuzzDecodeStatistics(f *testing.F) {
	for kept := range 3 {
		s := newTestStatistics(f, model.Features{Words: 1}, []string{"topic"})
		var err error
		switch kept {
		case 1:
			err = s.KeepStrings()
		case 2:
			err = s.KeepNoMarks()
		}
		if err := errors.Join(err, s.Learn(fuzzed)); err != nil {
			f.Fatal(err)
		}
		data := s.Encode()
		f.Add(data[len(statisticsMagic) : len(data)-32])
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		file := checked(append([]byte(statisticsMagic), body...))
		got, err := DecodeStatistics(file)
		if err != nil {
			if !errors.Is(err, ErrStatistics) {
				t.Fatal(err)
			}
			return
		}
		if !bytes.Equal(got.Encode(), file) {
			t.Fatal("written otherwise than read")
		}
		// What is read can be added up, and read again.
		sum, _ := DecodeStatistics(file)
		if sum.Merge(got) == nil {
			if _, err := DecodeStatistics(sum.Encode()); err != nil {
				t.Fatalf("a sum cannot be read: %v", err)
			}
		}
		// Forged counts are refused, or taken as they are.
		if len(got.Heads()) == 1 && got.Forget(fuzzed) != nil && !bytes.Equal(got.Encode(), file) {
			t.Fatal("refused, and changed")
		}
	})
}
