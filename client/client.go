// Package client calls a Parley server from Go services.
//
//	c, err := client.Dial("localhost:50051")
//	answer, err := c.Classify(ctx, "The talks could bring a ceasefire.", nil)
//
// A client spreads its calls over all addresses of its target, leaves out
// servers that say they are not serving, and retries what failed before a
// server answered. It is safe for any number of goroutines; make one and keep
// it.
package client

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	_ "google.golang.org/grpc/health" // health checking of the balancer
	"google.golang.org/grpc/resolver"
	"google.golang.org/grpc/resolver/manual"

	parleyv1 "github.com/parley-nlp/parley/proto/parley/v1"
)

// serviceConfig is how calls are balanced and retried. UNAVAILABLE is retried
// alone: the server has not answered, or said that another will.
// RESOURCE_EXHAUSTED is not, as more calls are no cure for too many; nor is a
// rollback, as a second one undoes the first.
const serviceConfig = `{
  "loadBalancingConfig": [{"round_robin": {}}],
  "healthCheckConfig": {"serviceName": "parley.v1.ClassificationService"},
  "methodConfig": [{
    "name": [{"service": "parley.v1.ModelService", "method": "RollbackModel"}]
  }, {
    "name": [{"service": "parley.v1.ClassificationService"}, {"service": "parley.v1.ModelService"}, {"service": "parley.v1.LabelService"}],
    "retryPolicy": {
      "maxAttempts": 5, "initialBackoff": "0.1s", "maxBackoff": "2s", "backoffMultiplier": 2,
      "retryableStatusCodes": ["UNAVAILABLE"]
    }
  }]
}`

// Limits of messages. A batch's answer is larger than its request when many
// scores are asked for.
const (
	maxSendBytes    = 16 << 20
	maxReceiveBytes = 64 << 20
	frameBytes      = 5 // what gRPC puts before a message
)

// ErrNotLocal is the error of Dial for a target on another machine when neither
// WithTLS nor WithPlaintext was chosen.
var ErrNotLocal = errors.New("not on this machine: choose WithTLS or WithPlaintext")

// A Client calls one target.
type Client struct {
	conn           *grpc.ClientConn
	classification parleyv1.ClassificationServiceClient
	models         parleyv1.ModelServiceClient
	labels         parleyv1.LabelServiceClient
	cfg            config
}

type config struct {
	creds      credentials.TransportCredentials
	key        func() string // nil without one
	err        error         // of an option
	model      string
	batchItems int
	batchBytes int
	inFlight   int
	dial       []grpc.DialOption
}

// An Option changes how a client works.
type Option func(*config)

// WithTLS encrypts the connections. A nil configuration trusts the system's
// certificate authorities.
func WithTLS(c *tls.Config) Option {
	return func(cfg *config) { cfg.creds = credentials.NewTLS(c) }
}

// WithPlaintext allows connections without encryption to other machines.
func WithPlaintext() Option {
	return func(cfg *config) { cfg.creds = insecure.NewCredentials() }
}

// WithModel asks for a model or revision other than the server's live one:
// models/{model} or models/{model}/revisions/{revision or alias}.
func WithModel(name string) Option { return func(cfg *config) { cfg.model = name } }

// WithBatches sets how ClassifyAll, ClassifyDocuments and CreateLabels cut their
// texts: at most so many items and bytes of text a call (a single longer text
// travels alone), and at most so many calls in flight, of CreateLabels always one.
// The defaults are 100 items, 1 MiB and 4 calls.
func WithBatches(items, bytes, inFlight int) Option {
	return func(cfg *config) { cfg.batchItems, cfg.batchBytes, cfg.inFlight = items, bytes, inFlight }
}

// WithDialOptions adds options of gRPC, such as interceptors. They come after
// the client's own and win.
func WithDialOptions(opts ...grpc.DialOption) Option {
	return func(cfg *config) { cfg.dial = append(cfg.dial, opts...) }
}

// Dial returns a client of target: host:port, several of them separated by
// commas, or a gRPC target such as dns:///parley.example:50051, of which all
// addresses are used. Connections are made when they are first needed.
//
// Without WithTLS or WithPlaintext the target must be on this machine.
func Dial(target string, opts ...Option) (*Client, error) {
	cfg := config{batchItems: 100, batchBytes: 1 << 20, inFlight: 4}
	for _, o := range opts {
		o(&cfg)
	}
	if cfg.err != nil {
		return nil, fmt.Errorf("client: %w", cfg.err)
	}
	if cfg.batchItems < 1 || cfg.batchBytes < 1 || cfg.inFlight < 1 {
		return nil, fmt.Errorf("client: batches of %d items and %d bytes, %d in flight: want at least 1", cfg.batchItems, cfg.batchBytes, cfg.inFlight)
	}
	if cfg.batchBytes > maxTextBytes {
		return nil, fmt.Errorf("client: batches of %d bytes: a message holds at most %d of text", cfg.batchBytes, maxTextBytes)
	}
	if err := checkPorts(target); err != nil {
		return nil, err
	}
	if cfg.creds == nil {
		if !isLocal(target) {
			return nil, fmt.Errorf("client: %s: %w", target, ErrNotLocal)
		}
		cfg.creds = insecure.NewCredentials()
	}
	dial := []grpc.DialOption{
		grpc.WithTransportCredentials(cfg.creds),
		grpc.WithChainUnaryInterceptor(passTrace),
		grpc.WithDefaultServiceConfig(serviceConfig),
		grpc.WithDisableServiceConfig(), // a TXT record in DNS must not turn it off
		grpc.WithDefaultCallOptions(grpc.MaxCallSendMsgSize(maxSendBytes), grpc.MaxCallRecvMsgSize(maxReceiveBytes),
			grpc.MaxRetryRPCBufferSize(maxSendBytes+frameBytes)), // a larger request is not retried: by default 256 KiB
		grpc.WithChainUnaryInterceptor(again),
	}
	if cfg.key != nil {
		local := isLocal(target)
		if !local && cfg.creds.Info().SecurityProtocol == "insecure" {
			return nil, fmt.Errorf("client: %s: %w", target, ErrKeyInPlaintext)
		}
		dial = append(dial, grpc.WithPerRPCCredentials(keyCredential{cfg.key, !local}))
	}
	if addresses := strings.Split(target, ","); len(addresses) > 1 {
		dial = append(dial, grpc.WithResolvers(fixed(addresses)))
		target = fixedScheme + ":///"
	}
	conn, err := grpc.NewClient(target, append(dial, cfg.dial...)...)
	if err != nil {
		return nil, fmt.Errorf("client: %w", err)
	}
	return &Client{conn, parleyv1.NewClassificationServiceClient(conn), parleyv1.NewModelServiceClient(conn), parleyv1.NewLabelServiceClient(conn), cfg}, nil
}

const fixedScheme = "parley-addresses"

// fixed resolves to a list of addresses.
func fixed(addresses []string) resolver.Builder {
	b := manual.NewBuilderWithScheme(fixedScheme)
	var endpoints []resolver.Endpoint
	for _, a := range addresses {
		a = strings.TrimSpace(a)
		// The name that a certificate must have: the target as a whole has none.
		endpoints = append(endpoints, resolver.Endpoint{Addresses: []resolver.Address{{Addr: a, ServerName: a}}})
	}
	b.InitialState(resolver.State{Endpoints: endpoints})
	return b
}

// checkPorts wants a port with every plain address: gRPC would take 443.
func checkPorts(target string) error {
	for _, address := range strings.Split(target, ",") {
		if strings.Contains(target, "://") || strings.HasPrefix(address, "unix:") {
			continue
		}
		if _, _, err := net.SplitHostPort(strings.TrimSpace(address)); err != nil {
			return fmt.Errorf("client: address %q: want host:port", address)
		}
	}
	return nil
}

// isLocal reports whether every address of target is on this machine by its
// name alone.
func isLocal(target string) bool {
	for _, address := range strings.Split(target, ",") {
		address = strings.TrimSpace(address)
		if strings.HasPrefix(address, "unix:") {
			continue
		}
		host, _, err := net.SplitHostPort(strings.TrimPrefix(address, "dns:///"))
		if err != nil {
			return false
		}
		if ip := net.ParseIP(host); host != "" && host != "localhost" && (ip == nil || !ip.IsLoopback()) {
			return false
		}
	}
	return true
}

// Close ends the connections. Calls in flight fail.
func (c *Client) Close() error { return c.conn.Close() }

// Models calls the server's ModelService.
func (c *Client) Models() parleyv1.ModelServiceClient { return c.models }

// Classify classifies one text. Options may be nil. The errors are those of
// google.golang.org/grpc/status, with the details that errors.proto describes.
func (c *Client) Classify(ctx context.Context, text string, o *parleyv1.ClassifyOptions) (*parleyv1.ClassifyResponse, error) {
	return c.ClassifyDocument(ctx, &parleyv1.Document{Text: text}, o)
}

// ClassifyDocument is Classify for a text of which more is known, such as the
// target of a stance.
func (c *Client) ClassifyDocument(ctx context.Context, d *parleyv1.Document, o *parleyv1.ClassifyOptions) (*parleyv1.ClassifyResponse, error) {
	if err := checkDocument(d); err != nil {
		return nil, err
	}
	return c.classification.Classify(ctx, &parleyv1.ClassifyRequest{Model: c.cfg.model, Document: d, Options: o})
}

// BatchClassify classifies items in one call, with one revision.
func (c *Client) BatchClassify(ctx context.Context, items []*parleyv1.BatchClassifyItem, o *parleyv1.ClassifyOptions) (*parleyv1.BatchClassifyResponse, error) {
	return c.classification.BatchClassify(ctx, &parleyv1.BatchClassifyRequest{Model: c.cfg.model, Items: items, Options: o})
}
