package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"strings"
	"syscall"
	"time"

	"github.com/apache/beam/sdks/v2/go/container/tools"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/util/grpcx"
)

// A boot is what a runner says to a process that it wants to be a worker: Beam's
// container contract (https://s.apache.org/beam-fn-api-container-contract).
// Beam's own boot program would fetch this very binary from the runner, write it
// to disk twice, and run it; here the worker is this program once more.
type boot struct{ id, provision, logging, control string }

// isBoot reports whether a runner has started this process so.
func isBoot(args []string) bool {
	for _, a := range args {
		if strings.HasPrefix(a, "--provision_endpoint=") {
			return true
		}
	}
	return false
}

// parseBoot reads the command line of a runner. Prism puts quotes about values.
func parseBoot(args []string) (boot, error) {
	var b boot
	flags := flag.NewFlagSet("parley-beam", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.StringVar(&b.id, "id", "", "")
	flags.StringVar(&b.provision, "provision_endpoint", "", "")
	flags.StringVar(&b.logging, "logging_endpoint", "", "")
	flags.StringVar(&b.control, "control_endpoint", "", "")
	flags.String("artifact_endpoint", "", "")
	flags.String("semi_persist_dir", "", "")
	var plain []string
	for _, a := range args {
		plain = append(plain, strings.ReplaceAll(a, "'", ""))
	}
	if err := flags.Parse(plain); err != nil {
		return b, err
	}
	if b.id == "" || b.provision == "" {
		return b, errors.New("a worker needs --id and --provision_endpoint")
	}
	return b, nil
}

// run runs the worker; it returns when it cannot, or when the worker has failed.
func (b boot) run() error {
	ctx := grpcx.WriteWorkerID(context.Background(), b.id)
	info, err := tools.ProvisionInfo(ctx, b.provision)
	if err != nil {
		return err
	}
	for _, e := range []struct {
		own *string
		url string
	}{{&b.logging, info.GetLoggingEndpoint().GetUrl()}, {&b.control, info.GetControlEndpoint().GetUrl()}} {
		if e.url != "" {
			*e.own = e.url
		}
	}
	if b.logging == "" || b.control == "" {
		return errors.New("the runner names no endpoint for logging or control")
	}
	options, err := tools.ProtoToJSON(info.GetPipelineOptions())
	if err != nil {
		return err
	}
	os.Setenv("RUNNER_CAPABILITIES", strings.Join(info.GetRunnerCapabilities(), " "))
	if status := info.GetStatusEndpoint().GetUrl(); status != "" {
		os.Setenv("STATUS_ENDPOINT", status)
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	worker := exec.Command(self, "--worker=true", "--id="+b.id,
		"--logging_endpoint="+b.logging, "--control_endpoint="+b.control,
		"--options="+options) // in a file, it would have to be removed by somebody
	return attend(worker)
}

// linger is how long this process outlives its worker. Prism looks at two things: if
// it sees the end of this process before it sees that the worker has left its
// connection, it waits for the worker's answers for ever.
const linger = 3 * time.Second

// attend runs a worker, which ends with this process.
func attend(worker *exec.Cmd) error {
	runtime.LockOSThread() // of whose end the worker hears
	endWithParent(worker)
	worker.Stdout, worker.Stderr = os.Stdout, os.Stderr
	if err := worker.Start(); err != nil {
		return err
	}
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		for s := range signals {
			worker.Process.Signal(s)
		}
	}()
	err := worker.Wait()
	time.Sleep(linger)
	if err == nil {
		os.Exit(0)
	}
	return fmt.Errorf("the worker has ended: %w", err)
}
