package main

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
)

// writeLayout writes an image as an OCI layout in a tar file, which appears
// whole or not at all. The reference is what it is called when it is loaded.
func writeLayout(img v1.Image, reference, out string) error {
	dir, err := os.MkdirTemp("", "layout-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	p, err := layout.Write(dir, empty.Index)
	if err != nil {
		return fmt.Errorf("layout: %w", err)
	}
	names := map[string]string{"org.opencontainers.image.ref.name": "latest", "io.containerd.image.name": reference}
	if err := p.AppendImage(img, layout.WithAnnotations(names)); err != nil {
		return fmt.Errorf("layout: %w", err)
	}
	f, err := os.CreateTemp(filepath.Dir(out), ".deploy-*")
	if err != nil {
		return err
	}
	err = errors.Join(archive(f, dir), f.Chmod(0o644), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), out)
	}
	if err != nil {
		err = errors.Join(err, os.Remove(f.Name()))
	}
	return err
}

// archive writes the files of a folder, in the order of their names.
func archive(out io.Writer, dir string) error {
	w := tar.NewWriter(out)
	root := os.DirFS(dir)
	err := fs.WalkDir(root, ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || path == "." {
			return err
		}
		h := tar.Header{Typeflag: tar.TypeDir, Name: path + "/", Mode: 0o755, ModTime: time.Unix(0, 0), Format: tar.FormatUSTAR}
		if entry.IsDir() {
			return w.WriteHeader(&h)
		}
		b, err := fs.ReadFile(root, path)
		if err != nil {
			return err
		}
		h.Typeflag, h.Name, h.Mode, h.Size = tar.TypeReg, path, 0o644, int64(len(b))
		if err := w.WriteHeader(&h); err != nil {
			return err
		}
		_, err = w.Write(b)
		return err
	})
	return errors.Join(err, w.Close())
}
