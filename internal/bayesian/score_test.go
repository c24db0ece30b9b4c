package bayesian

import (
	"bytes"
	"math"
	"os"
	"slices"
	"testing"
)

// recorded is what the library answered.
type recorded struct {
	Classes    []string
	Learned    int64
	WordTotals []int64 `json:"word_totals"`
	Rows       []struct {
		Doc        []string
		LogScores  []float64 `json:"log_scores"`
		ProbScores []float64 `json:"prob_scores"`
		Best       int
		Strict     bool
	}
}

func TestRecordedScores(t *testing.T) {
	for _, c := range []struct {
		scores string
		model  *Classifier
		kind   Kind
	}{
		{"testdata/plain.scores.json", readFile(t, "testdata/plain.gob"), Plain},
		{"testdata/tfidf-after.scores.json", readFile(t, "testdata/tfidf-after.gob"), Converted},
	} {
		var want recorded
		readJSON(t, c.scores, &want)
		if len(want.Rows) == 0 {
			t.Fatalf("%s: no rows", c.scores)
		}
		if m := c.model; !slices.Equal(m.Classes(), want.Classes) || m.documents != want.Learned || m.Kind() != c.kind {
			t.Errorf("%s: classes %q, %d documents, %v", c.scores, m.Classes(), m.documents, m.Kind())
		}
		for i, total := range want.WordTotals {
			if c.model.classes[i].total != total {
				t.Errorf("%s: class %d: total %d, want %d", c.scores, i, c.model.classes[i].total, total)
			}
		}
		for _, row := range want.Rows {
			for _, a := range []struct {
				got  Answer
				want []float64
			}{
				{c.model.LogScores(row.Doc), row.LogScores},
				{c.model.ProbScores(row.Doc), row.ProbScores},
				{c.model.SafeProbabilities(row.Doc), row.ProbScores},
			} {
				if !near(a.got.Scores, a.want) || a.got.Best != row.Best || a.got.Strict != row.Strict || !a.got.Defined() {
					t.Errorf("%s: %q: %+v, want %v, %d, %v", c.scores, row.Doc, a.got, a.want, row.Best, row.Strict)
				}
			}
		}
	}
}

// near allows for 1e-9 of what is beyond 1, and of 1.
func near(got, want []float64) bool {
	return slices.EqualFunc(got, want, func(a, b float64) bool { return math.Abs(a-b) <= 1e-9*max(1, math.Abs(b)) })
}

// The files of the classes give the scores of the whole model in their own
// order.
func TestRecordedScoresByClass(t *testing.T) {
	c, err := ReadClasses(os.DirFS("testdata/per-class"))
	if err != nil {
		t.Fatal(err)
	}
	order := []int{0, 2, 1} // hopeful, neutral, skeptical
	var want recorded
	readJSON(t, "testdata/plain.scores.json", &want)
	for _, row := range want.Rows {
		var logs, probs []float64
		for _, i := range order {
			logs, probs = append(logs, row.LogScores[i]), append(probs, row.ProbScores[i])
		}
		if a := c.LogScores(row.Doc); !near(a.Scores, logs) || order[a.Best] != row.Best {
			t.Errorf("%q: %+v, want %v", row.Doc, a, logs)
		}
		if a := c.ProbScores(row.Doc); !near(a.Scores, probs) || order[a.Best] != row.Best {
			t.Errorf("%q: %+v, want %v", row.Doc, a, probs)
		}
	}
}

func readModel(t *testing.T, m *libraryModel) *Classifier {
	t.Helper()
	c, err := Read(bytes.NewReader(encode(t, m)))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// observed makes a plain model of counts by class.
func observed(classes ...map[string]float64) *libraryModel {
	m := newLibraryModel(false, []string{"a", "b", "c"}[:len(classes)]...)
	for i, words := range classes {
		data := m.Datas[m.Classes[i]]
		for w, n := range words {
			data.Freqs[w] = n
			data.Total += int(n)
		}
	}
	return m
}

func TestEdgesOfScores(t *testing.T) {
	type words = map[string]float64
	nan, inf := math.NaN(), math.Inf(-1)
	xs := func(n int) []string { return slices.Repeat([]string{"x"}, n) }
	for _, c := range []struct {
		name  string
		model *libraryModel
		text  []string
		prob  Answer // lost stands for: not Defined
		log   []float64
		safe  []float64
	}{
		{"no text", observed(words{"v": 1}, words{"w": 3}), nil,
			Answer{Scores: []float64{0.25, 0.75}, Best: 1, Strict: true}, []float64{math.Log(0.25), math.Log(0.75)}, []float64{0.25, 0.75}},
		{"equals", observed(words{"v": 2}, words{"w": 2}), []string{"x"},
			Answer{Scores: []float64{0.5, 0.5}, Best: 0, Strict: false}, []float64{math.Log(0.5) + math.Log(1e-11), math.Log(0.5) + math.Log(1e-11)}, []float64{0.5, 0.5}},
		{"underflow", observed(words{"v": 1}, words{"w": 3}), xs(40),
			Answer{Scores: []float64{nan, nan}, Best: 0, Strict: true, lost: true}, nil, []float64{0.25, 0.75}},
		{"underflow of the better class", observed(words{"v": 1}, words{"w": 1}), append(xs(28), "v"),
			Answer{Scores: []float64{1, 0}, Best: 0, Strict: true, lost: true}, nil, []float64{1, 1e-11}},
		{"frequency 0", observed(words{"v": 1, "x": 0}, words{"w": 3}), []string{"x"},
			Answer{Scores: []float64{0, 1}, Best: 1, Strict: true}, []float64{inf, math.Log(0.75) + math.Log(1e-11)}, []float64{0.25, 0.75}},
		{"frequency 0 in all classes", observed(words{"v": 1, "x": 0}, words{"w": 3, "x": 0}), []string{"x"},
			Answer{Scores: []float64{nan, nan}, Best: 0, Strict: true, lost: true}, []float64{inf, inf}, []float64{0.25, 0.75}},
		{"class without words", observed(words{}, words{"w": 3}), []string{"w"},
			Answer{Scores: []float64{0, 1}, Best: 1, Strict: true}, []float64{inf, 0}, []float64{0, 1}},
		{"frequency 0 of no words", observed(words{"w": 0}, words{"w": 3}), []string{"w"},
			Answer{Scores: []float64{nan, nan}, Best: 0, Strict: true, lost: true}, []float64{nan, 0}, []float64{0, 1}},
		{"no words at all", observed(words{}, words{}), []string{"w"},
			Answer{Scores: []float64{nan, nan}, Best: 0, Strict: true, lost: true}, []float64{inf, inf}, []float64{0.5, 0.5}},
	} {
		m := readModel(t, c.model)
		prob := m.ProbScores(c.text)
		if !nearOrSame(prob.Scores, c.prob.Scores) || prob.Best != c.prob.Best || prob.Strict != c.prob.Strict || prob.Defined() == c.prob.lost {
			t.Errorf("%s: %+v, Defined %v, want %+v", c.name, prob, prob.Defined(), c.prob)
		}
		logs := m.LogScores(c.text)
		if c.log != nil && !nearOrSame(logs.Scores, c.log) {
			t.Errorf("%s: logarithms %v, want %v", c.name, logs.Scores, c.log)
		}
		finite := c.log == nil || slices.Max(c.log) > inf // NaN is the maximum where there is one
		if logs.Defined() != finite {
			t.Errorf("%s: logarithms %v are Defined: %v", c.name, logs.Scores, logs.Defined())
		}
		if safe := m.SafeProbabilities(c.text); !near(safe.Scores, c.safe) || !safe.Defined() {
			t.Errorf("%s: safe %v, want %v", c.name, safe.Scores, c.safe)
		}
	}
}

func nearOrSame(got, want []float64) bool {
	return slices.EqualFunc(got, want, func(a, b float64) bool {
		return a == b || math.IsNaN(a) && math.IsNaN(b) || math.Abs(a-b) <= 1e-9
	})
}

// Weights may be larger than the total, and products of them overflow: here two
// of 2^1023, so that only their sum is infinite.
func TestOverflow(t *testing.T) {
	m := newLibraryModel(true, "a", "b")
	for _, data := range m.Datas {
		*data = libraryClass{
			Freqs:   map[string]float64{"w": 1 << 53, "v": 1 << 37},
			FreqTfs: map[string][]float64{"w": {1}, "v": {1}},
			Total:   2,
		}
	}
	m.DidConvertTfIdf = true
	c := readModel(t, m)
	text := append(slices.Repeat([]string{"w"}, 19), "v")
	if a := c.ProbScores(text); !slices.Equal(a.Scores, []float64{0, 0}) || a.Defined() {
		t.Errorf("%+v is Defined: %v, want scores 0 and that it is not", a, a.Defined())
	}
	if a := c.SafeProbabilities(text); !slices.Equal(a.Scores, []float64{0.5, 0.5}) {
		t.Errorf("safe %v, want 0.5 and 0.5", a.Scores)
	}
}

// Unknown words, however many, leave the priors as they are.
func TestSafeProbabilitiesOfUnknownWords(t *testing.T) {
	c := readFile(t, "testdata/plain.gob")
	want := c.SafeProbabilities(nil).Scores
	if got := c.SafeProbabilities(slices.Repeat([]string{"quagga"}, 1e6)); !slices.Equal(got.Scores, want) {
		t.Errorf("a million unknown words: %v, want %v", got.Scores, want)
	}
	if !near(want, []float64{40. / 97, 39. / 97, 18. / 97}) {
		t.Errorf("priors %v, want 40, 39 and 18 of 97", want)
	}
}

// The library panics; the safe answer is that of a plain model of its words.
func TestUnconvertedModel(t *testing.T) {
	c := readFile(t, "testdata/tfidf-before.gob")
	text := []string{"the", "war", "quagga"}
	for _, a := range []Answer{c.LogScores(text), c.ProbScores(text)} {
		if a.Scores != nil || a.Best != -1 || a.Strict || a.Defined() {
			t.Errorf("%+v, want no scores", a)
		}
	}
	plain := trained(t, false)
	want := readModel(t, plain).SafeProbabilities(text)
	if got := c.SafeProbabilities(text); !slices.Equal(got.Scores, want.Scores) || !got.Defined() {
		t.Errorf("%v, want %v", got.Scores, want.Scores)
	}
}
