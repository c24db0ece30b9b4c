package parley_test

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/parley-nlp/parley"

// allowed is the direction of imports: what each package may import beside the
// standard library. ARCHITECTURE.md says why.
var allowed = map[string][]string{
	"bench":                    {"github.com/alecthomas/kong"},
	"bench/accuracy":           {"bench", "internal/dataset", "internal/judge", "internal/model", "internal/train", "github.com/google/renameio/v2"},
	"bench/active":             {"data", "internal/dataset", "internal/judge", "internal/model", "internal/suggest", "internal/train", "github.com/alecthomas/kong", "golang.org/x/sync", "gonum.org/v1/plot"},
	"bench/compare":            {"bench", "client", "data", "internal/dataset", "internal/model", "internal/serve", "internal/train", "proto/parley/v1", "github.com/alecthomas/kong", "github.com/google/renameio/v2", "github.com/rs/zerolog"},
	"bench/prevalence":         {"internal/dataset", "internal/model", "internal/prevalence", "internal/train", "github.com/alecthomas/kong"},
	"bench/soak":               {"bench", "client", "data", "internal/authority", "internal/dataset", "internal/load", "internal/model", "internal/store", "proto/parley/v1", "golang.org/x/net", "golang.org/x/sys", "google.golang.org/grpc"},
	"client":                   {"internal/reload", "proto/parley/v1", "go.opentelemetry.io/otel/propagation", "go.opentelemetry.io/otel/trace", "google.golang.org/genproto", "google.golang.org/grpc", "google.golang.org/protobuf"},
	"cmd/classifier":           {"client", "data", "internal/agreement", "internal/annotate", "internal/bayesian", "internal/dataset", "internal/guard", "internal/judge", "internal/ledger", "internal/load", "internal/metrics", "internal/model", "internal/otlp", "internal/page", "internal/predictionlog", "internal/prevalence", "internal/quote", "internal/reload", "internal/retrain", "internal/score", "internal/serve", "internal/store", "internal/suggest", "internal/train", "proto/parley/v1", "github.com/alecthomas/kong", "github.com/google/renameio/v2", "github.com/rs/zerolog", "github.com/vbauerster/mpb/v8", "golang.org/x/term", "google.golang.org/grpc", "google.golang.org/protobuf"},
	"data":                     {},
	"data/learningcurve":       {"data", "internal/dataset", "internal/train"},
	"internal/agreement":       {},
	"internal/annotate":        {"github.com/rivo/uniseg", "golang.org/x/sys/unix", "golang.org/x/term"},
	"internal/authority":       {},
	"internal/bayesian":        {},
	"internal/copies":          {"internal/model"},
	"internal/dataset":         {"github.com/bmatcuk/doublestar/v4", "github.com/klauspost/compress", "github.com/parquet-go/parquet-go", "golang.org/x/text"},
	"internal/exact":           {},
	"internal/guard":           {"internal/reload", "internal/rpcerror", "proto/parley/v1", "github.com/rs/zerolog", "google.golang.org/grpc"},
	"internal/judge":           {"internal/exact"},
	"internal/ledger":          {"github.com/jackc/pgx/v5", "github.com/pressly/goose/v3", "modernc.org/sqlite"},
	"internal/load":            {"client", "proto/parley/v1", "github.com/HdrHistogram/hdrhistogram-go", "google.golang.org/genproto", "google.golang.org/grpc"},
	"internal/metrics":         {"internal/model", "github.com/prometheus/client_golang", "google.golang.org/grpc/codes"},
	"internal/model":           {"internal/exact", "internal/quote", "golang.org/x/text"},
	"internal/model/modeltest": {"internal/dataset", "internal/model", "internal/train"},
	"internal/otlp":            {"github.com/prometheus/client_golang", "go.opentelemetry.io/contrib/bridges/prometheus", "go.opentelemetry.io/otel"},
	"internal/otlp/otlptest":   {"go.opentelemetry.io/proto/otlp", "google.golang.org/grpc"},
	"internal/page":            {"internal/judge", "internal/prevalence", "gonum.org/v1/plot"},
	"internal/predictionlog":   {},
	"internal/prevalence":      {"internal/model", "gonum.org/v1/gonum"},
	"internal/quote":           {},
	"internal/reload":          {},
	"internal/retrain":         {"internal/dataset", "internal/exact", "internal/judge", "internal/ledger", "internal/model", "internal/store", "internal/train"},
	"internal/rpcerror":        {"proto/parley/v1", "google.golang.org/genproto", "google.golang.org/grpc", "google.golang.org/protobuf"},
	"internal/score":           {"client", "internal/dataset", "internal/model", "internal/prevalence", "proto/parley/v1", "github.com/cespare/xxhash/v2", "github.com/google/renameio/v2", "github.com/mattn/go-runewidth", "github.com/parquet-go/parquet-go", "golang.org/x/sync", "google.golang.org/genproto", "google.golang.org/grpc"},
	"internal/serve":           {"internal/guard", "internal/ledger", "internal/metrics", "internal/model", "internal/predictionlog", "internal/rpcerror", "internal/store", "proto/parley/v1", "buf.build/go/protovalidate", "github.com/grpc-ecosystem/go-grpc-middleware/v2", "github.com/prometheus/client_golang", "github.com/rs/zerolog", "go.opentelemetry.io/contrib/instrumentation/google.golang.org/grpc/otelgrpc", "go.opentelemetry.io/otel", "google.golang.org/genproto", "google.golang.org/grpc", "google.golang.org/protobuf"},
	"internal/serve/servetest": {},
	"internal/store":           {"internal/model", "gocloud.dev/blob", "gocloud.dev/gcerrors", "golang.org/x/sync"},
	"internal/suggest":         {"internal/copies", "internal/dataset", "internal/exact", "internal/model", "internal/train"},
	"internal/train":           {"internal/bayesian", "internal/copies", "internal/dataset", "internal/exact", "internal/judge", "internal/model"},
	"proto/parley/v1":          {"buf.build/gen/go/bufbuild/protovalidate", "google.golang.org/genproto", "google.golang.org/grpc", "google.golang.org/protobuf"},
}

func TestImports(t *testing.T) {
	packages := list(t)
	if len(packages) < len(allowed) {
		t.Fatalf("go list names %d packages, the table %d", len(packages), len(allowed))
	}
	for _, p := range packages {
		name := strings.TrimPrefix(strings.TrimPrefix(p.ImportPath, module), "/")
		if name == "" {
			continue // this test
		}
		may, known := allowed[name]
		if !known {
			t.Errorf("%s is not in the table", name)
			continue
		}
		for _, path := range p.Imports {
			if !mayImport(may, path) {
				t.Errorf("%s imports %s", name, path)
			}
		}
	}
}

// mayImport reports whether path is of the standard library or below one of
// the allowed paths.
func mayImport(allowed []string, path string) bool {
	if first, _, _ := strings.Cut(path, "/"); !strings.Contains(first, ".") {
		return true
	}
	own := strings.TrimPrefix(path, module+"/")
	return slices.ContainsFunc(allowed, func(a string) bool {
		return own == a || path == a || strings.HasPrefix(path, a+"/") && own == path
	})
}

// TestGoogleCloudStorageIsLeftOut: its libraries are linked with the build tag
// gcs only.
func TestGoogleCloudStorageIsLeftOut(t *testing.T) {
	for tags, want := range map[string]bool{"": false, "gcs": true} {
		out, err := exec.Command("go", "list", "-deps", "-tags", tags, "./cmd/classifier").Output()
		if err != nil {
			t.Fatalf("go list: %v", err)
		}
		if got := slices.Contains(strings.Fields(string(out)), "cloud.google.com/go/storage"); got != want {
			t.Errorf("with tags %q: linked is %v, want %v", tags, got, want)
		}
	}
}

type listed struct {
	ImportPath string
	Imports    []string
}

func list(t *testing.T) []listed {
	t.Helper()
	out, err := exec.Command("go", "list", "-json=ImportPath,Imports", "./...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var packages []listed
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p listed
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return packages
		} else if err != nil {
			t.Fatal(err)
		}
		packages = append(packages, p)
	}
}
