//go:build linux

package store

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// TestFullAndReadOnlyDirectory fills a small file system, and then makes it
// read-only.
func TestFullAndReadOnlyDirectory(t *testing.T) {
	dir, ctx := t.TempDir(), t.Context()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=64k"); err != nil {
		t.Skipf("needs the right to mount: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, 0); err != nil {
			t.Error(err)
		}
	})
	s := must[*Store](t)(Open(ctx, dir))
	defer s.Close()
	r := publish(t, s, 1)
	must[State](t)(s.SetAlias(ctx, "news", "live", r, "", ""))

	large := largeModel(t, 1)
	_, err := s.Publish(ctx, "news", large, Provenance{})
	wantError(t, err, ErrUnavailable)
	wantError(t, err, syscall.ENOSPC)
	if cards := must[[]Card](t)(s.Revisions(ctx, "news")); len(cards) != 1 {
		t.Errorf("%d revisions", len(cards))
	}
	_, err = s.Load(ctx, "news", large.Revision())
	wantError(t, err, ErrNotFound)
	left, err := os.ReadDir(filepath.Join(dir, temporary))
	if err != nil || len(left) != 0 {
		t.Errorf("left %v, error %v", left, err)
	}

	if err := syscall.Mount("", dir, "", syscall.MS_REMOUNT|syscall.MS_RDONLY, ""); err != nil {
		t.Fatal(err)
	}
	_, err = s.Publish(ctx, "news", newModel(t, 2), Provenance{})
	wantError(t, err, ErrUnavailable)
	wantError(t, err, syscall.EROFS)
	_, err = s.SetAlias(ctx, "news", "live", newModel(t, 2).Revision(), "", "")
	wantError(t, err, ErrNotFound)
	_, err = s.SetAlias(ctx, "news", "shadow", r, "", "")
	wantError(t, err, syscall.EROFS)
	reader := must[*Store](t)(Open(ctx, dir)) // reading needs no right to write
	defer reader.Close()
	must[Card](t)(reader.Verify(ctx, "news", r))
}
