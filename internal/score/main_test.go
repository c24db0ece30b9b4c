package score

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/rs/zerolog"
	"go.uber.org/goleak"

	"github.com/parley-nlp/parley/client"
	"github.com/parley-nlp/parley/internal/dataset"
	"github.com/parley-nlp/parley/internal/model"
	"github.com/parley-nlp/parley/internal/serve"
	"github.com/parley-nlp/parley/internal/train"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// topics are the words of the test model's topics, the first one its name.
var topics = [][]string{
	strings.Fields("money shares fell oil price bank trade rate market"),
	strings.Fields("sport goal match cup coach striker fans late win"),
	strings.Fields("summit talks leaders ceasefire plan meeting base envoy"),
}

// common are words of every topic.
var common = strings.Fields("the a of in was great terrible and said today")

// paragraph returns a text about a topic.
func paragraph(rng *rand.Rand, topic int) string {
	words := make([]string, 6+rng.IntN(20))
	for i := range words {
		words[i] = common[rng.IntN(len(common))]
		if rng.IntN(3) == 0 {
			words[i] = topics[topic][rng.IntN(len(topics[topic]))]
		}
	}
	return strings.Join(words, " ")
}

var trained = sync.OnceValues(func() (*model.Model, error) {
	rng := rand.New(rand.NewPCG(1, 2))
	var examples []dataset.Example
	for i := range 150 {
		text := paragraph(rng, i%3)
		praise := cmp.Compare(strings.Count(text, "great"), strings.Count(text, "terrible"))
		stance := []string{"con", "neutral", "pro"}[praise+1]
		examples = append(examples, dataset.Example{Text: text, Labels: []string{topics[i%3][0], stance}})
	}
	m, _, err := train.Train(context.Background(), examples, []string{"topic", "stance"}, plain)
	return m, err
})

// plain is a training run without a search.
var plain = train.Config{
	Features: []model.Features{train.LongText}, Values: []model.Value{model.Binary},
	Estimators: []train.Estimator{train.MultinomialNB}, Alphas: []float64{1}, Members: 1,
}

func testModel(t testing.TB) *model.Model {
	t.Helper()
	m, err := trained()
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// targets are what the stances of targetModel are towards. What is great
// elsewhere is terrible for the second one.
var targets = []string{"the plan", "the rivals"}

// targetModel returns a model of single words whose stance has targets, a
// threshold for pro, and label sets.
func targetModel(t testing.TB) *model.Model {
	t.Helper()
	features := model.Features{Words: 1}
	x, err := model.NewExtractor(features, 0)
	if err != nil {
		t.Fatal(err)
	}
	id := func(word string) model.FeatureID { return x.Extract(word)[0].ID }
	rows := map[model.FeatureID][6]int16{} // money, sport, summit, con, neutral, pro
	for _, word := range common {
		rows[id(word)] = [6]int16{}
	}
	for i, words := range topics {
		for _, word := range words {
			row := [6]int16{}
			row[i] = 2
			rows[id(word)] = row
		}
	}
	rows[id("great")], rows[id("terrible")] = [6]int16{3: -2, 5: 2}, [6]int16{3: 2, 5: -2}
	aimed := map[model.FeatureID][3]int16{
		model.Cross(id("great"), targets[0]):    {-1, 1, 0},
		model.Cross(id("great"), targets[1]):    {4, 0, -4},
		model.Cross(id("terrible"), targets[1]): {-4, 0, 4},
	}

	spec := model.Spec{Features: features, MinKnownShare: 0.5, Heads: targetHeads()}
	for _, id := range slices.Sorted(maps.Keys(rows)) {
		row := rows[id]
		spec.IDs, spec.Weights = append(spec.IDs, id), append(spec.Weights, row[:]...)
	}
	stance := &spec.Heads[len(spec.Heads)-1]
	for _, id := range slices.Sorted(maps.Keys(aimed)) {
		row := aimed[id]
		stance.TargetIDs, stance.TargetWeights = append(stance.TargetIDs, id), append(stance.TargetWeights, row[:]...)
	}
	m, err := model.New(spec)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func targetHeads() []model.Head {
	third := []float64{0.25, 0.5, 0.25}
	head := func(name string, labels ...string) model.Head {
		return model.Head{
			Name: name, Labels: labels, DocCounts: []uint64{1, 2, 1}, Prior: third, Bias: []int64{0, 0, 0},
			Blocks: []model.Block{{Value: model.TF}}, InverseTemperature: 1, TargetInverseTemperature: 0.5,
		}
	}
	stance := head("stance", "con", "neutral", "pro")
	stance.Blocks[0].Targets = true
	for _, name := range targets {
		stance.Targets = append(stance.Targets, model.Target{Name: name, DocCounts: []uint64{1, 1, 1}, Prior: third, Bias: []int64{0, 1 << model.ScoreBits, 0}})
	}
	stance.LabelThresholds = []float64{0, 0, 0.8}
	stance.Sets = model.LabelSets{Coverage: 0.9, Thresholds: []float64{0.2, 0.4, 0.2}}
	return []model.Head{head("topic", "money", "sport", "summit"), stance}
}

// start runs a real server with the test model on loopback until the test ends
// and returns a client of it.
func start(t testing.TB, opts ...client.Option) *client.Client {
	t.Helper()
	return startWith(t, testModel(t), opts...)
}

func startWith(t testing.TB, m *model.Model, opts ...client.Option) *client.Client {
	t.Helper()
	s, err := serve.New(serve.Config{Log: zerolog.Nop()})
	if err != nil {
		t.Fatal(err)
	}
	s.Use(m)
	lis, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	served := make(chan error)
	go func() { served <- s.Serve(ctx, lis) }()
	c, err := client.Dial(lis.Addr().String(), opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
		stop()
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
	return c
}

func mustLocal(t testing.TB, o Options) Classifier {
	t.Helper()
	return mustLocalWith(t, testModel(t), o)
}

func mustLocalWith(t testing.TB, m *model.Model, o Options) Classifier {
	t.Helper()
	c, err := Local(m, o)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func mustRemote(t testing.TB, c *client.Client, o Options) Classifier {
	t.Helper()
	r, err := Remote(c, o, Calls{})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// unlabelled are the options for rows to be scored.
var unlabelled = dataset.Options{NoLabels: true}

// A count is how many rows a run has written, and how many are errors.
type count struct{ Rows, Errors int64 }

// jobOf is a run over named files of JSONL.
func jobOf(c Classifier, files ...string) Job {
	j := Job{Data: unlabelled, Classifier: c, Format: JSONL, Workers: 3, Range: All, MaxErrors: -1}
	for i, f := range files {
		j.Sources = append(j.Sources, dataset.Reader(fmt.Sprintf("f%d.jsonl", i), strings.NewReader(f)))
	}
	return j
}

// run scores the rows of named files and returns the lines of the output.
func run(c Classifier, files ...string) (lines []string, n count, err error) {
	var out bytes.Buffer
	s, err := jobOf(c, files...).Run(context.Background(), State{}, &out, nil)
	for line := range strings.Lines(out.String()) {
		lines = append(lines, strings.TrimSuffix(line, "\n"))
	}
	return lines, count{s.Summary.Rows, s.Summary.Errors}, err
}
