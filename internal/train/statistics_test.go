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

// A thousand random histories of learning, forgetting, merging, and being written and
// read: the bytes are those of counting what is left, and so are the counts of every
// fold. What was never learned is refused, and then nothing changes.
func TestStatisticsOfRandomHistories(t *testing.T) {
	heads := []string{"topic", "stance"}
	refused := 0
	for seed := range uint64(1000) {
		random := rand.New(rand.NewPCG(seed, 5))
		s := newTestStatistics(t, tallied, heads)
		var left []dataset.Example
		for range 12 {
			switch random.IntN(5) {
			case 0, 1:
				row := tinyRow(random)
				if err := s.Learn([]dataset.Example{row}); err != nil {
					t.Fatal(err)
				}
				left = append(left, row)
			case 2: // a shard
				var part []dataset.Example
				for range random.IntN(4) {
					part = append(part, tinyRow(random))
				}
				if err := s.Merge(recount(t, tallied, heads, part)); err != nil {
					t.Fatal(err)
				}
				left = append(left, part...)
			case 3:
				if len(left) > 0 {
					k := random.IntN(len(left))
					if err := s.Forget(left[k : k+1]); err != nil {
						t.Fatal(err)
					}
					left = slices.Delete(left, k, k+1)
				}
			default:
				if s.refuses(t, strange(random, left)) {
					refused++
				}
				read, err := DecodeStatistics(s.Encode())
				if err != nil {
					t.Fatal(err)
				}
				s = read
			}
		}
		random.Shuffle(len(left), func(i, j int) { left[i], left[j] = left[j], left[i] })
		want := recount(t, tallied, heads, left)
		if s.Sum() != want.Sum() || s.TrainingData() != want.TrainingData() {
			t.Fatalf("seed %d: statistics of %d rows are not those of counting them", seed, len(left))
		}
	}
	if refused < 100 {
		t.Errorf("only %d rows that were never learned were to be forgotten", refused)
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

// FuzzDecodeStatistics: whatever is taken is written as it was.
func FuzzDecodeStatistics(f *testing.F) {
	s := recount(f, model.Features{Words: 1}, []string{"topic"}, []dataset.Example{{Text: "oil price", Labels: []string{"a"}}, {Text: "peace", Labels: []string{""}}})
	data := s.Encode()
	f.Add(data[len(statisticsMagic) : len(data)-32])
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
	})
}
