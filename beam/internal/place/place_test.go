package place

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func put(t *testing.T, f Folder, name, content string) {
	t.Helper()
	w, err := f.Create(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(w, content); err != nil {
		t.Fatal(err)
	}
	if err := w.Commit(); err != nil {
		t.Fatal(err)
	}
}

func names(t *testing.T, f Folder, prefix string) string {
	t.Helper()
	list, err := f.Names(t.Context(), prefix)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(list, " ")
}

func TestFolderOnDisk(t *testing.T) {
	root := filepath.Join(t.TempDir(), "not", "there", "yet")
	f, err := OpenFolder(t.Context(), root)
	if err != nil {
		t.Fatal(err)
	}
	if got := names(t, f, "") + names(t, f, "sub/"); got != "" {
		t.Errorf("a folder that is not there has %q", got)
	}
	put(t, f, ".tmp/b", "content")
	put(t, f, ".tmp/c", "")
	put(t, f, "a", "a")
	if got := names(t, f, "") + "|" + names(t, f, ".tmp/") + "|" + names(t, f, ".tmp/c"); got != "a|.tmp/b .tmp/c|.tmp/c" {
		t.Errorf("names %q", got)
	}
	if err := f.Rename(t.Context(), ".tmp/b", "a"); err != nil {
		t.Fatal(err)
	}
	if n, err := f.Size(t.Context(), "a"); err != nil || n != int64(len("content")) {
		t.Errorf("size %d, error %v", n, err)
	}
	if _, err := f.Size(t.Context(), ".tmp/b"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a file that was renamed: error %v", err)
	}
	for range 2 {
		if err := f.Remove(t.Context(), ".tmp/c"); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := os.Stat(filepath.Join(root, ".tmp")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("an empty folder is left: %v", err)
	}
	w, err := f.Create(t.Context(), "half")
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(w.Abort(), f.Sync()); err != nil {
		t.Fatal(err)
	}
	if err := Replace(t.Context(), filepath.Join(root, "a"), []byte("new")); err != nil || names(t, f, "") != "a" {
		t.Errorf("names %q, error %v", names(t, f, ""), err)
	}
}

func TestAddresses(t *testing.T) {
	a, remote, err := parse("s3://bucket/some/key.jsonl?region=x&endpoint=http://y")
	if err != nil || !remote || a != (address{"s3://bucket?region=x&endpoint=http://y", "s3://bucket", "some/key.jsonl"}) {
		t.Errorf("address %+v, error %v", a, err)
	}
	if f := a.file("k", 7); f != (File{"s3://bucket/k", "s3://bucket/k?region=x&endpoint=http://y", 7}) {
		t.Errorf("file %+v", f)
	}
	if folder, name, err := split("s3://bucket/some/key.json?region=x"); folder != "s3://bucket/some?region=x" || name != "key.json" || err != nil {
		t.Errorf("folder %q, name %q, error %v", folder, name, err)
	}
	wrong := map[string]string{
		"http://host/key?secret=1": "http://host/key: want a path",
		"s3://":                    "no bucket is named",
	}
	if !withGCS {
		wrong["gs://bucket/key?secret=1"] = "gs://bucket/key: this program was built without"
	}
	for url, want := range wrong {
		if _, err := OpenFolder(t.Context(), url); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: error %v, want %q", url, err, want)
		}
	}
	for key, want := range map[string]bool{"a.jsonl": true, "x/b.CSV.gz": true, "c.parquet": true, "d.txt": false, ".e.csv": false, "x/.y/f.csv": false} {
		if isData(key) != want {
			t.Errorf("%s: %v", key, !want)
		}
	}
}

func TestFilesOnDisk(t *testing.T) {
	folder := t.TempDir()
	for _, name := range []string{"b.jsonl", "a.csv", "c.bin"} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(name), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	files, err := Files(t.Context(), []string{folder, filepath.Join(folder, "*.bin")})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, f := range files {
		got = append(got, fmt.Sprint(filepath.Base(f.Name), f.Bytes))
	}
	if strings.Join(got, " ") != "a.csv5 b.jsonl7 c.bin5" {
		t.Errorf("files %q", got)
	}
	r, err := Open(t.Context(), files[1].URL, 2)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if b, err := io.ReadAll(r); string(b) != "jsonl" || err != nil {
		t.Errorf("read %q, error %v", b, err)
	}
}
