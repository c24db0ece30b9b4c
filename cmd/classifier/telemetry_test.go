package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/alecthomas/kong"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/parley-nlp/parley/internal/otlp/otlptest"
)

// fetch writes what a URL answers into a file; a code other than the one named
// fails the script: fetch CODE URL FILE.
func fetch(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: fetch CODE URL FILE")
	}
	client := http.Client{Timeout: time.Minute}
	resp, err := client.Get(args[1])
	ts.Check(err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	ts.Check(err)
	if strconv.Itoa(resp.StatusCode) != args[0] {
		ts.Fatalf("%s: %s", args[1], resp.Status)
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[2]), body, 0o644))
}

// The configuration that is printed is one that --config reads, and means the
// same.
func TestEffectiveConfigurationReadsBack(t *testing.T) {
	t.Setenv("CLASSIFIER_SERVE_MAX_BATCH_ITEMS", "77")
	code, first, problems := command(t, "", "config", "serve", "--drain-delay", "90s", "--log-slow", "1m", "--redact", `\d+, "x"`, "--redact", "b", "--trace-sample", "0.25")
	if code != 0 {
		t.Fatalf("exit code %d: %s", code, problems)
	}
	file := filepath.Join(t.TempDir(), "c.json")
	if err := os.WriteFile(file, []byte(first), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Unsetenv("CLASSIFIER_SERVE_MAX_BATCH_ITEMS"); err != nil { // Setenv puts it back
		t.Fatal(err)
	}
	code, second, problems := command(t, "", "config", "serve", "--config", file)
	if code != 0 {
		t.Fatalf("exit code %d: %s", code, problems)
	}
	type printed struct {
		Serve   map[string]any
		Sources map[string]string
	}
	var a, b printed
	for out, p := range map[string]*printed{first: &a, second: &b} {
		if err := json.Unmarshal([]byte(out), p); err != nil {
			t.Fatal(err)
		}
	}
	if len(a.Serve) < 10 || len(a.Serve) != len(b.Serve) {
		t.Errorf("%d flags, then %d", len(a.Serve), len(b.Serve))
	}
	for name, v := range a.Serve {
		got, _ := json.Marshal(b.Serve[name])
		want, _ := json.Marshal(v)
		if string(got) != string(want) || b.Sources[name] != "file" {
			t.Errorf("%s: %s from %s, want %s from the file", name, got, b.Sources[name], want)
		}
	}
	for name, want := range map[string]string{"drain-delay": "flag", "max-batch-items": "variable CLASSIFIER_SERVE_MAX_BATCH_ITEMS", "addr": "default"} {
		if a.Sources[name] != want {
			t.Errorf("%s is from %s, want %s", name, a.Sources[name], want)
		}
	}
}

// Spans and metrics of a server that is told to stop arrive before it ends.
func TestServeSendsTelemetry(t *testing.T) {
	collector := otlptest.Start(t)
	dir := t.TempDir()
	model := filepath.Join(dir, "m.model")
	rows := filepath.Join(dir, "rows.jsonl")
	const text = `{"text": "goal scored", "topic": "sport"}
{"text": "a penalty saved", "topic": "sport"}
{"text": "shares fell", "topic": "money"}
{"text": "its rate lowered", "topic": "money"}
`
	if err := os.WriteFile(rows, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if code, _, problems := command(t, "", "train", "-o", model, "--preset", "long", "--estimator", "mnb", "--value", "binary", "--alpha", "1", rows); code != 0 {
		t.Fatal(problems)
	}
	addr, stop := background(t, filepath.Join(dir, "addr"), "serve", "-m", model, "--addr", "127.0.0.1:0", "--drain-delay", "0s",
		"--trace-endpoint", collector.URL, "--metrics-endpoint", collector.URL)
	if code, _, problems := command(t, "", "classify", "--addr", addr, "goal saved"); code != 0 {
		t.Error(problems)
	}
	stop()
	var spans []string // in the order in which they ended
	for _, span := range collector.Spans() {
		spans = append(spans, span.GetName())
	}
	if !slices.Contains(spans, "parley.v1.ClassificationService/BatchClassify") {
		t.Errorf("spans of %q, want that of BatchClassify", spans)
	}
	points := collector.Metric("parley_predictions_total").GetSum().GetDataPoints()
	if len(points) != 2 || points[0].GetAsDouble()+points[1].GetAsDouble() != 1 {
		t.Errorf("received predictions %v, want one of two labels", points)
	}
	if got := collector.Resource(); got["service.name"] != "parley" {
		t.Errorf("from %v, want parley", got)
	}
}

// background runs a server until stop is called, which waits for its end, and
// returns its address.
func background(t *testing.T, addrFile string, args ...string) (addr string, stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	var out, log bytes.Buffer
	e := env{ctx: ctx, args: append(args, "--addr-file", addrFile), stdin: strings.NewReader(""), stdout: &out, stderr: &log}
	ended := make(chan int, 1)
	go func() { ended <- e.run() }()
	stop = func() {
		cancel()
		if code := <-ended; code != 0 {
			t.Errorf("exit code %d: %s", code, log.String())
		}
	}
	for range 600 {
		if b, err := os.ReadFile(addrFile); err == nil && len(b) > 0 {
			return strings.TrimSpace(string(b)), stop
		}
		time.Sleep(100 * time.Millisecond)
	}
	stop()
	t.Fatalf("no address within a minute: %s", log.String())
	return "", nil
}

// The value of a secret flag is not shown, whatever its source.
func TestSecretsAreHidden(t *testing.T) {
	var c struct {
		Serve struct {
			Token  string   `secret:""`
			Places []string `sep:"none"`
			Plain  string
			Unset  int
		} `cmd:""`
	}
	parser, err := kong.New(&c)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := parser.Parse([]string{"serve", "--token", "hush", "--places", "http://a", "--places", "http://me:hush@b", "--plain", "me@b"})
	if err != nil {
		t.Fatal(err)
	}
	const want = `{
  "serve": {
    "plain": "me@b"
  },
  "sources": {
    "places": "flag, hidden",
    "plain": "flag",
    "token": "flag, hidden"
  }
}`
	if got := string(effective(parsed)); got != want {
		t.Errorf("shown as\n%s\nwant\n%s", got, want)
	}
}
