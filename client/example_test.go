package client_test

import (
	"context"
	"fmt"
	"log"
	"net"

	"github.com/rs/zerolog"

	"github.com/parley-nlp/parley/client"
	"github.com/parley-nlp/parley/internal/dataset"
	"github.com/parley-nlp/parley/internal/model"
	"github.com/parley-nlp/parley/internal/serve"
	"github.com/parley-nlp/parley/internal/train"
)

func ExampleDial() {
	addr, stop := startServer(serve.Config{})
	defer stop()

	c, err := client.Dial(addr)
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()

	texts := []string{"Oil prices and shares fell.", "A late goal decided the match.", "平和"}
	results, err := c.ClassifyAll(context.Background(), texts, nil)
	if err != nil {
		log.Fatal(err)
	}
	for i, r := range results {
		if r.Err != nil {
			log.Fatal(r.Err)
		}
		p := r.Classification.GetPredictions()[0]
		fmt.Printf("%s: %s %s %q\n", texts[i], p.GetHead(), p.GetDecision(), p.GetLabel())
	}
	// Output:
	// Oil prices and shares fell.: topic DECISION_LABELED "money"
	// A late goal decided the match.: topic DECISION_LABELED "sport"
	// 平和: topic DECISION_NO_EVIDENCE ""
}

// startServer serves a model of six sentences on a free port of this machine.
func startServer(cfg serve.Config) (addr string, stop func()) {
	examples := []dataset.Example{
		{Text: "Shares fell as oil prices rose.", Labels: []string{"money"}},
		{Text: "The bank raised its rates.", Labels: []string{"money"}},
		{Text: "Prices and rates worry the markets.", Labels: []string{"money"}},
		{Text: "The goal came late in the match.", Labels: []string{"sport"}},
		{Text: "She decided the match with a header.", Labels: []string{"sport"}},
		{Text: "Their keeper saved a late penalty.", Labels: []string{"sport"}},
	}
	m, _, err := train.Train(context.Background(), examples, []string{"topic"}, train.Config{
		Features: []model.Features{train.LongText}, Values: []model.Value{model.Binary},
		Estimators: []train.Estimator{train.MultinomialNB}, Alphas: []float64{1}, Members: 1,
	})
	if err != nil {
		log.Fatal(err)
	}
	cfg.Log = zerolog.Nop()
	s, err := serve.New(cfg)
	if err != nil {
		log.Fatal(err)
	}
	s.Use(m)
	lis, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- s.Serve(ctx, lis) }()
	return lis.Addr().String(), func() {
		cancel()
		if err := <-served; err != nil {
			log.Fatal(err)
		}
	}
}
