// Package otlp sends traces and metrics to a collector by the OpenTelemetry
// protocol over gRPC.
//
// Both are off unless an endpoint is named, by the caller or by the variables
// that OpenTelemetry knows: OTEL_EXPORTER_OTLP_ENDPOINT for both,
// OTEL_EXPORTER_OTLP_TRACES_ENDPOINT and OTEL_EXPORTER_OTLP_METRICS_ENDPOINT for
// one. Its other variables hold too (headers, certificates, time-outs, batches,
// OTEL_TRACES_SAMPLER, OTEL_RESOURCE_ATTRIBUTES, OTEL_SERVICE_NAME), and
// OTEL_SDK_DISABLED=true, OTEL_TRACES_EXPORTER=none and
// OTEL_METRICS_EXPORTER=none turn it off.
package otlp

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	bridge "go.opentelemetry.io/contrib/bridges/prometheus"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetricgrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

// A Config says where to send what. The zero value follows the environment.
type Config struct {
	// TraceEndpoint and MetricsEndpoint are URLs of collectors:
	// http://HOST:PORT without encryption, https://HOST:PORT with.
	TraceEndpoint, MetricsEndpoint string
	// TraceShare is the share of traces that begin here and are kept. Traces
	// that a caller began are kept when the caller keeps them. Negative: as
	// OTEL_TRACES_SAMPLER says, or else all.
	TraceShare float64
	// MetricsInterval is the time between two exports; 0: as
	// OTEL_METRIC_EXPORT_INTERVAL says, or else a minute.
	MetricsInterval time.Duration
	// Metrics are those that are sent.
	Metrics prometheus.Gatherer
	// Service and Version name the program, unless the environment does.
	Service, Version string
	// Report is told of what cannot be sent (nil).
	Report func(error)
}

// Exporters send until they are shut down.
type Exporters struct {
	// Traces makes the spans that are sent; nil when traces are off.
	Traces trace.TracerProvider
	// Metrics tells whether metrics are sent.
	Metrics bool

	shutdown []func(context.Context) error
}

// ErrEndpoint is the error of an endpoint that is no URL of a collector.
var ErrEndpoint = errors.New("want http://HOST:PORT or https://HOST:PORT")

// Start begins to send. It does not wait for the collectors: what they miss is
// lost, and nothing else suffers. ctx is for setting up only.
func Start(ctx context.Context, cfg Config) (*Exporters, error) {
	for _, endpoint := range []string{cfg.TraceEndpoint, cfg.MetricsEndpoint} {
		if err := checkEndpoint(endpoint); err != nil {
			return nil, err
		}
	}
	if cfg.TraceShare > 1 {
		return nil, fmt.Errorf("share of traces %v: want 0 to 1", cfg.TraceShare)
	}
	e := &Exporters{}
	traces, metrics := wanted("TRACES", cfg.TraceEndpoint), wanted("METRICS", cfg.MetricsEndpoint) && cfg.Metrics != nil
	if !traces && !metrics {
		return e, nil
	}
	if cfg.Report != nil {
		otel.SetErrorHandler(otel.ErrorHandlerFunc(cfg.Report))
	}
	about, err := describe(ctx, cfg)
	if err == nil && traces {
		err = e.startTraces(ctx, cfg, about)
	}
	if err == nil && metrics {
		err = e.startMetrics(ctx, cfg, about)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("telemetry: %w", err), e.Shutdown(ctx))
	}
	return e, nil
}

func checkEndpoint(endpoint string) error {
	if endpoint == "" {
		return nil
	}
	u, err := url.Parse(endpoint)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.Port() == "" || u.User != nil {
		return fmt.Errorf("endpoint %q: %w", withoutPassword(u, endpoint), ErrEndpoint)
	}
	return nil
}

// withoutPassword is what an error says of an endpoint.
func withoutPassword(u *url.URL, endpoint string) string {
	if u == nil {
		return endpoint
	}
	return u.Redacted()
}

// wanted tells whether a signal is sent at all.
func wanted(signal, endpoint string) bool {
	switch {
	case strings.EqualFold(os.Getenv("OTEL_SDK_DISABLED"), "true"):
		return false
	case strings.EqualFold(os.Getenv("OTEL_"+signal+"_EXPORTER"), "none"):
		return false
	}
	return endpoint != "" || os.Getenv("OTEL_EXPORTER_OTLP_"+signal+"_ENDPOINT") != "" || os.Getenv("OTEL_EXPORTER_OTLP_ENDPOINT") != ""
}

// describe says whose spans and metrics they are; the environment wins.
func describe(ctx context.Context, cfg Config) (*resource.Resource, error) {
	return resource.New(ctx,
		resource.WithAttributes(attribute.String("service.name", cfg.Service), attribute.String("service.version", cfg.Version)),
		resource.WithTelemetrySDK(), resource.WithHost(), resource.WithProcessPID(), resource.WithFromEnv())
}

func (e *Exporters) startTraces(ctx context.Context, cfg Config, about *resource.Resource) error {
	var opts []otlptracegrpc.Option
	if cfg.TraceEndpoint != "" {
		opts = append(opts, otlptracegrpc.WithEndpointURL(cfg.TraceEndpoint))
	}
	exporter, err := otlptracegrpc.New(ctx, opts...)
	if err != nil {
		return err
	}
	options := []sdktrace.TracerProviderOption{sdktrace.WithBatcher(exporter), sdktrace.WithResource(about)}
	if cfg.TraceShare >= 0 {
		options = append(options, sdktrace.WithSampler(sdktrace.ParentBased(sdktrace.TraceIDRatioBased(cfg.TraceShare))))
	}
	provider := sdktrace.NewTracerProvider(options...)
	e.Traces, e.shutdown = provider, append(e.shutdown, provider.Shutdown)
	return nil
}

func (e *Exporters) startMetrics(ctx context.Context, cfg Config, about *resource.Resource) error {
	var opts []otlpmetricgrpc.Option
	if cfg.MetricsEndpoint != "" {
		opts = append(opts, otlpmetricgrpc.WithEndpointURL(cfg.MetricsEndpoint))
	}
	exporter, err := otlpmetricgrpc.New(ctx, opts...)
	if err != nil {
		return err
	}
	options := []metric.PeriodicReaderOption{metric.WithProducer(bridge.NewMetricProducer(bridge.WithGatherer(cfg.Metrics)))}
	if cfg.MetricsInterval > 0 {
		options = append(options, metric.WithInterval(cfg.MetricsInterval))
	}
	provider := metric.NewMeterProvider(metric.WithReader(metric.NewPeriodicReader(exporter, options...)), metric.WithResource(about))
	e.Metrics, e.shutdown = true, append(e.shutdown, provider.Shutdown)
	return nil
}

// Shutdown sends what is left and stops, at the latest when ctx ends.
func (e *Exporters) Shutdown(ctx context.Context) error {
	var errs []error
	for _, f := range e.shutdown {
		errs = append(errs, f(ctx))
	}
	return errors.Join(errs...)
}
