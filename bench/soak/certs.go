package main

import (
	"context"
	"crypto/tls"
	"os"
	"path/filepath"
	"strings"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/parley-nlp/parley/client"
	"github.com/parley-nlp/parley/internal/authority"
	"github.com/parley-nlp/parley/internal/load"
	parleyv1 "github.com/parley-nlp/parley/proto/parley/v1"
)

// A certsCmd is "soak certs".
type certsCmd struct {
	commonFlags
	Times  int           `default:"20" help:"Replacements of the server's certificate. Default: ${default}."`
	Every  time.Duration `default:"1s" help:"Time between them. Default: ${default}."`
	Age    time.Duration `default:"2s" help:"--max-connection-age of the server, so that connections are made anew meanwhile. Default: ${default}."`
	Reload time.Duration `default:"100ms" help:"--reload-interval of the server. Default: ${default}."`
	Rate   float64       `default:"300" help:"Calls a second. Default: ${default}."`
}

// scorer is the name that may classify, and nothing else.
const scorer = "scorer.test"

// Run replaces the server's certificate under load, and has callers try what
// they may not do.
func (c *certsCmd) Run(e *env) error {
	return c.soak(e, func(w *workshop) error {
		p, err := newSecured(w, c)
		if err != nil {
			return err
		}
		if err := p.replacements(); err != nil {
			return err
		}
		return p.refusals()
	})
}

// A secured server has TLS, client certificates with roles, and keys.
type secured struct {
	w         *workshop
	cmd       *certsCmd
	own       *authority.Authority // of the server and its clients
	cert, key string               // files
	keys      string
	server    *server
	good      *tls.Config // of a scorer
}

func newSecured(w *workshop, c *certsCmd) (*secured, error) {
	p := &secured{w: w, cmd: c, cert: w.file("tls.crt"), key: w.file("tls.key"), keys: w.file("keys")}
	var err error
	if p.own, err = authority.New(); err != nil {
		return nil, err
	}
	if _, err := p.renew(); err != nil {
		return nil, err
	}
	ca := w.file("ca.crt")
	if err := os.WriteFile(ca, p.own.PEM(), 0o600); err != nil {
		return nil, err
	}
	// A key that nobody here has.
	if err := run(w.ctx, w.Classifier, "key", "other", "--role", "scorer", "--keys-file", p.keys); err != nil {
		return nil, err
	}
	p.server, err = w.serve(patient, "-m", w.model, "--log-level", "info", "--tls-cert", p.cert, "--tls-key", p.key, "--tls-client-ca", ca,
		"--role", "scorer=dns:"+scorer, "--keys-file", p.keys, "--reload-interval", c.Reload.String(), "--max-connection-age", c.Age.String())
	if err != nil {
		return nil, err
	}
	p.good, err = clientOf(p.own, p.own, scorer)
	return p, err
}

// renew writes a new certificate and key, and returns its serial number. For a
// moment the files do not fit each other: the server must not mind.
func (p *secured) renew() (int64, error) {
	pair, err := p.own.Sign("localhost", certificateLife)
	if err != nil {
		return 0, err
	}
	if err := replace(p.cert, pair.Cert); err != nil {
		return 0, err
	}
	return pair.Serial, replace(p.key, pair.Key)
}

// shown is the serial number of the certificate that a new connection gets.
func (p *secured) shown() int64 {
	d := tls.Dialer{Config: p.good}
	conn, err := d.DialContext(p.w.ctx, "tcp", p.server.address)
	if err != nil {
		return 0
	}
	defer conn.Close()
	return conn.(*tls.Conn).ConnectionState().PeerCertificates[0].SerialNumber.Int64()
}

// replacements is the first part.
func (p *secured) replacements() error {
	w, c := p.w, p.cmd
	target, err := load.Dial(p.server.address, 4, client.WithTLS(p.good))
	if err != nil {
		return err
	}
	defer target.Close()
	w.title("the certificate replaced %d times, one every %s; connections end at %s, %.0f calls/s", c.Times, c.Every, c.Age, c.Rate)
	calls := w.stream(target, load.Config{Rate: c.Rate, MaxInFlight: 10000, Timeout: timeout, Seed: c.Seed}, nil)
	defer calls.end()
	var slowest time.Duration
	for range c.Times {
		tick := time.Now()
		serial, err := p.renew()
		if err != nil {
			return err
		}
		if err := w.await("the new certificate", func() bool { return p.shown() == serial }); err != nil {
			return p.server.explain(err)
		}
		slowest = max(slowest, time.Since(tick))
		w.sleep(c.Every - time.Since(tick))
	}
	r, err := calls.end()
	if err != nil {
		return err
	}
	w.figure("calls", "%d answered in %.0f s", r.Answered, r.Seconds)
	w.figure("latency ms", "%s", r.Latency)
	w.figure("attempts", "%s", r.Attempts)
	for _, e := range r.Errors {
		w.figure("error "+e.Code, "%d times %s: %s", e.Count, e.Reason, e.Example)
	}
	w.figure("until connections show it", "%.0f ms at most, the files being looked at every %s", ms(slowest), c.Reload)
	w.promise(r.Failed == 0 && r.Answered > 0, "no call failed", "%d of %d", r.Failed, r.Answered+r.Failed)
	return nil
}

// A refusal is a caller who may not do what it tries, and how it is told.
type refusal struct {
	name string
	tls  *tls.Config
	key  string // bearer key
	call func(context.Context, *client.Client) error
	want codes.Code
}

// refusals is the second part.
func (p *secured) refusals() error {
	list, err := p.attempts()
	if err != nil {
		return err
	}
	p.w.title("callers without the right")
	before, err := os.ReadFile(p.server.log)
	if err != nil {
		return err
	}
	for _, r := range list {
		err := p.try(r)
		p.w.promise(status.Code(err) == r.want, r.name, "%s: %s", status.Code(err), status.Convert(err).Message())
	}
	return p.tellLog(list, len(before))
}

// tellLog wants a line of the server's log, after so many bytes, for each
// refusal. Those of a handshake are the transport's, which has no log of ours.
func (p *secured) tellLog(list []refusal, from int) error {
	b, err := os.ReadFile(p.server.log)
	if err != nil {
		return err
	}
	want := 0
	for _, r := range list {
		if r.want != codes.Unavailable {
			want++
		}
	}
	told := strings.Count(string(b[from:]), `"refused":`)
	p.w.promise(told >= want, "the server tells of them", "%d lines of its log, at least %d", told, want)
	return nil
}

func (p *secured) attempts() ([]refusal, error) {
	foreign, err := authority.New()
	if err != nil {
		return nil, err
	}
	stranger, err := clientOf(foreign, p.own, scorer)
	if err != nil {
		return nil, err
	}
	// Go shows no certificate of an authority that the server did not name, unless
	// told to.
	shown := stranger.Certificates[0]
	stranger.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &shown, nil }
	nameless, err := clientOf(p.own, p.own, "nobody.test")
	if err != nil {
		return nil, err
	}
	bare := &tls.Config{RootCAs: p.own.Pool()}
	classify := func(ctx context.Context, c *client.Client) error {
		_, err := c.Classify(ctx, "The talks could bring a ceasefire.", nil)
		return err
	}
	control := func(ctx context.Context, c *client.Client) error {
		_, err := c.Models().ListModels(ctx, &parleyv1.ListModelsRequest{})
		return err
	}
	return []refusal{
		{"a certificate of another authority", stranger, "", classify, codes.Unavailable},
		{"a certificate without a role", nameless, "", classify, codes.PermissionDenied},
		{"no certificate and no key", bare, "", classify, codes.Unauthenticated},
		{"a wrong key", bare, "parley_wrong", classify, codes.Unauthenticated},
		{"a scorer at the control plane", p.good, "", control, codes.PermissionDenied},
	}, nil
}

// try makes the call of a refusal.
func (p *secured) try(r refusal) error {
	opts := []client.Option{client.WithTLS(r.tls)}
	if r.key != "" {
		opts = append(opts, client.WithKey(r.key))
	}
	c, err := client.Dial(p.server.address, opts...)
	if err != nil {
		return err
	}
	defer c.Close()
	ctx, cancel := context.WithTimeout(p.w.ctx, timeout)
	defer cancel()
	return r.call(ctx, c)
}

// certificateLife is longer than any soak.
const certificateLife = 24 * time.Hour

// clientOf returns a configuration of a client that trusts server and shows a
// certificate of a name by own.
func clientOf(own, server *authority.Authority, name string) (*tls.Config, error) {
	pair, err := own.Sign(name, certificateLife)
	if err != nil {
		return nil, err
	}
	cert, err := pair.TLS()
	return &tls.Config{RootCAs: server.Pool(), Certificates: []tls.Certificate{cert}}, err
}

// replace writes a file that appears whole, as tools do that renew certificates.
func replace(path string, data []byte) error {
	tmp := path + ".new"
	if err := os.WriteFile(tmp, data, 0o600); err != nil {
		return err
	}
	return os.Rename(tmp, filepath.Clean(path))
}
