package main

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/pem"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"golang.org/x/crypto/x509roots/fallback/bundle"
)

// user is who the program runs as: a number, so that Kubernetes can tell that
// it is not root.
const user = 65532

// A program is what an image can be of.
type program struct {
	module      string // folder of its module, below the source
	reference   string // what the image is called when it is loaded
	description string
	arguments   []string
	ports       []string
}

var programs = map[string]program{
	"classifier": {
		".", "parley:latest", "Topic and stance classification over gRPC",
		[]string{"serve"}, []string{"50051/tcp", "9090/tcp"},
	},
	"parley-beam": {"beam", "parley-beam:latest", "Workers that classify on Apache Beam", nil, nil},
}

// A spec is what an image does not take from its binary.
type spec struct{ program, arch, version, revision string }

// build compiles the static binary. No path, time or state of the work tree
// gets into it.
func build(ctx context.Context, source string, s spec, out string) error {
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w -buildid=", "-o", out, "./cmd/"+s.program)
	cmd.Dir = filepath.Join(source, programs[s.program].module)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH="+s.arch, "GOWORK=off", "GOFLAGS=")
	if text, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("go build: %w\n%s", err, text)
	}
	return nil
}

// newImage returns the image of a binary: what seldom changes is in a layer of
// its own.
func newImage(binary string, s spec) (v1.Image, error) {
	content, err := os.ReadFile(binary)
	if err != nil {
		return nil, err
	}
	img := mutate.MediaType(empty.Image, types.OCIManifestSchema1)
	img = mutate.ConfigMediaType(img, types.OCIConfigJSON)
	for _, files := range [][]file{base(), {{s.program, 0o755, content}}} {
		layer, err := newLayer(files)
		if err != nil {
			return nil, err
		}
		if img, err = mutate.Append(img, mutate.Addendum{Layer: layer, MediaType: types.OCILayer}); err != nil {
			return nil, err
		}
	}
	return mutate.ConfigFile(img, config(img, s))
}

// config says how the image is run.
func config(img v1.Image, s spec) *v1.ConfigFile {
	c, err := img.ConfigFile()
	if err != nil {
		panic(err) // an image in memory has one
	}
	c = c.DeepCopy()
	c.OS, c.Architecture = "linux", s.arch
	c.Config = v1.Config{
		User:       fmt.Sprintf("%d:%d", user, user),
		Entrypoint: []string{"/" + s.program},
		Cmd:        programs[s.program].arguments,
		Env:        []string{"SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt"},
		WorkingDir: "/",
		StopSignal: "SIGTERM",
		Labels:     imageLabels(s),
	}
	for _, port := range programs[s.program].ports {
		if c.Config.ExposedPorts == nil {
			c.Config.ExposedPorts = map[string]struct{}{}
		}
		c.Config.ExposedPorts[port] = struct{}{}
	}
	return c
}

func imageLabels(s spec) map[string]string {
	list := map[string]string{
		"org.opencontainers.image.title":       "parley",
		"org.opencontainers.image.description": programs[s.program].description,
		"org.opencontainers.image.licenses":    "Apache-2.0",
		"org.opencontainers.image.source":      "https://github.com/parley-nlp/parley",
	}
	if s.version != "" {
		list["org.opencontainers.image.version"] = s.version
	}
	if s.revision != "" {
		list["org.opencontainers.image.revision"] = s.revision
	}
	return list
}

// A file of a layer. One without bytes whose name ends in / is a folder.
type file struct {
	name string
	mode int64
	data []byte
}

// base is what there is beside the program.
func base() []file {
	return []file{
		{"etc/", 0o755, nil},
		{"etc/group", 0o644, fmt.Appendf(nil, "root:x:0:\nparley:x:%d:\n", user)},
		{"etc/passwd", 0o644, fmt.Appendf(nil, "root:x:0:0::/:/sbin/nologin\nparley:x:%d:%d::/:/sbin/nologin\n", user, user)},
		{"etc/ssl/", 0o755, nil},
		{"etc/ssl/certs/", 0o755, nil},
		{"etc/ssl/certs/ca-certificates.crt", 0o644, authorities()},
		{"tmp/", 0o1777, nil},
	}
}

// authorities are those that Mozilla trusts, but for the few whose limits a
// file of certificates cannot tell.
func authorities() []byte {
	var b bytes.Buffer
	for root := range bundle.Roots() {
		if root.Constraint != nil {
			continue
		}
		if err := pem.Encode(&b, &pem.Block{Type: "CERTIFICATE", Bytes: root.Certificate}); err != nil {
			panic(err) // a buffer takes everything
		}
	}
	return b.Bytes()
}

// newLayer packs files. All belong to root and were changed at the same time.
func newLayer(files []file) (v1.Layer, error) {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, f := range files {
		h := tar.Header{Typeflag: tar.TypeReg, Name: f.name, Mode: f.mode, Size: int64(len(f.data)), ModTime: time.Unix(0, 0), Format: tar.FormatUSTAR}
		if f.data == nil {
			h.Typeflag = tar.TypeDir
		}
		if err := w.WriteHeader(&h); err != nil {
			return nil, err
		}
		if _, err := w.Write(f.data); err != nil {
			return nil, err
		}
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b.Bytes())), nil })
}
