package train

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/parley-nlp/parley/data"
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

// opposed returns n examples of two targets, of which the same words say
// opposite things: what is good for the one is bad for the other.
func opposed(seed uint64, n int) []dataset.Example {
	rng := rand.New(rand.NewPCG(seed, 3))
	targets, labels := []string{"Oil", "Wind power"}, []string{"con", "pro"}
	var list []dataset.Example
	for i := range n {
		target, label := rng.IntN(2), rng.IntN(2)
		words := make([]string, 10)
		for j := range words {
			words[j] = fmt.Sprint("word", rng.IntN(80))
			if rng.IntN(3) == 0 {
				words[j] = fmt.Sprint([]string{"rise", "fall"}[(target+label)%2], rng.IntN(6))
			}
		}
		list = append(list, dataset.Example{
			Text: strings.Join(words, " "), Target: targets[target], Labels: []string{labels[label]},
			File: "opposed", Line: i + 1,
		})
	}
	return list
}

// paragraphs returns every n-th paragraph of the embedded corpus.
func paragraphs(t testing.TB, n int) []dataset.Example {
	t.Helper()
	b, err := data.FS.ReadFile("train.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	src := dataset.Reader("train.jsonl", bytes.NewReader(b))
	set, err := dataset.ReadAll([]dataset.Source{src}, dataset.Options{Heads: twoHeads})
	if err != nil {
		t.Fatal(err)
	}
	var list []dataset.Example
	for i := 0; i < len(set.Examples); i += n {
		list = append(list, set.Examples[i])
	}
	return list
}

// quick is a small search over every kind of choice.
func quick() Config {
	c := Default()
	c.Features = []model.Features{{Words: 1}, {Words: 2, CharMin: 3, CharMax: 3}}
	c.Values = []model.Value{model.Binary, model.TFIDF}
	c.Estimators = []Estimator{MultinomialNB, TransformedCNB, NBLogistic, SVM}
	c.Alphas, c.Costs, c.Folds = []float64{0.3}, []float64{0.3}, 3
	return c
}

// pinned is the search for one candidate.
func pinned(c candidate) Config {
	cfg := Config{
		Features: []model.Features{c.Features}, Values: []model.Value{c.Value},
		Estimators: []Estimator{c.Estimator}, Members: 1, Folds: 3,
	}
	if c.Estimator.linear() {
		cfg.Costs = []float64{c.Strength}
	} else {
		cfg.Alphas = []float64{c.Strength}
	}
	return cfg
}

// everyValue are the value functions.
var everyValue = []model.Value{model.Binary, model.TF, model.BinaryL2, model.TFIDF}

func mustTrain(t testing.TB, examples []dataset.Example, heads []string, cfg Config) (*model.Model, *Report) {
	t.Helper()
	m, r, err := Train(context.Background(), examples, heads, cfg)
	if err != nil {
		t.Fatal(err)
	}
	return m, r
}

// prepared is a run of Train up to the search.
func prepared(t testing.TB, examples []dataset.Example, heads []string, f model.Features, folds int) []*task {
	t.Helper()
	sorted, _ := sortExamples(examples, heads)
	c, err := newCorpus(context.Background(), sorted, f)
	if err != nil {
		t.Fatal(err)
	}
	tasks, err := newTasks(c, heads, &Report{})
	if err != nil {
		t.Fatal(err)
	}
	deal(c, tasks, folds, &Report{})
	return tasks
}

// everything is what is known by all examples.
func (t *task) everything() *seen { return t.seenBy(func(int) bool { return true }) }

// everyLabelled lists the labelled examples.
func (t *task) everyLabelled() []int { return t.labelled(func(int) bool { return true }) }

// assembled is the head of the given members with made-up blends, trained on
// all examples, and its model.
func assembled(t testing.TB, task *task, pooled, aimed []candidate) (*trainedHead, *model.Model) {
	t.Helper()
	h := &trainedHead{ensemble: ensemble{task: task}}
	for i, c := range pooled {
		h.pooled = append(h.pooled, &contender{candidate: c})
		h.pooledBlend.weights = append(h.pooledBlend.weights, 0.4+0.3*float64(i))
	}
	h.pooledBlend.bias = slopes(len(task.labels))
	if len(aimed) > 0 {
		h.targetBlend = blend{[]float64{0.7}, slopes(len(task.labels))}
	}
	for i, c := range aimed {
		h.aimed = append(h.aimed, &contender{candidate: c, scope: perTarget})
		h.targetBlend.weights = append(h.targetBlend.weights, 0.5+0.2*float64(i))
	}
	all := task.everything()
	h.fitAll(all)
	spec, err := assemble(task.corpus, []*trainedHead{h}, all)
	if err != nil {
		t.Fatal(err)
	}
	m, err := model.New(spec)
	if err != nil {
		t.Fatal(err)
	}
	return h, m
}

// slopes are biases that differ from label to label.
func slopes(labels int) []float64 {
	list := make([]float64, labels)
	for l := range list {
		list[l] = 0.25*float64(l) - 0.1
	}
	return list
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

// says reports whether err has want in its text, or is nil when want is empty.
func says(err error, want string) bool {
	return err == nil && want == "" || err != nil && want != "" && strings.Contains(err.Error(), want)
}

// within fails the test when got is further than distance from want.
func within(t testing.TB, what string, got, want, distance float64) {
	t.Helper()
	if !(math.Abs(got-want) <= distance) {
		t.Errorf("%s: got %v, want %v within %v", what, got, want, distance)
	}
}

// asJSON also proves that no figure is infinite or not a number.
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
