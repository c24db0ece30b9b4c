//go:build servers

package store

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func init() {
	kinds = append(kinds, kind{"s3", func(t testing.TB) string { return server.newStore(t) }})
	atStart = append(atStart, startS3)
	atEnd = append(atEnd, func() { server.stop() })
}

// server is the S3 server of the tests.
var server *s3Server

// An s3Server is a versitygw process that keeps buckets in a folder. It listens
// on a socket in that folder, so that nobody has to guess a free port, and the
// tests forward a port to it, which they can close.
type s3Server struct {
	folder  string
	process *exec.Cmd
	port    net.Listener
	stores  atomic.Int64
	lose    atomic.Bool // the answer to the next write to a log of aliases

	mu   sync.Mutex
	open []net.Conn // that were forwarded
}

// drop closes the connections that came to an address.
func (s *s3Server) drop(addr net.Addr) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.open {
		if c.LocalAddr().String() == addr.String() {
			c.Close()
		}
	}
}

// startS3 builds the server that tools/s3/go.mod pins, and starts it.
func startS3() error {
	path, err := exec.Command("go", "tool", "-modfile=../../tools/s3/go.mod", "-n", "versitygw").Output()
	if err != nil {
		return fmt.Errorf("building versitygw: %w", err)
	}
	server = &s3Server{}
	if server.folder, err = os.MkdirTemp("", "s3"); err != nil {
		return err
	}
	buckets, meta := filepath.Join(server.folder, "buckets"), filepath.Join(server.folder, "meta")
	if err := errors.Join(os.Mkdir(buckets, 0o755), os.Mkdir(meta, 0o755)); err != nil {
		return err
	}
	for k, v := range map[string]string{"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_EC2_METADATA_DISABLED": "true"} {
		os.Setenv(k, v)
	}
	server.process = exec.Command(strings.TrimSpace(string(path)), "--access", "test", "--secret", "secret", "--quiet",
		"--port", server.socket(), "posix", "--sidecar", meta, buckets)
	var said bytes.Buffer
	server.process.Stderr = &said
	if err := server.process.Start(); err != nil {
		return err
	}
	if server.port, err = server.listen("127.0.0.1:0"); err != nil {
		return err
	}
	if err := server.wait(); err != nil {
		server.stop()
		return fmt.Errorf("versitygw: %w; it said: %s", err, said.String())
	}
	return nil
}

func (s *s3Server) stop() {
	s.port.Close()
	s.process.Process.Kill()
	s.process.Wait()
	os.RemoveAll(s.folder)
}

func (s *s3Server) socket() string { return filepath.Join(s.folder, "socket") }

func (s *s3Server) bucket(name string) string { return filepath.Join(s.folder, "buckets", name) }

// wait waits until the server answers.
func (s *s3Server) wait() error {
	var err error
	for range 600 {
		var answer *http.Response
		if answer, err = http.Get("http://" + s.port.Addr().String()); err == nil {
			return answer.Body.Close()
		}
		time.Sleep(100 * time.Millisecond)
	}
	return err
}

// listen forwards what comes to an address to the server, until it is closed.
func (s *s3Server) listen(addr string) (net.Listener, error) {
	port, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, err
	}
	go func() {
		for {
			in, err := port.Accept()
			if err != nil {
				return
			}
			go s.forward(in)
		}
	}()
	return port, nil
}

func (s *s3Server) forward(in net.Conn) {
	defer in.Close()
	s.mu.Lock()
	s.open = append(s.open, in)
	s.mu.Unlock()
	out, err := net.Dial("unix", s.socket())
	if err != nil {
		return
	}
	defer out.Close()
	var lost atomic.Bool // the answer
	go func() {
		io.Copy(out, io.TeeReader(in, spy(func(request []byte) {
			if bytes.HasPrefix(request, []byte("PUT ")) && bytes.Contains(request, []byte("/aliases/")) && s.lose.CompareAndSwap(true, false) {
				lost.Store(true)
			}
		})))
		out.Close()
	}()
	for buffer := make([]byte, 1<<16); ; {
		n, err := out.Read(buffer)
		if err != nil || lost.Load() {
			return
		}
		in.Write(buffer[:n])
	}
}

// A spy is called with what is written to it.
type spy func([]byte)

func (s spy) Write(p []byte) (int, error) {
	s(p)
	return len(p), nil
}

// newStore makes a bucket and returns the URL of a folder in it.
func (s *s3Server) newStore(t testing.TB) string {
	t.Helper()
	name := fmt.Sprintf("bucket-%d", s.stores.Add(1))
	if err := os.Mkdir(s.bucket(name), 0o755); err != nil {
		t.Fatal(err)
	}
	return s.url(name, s.port)
}

// bucketOf is the bucket in a URL of newStore.
func bucketOf(url string) string {
	name, _, _ := strings.Cut(strings.TrimPrefix(url, "s3://"), "?")
	return name
}

func (s *s3Server) url(bucket string, port net.Listener) string {
	return fmt.Sprintf("s3://%s?prefix=team/&region=us-east-1&use_path_style=true&endpoint=http://%s", bucket, port.Addr())
}
