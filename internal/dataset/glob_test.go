package dataset

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestGlobs(t *testing.T) {
	tree(t, "d/b.csv", "d/a.csv", "d/e/c.csv", "d/e/f/c.txt", "d/.hidden/x.csv", "d/.y.csv", "odd[1].csv", "d/folder.csv/z.csv")
	if err := os.Symlink("e", filepath.Join("d", "link")); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ pattern, want string }{
		{"d/*.csv", "d/a.csv d/b.csv"},
		{"d/**/*.csv", "d/a.csv d/b.csv d/e/c.csv d/folder.csv/z.csv"},
		{"d/**/*.{txt,csv}", "d/a.csv d/b.csv d/e/c.csv d/e/f/c.txt d/folder.csv/z.csv"},
		{"d/[ab].csv", "d/a.csv d/b.csv"},
		{"*/?.csv", "d/a.csv d/b.csv"},
		{"odd[1].csv", "odd[1].csv"}, // a file is called so
		{"./d/*/c.*", "d/e/c.csv"},
		{"none*", "none*: no file has such a name"},
		{"d/[.csv", "d/[.csv: syntax error in pattern"},
	} {
		srcs, err := Files([]string{c.pattern}, nil)
		var names []string
		for _, s := range srcs {
			names = append(names, filepath.ToSlash(s.Name()))
		}
		got := strings.Join(names, " ")
		if err != nil {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("%s: got %s, want %s", c.pattern, got, c.want)
		}
	}
}
