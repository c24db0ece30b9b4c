//go:build servers

package main

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/parley-nlp/parley/beam/internal/place"
)

// startS3 starts the server that tools/s3/go.mod pins, with a bucket, and returns
// the URL of a key in it.
func startS3(t *testing.T) func(key string) string {
	t.Helper()
	build := exec.Command("go", "tool", "-modfile=tools/s3/go.mod", "-n", "versitygw")
	build.Dir = filepath.Join("..", "..", "..")
	path, err := build.Output()
	if err != nil {
		t.Fatalf("building versitygw: %v", err)
	}
	folder := t.TempDir()
	buckets, meta := filepath.Join(folder, "buckets"), filepath.Join(folder, "meta")
	if err := errors.Join(os.MkdirAll(filepath.Join(buckets, "texts"), 0o755), os.Mkdir(meta, 0o755)); err != nil {
		t.Fatal(err)
	}
	for k, v := range map[string]string{"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_EC2_METADATA_DISABLED": "true"} {
		t.Setenv(k, v)
	}
	address := fmt.Sprint("127.0.0.1:", freePort(t))
	server := exec.Command(strings.TrimSpace(string(path)), "--access", "test", "--secret", "secret", "--quiet", "--port", address, "posix", "--sidecar", meta, buckets)
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		server.Process.Kill()
		server.Wait()
	})
	eventually(t, "the server answers", func() bool {
		answer, err := http.Get("http://" + address)
		if err == nil {
			answer.Body.Close()
		}
		return err == nil
	})
	return func(key string) string {
		return fmt.Sprintf("s3://texts/%s?region=us-east-1&use_path_style=true&endpoint=http://%s", key, address)
	}
}

// copyTo copies a file on disk.
func copyTo(t *testing.T, url, name string) {
	t.Helper()
	if err := place.Replace(t.Context(), url, []byte(readFile(t, name))); err != nil {
		t.Fatal(err)
	}
}

// inBucket is what the files of a folder have whose names begin so.
func inBucket(t *testing.T, url string, prefixes ...string) string {
	t.Helper()
	folder, err := place.OpenFolder(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	for _, prefix := range prefixes {
		names, err := folder.Names(t.Context(), prefix)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			r, err := folder.Open(t.Context(), name)
			if err != nil {
				t.Fatal(err)
			}
			b, err := io.ReadAll(r)
			if err := errors.Join(err, r.Close()); err != nil {
				t.Fatal(err)
			}
			all.Write(b)
		}
	}
	return all.String()
}

func TestS3(t *testing.T) {
	setUp(t)
	at := startS3(t)
	files := slices.Concat(writeFiles(t, lines(900, true), 1), packed(t, lines(60, false)))
	for i, name := range files {
		copyTo(t, at(fmt.Sprintf("in/%02d-%s", i, filepath.Base(name))), name)
	}
	copyTo(t, at("models/m.model"), shared.model)
	want := scored(t, 1, files)
	for i, name := range files { // the rows without an id are called by the file
		want = strings.ReplaceAll(want, name+":", fmt.Sprintf("s3://texts/in/%02d-%s:", i, filepath.Base(name)))
	}
	flags := []string{"score", "-m", at("models/m.model"), "--errors=inline", "--piece-bytes=60000"}
	parleyBeam(t, 1, append(flags, "-o", at("out"), "--summary", at("out/shares.json"), "--summary", at("out/shares.html"), at("in/"))...)
	if shares := inBucket(t, at("out"), "shares.json"); !strings.Contains(shares, `"revision"`) {
		t.Errorf("shares %q", shares)
	}
	if page := inBucket(t, at("out"), "shares.html"); !strings.Contains(page, "</html>") || strings.Contains(page, "127.0.0.1") {
		t.Errorf("the page of %d bytes has no end, or an address", len(page))
	}
	same(t, "rows of a bucket", inBucket(t, at("out"), "rows-"), want)

	var names []string
	for i, name := range files {
		names = append(names, at(fmt.Sprintf("in/%02d-%s", i, filepath.Base(name))))
	}
	parleyBeam(t, 1, slices.Concat(flags, []string{"-o", at("again/deep")}, startPrismProcess(t), process(t), names)...)
	same(t, "rows of named objects, by other processes", inBucket(t, at("again/deep"), "rows-"), want)
	for _, pattern := range []string{"again/**", "out/**"} {
		found, err := place.Files(t.Context(), []string{at(pattern)})
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range found {
			if strings.Contains(f.Name, "/.") {
				t.Errorf("%s is left", f.Name)
			}
		}
	}
	for _, model := range []string{at("in/none.model"), at("in/00-" + filepath.Base(files[0]))} {
		said := parleyBeam(t, 1, "score", "-m", model, "-o", at("errors"), at("in/"))
		if name, _, _ := strings.Cut(model, "?"); !strings.Contains(said, name+": ") || strings.Contains(said, "endpoint") {
			t.Errorf("it said %q, want %s", said, name)
		}
	}
	for _, c := range []struct{ file, want string }{
		{at("in/none.jsonl"), "s3://texts/in/none.jsonl: file does not exist"},
		{at("nothing/"), "s3://texts/nothing/: there is no such file"},
		{at("in/*.nothing"), "s3://texts/in/*.nothing: there is no such file"},
	} {
		if said := parleyBeam(t, 1, append(flags, "-o", at("errors"), c.file)...); !strings.Contains(said, c.want) || strings.Contains(said, "endpoint") {
			t.Errorf("it said %q, want %q", said, c.want)
		}
	}
}
