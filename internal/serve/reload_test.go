package serve

import (
	"context"
	"crypto/tls"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/protobuf/types/known/emptypb"

	"github.com/parley-nlp/parley/internal/guard"
)

// quick reloads files at once.
var quick = Config{Guard: guard.Config{Security: guard.Security{ReloadInterval: time.Millisecond}}}

// serving tells which certificate a new connection gets.
func (s *secured) serving(t *testing.T) string {
	t.Helper()
	conn, err := tls.Dial("tcp", s.addr, &tls.Config{RootCAs: s.authority.Pool(), NextProtos: []string{"h2"}})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	return conn.ConnectionState().PeerCertificates[0].SerialNumber.String()
}

// Certificates are replaced again and again, and broken in between, while old
// connections go on and new ones are made: no call fails.
func TestCertificatesReplacedUnderLoad(t *testing.T) {
	s := startSecured(t, quick)
	var calls atomic.Int64
	ctx, stop := context.WithCancel(with(t, "Bearer "+s.keys["scorer-key"]))
	var clients sync.WaitGroup
	call := func(conn *grpc.ClientConn) {
		if err := conn.Invoke(ctx, classifyMethod, request("shares", nil), &emptypb.Empty{}); err != nil && ctx.Err() == nil {
			t.Errorf("a call failed: %v", err)
		}
		calls.Add(1)
	}
	old := s.connect(t)
	clients.Go(func() {
		for ctx.Err() == nil {
			call(old)
		}
	})
	clients.Go(func() {
		for ctx.Err() == nil {
			creds := credentials.NewTLS(&tls.Config{RootCAs: s.authority.Pool()})
			conn, err := grpc.NewClient(s.addr, grpc.WithTransportCredentials(creds))
			if err != nil {
				t.Error(err)
				return
			}
			call(conn)
			conn.Close()
		}
	})
	for range 10 {
		next := sign(t, s.authority, "server.example", time.Hour)
		s.files.putPair(t, next)
		want := shown(t, next).Leaf.SerialNumber.String()
		waitFor(t, "the new certificate", func() bool { return s.serving(t) == want })
		failed, before := s.guard.Counters().FailedReloads.Load(), calls.Load()
		s.files.put(t, "tls.crt", next.Cert[:len(next.Cert)/2])
		waitFor(t, "the broken file to be counted", func() bool { return s.guard.Counters().FailedReloads.Load() > failed })
		waitFor(t, "calls with it", func() bool { return calls.Load() > before+20 })
		if got := s.serving(t); got != want {
			t.Errorf("with a broken file the server shows certificate %s, want the old one, %s", got, want)
		}
	}
	stop()
	clients.Wait()
	t.Logf("%d calls, %d files read anew, %d broken", calls.Load(), s.guard.Counters().Reloads.Load(), s.guard.Counters().FailedReloads.Load())
}

// An expired certificate does not take the place of a good one.
func TestExpiredServerCertificateIsNotTaken(t *testing.T) {
	s := startSecured(t, quick)
	want := s.serving(t)
	s.files.putPair(t, sign(t, s.authority, "server.example", -time.Minute))
	// The two files do not change together, so the pair may be broken first.
	waitFor(t, "the files to be refused", func() bool {
		for _, event := range s.log.events() {
			if event["level"] == "error" && event["error"] != nil && strings.Contains(event["error"].(string), "the certificate expired at") {
				return true
			}
		}
		return false
	})
	if got := s.serving(t); got != want {
		t.Errorf("the server shows certificate %s, want the old one, %s", got, want)
	}
}

// A client's authority that is taken out lets no new connection in.
func TestClientAuthoritiesReplaced(t *testing.T) {
	s := startSecured(t, quick)
	other := newAuthority(t)
	mine, theirs := shown(t, sign(t, s.authority, "root.example", time.Hour)), shown(t, sign(t, other, "root.example", time.Hour))
	as := func(cert tls.Certificate) *grpc.ClientConn {
		creds := credentials.NewTLS(&tls.Config{RootCAs: s.authority.Pool(), ClientSessionCache: sessions,
			GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &cert, nil }})
		conn, err := grpc.NewClient(s.addr, grpc.WithTransportCredentials(creds))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close() })
		return conn
	}
	if got := access(t.Context(), as(mine)); got != "yes yes yes yes" {
		t.Fatalf("before: %s", got)
	}
	s.files.put(t, "ca.crt", other.PEM())
	waitFor(t, "the new authority", func() bool { return access(t.Context(), as(theirs)) == "yes yes yes yes" })
	if got := access(t.Context(), as(mine)); got != "unavailable unavailable unavailable unavailable" {
		t.Errorf("a certificate of the old authority: %s", got)
	}
}

// sessions would let clients resume what the old authority allowed.
var sessions = tls.NewLRUClientSessionCache(10)

// Keys are added and taken out while connections live.
func TestKeysReplaced(t *testing.T) {
	s := startSecured(t, quick)
	conn := s.connect(t)
	old := with(t, "Bearer "+s.keys["admin-key"])
	line := s.newKey(t, "rotated", guard.Admin)
	s.files.put(t, "keys", append(readFile(t, s.files.file("keys")), line...))
	rotated := with(t, "Bearer "+s.keys["rotated"])
	waitFor(t, "the new key", func() bool { return access(rotated, conn) == "yes yes yes yes" })
	if got := access(old, conn); got != "yes yes yes yes" {
		t.Errorf("the old key beside it: %s", got)
	}
	s.files.put(t, "keys", []byte(line))
	waitFor(t, "the old key to go", func() bool { return access(old, conn) == "who who who who" })
	s.files.put(t, "keys", []byte("broken\n"))
	waitFor(t, "the broken file to be counted", func() bool { return s.guard.Counters().FailedReloads.Load() == 1 })
	if got := access(rotated, conn); got != "yes yes yes yes" {
		t.Errorf("with a broken file: %s", got)
	}
	if got := s.refused("unknown_key"); got == 0 {
		t.Error("unknown keys were not counted")
	}
}
