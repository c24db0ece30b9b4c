package reload

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// number takes a file whose contents are digits.
func number(contents [][]byte) (string, error) {
	text := string(bytes.Join(contents, []byte("+")))
	if strings.Trim(text, "0123456789+") != "" {
		return "", errors.New("not a number: " + text)
	}
	return text, nil
}

func write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestValue(t *testing.T) {
	a, b := filepath.Join(t.TempDir(), "a"), filepath.Join(t.TempDir(), "b")
	write(t, a, "1")
	write(t, b, "2")
	v, err := New(number, a, b)
	if err != nil || v.Get() != "1+2" {
		t.Fatalf("got %v, error %v, want 1+2", v, err)
	}
	check := func(step string, wantChanged bool, wantErr, want string) {
		t.Helper()
		changed, err := v.Check()
		failed := err != nil && wantErr != "" && strings.Contains(err.Error(), wantErr)
		if changed != wantChanged || (err != nil || wantErr != "") && !failed || v.Get() != want {
			t.Errorf("%s: changed %t, error %v, value %s; want %t, %q, %s", step, changed, err, v.Get(), wantChanged, wantErr, want)
		}
	}
	check("nothing happened", false, "", "1+2")
	write(t, b, "3")
	check("a file changed", true, "", "1+3")
	write(t, b, "x")
	check("a broken file", false, "not a number: 1+x", "1+3")
	check("still broken", false, "", "1+3")
	if err := os.Remove(a); err != nil {
		t.Fatal(err)
	}
	check("a file went", false, "no such file", "1+3")
	check("still gone", false, "", "1+3")
	write(t, a, strings.Repeat("1", MaxFileBytes+1))
	check("a huge file", false, "more than 1048576 bytes", "1+3")
	write(t, a, "1")
	write(t, b, "3")
	check("whole again, as it was", true, "", "1+3")
	write(t, a, "11")
	write(t, b, "")
	check("bytes are of their file", true, "", "11+")
	write(t, a, "1")
	write(t, b, "1")
	check("bytes are of their file", true, "", "1+1")
}

func TestNewNeedsTheFiles(t *testing.T) {
	if v, err := New(number, filepath.Join(t.TempDir(), "none")); err == nil || v != nil {
		t.Errorf("got %v, error %v, want an error", v, err)
	}
}
