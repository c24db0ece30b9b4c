package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"runtime/debug"

	"github.com/rs/zerolog"

	"github.com/parley-nlp/parley/bench"
	"github.com/parley-nlp/parley/internal/serve"
	parleyv1 "github.com/parley-nlp/parley/proto/parley/v1"
)

// A serveCmd is "compare serve".
type serveCmd struct {
	Model string `required:""`
	Echo  string // a text: answer everything with its classification
}

// Run serves on a free port of this machine until standard input ends. It
// prints the address, and then for each line of the input the processor seconds
// taken so far.
func (c *serveCmd) Run(e *env) error {
	s, err := c.server(e.ctx)
	if err != nil {
		return err
	}
	lis, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	debug.SetGCPercent(400) // as "classifier serve" does
	served := make(chan error, 1)
	go func() { served <- s.Serve(context.Background(), lis) }()
	fmt.Fprintln(e.stdout, lis.Addr())
	for lines := bufio.NewScanner(e.stdin); lines.Scan(); {
		fmt.Fprintln(e.stdout, bench.CPUSeconds())
	}
	s.Stop()
	return <-served
}

// server returns a server with the model.
func (c *serveCmd) server(ctx context.Context) (*serve.Server, error) {
	m, err := loadModel(c.Model)
	if err != nil {
		return nil, err
	}
	cfg := serve.Config{Log: zerolog.New(io.Discard).With().Timestamp().Logger()}
	s, err := serve.New(cfg)
	if err != nil {
		return nil, err
	}
	s.Use(m)
	if c.Echo == "" {
		return s, nil
	}
	defer s.Stop()
	answer, err := s.Classify(ctx, &parleyv1.ClassifyRequest{Document: &parleyv1.Document{Text: c.Echo}})
	if err != nil {
		return nil, err
	}
	echo, err := serve.NewFor(cfg, newEcho(answer))
	if err != nil {
		return nil, err
	}
	echo.Use(m) // so that its health is up
	return echo, nil
}

// An echo answers every document with the same classification.
type echo struct {
	parleyv1.UnimplementedClassificationServiceServer
	single  *parleyv1.ClassifyResponse
	results []*parleyv1.BatchClassifyResult // of the largest batch
}

// maxBatch is the largest batch that the servers take.
const maxBatch = 1000

func newEcho(answer *parleyv1.ClassifyResponse) *echo {
	e := &echo{single: answer}
	for range maxBatch {
		e.results = append(e.results, &parleyv1.BatchClassifyResult{
			Outcome: &parleyv1.BatchClassifyResult_Classification{Classification: answer.GetClassification()},
		})
	}
	return e
}

func (e *echo) Classify(context.Context, *parleyv1.ClassifyRequest) (*parleyv1.ClassifyResponse, error) {
	return e.single, nil
}

func (e *echo) BatchClassify(_ context.Context, req *parleyv1.BatchClassifyRequest) (*parleyv1.BatchClassifyResponse, error) {
	n := min(len(req.GetItems()), maxBatch)
	return &parleyv1.BatchClassifyResponse{ModelRevision: e.single.GetModelRevision(), Results: e.results[:n]}, nil
}
