package train

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/parley-nlp/parley/internal/dataset"
	"github.com/parley-nlp/parley/internal/model"
)

var update = flag.Bool("update", false, "rewrite the expected reports in testdata")

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// twoHeads are the heads of generated examples.
var twoHeads = []string{"topic", "stance"}

// generated returns n examples of three topics and two stances, which their
// words tell most of the time. Two rows come from one source; a tenth of them
// has no stance.
func generated(seed uint64, n int) []dataset.Example {
	rng := rand.New(rand.NewPCG(seed, 1))
	topics, stances := []string{"economy", "people", "summit"}, []string{"con", "pro"}
	var list []dataset.Example
	for i := range n {
		topic, stance := topics[rng.IntN(3)], stances[rng.IntN(2)]
		words := make([]string, 8+rng.IntN(8))
		for j := range words {
			switch rng.IntN(6) {
			case 0:
				words[j] = fmt.Sprint(topic, rng.IntN(9))
			case 1:
				words[j] = fmt.Sprint(stance, rng.IntN(9))
			default:
				words[j] = fmt.Sprint("word", rng.IntN(60))
			}
		}
		if rng.IntN(10) == 0 {
			stance = ""
		}
		list = append(list, dataset.Example{
			Text: strings.Join(words, " "), ID: fmt.Sprint(i), Group: fmt.Sprint("source", i/2),
			Labels: []string{topic, stance}, File: "generated", Line: i + 1,
		})
	}
	return list
}

// quick is a small search over every kind of choice.
func quick() Config {
	c := Default()
	c.Features = []model.Features{{Words: 1}, {Words: 2, CharMin: 3, CharMax: 3}}
	c.Alphas, c.Folds = []float64{1, 0.1}, 3
	return c
}

// pinned is the search for one candidate.
func pinned(c candidate) Config {
	return Config{
		Features: []model.Features{c.Features}, Values: []model.Value{c.Value},
		Estimators: []Estimator{c.Estimator}, Alphas: []float64{c.Alpha}, Folds: 3,
	}
}

func mustTrain(t testing.TB, examples []dataset.Example, heads []string, cfg Config) (*model.Model, *Report) {
	t.Helper()
	m, r, err := Train(context.Background(), examples, heads, cfg)
	if err != nil {
		t.Fatal(err)
	}
	return m, r
}

// prepared is a run of Train up to the search.
func prepared(t testing.TB, examples []dataset.Example, heads []string, cfg Config) (*corpus, []*task) {
	t.Helper()
	f, err := union(cfg.Features)
	if err != nil {
		t.Fatal(err)
	}
	sorted, _ := sortExamples(examples, heads)
	c, err := newCorpus(context.Background(), sorted, f)
	if err != nil {
		t.Fatal(err)
	}
	tasks, err := newTasks(c, heads, &Report{})
	if err != nil {
		t.Fatal(err)
	}
	split(c, tasks, cfg.Folds, &Report{})
	return c, tasks
}

// shuffled returns the examples in another order.
func shuffled(examples []dataset.Example, seed uint64) []dataset.Example {
	list := slices.Clone(examples)
	rng := rand.New(rand.NewPCG(seed, 2))
	rng.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
	return list
}

// texts makes an example without labels of each text.
func texts(list ...string) []dataset.Example {
	var examples []dataset.Example
	for _, text := range list {
		examples = append(examples, dataset.Example{Text: text})
	}
	return examples
}

func asJSON(t testing.TB, r *Report) []byte {
	t.Helper()
	b, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func asText(t testing.TB, r *Report) string {
	t.Helper()
	var b bytes.Buffer
	if err := r.WriteText(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}
