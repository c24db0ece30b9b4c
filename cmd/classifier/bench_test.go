package main

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/health"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"

	parleyv1 "github.com/parley-nlp/parley/proto/parley/v1"
)

// A gatekeeper answers callers that show a client certificate and a key.
type gatekeeper struct {
	parleyv1.UnimplementedClassificationServiceServer
	key string
}

func (g gatekeeper) Classify(ctx context.Context, _ *parleyv1.ClassifyRequest) (*parleyv1.ClassifyResponse, error) {
	p, _ := peer.FromContext(ctx)
	info, _ := p.AuthInfo.(credentials.TLSInfo)
	md, _ := metadata.FromIncomingContext(ctx)
	if len(info.State.PeerCertificates) != 1 || strings.Join(md.Get("authorization"), "") != "Bearer "+g.key {
		return nil, status.Error(codes.Unauthenticated, "who are you?")
	}
	return &parleyv1.ClassifyResponse{ModelRevision: "models/default/revisions/one"}, nil
}

// writePair writes a certificate of this machine, which is its own authority,
// and its key.
func writePair(t *testing.T, dir string) (cert, key string) {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, c, c, &k.PublicKey, k)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(k)
	if err != nil {
		t.Fatal(err)
	}
	cert, key = filepath.Join(dir, "tls.crt"), filepath.Join(dir, "tls.key")
	for path, block := range map[string]*pem.Block{cert: {Type: "CERTIFICATE", Bytes: der}, key: {Type: "PRIVATE KEY", Bytes: private}} {
		if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return cert, key
}

// startGatekeeper runs a server with TLS until the test ends.
func startGatekeeper(t *testing.T, cert, key string, g gatekeeper) string {
	t.Helper()
	pair, err := tls.LoadX509KeyPair(cert, key)
	if err != nil {
		t.Fatal(err)
	}
	s := grpc.NewServer(grpc.Creds(credentials.NewTLS(&tls.Config{Certificates: []tls.Certificate{pair}, ClientAuth: tls.RequestClientCert})))
	h := health.NewServer()
	h.SetServingStatus(parleyv1.ClassificationService_ServiceDesc.ServiceName, grpc_health_v1.HealthCheckResponse_SERVING)
	parleyv1.RegisterClassificationServiceServer(s, g)
	grpc_health_v1.RegisterHealthServer(s, h)
	lis, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- s.Serve(lis) }()
	t.Cleanup(func() {
		s.Stop()
		<-served
	})
	return lis.Addr().String()
}

func TestBenchOfASecuredServer(t *testing.T) {
	dir := t.TempDir()
	cert, key := writePair(t, dir)
	keyFile, empty := filepath.Join(dir, "key"), filepath.Join(dir, "empty")
	for path, contents := range map[string]string{keyFile: "secret-one\n", empty: "\n"} {
		if err := os.WriteFile(path, []byte(contents), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	addr := startGatekeeper(t, cert, key, gatekeeper{key: "secret-one"})
	for _, row := range []struct {
		name string
		args []string
		code int
		want string // on standard output or standard error
	}{
		{"certificate and key", []string{"--tls-ca", cert, "--tls-cert", cert, "--tls-key", key, "--key-file", keyFile}, 0, "revision  models/default/revisions/one"},
		{"no certificate", []string{"--tls-ca", cert, "--key-file", keyFile}, 1, "Unauthenticated"},
		{"no key", []string{"--tls-ca", cert, "--tls-cert", cert, "--tls-key", key}, 1, "Unauthenticated"},
		{"unknown authority", []string{"--tls", "--timeout", "300ms"}, 1, "no call was answered by " + addr},
		{"half a pair", []string{"--tls-cert", cert}, 2, "--tls-cert and --tls-key go together"},
		{"plaintext", []string{"--tls-ca", cert, "--plaintext"}, 2, "--plaintext does not go with --tls-ca"},
		{"key in the clear", []string{"--addr", "example.org:50051", "--key-file", keyFile, "--plaintext"}, 2, "must not travel to example.org:50051 unencrypted"},
		{"no authority", []string{"--tls-ca", keyFile}, 2, keyFile},
		{"no key in its file", []string{"--key-file", empty}, 2, "a key has at least one character"},
	} {
		var stdout, stderr bytes.Buffer
		args := append([]string{"bench", "--addr", addr, "--concurrency", "1", "--duration", "100ms", "--warm-up", "0s"}, row.args...)
		e := env{ctx: t.Context(), args: args, stdin: strings.NewReader(""), stdout: &stdout, stderr: &stderr}
		code := e.run()
		if out := stdout.String() + stderr.String(); code != row.code || !strings.Contains(out, row.want) || strings.Contains(out, "secret-one") {
			t.Errorf("%s: exit code %d, want %d with %q:\n%s", row.name, code, row.code, row.want, out)
		}
	}
}
