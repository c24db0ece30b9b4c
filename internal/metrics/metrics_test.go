package metrics

import (
	"errors"
	"math"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"google.golang.org/grpc/codes"
)

// checkMetrics compares what c exports under the names with want, in the text
// format without help lines.
func checkMetrics(t *testing.T, c prometheus.Collector, want string, names ...string) {
	t.Helper()
	r := prometheus.NewPedanticRegistry()
	r.MustRegister(c)
	families, err := r.Gather()
	if err != nil {
		t.Fatal(err)
	}
	var help strings.Builder
	for _, f := range families {
		if strings.Contains(want, "# TYPE "+f.GetName()+" ") {
			help.WriteString("# HELP " + f.GetName() + " " + f.GetHelp() + "\n")
		}
	}
	if err := testutil.GatherAndCompare(r, strings.NewReader(help.String()+want), names...); err != nil {
		t.Error(err)
	}
}

func TestHistogram(t *testing.T) {
	h := NewHistogram(10, 1, 5, 20)
	for _, v := range []int64{0, 1, 2, 5, 20, 21, 1000} {
		h.Observe(v)
	}
	checkMetrics(t, named{prometheus.NewDesc("h", "x", nil, nil), h}, `# TYPE h histogram
h_bucket{le="0.1"} 2
h_bucket{le="0.5"} 4
h_bucket{le="2"} 5
h_bucket{le="+Inf"} 7
h_sum 104.9
h_count 7
`)
}

func TestCalls(t *testing.T) {
	c := NewCalls([]string{"/a.B/Busy"}, []string{"/a.C/Idle", "/a.C/Called"})
	for range 3 {
		c.Begin()
	}
	c.End("/a.C/Called", codes.NotFound, time.Millisecond)
	c.End("/x.Y/Stranger", codes.Code(99), time.Hour)
	checkMetrics(t, c, `# TYPE parley_calls_in_flight gauge
parley_calls_in_flight 1
# TYPE parley_calls_total counter
parley_calls_total{code="NotFound",method="Called"} 1
parley_calls_total{code="OK",method="Busy"} 0
parley_calls_total{code="Unknown",method="other"} 1
`, "parley_calls_total", "parley_calls_in_flight")
	if n := testutil.CollectAndCount(c, "parley_call_duration_seconds"); n != 3 {
		t.Errorf("%d histograms, want those of Busy, Called and other", n)
	}
}

func TestRegistry(t *testing.T) {
	r := NewRegistry()
	var n atomic.Int64
	n.Store(7)
	r.Counter("refusals_total", "Refusals.", Read(&n), "reason", "late")
	r.Counter("refusals_total", "Refusals.", func() float64 { return 2 }, "reason", "early")
	r.Gauge("level", "Level.", func() float64 { return 0.5 })
	for range 2 {
		answer := httptest.NewRecorder()
		r.Handler().ServeHTTP(answer, httptest.NewRequest("GET", "/metrics", nil))
		for _, line := range []string{
			`parley_refusals_total{reason="late"} 7`, `parley_refusals_total{reason="early"} 2`, "parley_level 0.5",
			"go_goroutines ", "go_memory_classes_heap_objects_bytes ", "process_resident_memory_bytes ",
		} {
			if !strings.Contains(answer.Body.String(), "\n"+line) {
				t.Errorf("no line %q in\n%s", line, answer.Body)
			}
		}
	}
}

// A number that cannot be read fails the scrape instead of being left out.
func TestBrokenMetricFailsTheScrape(t *testing.T) {
	r := NewRegistry()
	d := prometheus.NewDesc("broken", "x", nil, nil)
	r.MustRegister(collector{d, prometheus.NewInvalidMetric(d, errors.New("no"))})
	answer := httptest.NewRecorder()
	r.Handler().ServeHTTP(answer, httptest.NewRequest("GET", "/metrics", nil))
	if answer.Code != 500 {
		t.Errorf("answered %d, want 500", answer.Code)
	}
}

type collector struct {
	desc   *prometheus.Desc
	metric prometheus.Metric
}

func (c collector) Describe(out chan<- *prometheus.Desc) { out <- c.desc }
func (c collector) Collect(out chan<- prometheus.Metric) { out <- c.metric }

func near(a, b float64) bool { return math.Abs(a-b) < 1e-6 || math.IsNaN(a) && math.IsNaN(b) }
