// Command soak shows that serving holds under trouble, with real processes and
// real calls on this machine. Each command prints figures and PASS or FAIL for
// each promise, and ends with 1 when one failed.
//
//	go run ./bench/soak kill       servers killed and restarted under load
//	go run ./bench/soak swap       revisions swapped under load, good and bad ones
//	go run ./bench/soak overload   four times the load that a server can take
//	go run ./bench/soak certs      certificates replaced while connections live
//	go run ./bench/soak scale      two more servers join one
//	go run ./bench/soak correct    corrections by RPC go live; a poisoned batch does not
//
// # How it is measured
//
// The servers are processes of "classifier serve" on loopback. On Linux they
// run on one core (--server-core) and the load on another (--load-core), so
// that the one does not take the other's time. Everything that is drawn is
// drawn from --seed. The defaults are the full runs; flags shorten them.
package main

import (
	"context"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/parley-nlp/parley/bench"
)

// A cli is the command line as a whole.
type cli struct {
	Kill     killCmd     `cmd:"" help:"One of three servers is killed and restarted, again and again, under load."`
	Swap     swapCmd     `cmd:"" help:"Another revision goes live every second under load; then bad ones among them."`
	Overload overloadCmd `cmd:"" help:"Four times the load that a server can take."`
	Certs    certsCmd    `cmd:"" help:"Certificates are replaced while connections live; callers without rights are refused."`
	Scale    scaleCmd    `cmd:"" help:"Two more servers join one."`
	Correct  correctCmd  `cmd:"" help:"500 answers are corrected by calls, and the model made of them goes live under load; then a batch with wrong labels is held back."`
}

// An env is what a command works with.
type env struct {
	ctx            context.Context
	stdout, stderr io.Writer
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	e := env{ctx, os.Stdout, os.Stderr}
	code := e.run(os.Args[1:])
	stop()
	os.Exit(code)
}

// run executes the command line and returns the exit code: 0 all promises were
// kept, 1 one was not or the soak failed, 2 misused.
func (e *env) run(args []string) int {
	program := bench.Command{
		Name: "soak", Description: "Shows that serving holds under trouble.",
		Commands: &cli{}, Env: e, Stdout: e.stdout, Stderr: e.stderr,
	}
	return program.Run(args)
}
