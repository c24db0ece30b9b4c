package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/alecthomas/kong"
	"github.com/google/renameio/v2"
	"github.com/rs/zerolog"

	"github.com/parley-nlp/parley/internal/guard"
	"github.com/parley-nlp/parley/internal/serve"
)

// A serveCmd is "classifier serve".
type serveCmd struct {
	modelFlag
	servedFlags
	ledgerFlag
	Addr             string        `default:"127.0.0.1:50051" placeholder:"HOST:PORT" help:"Address to listen on; port 0 takes a free one. Default: ${default}."`
	AddrFile         string        `placeholder:"FILE" help:"Write the address here once calls are answered."`
	ModelName        string        `default:"default" placeholder:"NAME" help:"Name in models/NAME. Default: ${default}."`
	MaxDocumentBytes int           `default:"1048576" help:"Longest text that is classified. Default: ${default}."`
	MaxBatchItems    int           `default:"1000" help:"Most documents of a batch. Default: ${default}."`
	MaxMessageBytes  int           `default:"16777216" help:"Largest request that is read. Default: ${default}."`
	DrainDelay       time.Duration `default:"5s" help:"After SIGTERM, time to go on serving while health says no. Default: ${default}."`
	DrainTimeout     time.Duration `default:"30s" help:"After that, time for calls in flight. Default: ${default}."`
	LogLevel         string        `enum:"debug,info,warn,error" default:"info" help:"Least level that is logged: debug, info, warn or error."`
	LogFormat        string        `enum:"json,console" default:"json" help:"Log lines as json or for a console."`
	guardFlags
	telemetryFlags
}

// Run serves until the process is told to stop: a first signal drains, a
// second one stops at once.
func (c *serveCmd) Run(e *env, parsed *kong.Context) error {
	cfg, err := c.config(e)
	if err != nil {
		return err
	}
	c.tuneCollector()
	t, err := c.telemetryFlags.open(e.ctx, effective(parsed), cfg.Log)
	if err != nil {
		return err
	}
	defer t.close()
	cfg.Telemetry = t.config
	s, err := serve.New(cfg)
	if err != nil {
		return usagef("%w", err)
	}
	lis, err := c.listen(s, t, cfg.Guard.Security)
	if err != nil {
		return err
	}
	return c.serve(e, s, lis, cfg.Log)
}

// config returns the flags as the server takes them, but for its telemetry.
func (c *serveCmd) config(e *env) (serve.Config, error) {
	if c.MaxDocumentBytes < 1 || c.MaxBatchItems < 1 || c.MaxMessageBytes < 1 || c.DrainTimeout <= 0 {
		return serve.Config{}, usagef("--max-document-bytes, --max-batch-items, --max-message-bytes and --drain-timeout: want more than 0")
	}
	revisions, err := c.revisions(e.ctx, c.Model)
	if err != nil {
		return serve.Config{}, err
	}
	labels, err := c.labels(e.ctx)
	if err != nil {
		return serve.Config{}, err
	}
	guard, err := c.guard()
	if err != nil {
		return serve.Config{}, err
	}
	return serve.Config{
		NoReflection: !c.reflects(c.Addr), ModelName: c.ModelName,
		MaxDocumentBytes: c.MaxDocumentBytes, MaxBatchItems: c.MaxBatchItems, MaxMessageBytes: c.MaxMessageBytes,
		DrainDelay: c.DrainDelay, DrainTimeout: c.DrainTimeout,
		Revisions: revisions, Labels: labels, Guard: guard, Log: c.logger(e.stderr),
	}, nil
}

// listen opens the port of s, and the second one if there is to be one.
func (c *serveCmd) listen(s *serve.Server, t *telemetry, security guard.Security) (net.Listener, error) {
	lis, err := listen(c.Addr, security)
	if err != nil {
		return nil, err
	}
	if err := t.serveAdmin(s); err != nil {
		return nil, errors.Join(err, lis.Close())
	}
	t.log.Info().Str("addr", lis.Addr().String()).Msg("listening; not ready yet")
	return lis, nil
}

// serve answers calls on lis until the process is told to stop.
func (c *serveCmd) serve(e *env, s *serve.Server, lis net.Listener, log zerolog.Logger) error {
	served := make(chan error, 1)
	go func() { served <- s.Serve(e.ctx, lis) }()
	stopOnSecondSignal(e.ctx, s)
	c.reloadOnHangup(e.ctx, s)
	if err := c.start(e, s, lis.Addr(), log); err != nil {
		s.Stop()
		<-served
		if e.ctx.Err() != nil {
			return nil // told to stop before it was ready
		}
		return err
	}
	err := <-served
	if c.AddrFile != "" {
		err = errors.Join(err, os.Remove(c.AddrFile))
	}
	log.Info().Msg("stopped")
	return err
}

// start waits until there is a model and says that the server is ready.
func (c *serveCmd) start(e *env, s *serve.Server, addr net.Addr, log zerolog.Logger) error {
	if c.Store == "" {
		m, err := c.load(e)
		if err != nil {
			return err
		}
		if e.ctx.Err() != nil {
			return e.ctx.Err()
		}
		s.Use(m)
	}
	select {
	case <-s.Loaded():
	case <-e.ctx.Done():
		return e.ctx.Err()
	}
	log.Info().Str("addr", addr.String()).Str("revision", s.Live()).Msg("ready")
	if c.AddrFile == "" {
		return nil
	}
	if err := renameio.WriteFile(c.AddrFile, []byte(addr.String()+"\n"), 0o644); err != nil {
		return fmt.Errorf("%s: %w", c.AddrFile, err)
	}
	return nil
}

// stopOnSecondSignal stops s when a signal comes while it drains.
func stopOnSecondSignal(ctx context.Context, s *serve.Server) {
	context.AfterFunc(ctx, func() {
		again := make(chan os.Signal, 1)
		signal.Notify(again, os.Interrupt, syscall.SIGTERM)
		<-again
		s.Stop()
	})
}

func (c *serveCmd) logger(w io.Writer) zerolog.Logger {
	zerolog.TimeFieldFormat = time.RFC3339Nano
	if c.LogFormat == "console" {
		w = zerolog.ConsoleWriter{Out: w, NoColor: !isTerminal(w)}
	}
	level, err := zerolog.ParseLevel(c.LogLevel)
	if err != nil {
		level = zerolog.InfoLevel // the enum above leaves no other value
	}
	return zerolog.New(w).Level(level).With().Timestamp().Logger()
}
