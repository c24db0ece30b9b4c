//go:build servers && gcs

package store

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func init() {
	g := &gcsServer{}
	kinds = append(kinds, kind{"gcs", g.newStore})
	atStart = append(atStart, g.start)
	atEnd = append(atEnd, g.stop)
}

// A gcsServer is a process that emulates Google Cloud Storage.
type gcsServer struct {
	folder  string
	process *exec.Cmd
	url     string
	stores  int
}

// start builds the emulator that tools/gcs/go.mod pins, and starts it.
func (g *gcsServer) start() error {
	path, err := exec.Command("go", "tool", "-modfile=../../tools/gcs/go.mod", "-n", "fake-gcs-server").Output()
	if err != nil {
		return fmt.Errorf("building fake-gcs-server: %w", err)
	}
	if g.folder, err = os.MkdirTemp("", "gcs"); err != nil {
		return err
	}
	port, err := freePort()
	if err != nil {
		return err
	}
	g.url = fmt.Sprintf("http://127.0.0.1:%d", port)
	os.Setenv("STORAGE_EMULATOR_HOST", strings.TrimPrefix(g.url, "http://"))
	g.process = exec.Command(strings.TrimSpace(string(path)), "-scheme=http", "-host=127.0.0.1", fmt.Sprint("-port=", port),
		"-backend=memory", "-data="+filepath.Join(g.folder, "none"), "-public-host="+strings.TrimPrefix(g.url, "http://"))
	if err := g.process.Start(); err != nil {
		return err
	}
	for range 600 {
		var answer *http.Response
		if answer, err = http.Get(g.url + "/storage/v1/b?project=test"); err == nil {
			return answer.Body.Close()
		}
		time.Sleep(100 * time.Millisecond)
	}
	g.stop()
	return err
}

func (g *gcsServer) stop() {
	g.process.Process.Kill()
	g.process.Wait()
	os.RemoveAll(g.folder)
}

// newStore makes a bucket and returns the URL of a folder in it.
func (g *gcsServer) newStore(t testing.TB) string {
	t.Helper()
	g.stores++
	name := fmt.Sprintf("bucket-%d", g.stores)
	req := must[*http.Request](t)(http.NewRequestWithContext(context.Background(), "POST", g.url+"/storage/v1/b?project=test",
		bytes.NewReader([]byte(`{"name":"`+name+`"}`))))
	req.Header.Set("Content-Type", "application/json")
	answer := must[*http.Response](t)(http.DefaultClient.Do(req))
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		t.Fatalf("making a bucket: %s", answer.Status)
	}
	return "gs://" + name + "?prefix=team/&anonymous=true"
}

// freePort is a port that was free just now: the emulator takes no socket.
func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}
