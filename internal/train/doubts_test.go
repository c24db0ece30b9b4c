package train

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/parley-nlp/parley/internal/dataset"
	"github.com/parley-nlp/parley/internal/model"
)

// doubtful are texts of two topics and two moods, some with a wrong topic or mood.
func doubtful() (list []dataset.Example, wrong map[string]int) {
	rng := rand.New(rand.NewPCG(3, 4))
	wrong = map[string]int{}
	for i := range 200 {
		labels := []string{[]string{"east", "west"}[i%2], []string{"good", "bad"}[i/2%2]}
		var words []string
		for range 6 {
			words = append(words, fmt.Sprintf("%s%d", labels[0], rng.IntN(30)), fmt.Sprintf("%s%d", labels[1], rng.IntN(30)))
		}
		ex := dataset.Example{Text: strings.Join(words, " "), Labels: labels}
		switch {
		case i%40 == 0:
			labels[0], wrong[ex.Text] = "west", 0
		case i%40 == 21:
			labels[1], wrong[ex.Text] = "good", 1
			if i/2%2 == 0 {
				labels[1] = "bad"
			}
		}
		list = append(list, ex)
	}
	return list, wrong
}

// TestDoubts: wrong labels of each head are found, whatever the order of examples.
func TestDoubts(t *testing.T) {
	list, wrong := doubtful()
	heads := []string{"topic", "mood"}
	cfg := Config{Features: []model.Features{{Words: 1}}, Values: []model.Value{model.Binary}, Estimators: []Estimator{MultinomialNB}, Alphas: []float64{1}, Members: 1}
	doubts, err := Doubts(context.Background(), list, heads, cfg)
	if err != nil {
		t.Fatal(err)
	}
	for i, d := range doubts {
		h, ok := wrong[d.Example.Text]
		if i < len(wrong) && (!ok || heads[h] != d.Head) {
			t.Errorf("doubt %d is about a right label: %+v", i, d)
		}
		if i > 0 && d.Surprise > doubts[i-1].Surprise || math.IsInf(d.Surprise, 0) || d.Given == d.Expected {
			t.Errorf("doubt %d: %+v", i, d)
		}
	}
	if len(doubts) < len(wrong) {
		t.Fatalf("%d doubts, %d labels are wrong", len(doubts), len(wrong))
	}
	slices.Reverse(list)
	again, err := Doubts(context.Background(), list, heads, cfg)
	if err != nil || fmt.Sprint(again) != fmt.Sprint(doubts) {
		t.Errorf("another order, other doubts: %v", err)
	}
}

// TestDoubtsNothingToHoldOut: where all is of one source no label is doubted.
func TestDoubtsNothingToHoldOut(t *testing.T) {
	list, _ := doubtful()
	for i := range list {
		list[i].Group = "one"
	}
	cfg := Default()
	if doubts, err := Doubts(context.Background(), list, []string{"topic", "mood"}, cfg); err != nil || len(doubts) > 0 {
		t.Errorf("%d doubts, %v", len(doubts), err)
	}
	if _, err := Doubts(context.Background(), nil, []string{"topic"}, cfg); err == nil {
		t.Error("no error without examples")
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Doubts(ctx, list, []string{"topic", "mood"}, cfg); err == nil {
		t.Error("no error of a context that has ended")
	}
}
