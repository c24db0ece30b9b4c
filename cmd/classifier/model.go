package main

import (
	"errors"
	"fmt"
	"os"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"

	"github.com/parley-nlp/parley/client"
	"github.com/parley-nlp/parley/internal/model"
	"github.com/parley-nlp/parley/internal/score"
	"github.com/parley-nlp/parley/internal/store"
	"github.com/parley-nlp/parley/internal/train"
)

// modelFlag names a model file.
type modelFlag struct {
	Model string `short:"m" placeholder:"FILE" help:"Model file. Default: a model of the built-in corpus, trained on the spot."`
}

// maxModelBytes is the largest model file that is read.
const maxModelBytes = 4 << 30

// load reads the model, or trains one on the built-in corpus.
func (f modelFlag) load(e *env) (*model.Model, error) {
	if f.Model == "" {
		m, _, err := trainBuiltin(e)
		return m, err
	}
	return readModel(f.Model)
}

func readModel(path string) (*model.Model, error) {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return nil, fmt.Errorf("model: %w", err)
	case info.Size() > maxModelBytes:
		return nil, fmt.Errorf("model: %s has %d bytes, the limit is %d", path, info.Size(), int64(maxModelBytes))
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("model: %w", err)
	}
	m, err := model.Parse(b)
	if err != nil {
		return nil, fmt.Errorf("model: %s: %w", path, err)
	}
	return m, nil
}

// revisionFlags name a model in a store.
type revisionFlags struct {
	ModelName string `default:"default" placeholder:"NAME" help:"With --store: model in it. Default: ${default}."`
	Revision  string `default:"live" placeholder:"REVISION" help:"With --store: revision or alias. Default: ${default}."`
}

// storeModel reads and verifies a model of a store.
func storeModel(e *env, url, name, ref string) (m *model.Model, err error) {
	err = withStore(e, url, func(s *store.Store) error {
		id, err := s.Resolve(e.ctx, name, ref)
		if err == nil {
			m, err = s.Load(e.ctx, name, id)
		}
		return err
	})
	return m, err
}

// builtinSearch is the search for the built-in model, that of "classifier train
// --preset long": character n-grams would gain about a point of macro-F1 and
// take a minute.
func builtinSearch() train.Config {
	cfg := train.Default()
	cfg.Features = []model.Features{train.LongText}
	return cfg
}

// builtinConfig is that search without what it is known not to choose, so that
// the model is there in a few seconds. TestBuiltinIsTheDefault holds it to the
// model of the whole search.
func builtinConfig() train.Config {
	cfg := builtinSearch()
	cfg.Values = []model.Value{model.Binary, model.TFIDF}
	cfg.Estimators = []train.Estimator{train.MultinomialNB, train.SVM}
	cfg.Alphas, cfg.Costs = []float64{1, 0.1}, []float64{0.3, 1}
	return cfg
}

// trainBuiltin trains a model on the built-in corpus.
func trainBuiltin(e *env) (*model.Model, *train.Report, error) {
	set, err := builtinSet()
	if err != nil {
		return nil, nil, err
	}
	cfg := builtinConfig()
	bar := newProgress(e.stderr, "training on the built-in corpus")
	cfg.Progress = bar.update
	defer bar.clear()
	return train.Train(e.ctx, set.Examples, set.Heads, cfg)
}

// askFlags choose who classifies: a model at hand or a server.
type askFlags struct {
	Model     string `short:"m" xor:"who" placeholder:"FILE" help:"Model file. Default: a model of the built-in corpus, trained on the spot."`
	Store     string `xor:"who" placeholder:"URL" help:"Take the model from a store (see models) instead of a file."`
	Addr      string `xor:"who" placeholder:"HOST:PORT" help:"Ask a server instead; several addresses are separated by commas."`
	TLS       bool   `name:"tls" xor:"crypt" help:"Encrypt the connection to the server."`
	Plaintext bool   `xor:"crypt" help:"Allow an unencrypted connection to another machine."`
	revisionFlags

	Head           []string `sep:"none" placeholder:"NAME" help:"Head to run; repeat for several. Default: all."`
	MinProbability *float64 `placeholder:"P" help:"Abstain below this calibrated probability. Default: the model's own threshold."`
	MinMargin      float64  `placeholder:"P" default:"0" help:"Abstain when the best label leads by less than this."`
}

// classifier returns who answers, what is asked, and what to call when done.
func (f askFlags) classifier(e *env, o score.Options, calls score.Calls) (score.Classifier, score.Options, func(), error) {
	o.Heads, o.MinProbability, o.MinMargin = f.Head, f.MinProbability, f.MinMargin
	if err := o.Check(); err != nil {
		return nil, o, nil, usagef("%w", err)
	}
	if f.Addr == "" {
		m, err := f.load(e)
		if err != nil {
			return nil, o, nil, err
		}
		c, err := score.Local(m, o)
		return c, o, func() {}, err
	}
	c, err := f.dial()
	if err != nil {
		return nil, o, nil, err
	}
	r, err := score.Remote(c, o, calls)
	return r, o, func() { c.Close() }, err
}

// load returns the model of the file or the store, or the built-in one.
func (f askFlags) load(e *env) (*model.Model, error) {
	if f.Store != "" {
		return storeModel(e, f.Store, f.ModelName, f.Revision)
	}
	return modelFlag{f.Model}.load(e)
}

func (f askFlags) dial() (*client.Client, error) {
	// A server that comes back is found within seconds, not the two minutes that
	// gRPC would wait in the end.
	params := grpc.ConnectParams{Backoff: backoff.DefaultConfig, MinConnectTimeout: 20 * time.Second}
	params.Backoff.MaxDelay = 3 * time.Second
	opts := []client.Option{client.WithDialOptions(grpc.WithConnectParams(params))}
	if f.TLS {
		opts = append(opts, client.WithTLS(nil))
	}
	if f.Plaintext {
		opts = append(opts, client.WithPlaintext())
	}
	c, err := client.Dial(f.Addr, opts...)
	switch {
	case errors.Is(err, client.ErrNotLocal):
		return nil, usagef("--addr %s is not on this machine: say --tls or --plaintext", f.Addr)
	case err != nil:
		return nil, usagef("%w", err)
	}
	return c, nil
}
