package score

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"net"
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
		stance := "neutral"
		if great, terrible := strings.Count(text, "great"), strings.Count(text, "terrible"); great > terrible {
			stance = "pro"
		} else if terrible > great {
			stance = "con"
		}
		examples = append(examples, dataset.Example{Text: text, Labels: []string{topics[i%3][0], stance}})
	}
	m, _, err := train.Train(context.Background(), examples, []string{"topic", "stance"}, train.Default())
	return m, err
})

func testModel(t testing.TB) *model.Model {
	t.Helper()
	m, err := trained()
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// start runs a real server with the test model on loopback until the test ends
// and returns a client of it.
func start(t testing.TB, opts ...client.Option) *client.Client {
	t.Helper()
	s, err := serve.New(serve.Config{Log: zerolog.Nop()})
	if err != nil {
		t.Fatal(err)
	}
	s.Use(testModel(t))
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
	c, err := Local(testModel(t), o)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func mustRemote(t testing.TB, c *client.Client, o Options) Classifier {
	t.Helper()
	r, err := Remote(c, o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// unlabelled are the options for rows to be scored.
var unlabelled = dataset.Options{NoLabels: true}

// run scores the rows of named files and returns the lines of the output.
func run(c Classifier, files ...string) (lines []string, s Summary, err error) {
	var srcs []dataset.Source
	for i, f := range files {
		srcs = append(srcs, dataset.Reader(fmt.Sprintf("f%d.jsonl", i), strings.NewReader(f)))
	}
	var out bytes.Buffer
	s, err = Run(context.Background(), c, srcs, unlabelled, &out)
	for line := range strings.Lines(out.String()) {
		lines = append(lines, strings.TrimSuffix(line, "\n"))
	}
	return lines, s, err
}
