package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"regexp"
	"runtime/debug"
	"sync"
	"time"

	"github.com/google/renameio/v2"
	"github.com/rs/zerolog"

	"github.com/parley-nlp/parley/internal/metrics"
	"github.com/parley-nlp/parley/internal/otlp"
	"github.com/parley-nlp/parley/internal/predictionlog"
	"github.com/parley-nlp/parley/internal/serve"
)

// telemetryFlags say what "classifier serve" tells of itself.
type telemetryFlags struct {
	AdminAddr     string `placeholder:"HOST:PORT" help:"Second port, with /metrics, /healthz, /readyz, and for callers on this machine /config, /debug/pprof/ and gRPC channelz and reflection. Default: none."`
	AdminAddrFile string `placeholder:"FILE" help:"Write the address of the second port here."`
	Reflection    string `enum:"auto,on,off" default:"auto" help:"Let clients of the serving port ask what it serves: on, off, or auto, which is on where --addr is of this machine alone. Default: ${default}."`

	LogSample float64       `default:"1" placeholder:"SHARE" help:"Share of the calls without an error that get a log line. Default: ${default}, all."`
	LogSlow   time.Duration `default:"1s" help:"Calls that take so long get a log line in any case, marked slow; 0s for none. Default: ${default}."`

	TraceEndpoint   string   `placeholder:"URL" help:"Send traces to this OpenTelemetry collector (gRPC), as http://127.0.0.1:4317. Default: as the variables OTEL_EXPORTER_OTLP_... say, or else none."`
	TraceSample     *float64 `placeholder:"SHARE" help:"Share of the traces that begin here and are kept; callers decide on theirs. Default: as OTEL_TRACES_SAMPLER says, or else all."`
	MetricsEndpoint string   `placeholder:"URL" help:"Send the metrics to this OpenTelemetry collector (gRPC), as well as to who asks for them. Default: as for traces."`
	DriftWindow     int      `default:"10000" placeholder:"DOCUMENTS" help:"Judge drift over so many documents. Default: ${default}."`

	PredictionLog         string   `placeholder:"FILE" help:"Keep a sample of texts and answers in this file, as JSON lines to label and train on. Default: none."`
	PredictionLogShare    float64  `default:"0.01" placeholder:"SHARE" help:"Share of the documents that are kept. Default: ${default}."`
	PredictionLogMaxBytes int64    `default:"104857600" placeholder:"BYTES" help:"Start a new file after so much. Default: ${default}."`
	PredictionLogKeep     int      `default:"10" placeholder:"FILES" help:"Keep so many older files, FILE.1 being the newest. Default: ${default}."`
	Redact                []string `sep:"none" placeholder:"PATTERN" help:"Replace what matches this regular expression (RE2) in texts before they are kept; repeat for several."`
}

// telemetry is what the flags opened.
type telemetry struct {
	flags  *telemetryFlags
	log    zerolog.Logger
	config serve.Telemetry
	shown  []byte // the configuration

	exporters *otlp.Exporters
	stopAdmin context.CancelFunc
	admin     sync.WaitGroup
}

// shutdownTimeout is how long the last spans and metrics may take.
const shutdownTimeout = 5 * time.Second

// open opens the prediction log and begins to send traces and metrics. The
// second port shows the configuration.
func (f *telemetryFlags) open(ctx context.Context, shown []byte, log zerolog.Logger) (*telemetry, error) {
	if f.LogSample <= 0 || f.DriftWindow < 1 {
		return nil, usagef("--log-sample and --drift-window: want more than 0")
	}
	if f.AdminAddrFile != "" && f.AdminAddr == "" {
		return nil, usagef("--admin-addr-file: there is no --admin-addr")
	}
	t := &telemetry{flags: f, log: log, shown: shown, stopAdmin: func() {}}
	t.config = serve.Telemetry{
		Metrics: metrics.NewRegistry(), LogShare: f.LogSample, SlowCall: f.LogSlow, DriftWindow: f.DriftWindow, Version: buildVersion(),
	}
	if f.LogSlow <= 0 {
		t.config.SlowCall = -1
	}
	var err error
	if t.config.Predictions, err = f.openPredictionLog(log); err != nil {
		return nil, err
	}
	if err := t.export(ctx); err != nil {
		t.close()
		return nil, err
	}
	return t, nil
}

func (f *telemetryFlags) openPredictionLog(log zerolog.Logger) (*predictionlog.Log, error) {
	if f.PredictionLog == "" {
		if len(f.Redact) > 0 {
			return nil, usagef("--redact: there is no --prediction-log")
		}
		return nil, nil
	}
	cfg := predictionlog.Config{
		Path: f.PredictionLog, Share: f.PredictionLogShare, MaxBytes: f.PredictionLogMaxBytes, Keep: f.PredictionLogKeep,
		Report: func(err error) {
			if err != nil {
				log.Error().Err(err).Msg("the prediction log cannot be written; calls go on, their rows are lost")
			} else {
				log.Info().Msg("the prediction log is written again")
			}
		},
	}
	for _, pattern := range f.Redact {
		p, err := regexp.Compile(pattern)
		if err != nil {
			return nil, usagef("--redact: %w", err)
		}
		if p.MatchString("") {
			return nil, usagef("--redact %s: it matches the empty text", pattern)
		}
		cfg.Redact = append(cfg.Redact, p)
	}
	if err := cfg.Check(); err != nil {
		return nil, usagef("%w", err)
	}
	return predictionlog.Open(cfg)
}

// export begins to send traces and metrics, where that is wanted.
func (t *telemetry) export(ctx context.Context) error {
	cfg := otlp.Config{
		TraceEndpoint: t.flags.TraceEndpoint, MetricsEndpoint: t.flags.MetricsEndpoint, TraceShare: -1,
		Metrics: t.config.Metrics, Service: "parley", Version: t.config.Version,
		Report: func(err error) { t.log.Warn().Err(err).Msg("telemetry was not sent") },
	}
	if share := t.flags.TraceSample; share != nil {
		if !(*share >= 0 && *share <= 1) {
			return usagef("--trace-sample %v: want 0 to 1", *share)
		}
		cfg.TraceShare = *share
	}
	var err error
	if t.exporters, err = otlp.Start(ctx, cfg); errors.Is(err, otlp.ErrEndpoint) {
		return usagef("%w", err)
	} else if err != nil {
		return err
	}
	t.config.Traces = t.exporters.Traces
	return nil
}

// reflects tells whether the serving port answers reflection.
func (f *telemetryFlags) reflects(addr string) bool {
	if f.Reflection != "auto" {
		return f.Reflection == "on"
	}
	host, _, err := net.SplitHostPort(addr)
	ip := net.ParseIP(host)
	return err == nil && (host == "localhost" || ip != nil && ip.IsLoopback())
}

// serveAdmin opens the second port.
func (t *telemetry) serveAdmin(s *serve.Server) error {
	if t.flags.AdminAddr == "" {
		return nil
	}
	lis, err := net.Listen("tcp", t.flags.AdminAddr)
	if err != nil {
		return fmt.Errorf("admin port: %w", err)
	}
	addr := lis.Addr().String()
	if file := t.flags.AdminAddrFile; file != "" {
		if err := renameio.WriteFile(file, []byte(addr+"\n"), 0o644); err != nil {
			return errors.Join(fmt.Errorf("%s: %w", file, err), lis.Close())
		}
	}
	ctx, stop := context.WithCancel(context.Background()) // it answers while the server drains
	t.stopAdmin = stop
	admin := serve.NewAdminPort(s, t.shown)
	t.admin.Go(func() {
		if err := admin.Serve(ctx, lis); err != nil {
			t.log.Error().Err(err).Msg("the admin port failed; calls go on")
		}
	})
	t.log.Info().Str("admin_addr", addr).Msg("admin port open")
	return nil
}

// close ends the second port, writes what the prediction log holds, and sends
// the last spans and metrics.
func (t *telemetry) close() {
	t.stopAdmin()
	t.admin.Wait()
	if t.flags.AdminAddrFile != "" {
		_ = os.Remove(t.flags.AdminAddrFile)
	}
	if l := t.config.Predictions; l != nil {
		if err := l.Close(); err != nil {
			t.log.Error().Err(err).Msg("the prediction log could not be closed")
		}
	}
	if t.exporters != nil {
		ctx, cancel := context.WithTimeout(context.Background(), shutdownTimeout)
		defer cancel()
		if err := t.exporters.Shutdown(ctx); err != nil {
			t.log.Warn().Err(err).Msg("the last telemetry was not sent")
		}
	}
}

// buildVersion is the version of the program, as far as it was told.
func buildVersion() string {
	if info, ok := debug.ReadBuildInfo(); ok {
		return info.Main.Version
	}
	return "(unknown)"
}
