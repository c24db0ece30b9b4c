//go:build servers

package ledger

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// A pgServer is a PostgreSQL of the tests' own, on a socket in a folder of its own.
type pgServer struct {
	bin, dir string
}

var (
	sharedPG  *pgServer
	databases atomic.Int64
)

// asPostgres runs a program of PostgreSQL, which refuses to run as root.
func asPostgres(name string, args ...string) *exec.Cmd {
	if os.Getuid() != 0 {
		return exec.Command(name, args...)
	}
	return exec.Command("setpriv", append([]string{"--reuid=postgres", "--regid=postgres", "--clear-groups", "--", name}, args...)...)
}

// findPG returns the folder of PostgreSQL's programs.
func findPG() (string, error) {
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if err == nil && len(found) > 0 {
		return filepath.Dir(found[len(found)-1]), nil
	}
	path, err := exec.LookPath("initdb")
	if err != nil {
		return "", errors.New("initdb is not installed: want Debian's package postgresql")
	}
	return filepath.Dir(path), nil
}

// newPG makes a server and starts it.
func newPG(dir string) (*pgServer, error) {
	bin, err := findPG()
	if err != nil {
		return nil, err
	}
	s := &pgServer{bin, dir}
	if out, err := exec.Command("chmod", "0777", dir).CombinedOutput(); err != nil {
		return nil, fmt.Errorf("%w: %s", err, out)
	}
	if out, err := asPostgres(bin+"/initdb", "-D", s.data(), "-U", "postgres", "--auth=trust", "--encoding=UTF8", "--locale=C").CombinedOutput(); err != nil {
		return nil, fmt.Errorf("initdb: %w: %s", err, out)
	}
	return s, s.start()
}

func (s *pgServer) data() string { return filepath.Join(s.dir, "data") }

func (s *pgServer) start() error {
	out, err := asPostgres(s.bin+"/pg_ctl", "-D", s.data(), "-w", "-t", "120", "-l", filepath.Join(s.dir, "log"),
		"-o", fmt.Sprintf("-k %s -c listen_addresses= -c fsync=on -c max_connections=200", s.dir), "start").CombinedOutput()
	if err != nil {
		return fmt.Errorf("pg_ctl start: %w: %s", err, out)
	}
	return nil
}

// stop stops the server: fast, or immediate, which is a crash.
func (s *pgServer) stop(mode string) error {
	if out, err := asPostgres(s.bin+"/pg_ctl", "-D", s.data(), "-w", "-t", "120", "-m", mode, "stop").CombinedOutput(); err != nil {
		return fmt.Errorf("pg_ctl stop: %w: %s", err, out)
	}
	return nil
}

// pid is the process of the server that starts all others.
func (s *pgServer) pid() (int, error) {
	b, err := os.ReadFile(filepath.Join(s.data(), "postmaster.pid"))
	if err != nil {
		return 0, err
	}
	var pid int
	_, err = fmt.Sscan(string(b), &pid)
	return pid, err
}

// newDatabase returns the URL of an empty database.
func (s *pgServer) newDatabase(t *testing.T) string {
	t.Helper()
	name := fmt.Sprintf("ledger%d", databases.Add(1))
	out, err := exec.Command(s.bin+"/psql", "-h", s.dir, "-U", "postgres", "-c", "CREATE DATABASE "+name).CombinedOutput()
	if err != nil {
		t.Fatalf("CREATE DATABASE: %v: %s", err, out)
	}
	return fmt.Sprintf("postgres://postgres@/%s?host=%s", name, s.dir)
}

// TestMain runs the tests with a server that ends after them.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == childArgument {
		os.Exit(child(os.Args[2:]))
	}
	dir, err := os.MkdirTemp("", "ledger-*")
	if err == nil {
		sharedPG, err = newPG(dir)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	if err := errors.Join(sharedPG.stop("immediate"), os.RemoveAll(dir)); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

var onServer = backend{"PostgreSQL", func(t *testing.T) string { return sharedPG.newDatabase(t) }}

func TestPostgreSQL(t *testing.T) { runSuite(t, onServer) }

// A server that is gone is an error without the password, and writing goes on when
// it is back.
func TestServerGone(t *testing.T) {
	s := ownPG(t)
	url := strings.Replace(s.newDatabase(t), "postgres@", "postgres:hush-hush@", 1)
	l := openAt(t, url)
	must(t, l, label("a", "topic", "x", "ann"))
	if err := s.stop("immediate"); err != nil {
		t.Fatal(err)
	}
	_, addErr := l.Add(t.Context(), "r", []NewLabel{label("b", "topic", "x", "ann")})
	_, openErr := Open(t.Context(), url)
	for what, err := range map[string]error{"Add": addErr, "Open": openErr} {
		if !errors.Is(err, ErrUnavailable) {
			t.Errorf("%s: got %v, want ErrUnavailable", what, err)
		} else if strings.Contains(err.Error(), "hush") {
			t.Errorf("%s: the error has the password", what)
		}
	}
	if _, err := Open(t.Context(), "postgres://u:hush-hush@host:notaport/x"); !errors.Is(err, ErrInvalid) || strings.Contains(err.Error(), "hush") {
		t.Errorf("a bad URL: %v", err)
	}
	if err := s.start(); err != nil {
		t.Fatal(err)
	}
	if _, err := l.Add(t.Context(), "r", []NewLabel{label("b", "topic", "x", "ann")}); err != nil { // connections that broke are thrown away
		t.Fatal(err)
	}
	equal(t, "rows", len(resolved(t, l, 0).Rows), 2)
}

func TestDatabaseThatIsNotThere(t *testing.T) {
	_, err := Open(t.Context(), fmt.Sprintf("postgres://postgres@/nothing?host=%s", sharedPG.dir))
	if !errors.Is(err, ErrUnavailable) || !strings.Contains(err.Error(), "no such database") {
		t.Errorf("got %v", err)
	}
}

// A schema that others use is refused, and left as it is.
func TestSchemaOfOthers(t *testing.T) {
	url := sharedPG.newDatabase(t)
	l := openAt(t, url)
	for _, query := range []string{`CREATE SCHEMA shop`, `CREATE TABLE shop.events (name TEXT)`} {
		if _, err := l.db.Exec(query); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := Open(t.Context(), url+"&search_path=shop"); !errors.Is(err, ErrNotLedger) {
		t.Errorf("got %v, want ErrNotLedger", err)
	}
	openAt(t, url+"&search_path=second") // a second ledger beside the first
}

// Who waits is told by those who write, and polls while he cannot be told.
func TestNotifications(t *testing.T) {
	s := ownPG(t)
	url := s.newDatabase(t)
	l, other := openAt(t, url), openAt(t, url)
	heard := listening(t, l)
	must(t, other, label("a", "topic", "x", "ann"))
	select {
	case <-heard:
	case <-time.After(time.Minute):
		t.Fatal("nobody told of the label")
	}
	if err := errors.Join(s.stop("immediate"), s.start()); err != nil {
		t.Fatal(err)
	}
	at := make(chan int64)
	go func() {
		position, _ := l.Wait(context.Background(), 1)
		at <- position
	}()
	if _, err := other.Add(t.Context(), "", []NewLabel{label("b", "topic", "x", "ann")}); err != nil {
		t.Fatal(err)
	}
	equal(t, "position", <-at, 2)
	listening(t, l)
}

// listening waits until the ledger listens, and returns what it will hear.
func listening(t *testing.T, l *Ledger) <-chan struct{} {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		if heard, look := l.dialect.Heard(); look == listenTime {
			return heard
		}
	}
	t.Fatal("the ledger does not listen")
	return nil
}

// ownPG is a server that a test may stop.
func ownPG(t *testing.T) *pgServer {
	t.Helper()
	dir, err := os.MkdirTemp("", "ledger-*")
	if err != nil {
		t.Fatal(err)
	}
	s, err := newPG(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(s.stop("immediate"), os.RemoveAll(dir)); err != nil {
			t.Error(err)
		}
	})
	return s
}

func TestKilledWritersOnPostgreSQL(t *testing.T) {
	testKilledWriters(t, onServer.url(t), nil)
}

// TestKilledServer kills the server itself under a writer that goes on.
func TestKilledServer(t *testing.T) {
	s := ownPG(t)
	testKilledWriters(t, s.newDatabase(t), func() error {
		pid, err := s.pid()
		if err != nil {
			return err
		}
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
			return err
		}
		for syscall.Kill(pid, 0) == nil {
			time.Sleep(time.Millisecond)
		}
		return s.restart()
	})
}

// restart starts the server after its first process was killed: the others end by
// themselves, and until then it refuses to start.
func (s *pgServer) restart() (err error) {
	for range 100 {
		if err = s.start(); err == nil {
			return nil
		}
		time.Sleep(50 * time.Millisecond)
	}
	return err
}
