package promcheck

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/types/known/emptypb"
)

// seen holds the series of a scrape: the values of each label, by metric.
type seen map[string]map[string]map[string]bool

// add notes the series of a family by the names that expressions use.
func (s seen) add(f *dto.MetricFamily) {
	suffixes := map[dto.MetricType][]string{
		dto.MetricType_HISTOGRAM: {"_bucket", "_sum", "_count"}, dto.MetricType_SUMMARY: {"", "_sum", "_count"},
	}[f.GetType()]
	if suffixes == nil {
		suffixes = []string{""}
	}
	for _, suffix := range suffixes {
		name := f.GetName() + suffix
		if s[name] == nil {
			s[name] = map[string]map[string]bool{"job": nil, "instance": nil} // Prometheus adds these
		}
		for _, m := range f.GetMetric() {
			for _, l := range m.GetLabel() {
				s.value(name, l.GetName(), l.GetValue())
			}
		}
		if suffix == "_bucket" {
			s[name]["le"] = nil
		}
	}
}

func (s seen) value(name, label, value string) {
	if s[name][label] == nil {
		s[name][label] = map[string]bool{}
	}
	s[name][label][value] = true
}

// TestNames holds every metric, label and label value that the alerts and the
// dashboard name to a scrape of a server that has just been asked this and that.
func TestNames(t *testing.T) {
	series := scrape(t)
	rules := alerts(t)
	for _, name := range slices.Sorted(maps.Keys(rules)) {
		check(t, series, "alert "+name, rules[name].Expr)
	}
	_, raw := board(t)
	panels := expressions(t, raw)
	for _, title := range slices.Sorted(maps.Keys(panels)) {
		for _, expr := range panels[title] {
			check(t, series, "panel "+title, expr)
		}
	}
}

// check reports what expr names that is not there.
func check(t *testing.T, series seen, where, expr string) {
	t.Helper()
	e, err := syntax.ParseExpr(expr)
	if err != nil {
		t.Errorf("%s: %v", where, err)
		return
	}
	for _, problem := range problems(series, e) {
		t.Errorf("%s: %s, in %s", where, problem, expr)
	}
}

// problems lists what e names that no series has.
func problems(series seen, e parser.Expr) []string {
	var out []string
	known := map[string]bool{} // labels of the metrics in e
	parser.Inspect(e, func(node parser.Node, _ []parser.Node) error {
		if v, ok := node.(*parser.VectorSelector); ok {
			of, there := series[v.Name]
			if !there {
				out = append(out, "there is no metric "+v.Name)
			}
			for label := range of {
				known[label] = true
			}
			out = append(out, mismatches(of, v)...)
		}
		return nil
	})
	parser.Inspect(e, func(node parser.Node, _ []parser.Node) error {
		var names []string
		switch n := node.(type) {
		case *parser.AggregateExpr:
			names = n.Grouping
		case *parser.BinaryExpr:
			if n.VectorMatching != nil {
				names = slices.Concat(n.VectorMatching.MatchingLabels, n.VectorMatching.Include)
			}
		}
		for _, name := range names {
			if !known[name] {
				out = append(out, "no metric in it has the label "+name)
			}
		}
		return nil
	})
	return out
}

// literal is a regular expression that lists values.
var literal = regexp.MustCompile(`^[A-Za-z_|]+$`)

// laterValues are values that a server has only once something goes wrong.
var laterValues = map[string]bool{"Internal": true, "Unknown": true, "DataLoss": true, "Unavailable": true}

// mismatches lists the labels and values of a selector that its metric lacks.
func mismatches(of map[string]map[string]bool, v *parser.VectorSelector) []string {
	var out []string
	for _, m := range v.LabelMatchers {
		if m.Name == model.MetricNameLabel || of == nil {
			continue
		}
		values, there := of[m.Name]
		if !there {
			out = append(out, v.Name+" has no label "+m.Name)
			continue
		}
		if (m.Type == labels.MatchRegexp || m.Type == labels.MatchNotRegexp) && !literal.MatchString(m.Value) {
			continue
		}
		for value := range strings.SplitSeq(m.Value, "|") {
			if !values[value] && !laterValues[value] {
				out = append(out, fmt.Sprintf("%s never has %s=%q", v.Name, m.Name, value))
			}
		}
	}
	return out
}

// A name that does not exist is found: the test can fail.
func TestProblems(t *testing.T) {
	series := seen{"a_total": {"job": nil, "code": {"OK": true}}}
	for expr, want := range map[string]int{
		`rate(a_total{code="OK"}[5m])`:                    0,
		`sum by (code) (rate(a_total[5m]))`:               0,
		`rate(b_total[5m])`:                               1,
		`a_total{method="x"}`:                             1,
		`a_total{code="Oops"}`:                            1,
		`a_total{code=~"OK|Oops"}`:                        1,
		`a_total{code!~".*"}`:                             0,
		`sum by (method) (a_total)`:                       1,
		`a_total / on (method) a_total`:                   1,
		`a_total and ignoring (code) sum(b_total) by (c)`: 2,
	} {
		e, err := syntax.ParseExpr(expr)
		if err != nil {
			t.Fatal(err)
		}
		if got := problems(series, e); len(got) != want {
			t.Errorf("%s: %q, want %d problems", expr, got, want)
		}
	}
}

// rows train a model in no time.
const rows = `{"text": "goal scored in the last minute", "topic": "sport", "stance": "pro"}
{"text": "the keeper saved a penalty", "topic": "sport", "stance": "con"}
{"text": "shares fell on Monday", "topic": "money", "stance": "pro"}
{"text": "the bank lowered its rate", "topic": "money", "stance": "con"}
`

// scrape builds the program, runs a server, asks it this and that, and returns
// what its metrics say.
func scrape(t *testing.T) seen {
	t.Helper()
	p := program{t, t.TempDir()}
	build := exec.Command("go", "build", "-o", filepath.Join(p.dir, "classifier"), "./cmd/classifier")
	build.Dir = "../.."
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	if err := os.WriteFile(p.path("rows.jsonl"), []byte(rows), 0o600); err != nil {
		t.Fatal(err)
	}
	for alias, alpha := range map[string]string{"live": "1", "shadow": "0.1"} {
		p.run("train", "-o", alias+".model", "--preset", "long", "--estimator", "mnb", "--value", "binary", "--alpha", alpha, "--folds", "2", "rows.jsonl")
		p.run("models", "publish", "--store", "store", "--alias", alias, alias+".model")
	}
	p.serve("--store", "store", "--poll", "100ms", "--ledger", "labels.db")
	addr := p.waitFor("addr")
	callLabels(t, addr)
	p.run("classify", "--addr", addr, "the keeper saved a goal")
	p.run("score", "--addr", addr, "-o", "scored.jsonl", "rows.jsonl")
	return p.metrics(p.waitFor("admin"))
}

// callLabels calls every method of LabelService. What comes of it does not matter.
func callLabels(t *testing.T, addr string) {
	t.Helper()
	conn, err := grpc.NewClient(addr, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	files, err := filepath.Glob("../../proto/parley/v1/label*.proto")
	if err != nil || len(files) == 0 {
		t.Fatalf("no file of LabelService: %v", err)
	}
	calls := 0
	for _, name := range files {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range rpc.FindAllSubmatch(b, -1) {
			_ = conn.Invoke(t.Context(), "/parley.v1.LabelService/"+string(m[1]), &emptypb.Empty{}, &emptypb.Empty{})
			calls++
		}
	}
	if calls == 0 {
		t.Fatal("LabelService has no methods")
	}
}

var rpc = regexp.MustCompile(`(?m)^  rpc (\w+)\(`)

// A program runs commands of the classifier in a folder.
type program struct {
	t   *testing.T
	dir string
}

func (p program) path(name string) string { return filepath.Join(p.dir, name) }

func (p program) command(args ...string) *exec.Cmd {
	c := exec.Command(p.path("classifier"), args...)
	c.Dir = p.dir
	return c
}

func (p program) run(args ...string) {
	p.t.Helper()
	if out, err := p.command(args...).CombinedOutput(); err != nil {
		p.t.Fatalf("%q: %v\n%s", args, err, out)
	}
}

// serve starts a server with these flags, until the test ends.
func (p program) serve(flags ...string) {
	p.t.Helper()
	c := p.command(append([]string{"serve", "--addr", "127.0.0.1:0", "--addr-file", "addr",
		"--admin-addr", "127.0.0.1:0", "--admin-addr-file", "admin", "--drain-delay", "0s",
		"--prediction-log", "p.jsonl", "--prediction-log-share", "1"}, flags...)...)
	var log bytes.Buffer
	c.Stderr = &log
	if err := c.Start(); err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() {
		_ = c.Process.Signal(syscall.SIGTERM)
		if err := c.Wait(); err != nil || p.t.Failed() {
			p.t.Logf("the server ended with %v and said\n%s", err, log.Bytes())
		}
	})
}

// waitFor returns the first line of a file once it is there.
func (p program) waitFor(name string) string {
	p.t.Helper()
	for range 600 {
		if b, err := os.ReadFile(p.path(name)); err == nil && len(b) > 0 {
			return strings.TrimSpace(string(b))
		}
		time.Sleep(100 * time.Millisecond)
	}
	p.t.Fatalf("%s did not appear within a minute", name)
	return ""
}

// metrics scrapes the address.
func (p program) metrics(addr string) seen {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.t.Context(), time.Minute)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, "GET", "http://"+addr+"/metrics", nil)
	if err != nil {
		p.t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		p.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != 200 {
		p.t.Fatalf("the scrape: %s, error %v\n%s", resp.Status, err, body)
	}
	text := expfmt.NewTextParser(model.LegacyValidation)
	families, err := text.TextToMetricFamilies(bytes.NewReader(body))
	if err != nil {
		p.t.Fatal(err)
	}
	series := seen{}
	for _, name := range slices.Sorted(maps.Keys(families)) {
		series.add(families[name])
	}
	return series
}
