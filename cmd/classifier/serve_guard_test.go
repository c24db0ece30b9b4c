package main

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestByteSize(t *testing.T) {
	for text, want := range map[string]byteSize{"1": 1, "512B": 512, "2KiB": 2 << 10, "512MiB": 512 << 20, "3GiB": 3 << 30, "1TiB": 1 << 40} {
		var got byteSize
		if err := got.UnmarshalText([]byte(text)); err != nil || got != want {
			t.Errorf("%s: got %d, error %v, want %d", text, got, err, want)
		}
	}
	for _, text := range []string{"", "0", "-1", "MiB", "1.5GiB", "12MB", "9999999999TiB", "1 KiB"} {
		var got byteSize
		if err := got.UnmarshalText([]byte(text)); err == nil || got != 0 {
			t.Errorf("%q: got %d, error %v, want an error", text, got, err)
		}
	}
}

// certify writes a certificate of loopback, signed by itself, and its key.
func certify(t *testing.T, name string) (certFile, keyFile string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, DNSNames: []string{name}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	certFile, keyFile = filepath.Join(dir, name+".crt"), filepath.Join(dir, name+".key")
	for file, block := range map[string]*pem.Block{certFile: {Type: "CERTIFICATE", Bytes: der}, keyFile: {Type: "PRIVATE KEY", Bytes: secret}} {
		if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return certFile, keyFile
}

// execute runs a command line to its end.
func execute(ctx context.Context, args ...string) (code int, stdout, stderr string) {
	var out, errs bytes.Buffer
	code = (&env{ctx, args, strings.NewReader(""), &out, &errs}).run()
	return code, out.String(), errs.String()
}

// A server with certificates answers the clients that its flags allow.
func TestServeWithCertificates(t *testing.T) {
	dir := t.TempDir()
	rows, model, addrFile := filepath.Join(dir, "rows.jsonl"), filepath.Join(dir, "m.model"), filepath.Join(dir, "addr")
	lines := `{"text": "a late goal", "topic": "sport"}` + "\n" + `{"text": "the goal", "topic": "sport"}` + "\n" +
		`{"text": "shares fell", "topic": "money"}` + "\n" + `{"text": "bank shares", "topic": "money"}` + "\n"
	if err := os.WriteFile(rows, []byte(lines), 0o600); err != nil {
		t.Fatal(err)
	}
	if code, _, errs := execute(t.Context(), "train", "-o", model, "--preset", "long", "--estimator", "mnb", "--value", "binary", "--alpha", "1", rows); code != 0 {
		t.Fatal(errs)
	}
	serverCert, serverKey := certify(t, "server.example")
	clientCert, clientKey := certify(t, "client.example")
	otherCert, otherKey := certify(t, "other.example")
	ctx, stop := context.WithCancel(t.Context())
	served := make(chan string)
	go func() {
		_, _, errs := execute(ctx, "serve", "-m", model, "--addr", "127.0.0.1:0", "--addr-file", addrFile, "--drain-delay", "0s",
			"--tls-cert", serverCert, "--tls-key", serverKey, "--tls-client-ca", clientCert, "--role", "scorer=dns:client.example")
		served <- errs
	}()
	defer func() { stop(); t.Log(<-served) }()
	var addr string
	for end := time.Now().Add(time.Minute); addr == ""; time.Sleep(10 * time.Millisecond) {
		b, _ := os.ReadFile(addrFile)
		if addr = strings.TrimSpace(string(b)); addr == "" && time.Now().After(end) {
			t.Fatal("the server is not ready after a minute")
		}
	}
	for _, c := range []struct {
		flags []string
		want  string // in the output
	}{
		{[]string{"--tls-ca", serverCert, "--tls-cert", clientCert, "--tls-key", clientKey}, "topic: sport"},
		{[]string{"--tls-ca", serverCert}, "Unauthenticated: the call needs a client certificate"},
		{[]string{"--tls-ca", otherCert, "--tls-cert", clientCert, "--tls-key", clientKey}, "certificate signed by unknown authority"},
		{[]string{"--tls-ca", serverCert, "--tls-cert", otherCert, "--tls-key", otherKey}, "Unavailable: "},
		{[]string{"--tls-cert", clientCert}, "--tls-cert and --tls-key go together"},
	} {
		_, out, errs := execute(t.Context(), append([]string{"classify", "--addr", addr, "a late goal"}, c.flags...)...)
		if !strings.Contains(out+errs, c.want) {
			t.Errorf("%v: got %s%s, want %s", c.flags, out, errs, c.want)
		}
	}
}
