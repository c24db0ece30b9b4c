package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/parley-nlp/parley/internal/authority"
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

// certify writes a certificate of loopback, its key and that of the authority
// behind it, which has signed no other.
func certify(t *testing.T, name string) (certFile, keyFile, authorityFile string) {
	t.Helper()
	own, err := authority.New()
	if err != nil {
		t.Fatal(err)
	}
	pair, err := own.Sign(name, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	base := filepath.Join(t.TempDir(), name)
	certFile, keyFile, authorityFile = base+".crt", base+".key", base+".ca"
	for file, contents := range map[string][]byte{certFile: pair.Cert, keyFile: pair.Key, authorityFile: own.PEM()} {
		if err := os.WriteFile(file, contents, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return certFile, keyFile, authorityFile
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
	serverCert, serverKey, serverCA := certify(t, "server.example")
	clientCert, clientKey, clientCA := certify(t, "client.example")
	otherCert, otherKey, otherCA := certify(t, "other.example")
	ctx, stop := context.WithCancel(t.Context())
	served := make(chan string)
	go func() {
		_, _, errs := execute(ctx, "serve", "-m", model, "--addr", "127.0.0.1:0", "--addr-file", addrFile, "--drain-delay", "0s",
			"--tls-cert", serverCert, "--tls-key", serverKey, "--tls-client-ca", clientCA, "--role", "scorer=dns:client.example")
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
		{[]string{"--tls-ca", serverCA, "--tls-cert", clientCert, "--tls-key", clientKey}, "topic: sport"},
		{[]string{"--tls-ca", serverCA}, "Unauthenticated: the call needs a client certificate"},
		{[]string{"--tls-ca", otherCA, "--tls-cert", clientCert, "--tls-key", clientKey}, "certificate signed by unknown authority"},
		{[]string{"--tls-ca", serverCA, "--tls-cert", otherCert, "--tls-key", otherKey}, "Unavailable: "},
		{[]string{"--tls-cert", clientCert}, "--tls-cert and --tls-key go together"},
	} {
		_, out, errs := execute(t.Context(), append([]string{"classify", "--addr", addr, "a late goal"}, c.flags...)...)
		if !strings.Contains(out+errs, c.want) {
			t.Errorf("%v: got %s%s, want %s", c.flags, out, errs, c.want)
		}
	}
}
