package serve

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"maps"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/reflection/grpc_reflection_v1"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"

	"github.com/parley-nlp/parley/internal/authority"
	"github.com/parley-nlp/parley/internal/guard"
	"github.com/parley-nlp/parley/internal/serve/servetest"
)

// A secured server has TLS, takes certificates of an authority, and keys.
type secured struct {
	*Server
	addr      string
	log       *journal
	files     folder
	authority *authority.Authority
	keys      map[string]string // by caller's name
}

func startSecured(t *testing.T, cfg Config) *secured {
	t.Helper()
	s := &secured{log: &journal{}, files: folder(t.TempDir()), authority: newAuthority(t), keys: map[string]string{}}
	var lines string
	for _, role := range []guard.Role{guard.Scorer, guard.Reader, guard.Operator, guard.Admin,
		guard.Labeler, guard.Relay, guard.Auditor, guard.Curator, guard.Eraser, guard.Relay | guard.Curator} {
		name := strings.ReplaceAll(role.String(), "+", ".") + "-key"
		lines += s.newKey(t, name, role)
	}
	cfg.Log = zerolog.New(s.log)
	sec := &cfg.Guard.Security
	sec.CertFile, sec.KeyFile = s.files.putPair(t, sign(t, s.authority, "server.example", time.Hour))
	sec.ClientCAFile = s.files.put(t, "ca.crt", s.authority.PEM())
	sec.KeysFile = s.files.put(t, "keys", []byte("# callers\n\n"+lines))
	for _, rule := range []string{"scorer=dns:*.jobs.example,dns:job.example", "operator=spiffe://example/ops/*", "admin=dns:root.example"} {
		roles, err := guard.ParseCertificateRoles(rule)
		if err != nil {
			t.Fatal(err)
		}
		sec.Roles = append(sec.Roles, roles...)
	}
	var err error
	if s.Server, err = New(cfg); err != nil {
		t.Fatal(err)
	}
	s.Use(newModel(t, 1))
	s.addr = servetest.Start(t, s.Server)
	return s
}

// newKey makes a key and returns its line.
func (s *secured) newKey(t *testing.T, name string, role guard.Role) string {
	t.Helper()
	key, line, err := guard.NewKey(name, role)
	if err != nil {
		t.Fatal(err)
	}
	s.keys[name] = key
	return line
}

// connect returns a connection with a client certificate, if any.
func (s *secured) connect(t *testing.T, certs ...tls.Certificate) *grpc.ClientConn {
	t.Helper()
	creds := credentials.NewTLS(&tls.Config{RootCAs: s.authority.Pool(), Certificates: certs})
	conn, err := grpc.NewClient(s.addr, grpc.WithTransportCredentials(creds))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

// with returns a context whose calls carry a key.
func with(t *testing.T, authorization ...string) context.Context {
	ctx := t.Context()
	for _, a := range authorization {
		ctx = metadata.AppendToOutgoingContext(ctx, "authorization", a)
	}
	return ctx
}

// reach calls a method of which only the way to it matters.
func reach(ctx context.Context, conn *grpc.ClientConn, method string) error {
	if method == "Classify" {
		return conn.Invoke(ctx, classifyMethod, request("shares", nil), &emptypb.Empty{})
	}
	return conn.Invoke(ctx, modelService+method, &emptypb.Empty{}, &emptypb.Empty{})
}

// access says in a word for each kind of method whether the server lets a
// caller through: yes, who (UNAUTHENTICATED) or no (PERMISSION_DENIED).
func access(ctx context.Context, conn *grpc.ClientConn) string {
	var words []string
	for _, method := range []string{"Classify", "ListModels", "RollbackModel", "NoSuchMethod"} {
		word := "yes"
		switch code := status.Code(reach(ctx, conn, method)); code {
		case codes.Unauthenticated:
			word = "who"
		case codes.PermissionDenied:
			word = "no"
		case codes.Unavailable:
			word = "unavailable"
		}
		words = append(words, word)
	}
	return strings.Join(words, " ")
}

func TestAccess(t *testing.T) {
	s := startSecured(t, Config{})
	certified := func(name string) []tls.Certificate {
		return []tls.Certificate{shown(t, sign(t, s.authority, name, time.Hour))}
	}
	key := func(name string) []string { return []string{"Bearer " + s.keys[name]} }
	wantRefused := map[string]int64{}
	for _, c := range []struct {
		name          string
		certs         []tls.Certificate
		authorization []string
		want          string // Classify, a read, a write, an unknown method of ModelService
	}{
		{"nothing", nil, nil, "who who who who"},
		{"certificate of a scorer", certified("a.jobs.example"), nil, "yes no no no"},
		{"certificate of another scorer", certified("JOB.example"), nil, "yes no no no"},
		{"certificate of an operator", certified("spiffe://example/ops/a/b"), nil, "no yes yes yes"},
		{"certificate of an admin", certified("root.example"), nil, "yes yes yes yes"},
		{"certificate without a role", certified("jobs.example"), nil, "no no no no"},
		{"URI that looks like a name", certified("spiffe://root.example"), nil, "no no no no"},
		{"key of a scorer", nil, key("scorer-key"), "yes no no no"},
		{"key of a reader", nil, key("reader-key"), "no yes no no"},
		{"key of an operator", nil, key("operator-key"), "no yes yes yes"},
		{"key of an admin", nil, key("admin-key"), "yes yes yes yes"},
		{"the key decides", certified("root.example"), key("reader-key"), "no yes no no"},
		{"wrong key", nil, []string{"Bearer parley-WRONG"}, "who who who who"},
		{"wrong key, good certificate", certified("root.example"), []string{"Bearer x"}, "who who who who"},
		{"a key's hash is no key", nil, []string{"Bearer " + strings.Fields(string(readFile(t, s.files.file("keys"))))[4]}, "who who who who"},
		{"two keys", nil, append(key("admin-key"), key("admin-key")...), "who who who who"},
		{"another scheme", nil, []string{"Basic " + s.keys["admin-key"]}, "who who who who"},
		{"no scheme", nil, []string{s.keys["admin-key"]}, "who who who who"},
		{"the scheme in small letters", nil, []string{"bearer " + s.keys["admin-key"]}, "yes yes yes yes"},
		{"long key", nil, []string{"Bearer " + strings.Repeat("x", 10_000)}, "who who who who"},
	} {
		wantRefused["wrong_role"] += int64(strings.Count(c.want, "no"))
		unauthenticated := "no_credential"
		if len(c.authorization) > 0 {
			unauthenticated = "unknown_key"
		}
		wantRefused[unauthenticated] += int64(strings.Count(c.want, "who"))
		conn := s.connect(t, c.certs...)
		if got := access(with(t, c.authorization...), conn); got != c.want {
			t.Errorf("%s: got %s, want %s", c.name, got, c.want)
		}
		if _, err := grpc_health_v1.NewHealthClient(conn).Check(with(t, c.authorization...), &grpc_health_v1.HealthCheckRequest{}); err != nil {
			t.Errorf("%s: health check: %v", c.name, err)
		}
	}
	got := s.allRefused()
	maps.DeleteFunc(got, func(_ string, n int64) bool { return n == 0 })
	if !maps.Equal(got, wantRefused) {
		t.Errorf("counted %v, want %v", got, wantRefused)
	}
	for _, event := range s.log.events() {
		for name, key := range s.keys {
			if line := fmt.Sprint(event); strings.Contains(line, key) {
				t.Errorf("the key of %s is in the log: %s", name, line)
			}
		}
	}
}

// Errors of access say what is missing and how to get it.
func TestAccessErrors(t *testing.T) {
	s := startSecured(t, Config{})
	conn := s.connect(t)
	for _, c := range []struct {
		authorization string
		want          string
	}{
		{"", "Unauthenticated: the call needs a key as \"authorization: Bearer KEY\" or a client certificate\nparley/UNAUTHENTICATED map[]"},
		{"Bearer x", "Unauthenticated: the key is not one of this server's\nparley/UNAUTHENTICATED map[]"},
		{"Bearer " + s.keys["scorer-key"], "PermissionDenied: the call needs one of the roles operator; scorer-key has scorer\n" +
			"parley/ROLE_MISSING map[caller:scorer-key needs_one_of:operator roles:scorer]"},
	} {
		ctx := t.Context()
		if c.authorization != "" {
			ctx = with(t, c.authorization)
		}
		if got := refusal(reach(ctx, conn, "AliasModelRevision")); got != c.want {
			t.Errorf("got %s, want %s", got, c.want)
		}
	}
	line := s.log.last(t)
	if line["refused"] != "wrong_role" || line["caller"] != "scorer-key" || line["method"] != modelService+"AliasModelRevision" || line["peer"] == nil {
		t.Errorf("logged %v", line)
	}
}

// A caller's name is in the line of its calls.
func TestCallerIsLogged(t *testing.T) {
	s := startSecured(t, Config{})
	conn := s.connect(t, shown(t, sign(t, s.authority, "a.jobs.example", time.Hour)))
	if err := reach(t.Context(), conn, "Classify"); err != nil {
		t.Fatal(err)
	}
	s.Stop() // gRPC answers before the line is written
	waitFor(t, "the log line", func() bool { return len(s.log.events()) > 0 })
	if got := s.log.last(t)["caller"]; got != "dns:a.jobs.example" {
		t.Errorf("logged caller %v", got)
	}
}

// Certificates that are no good end the connection, and are counted.
func TestBadClientCertificates(t *testing.T) {
	s := startSecured(t, Config{})
	for _, c := range []struct {
		name string
		cert authority.Pair
		want string
	}{
		{"of another authority", sign(t, newAuthority(t), "root.example", time.Hour), "untrusted_certificate"},
		{"expired", sign(t, s.authority, "root.example", -time.Minute), "expired_certificate"},
	} {
		// A client shows only what the server says that it takes.
		cert := shown(t, c.cert)
		creds := credentials.NewTLS(&tls.Config{RootCAs: s.authority.Pool(),
			GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &cert, nil }})
		conn, err := grpc.NewClient(s.addr, grpc.WithTransportCredentials(creds))
		if err != nil {
			t.Fatal(err)
		}
		if got := access(t.Context(), conn); got != "unavailable unavailable unavailable unavailable" {
			t.Errorf("%s: got %s", c.name, got)
		}
		conn.Close()
		waitFor(t, c.want+" to be counted", func() bool { return s.refused(c.want) > 0 })
	}
	// TLS 1.1, and no TLS at all.
	if _, err := tls.Dial("tcp", s.addr, &tls.Config{RootCAs: s.authority.Pool(), MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}); err == nil {
		t.Error("TLS 1.1 was spoken")
	}
	plain, err := net.Dial("tcp", s.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer plain.Close()
	if _, err := io.WriteString(plain, "GET / HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	io.Copy(io.Discard, plain) // until the server hangs up
	waitFor(t, "both to be counted", func() bool { return s.refused("failed_handshake") == 2 })
	if got := access(with(t, "Bearer "+s.keys["admin-key"]), s.connect(t)); got != "yes yes yes yes" {
		t.Errorf("a good caller afterwards: %s", got)
	}
}

func TestReflectionNeedsNoCredentialUnlessClosed(t *testing.T) {
	for _, closed := range []bool{false, true} {
		s := startSecured(t, Config{Guard: guard.Config{Security: guard.Security{ClosedReflection: closed}}})
		list := func(ctx context.Context) error {
			stream, err := grpc_reflection_v1.NewServerReflectionClient(s.connect(t)).ServerReflectionInfo(ctx)
			if err != nil {
				return err
			}
			ask := &grpc_reflection_v1.ServerReflectionRequest{MessageRequest: &grpc_reflection_v1.ServerReflectionRequest_ListServices{}}
			if err := stream.Send(ask); err != nil && err != io.EOF {
				return err
			}
			_, err = stream.Recv()
			return err
		}
		want := codes.OK
		if closed {
			want = codes.Unauthenticated
		}
		if err := list(t.Context()); status.Code(err) != want {
			t.Errorf("closed %t: got %v, want %s", closed, err, want)
		}
		if err := list(with(t, "Bearer "+s.keys["reader-key"])); err != nil {
			t.Errorf("closed %t, with a key: %v", closed, err)
		}
	}
}

// Without keys and authorities everybody may call everything, whatever
// authorization comes along.
func TestOpenServer(t *testing.T) {
	s := start(t, Config{}, newModel(t, 1))
	if got := access(with(t, "Bearer of something else"), s.conn); got != "yes yes yes yes" {
		t.Errorf("got %s", got)
	}
}

// waitFor waits until a condition holds.
func waitFor(t testing.TB, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); !holds(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("waited a minute for %s", what)
		}
	}
}
