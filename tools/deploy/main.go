// Command deploy builds the container image of the classifier without Docker:
// an OCI layout in a tar file, which podman, skopeo, crane, ctr and Docker read.
//
//	cd tools/deploy && go run . -o /tmp/parley.tar
//	cd tools/deploy && go run . -program parley-beam -o /tmp/parley-beam.tar
//
// The second is that of the workers on Apache Beam (see beam/README.md).
//
// The image has the static binary, the certificate authorities that Mozilla
// trusts, and a user without rights; nothing else, not even a shell. The same
// source gives the same bytes: no time and no path is in them.
//
// It is a module of its own, so that the service does not see what it needs.
// Its tests check the image, and the manifests and the unit under deploy/.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:])
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "deploy:", err)
		os.Exit(1)
	}
}

// run builds an image as the command line says.
func run(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("deploy", flag.ContinueOnError)
	out := flags.String("o", "parley.tar", "`file` to write")
	source := flags.String("source", filepath.Join("..", ".."), "`folder` of the source")
	program := flags.String("program", "classifier", "program of the image: classifier or parley-beam")
	arch := flags.String("arch", "amd64", "architecture, as Go names it")
	version := flags.String("version", "", "version for the labels; none by default")
	revision := flags.String("revision", "", "commit for the labels; none by default")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("%q: no arguments are wanted", flags.Arg(0))
	}
	if _, known := programs[*program]; !known {
		return fmt.Errorf("-program %s: want classifier or parley-beam", *program)
	}
	tmp, err := os.MkdirTemp("", "deploy-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	s := spec{program: *program, arch: *arch, version: *version, revision: *revision}
	binary := filepath.Join(tmp, *program)
	if err := build(ctx, *source, s, binary); err != nil {
		return err
	}
	img, err := newImage(binary, s)
	if err != nil {
		return err
	}
	return writeLayout(img, programs[*program].reference, *out)
}
