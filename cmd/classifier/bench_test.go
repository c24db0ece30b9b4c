package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// startSecured runs "classifier serve" with certificates and keys until the
// test ends, and returns its address.
func startSecured(t *testing.T, flags ...string) string {
	t.Helper()
	dir := t.TempDir()
	rows, model, addrFile := filepath.Join(dir, "rows.jsonl"), filepath.Join(dir, "m.model"), filepath.Join(dir, "addr")
	lines := `{"text": "a late goal", "topic": "sport"}` + "\n" + `{"text": "shares fell", "topic": "money"}` + "\n"
	if err := os.WriteFile(rows, []byte(lines), 0o600); err != nil {
		t.Fatal(err)
	}
	if code, _, errs := execute(t.Context(), "train", "-o", model, "--preset", "long", "--estimator", "mnb", "--value", "binary", "--alpha", "1", rows); code != 0 {
		t.Fatal(errs)
	}
	ctx, stop := context.WithCancel(context.Background())
	served := make(chan string, 1)
	go func() {
		_, _, errs := execute(ctx, append([]string{"serve", "-m", model, "--addr", "127.0.0.1:0", "--addr-file", addrFile, "--drain-delay", "0s", "--max-queue", "1m"}, flags...)...)
		served <- errs
	}()
	t.Cleanup(func() {
		stop()
		if errs := <-served; t.Failed() {
			t.Log(errs)
		}
	})
	for end := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) {
		b, _ := os.ReadFile(addrFile)
		if addr := strings.TrimSpace(string(b)); addr != "" {
			return addr
		}
		if time.Now().After(end) {
			t.Fatal("the server is not ready after a minute")
		}
	}
}

func TestBenchOfASecuredServer(t *testing.T) {
	dir := t.TempDir()
	keys, keyFile, empty := filepath.Join(dir, "keys"), filepath.Join(dir, "key"), filepath.Join(dir, "empty")
	code, secret, errs := execute(t.Context(), "key", "bench", "--role", "scorer", "--keys-file", keys)
	if code != 0 {
		t.Fatal(errs)
	}
	for path, contents := range map[string]string{keyFile: secret, empty: "\n"} {
		if err := os.WriteFile(path, []byte(contents), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	serverCert, serverKey, serverCA := certify(t, "server.example")
	clientCert, clientKey, clientCA := certify(t, "client.example")
	addr := startSecured(t, "--tls-cert", serverCert, "--tls-key", serverKey, "--tls-client-ca", clientCA,
		"--role", "scorer=dns:client.example", "--keys-file", keys)
	for _, row := range []struct {
		name string
		args []string
		code int
		want string // on standard output or standard error
	}{
		{"key", []string{"--tls-ca", serverCA, "--key-file", keyFile}, 0, "revision  models/default/revisions/"},
		{"certificate", []string{"--tls-ca", serverCA, "--tls-cert", clientCert, "--tls-key", clientKey}, 0, "revision  models/default/revisions/"},
		{"neither", []string{"--tls-ca", serverCA}, 1, "error  Unauthenticated  UNAUTHENTICATED"},
		{"unknown authority", []string{"--tls", "--timeout", "300ms"}, 1, "no call was answered by " + addr},
		{"half a pair", []string{"--tls-cert", clientCert}, 2, "--tls-cert and --tls-key go together"},
		{"plaintext", []string{"--tls-ca", serverCA, "--plaintext"}, 2, "--plaintext does not go with --tls-ca"},
		{"key in the clear", []string{"--addr", "example.org:50051", "--key-file", keyFile, "--plaintext"}, 2, "must not travel to example.org:50051 unencrypted"},
		{"no authority", []string{"--tls-ca", keyFile}, 2, keyFile},
		{"no key in its file", []string{"--key-file", empty}, 2, "a key has at least one character"},
	} {
		args := append([]string{"bench", "--addr", addr, "--concurrency", "1", "--duration", "100ms", "--warm-up", "0s"}, row.args...)
		code, stdout, stderr := execute(t.Context(), args...)
		if out := stdout + stderr; code != row.code || !strings.Contains(out, row.want) || strings.Contains(out, strings.TrimSpace(secret)) {
			t.Errorf("%s: exit code %d, want %d with %q:\n%s", row.name, code, row.code, row.want, out)
		}
	}
}
