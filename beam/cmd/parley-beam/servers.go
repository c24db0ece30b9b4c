package main

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"os"

	"github.com/apache/beam/sdks/v2/go/container/pool"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/runners/prism"

	"github.com/parley-nlp/parley/beam/internal/guard"
)

// A prismCmd is "parley-beam prism".
type prismCmd struct {
	Port    int  `default:"8073" help:"Port to listen on, for this machine alone. Default: ${default}."`
	Verbose bool `help:"Pass on what Prism says."`
}

// Run serves jobs until a signal.
func (c *prismCmd) Run(e *env) error {
	quiet(c.Verbose)
	if err := servePrism(e.ctx, c.Port); err != nil {
		return err
	}
	fmt.Fprintf(e.stderr, "parley-beam: Prism takes jobs by --runner=universal --endpoint=localhost:%d\n", c.Port)
	<-e.ctx.Done()
	return nil
}

// servePrism starts Beam's own runner in this process.
func servePrism(ctx context.Context, port int) error {
	if _, err := free(port); err != nil { // it would panic
		return err
	}
	guard.Servers()
	_, err := prism.CreateJobServer(ctx, prism.Options{Port: port})
	return err
}

// free makes sure that nobody listens on a port, 0 for any, and returns which.
func free(port int) (int, error) {
	l, err := net.Listen("tcp", fmt.Sprint(":", port))
	if err != nil {
		return 0, err
	}
	return l.Addr().(*net.TCPAddr).Port, l.Close()
}

// A poolCmd is "parley-beam worker-pool".
type poolCmd struct {
	Port  int            `default:"50000" help:"Port to listen on. Default: ${default}."`
	Allow []netip.Prefix `placeholder:"NETWORK" help:"Network (10.1.0.0/16) from which runners may start workers, beside this machine; repeat for several. They ask for no key: whoever reaches the port from there may start workers of any job."`
}

// Run starts workers when runners ask for them, as --environment_type=EXTERNAL
// does.
func (c *poolCmd) Run(e *env) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	guard.Servers(c.Allow...)
	p, err := pool.New(e.ctx, c.Port, self)
	if err != nil {
		return err
	}
	fmt.Fprintf(e.stderr, "parley-beam: starting workers for who asks on port %d\n", c.Port)
	failed := make(chan error, 1)
	go func() { failed <- p.ServeAndWait() }()
	select {
	case err := <-failed:
		return err
	case <-e.ctx.Done():
		return p.Stop(context.WithoutCancel(e.ctx))
	}
}
