package main

import (
	"archive/tar"
	"bytes"
	"context"
	"debug/elf"
	"encoding/pem"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/google/go-containerregistry/pkg/v1/validate"
)

// The same source gives the same bytes, from the compiler to the archive.
func TestReproducible(t *testing.T) {
	var files [2][]byte
	for i := range files {
		out := filepath.Join(t.TempDir(), "parley.tar")
		if err := run(context.Background(), []string{"-o", out, "-version", "1.2.3"}); err != nil {
			t.Fatal(err)
		}
		var err error
		if files[i], err = os.ReadFile(out); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(files[0], files[1]) {
		t.Errorf("two images of %d and %d bytes differ", len(files[0]), len(files[1]))
	}
}

// archived writes an image and reads it back from the tar file.
func archived(t *testing.T, s spec) v1.Image {
	t.Helper()
	binary := built
	if s.program == "parley-beam" {
		binary = func(t *testing.T) string { return once(t, workerOnce) }
	}
	img, err := newImage(binary(t), s)
	if err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(t.TempDir(), "parley.tar")
	if err := writeLayout(img, "parley:latest", out); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(out)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	dir := t.TempDir()
	unpack(t, f, dir)
	index, err := layout.ImageIndexFromPath(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := validate.Index(index); err != nil { // digests, sizes, media types
		t.Errorf("the layout is not valid: %v", err)
	}
	m, err := index.IndexManifest()
	if err != nil || len(m.Manifests) != 1 || m.Manifests[0].MediaType != types.OCIManifestSchema1 {
		t.Fatalf("index %+v, %v", m, err)
	}
	back, err := index.Image(m.Manifests[0].Digest)
	if err != nil {
		t.Fatal(err)
	}
	return back
}

func unpack(t *testing.T, in io.Reader, dir string) {
	t.Helper()
	for r := tar.NewReader(in); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(dir, h.Name)
		if h.Typeflag == tar.TypeDir {
			if err := os.MkdirAll(path, 0o755); err != nil {
				t.Fatal(err)
			}
			continue
		}
		b, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, b, h.FileInfo().Mode().Perm()); err != nil {
			t.Fatal(err)
		}
	}
}

func TestImage(t *testing.T) {
	img := archived(t, spec{program: "classifier", arch: "amd64", version: "1.2.3", revision: "abc"})
	c, err := img.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	if c.OS != "linux" || c.Architecture != "amd64" || c.Config.User != "65532:65532" || c.Config.StopSignal != "SIGTERM" ||
		!slices.Equal(c.Config.Entrypoint, []string{"/classifier"}) || !slices.Equal(c.Config.Cmd, []string{"serve"}) {
		t.Errorf("configuration %+v", c)
	}
	for name, want := range map[string]string{"version": "1.2.3", "revision": "abc", "title": "parley", "licenses": "Apache-2.0"} {
		if got := c.Config.Labels["org.opencontainers.image."+name]; got != want {
			t.Errorf("label %s is %q, want %q", name, got, want)
		}
	}
	if !c.Created.IsZero() {
		t.Errorf("the image has a time: %v", c.Created)
	}
}

// The programs are static, and work where there is nothing but the image, as its
// user.
func TestProgramsRunInTheirImages(t *testing.T) {
	for program, argument := range map[string]string{"classifier": "version", "parley-beam": "--help"} {
		t.Run(program, func(t *testing.T) {
			root := t.TempDir()
			rootfs := mutate.Extract(archived(t, spec{program: program, arch: "amd64"}))
			defer rootfs.Close()
			unpack(t, rootfs, root)
			checkStatic(t, filepath.Join(root, program))
			checkAuthorities(t, filepath.Join(root, "etc/ssl/certs/ca-certificates.crt"))
			checkRuns(t, root, program, argument)
		})
	}
}

func checkStatic(t *testing.T, binary string) {
	t.Helper()
	f, err := elf.Open(binary)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for _, p := range f.Progs {
		if p.Type == elf.PT_INTERP || p.Type == elf.PT_DYNAMIC {
			t.Errorf("the binary is not static: it has %v", p.Type)
		}
	}
}

func checkRuns(t *testing.T, root, program, argument string) {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("to change the root needs to be root")
	}
	for dir := root; dir != "/"; dir = filepath.Dir(dir) { // another user must get there
		if info, err := os.Stat(dir); err == nil && info.Mode().Perm()&0o001 == 0 {
			if err := os.Chmod(dir, info.Mode().Perm()|0o011); err != nil {
				t.Fatal(err)
			}
		}
	}
	cmd := exec.Command("/"+program, argument)
	cmd.Dir, cmd.Env = "/", []string{}
	cmd.SysProcAttr = &syscall.SysProcAttr{Chroot: root, Credential: &syscall.Credential{Uid: user, Gid: user}}
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), program) {
		t.Errorf("%s %s: %v\n%s", program, argument, err, out)
	}
}

func checkAuthorities(t *testing.T, path string) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for block, rest := pem.Decode(b); block != nil; block, rest = pem.Decode(rest) {
		n++
	}
	if n < 50 {
		t.Errorf("%d certificate authorities", n)
	}
}

func TestErrors(t *testing.T) {
	for _, row := range []struct {
		args []string
		want string
	}{
		{[]string{"-o", "x.tar", "more"}, `"more": no arguments are wanted`},
		{[]string{"-source", "nowhere"}, "go build: "},
		{[]string{"-arch", "z80"}, "go build: "},
		{[]string{"-program", "other"}, "-program other: want classifier or parley-beam"},
	} {
		err := run(context.Background(), row.args)
		if err == nil || !strings.Contains(err.Error(), row.want) {
			t.Errorf("%q: %v, want %s", row.args, err, row.want)
		}
	}
	img, err := newImage(built(t), spec{program: "classifier", arch: "amd64"})
	if err != nil {
		t.Fatal(err)
	}
	if err := writeLayout(img, "parley:latest", filepath.Join(t.TempDir(), "none", "x.tar")); err == nil {
		t.Error("a layout was written into a folder that is not there")
	}
}
