package suggest_test

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/parley-nlp/parley/internal/copies"
	"github.com/parley-nlp/parley/internal/dataset"
	"github.com/parley-nlp/parley/internal/model"
	"github.com/parley-nlp/parley/internal/suggest"
	"github.com/parley-nlp/parley/internal/train"
)

var topics = []string{"sport", "money", "weather"}

// text is about a topic, more or less: mix of its words are those of another.
func text(rng *rand.Rand, topic int, mix float64) string {
	var words []string
	for range 12 {
		t := topic
		if rng.Float64() < mix {
			t = (topic + 1) % len(topics)
		}
		words = append(words, fmt.Sprintf("%s%d", topics[t], rng.IntN(40)))
	}
	return strings.Join(words, " ")
}

// examples are n labelled texts.
func examples(seed uint64, n int) []dataset.Example {
	rng := rand.New(rand.NewPCG(seed, 1))
	var list []dataset.Example
	for i := range n {
		list = append(list, dataset.Example{Text: text(rng, i%3, .2), Labels: []string{topics[i%3]}})
	}
	return list
}

func trained(t *testing.T, list []dataset.Example) *model.Model {
	t.Helper()
	m, _, err := train.Train(context.Background(), list, []string{"topic"}, suggest.QuickConfig())
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// rows are those of a pool, some nearly the same as others.
func rows(seed uint64, n int) []suggest.Row {
	rng := rand.New(rand.NewPCG(seed, 2))
	var list []suggest.Row
	for i := range n {
		r := suggest.Row{Text: text(rng, i%3, rng.Float64()), ID: fmt.Sprint(i)}
		if i > 0 && rng.IntN(4) == 0 {
			r.Text = list[rng.IntN(i)].Text + fmt.Sprintf(" and%d", i)
		}
		list = append(list, r)
	}
	return list
}

func choose(t *testing.T, cfg suggest.Config, list []suggest.Row) *suggest.Batch {
	t.Helper()
	p, err := suggest.NewPool(cfg)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range list {
		p.Add(r)
	}
	return p.Batch()
}

func alike(a, b string) bool {
	s, x := copies.NewShingler(), copies.NewIndex()
	list := slices.Clone(s.Shingles(a))
	x.Add(len(list), list)
	list = s.Shingles(b)
	return a == b || len(x.Find(len(list), list)) > 0
}

// TestBatch: no text is nearly the same as one before it or as a labelled one, none
// is labelled, no predicted label comes too often, and the random share is kept.
func TestBatch(t *testing.T) {
	labelled := examples(1, 60)
	m := trained(t, labelled)
	for seed := range uint64(20) {
		pool := append(rows(seed, 400), suggest.Row{Text: labelled[0].Text}, suggest.Row{Text: labelled[1].Text + " too"})
		b := choose(t, suggest.Config{Model: m, N: 20, RandomShare: .15, Labelled: labelled}, pool)
		random, of := 0, map[string]int{}
		for i, item := range b.Items {
			if item.Selection == suggest.Random {
				random++
				if i >= 3 {
					t.Errorf("item %d is random: want random ones first", i)
				}
				continue
			}
			of[item.Answers[0].Scores[0].Label]++
			for _, before := range b.Items[:i] {
				if alike(item.Text, before.Text) {
					t.Errorf("near-duplicates: %q, %q", item.Text, before.Text)
				}
			}
			for _, ex := range labelled {
				if alike(item.Text, ex.Text) {
					t.Errorf("nearly the same as a labelled text: %q", item.Text)
				}
			}
			if item.SelectionProbability != 0 {
				t.Errorf("an uncertain text has the probability %v", item.SelectionProbability)
			}
		}
		if len(b.Items) != 20 || random != 3 || b.Counts.Labelled != 1 {
			t.Fatalf("%d items, %d random; %+v", len(b.Items), random, b.Counts)
		}
		for l, n := range of {
			if n > 7 { // three labels: a third of twenty
				t.Errorf("%d texts of the predicted label %s", n, l)
			}
		}
	}
}

// TestUncertainFirst: what is chosen is less sure than what is left, on the whole.
func TestUncertainFirst(t *testing.T) {
	labelled := examples(1, 60)
	m := trained(t, labelled)
	pool := rows(3, 1000)
	b := choose(t, suggest.Config{Model: m, N: 20, RandomShare: .15, Labelled: labelled}, pool)
	all := choose(t, suggest.Config{Model: m, N: 1000, RandomShare: 1, Labelled: labelled}, pool)
	mean := func(items []suggest.Item, s suggest.Selection) float64 {
		sum, n := 0.0, 0.0
		for _, i := range items {
			if i.Selection == s {
				sum, n = sum+i.Uncertainty, n+1
			}
		}
		return sum / n
	}
	if got, pool := mean(b.Items, suggest.Uncertain), mean(all.Items, suggest.Random); got < pool+.2 {
		t.Errorf("mean uncertainty %.2f, of the pool %.2f", got, pool)
	}
}

// TestDeterminism: neither the order of rows nor that of labelled texts matters.
func TestDeterminism(t *testing.T) {
	labelled := examples(1, 60)
	m := trained(t, labelled)
	cfg := suggest.Config{Model: m, N: 40, RandomShare: .15, Labelled: labelled}
	pool := rows(5, 2000)
	want := texts(choose(t, cfg, pool))
	rng := rand.New(rand.NewPCG(1, 1))
	for range 3 {
		rng.Shuffle(len(pool), func(i, j int) { pool[i], pool[j] = pool[j], pool[i] })
		cfg.Labelled = slices.Clone(labelled)
		slices.Reverse(cfg.Labelled)
		if got := texts(choose(t, cfg, pool)); !slices.Equal(got, want) {
			t.Fatalf("another order, another batch: %q, %q", got, want)
		}
	}
	cfg.Labelled = append(cfg.Labelled, dataset.Example{Text: "one more", Labels: []string{"sport"}})
	if got := texts(choose(t, cfg, pool)); slices.Equal(got[:6], want[:6]) {
		t.Error("after another label the random texts are the same")
	}
}

func texts(b *suggest.Batch) (list []string) {
	for _, i := range b.Items {
		list = append(list, i.Text)
	}
	return list
}

// TestRandomShareIsUniform: over many draws each text is drawn as often as its
// probability says, and the inverse probabilities add up to what the pool stands
// for, whatever the copies and shares of its rows.
func TestRandomShareIsUniform(t *testing.T) {
	var pool []suggest.Row
	rng := rand.New(rand.NewPCG(9, 9))
	stands := 0.0
	for i := range 40 {
		for range 1 + i%3 {
			r := suggest.Row{Text: fmt.Sprintf("text %d", i), Share: []float64{0, .5, .1}[rng.IntN(3)]}
			pool = append(pool, r)
			if r.Share == 0 {
				r.Share = 1
			}
			stands += 1 / r.Share
		}
	}
	const draws = 3000
	drawn, sum := map[string]int{}, 0.0
	for d := range draws {
		labelled := []dataset.Example{{Text: fmt.Sprintf("label %d", d), Labels: []string{"x"}}}
		b := choose(t, suggest.Config{Heads: []string{"topic"}, N: 8, RandomShare: 1, Labelled: labelled}, pool)
		if len(b.Items) != 8 || b.Counts.Texts != 40 {
			t.Fatalf("%d items, %+v", len(b.Items), b.Counts)
		}
		for _, i := range b.Items {
			drawn[i.Text]++
			sum += 1 / i.SelectionProbability
		}
	}
	for text, n := range drawn {
		if z := (float64(n) - draws*.2) / math.Sqrt(draws*.2*.8); math.Abs(z) > 4.5 {
			t.Errorf("%s was drawn %d times of %d, z %.1f: want a fifth", text, n, draws, z)
		}
	}
	if got := sum / draws; math.Abs(got/stands-1) > .02 {
		t.Errorf("inverse probabilities add up to %.1f on average, want %.1f", got, stands)
	}
}

// TestProbability: without copies and shares it is that of inclusion.
func TestProbability(t *testing.T) {
	pool := []suggest.Row{{Text: "a"}, {Text: "b", Share: .5}, {Text: "c"}, {Text: "d"}}
	for _, item := range choose(t, suggest.Config{Heads: []string{"h"}, N: 3, RandomShare: 1}, pool).Items {
		want := 3. / 4
		if item.Text == "b" {
			want /= 2
		}
		if item.SelectionProbability != want {
			t.Errorf("%s: %v, want %v", item.Text, item.SelectionProbability, want)
		}
	}
}

// TestColdStart: without a model the batch has texts of more kinds than one drawn
// by chance.
func TestColdStart(t *testing.T) {
	complete := func(share float64) (n int) {
		for seed := range uint64(40) {
			rng := rand.New(rand.NewPCG(seed, 4))
			var pool []suggest.Row
			for i := range 300 {
				topic := 0
				if i%10 < 2 {
					topic = 1 + i%2
				}
				pool = append(pool, suggest.Row{Text: text(rng, topic, 0)})
			}
			list := texts(choose(t, suggest.Config{Heads: []string{"topic"}, N: 12, RandomShare: share}, pool))
			if !slices.ContainsFunc(topics, func(topic string) bool {
				return !slices.ContainsFunc(list, func(s string) bool { return strings.HasPrefix(s, topic) })
			}) {
				n++
			}
		}
		return n
	}
	if chosen, random := complete(0), complete(1); chosen < random+8 {
		t.Errorf("of 40 batches %d have all topics, of random ones %d", chosen, random)
	}
}

// TestAnswersOfRows: without a model the answers of rows count, of the heads asked
// for.
func TestAnswersOfRows(t *testing.T) {
	var pool []suggest.Row
	for i := range 100 {
		p := .5 + float64(i)/200
		pool = append(pool, suggest.Row{Text: fmt.Sprintf("a%d b%d c%d", i, i, i), Answers: []suggest.Answer{
			{Head: "other", Scores: []suggest.Score{{Label: "x", Probability: .5}, {Label: "y", Probability: .5}}},
			{Head: "topic", Scores: []suggest.Score{{Label: "x", Probability: p}, {Label: "y", Probability: 1 - p}}},
		}})
	}
	b := choose(t, suggest.Config{Heads: []string{"topic"}, N: 2}, pool)
	if len(b.Items) != 2 || b.Items[0].Uncertainty < .7 || len(b.Items[0].Answers) != 1 {
		t.Errorf("%+v", b.Items)
	}
}

// TestFlood: thousands of copies of what the model is least sure of leave room for
// others.
func TestFlood(t *testing.T) {
	labelled := examples(1, 60)
	m := trained(t, labelled)
	pool := rows(3, 300)
	circular := "sport1 money1 weather1 sport2 money2 weather2 dear reader please vote now and tell all your friends about it today number"
	for i := range 4000 {
		pool = append(pool, suggest.Row{Text: fmt.Sprintf("%s n%d", circular, i)})
	}
	b := choose(t, suggest.Config{Model: m, N: 20, Labelled: labelled}, pool)
	n := 0
	for _, s := range texts(b) {
		if strings.HasPrefix(s, circular) {
			n++
		}
	}
	if len(b.Items) != 20 || n > 1 {
		t.Errorf("%d items, %d of them the circular", len(b.Items), n)
	}
}

// TestFullLabels: where the model predicts one label alone, the batch is full
// nevertheless.
func TestFullLabels(t *testing.T) {
	var pool []suggest.Row
	for i := range 100 {
		pool = append(pool, suggest.Row{Text: fmt.Sprintf("a%d b%d c%d", i, i, i), Answers: []suggest.Answer{
			{Head: "h", Scores: []suggest.Score{{Label: "x", Probability: .6}, {Label: "y", Probability: .3}, {Label: "z", Probability: .1}, {Label: "w"}}},
		}})
	}
	if b := choose(t, suggest.Config{Heads: []string{"h"}, N: 20, RandomShare: .15}, pool); len(b.Items) != 20 {
		t.Errorf("%d items: want 20", len(b.Items))
	}
}

// TestSmallPools: what is there is suggested, once.
func TestSmallPools(t *testing.T) {
	for n := range 6 {
		pool := rows(7, n)
		b := choose(t, suggest.Config{Heads: []string{"h"}, N: 20, RandomShare: .15}, append(pool, pool...))
		seen := map[string]bool{}
		for _, s := range texts(b) {
			if seen[s] {
				t.Errorf("%q twice", s)
			}
			seen[s] = true
		}
		if b.Counts.Copies != n || len(b.Items) > n {
			t.Errorf("%d rows: %d items, %+v", n, len(b.Items), b.Counts)
		}
	}
}

// TestSkip: what the caller does not want is left out, and blank texts.
func TestSkip(t *testing.T) {
	cfg := suggest.Config{Heads: []string{"h"}, N: 9, RandomShare: .5, Skip: func(text, target string) bool { return text == "gone" || target == "queued" }}
	b := choose(t, cfg, []suggest.Row{{Text: "gone"}, {Text: " "}, {Text: "here", Target: "queued"}, {Text: "here"}})
	if got := texts(b); !slices.Equal(got, []string{"here"}) || b.Counts.Skipped != 3 {
		t.Errorf("%q, %+v", got, b.Counts)
	}
}

func TestErrors(t *testing.T) {
	m := trained(t, examples(1, 60))
	for _, c := range []struct {
		cfg  suggest.Config
		want string
	}{
		{suggest.Config{Model: m, N: 0}, "batch of 0"},
		{suggest.Config{Model: m, N: suggest.MaxBatch + 1}, "batch of"},
		{suggest.Config{Model: m, N: 1, RandomShare: math.NaN()}, "random share"},
		{suggest.Config{N: 1}, "no heads"},
		{suggest.Config{Model: m, N: 1, Heads: []string{"mood"}}, `no head "mood": it has ["topic"]`},
	} {
		if _, err := suggest.NewPool(c.cfg); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: %v, want %q", c.cfg, err, c.want)
		}
	}
}

// TestBoundedMemory: of a pool with much more text than that, little is kept.
func TestBoundedMemory(t *testing.T) {
	if testing.Short() {
		t.Skip("reads 200,000 rows")
	}
	p, err := suggest.NewPool(suggest.Config{Heads: []string{"h"}, N: 20, RandomShare: .15})
	if err != nil {
		t.Fatal(err)
	}
	const n, size = 200_000, 2000
	rng := rand.New(rand.NewPCG(1, 1))
	filling := strings.Repeat("x", size)
	before := heapBytes()
	for i := range n {
		p.Add(suggest.Row{Text: fmt.Sprintf("%d %d %d ", i, rng.Uint64(), rng.Uint64()) + filling})
	}
	if grown := heapBytes() - before; grown > n*size/10 {
		t.Errorf("%d MB kept of %d MB", grown>>20, n*size>>20)
	}
	if b := p.Batch(); len(b.Items) != 20 || b.Counts.Texts != n {
		t.Errorf("%d items, %+v", len(b.Items), b.Counts)
	}
}

func heapBytes() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// TestSuspects: flipped labels come first.
func TestSuspects(t *testing.T) {
	list := examples(2, 300)
	flipped := map[string]string{}
	for i := 0; i < len(list); i += 30 {
		flipped[list[i].Text] = list[i].Labels[0]
		list[i].Labels = []string{topics[(i+1)%3]}
	}
	items, err := suggest.Suspects(context.Background(), list, []string{"topic"}, 10)
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for i, item := range items {
		if truth, ok := flipped[item.Text]; ok && item.Doubt.Expected == truth {
			found++
		}
		if i > 0 && item.Doubt.Surprise > items[i-1].Doubt.Surprise || item.Doubt.Given == item.Doubt.Expected || item.Selection != suggest.Suspect {
			t.Errorf("item %d: %+v after %+v", i, item.Doubt, items[max(0, i-1)].Doubt)
		}
	}
	if found < 9 {
		t.Errorf("%d of 10 flipped labels found", found)
	}
	if _, err := suggest.Suspects(context.Background(), list[:0], []string{"topic"}, 10); err == nil {
		t.Error("no error without labels")
	}
}
