package serve

import (
	"bufio"
	"fmt"
	"maps"
	"net/http/httptest"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc/health/grpc_health_v1"

	"github.com/parley-nlp/parley/internal/model"
	"github.com/parley-nlp/parley/internal/predictionlog"
	parleyv1 "github.com/parley-nlp/parley/proto/parley/v1"
)

// newWideModel returns a model of the size of the built-in corpus's: twelve
// topics and three stances, of which the first topic is named by first.
func newWideModel(t testing.TB, first string) *model.Model {
	t.Helper()
	topics := []string{first}
	for i := range 11 {
		topics = append(topics, fmt.Sprintf("topic_%02d", i))
	}
	slices.Sort(topics)
	head := func(name string, labels []string) model.Head {
		h := model.Head{Name: name, Labels: labels, Blocks: []model.Block{{Value: model.Binary}}, InverseTemperature: 1, TargetInverseTemperature: 1,
			Evaluation: model.Evaluation{Examples: 100, Accuracy: 0.875}}
		for range labels {
			h.DocCounts, h.Prior, h.Bias = append(h.DocCounts, 10), append(h.Prior, 1/float64(len(labels))), append(h.Bias, 0)
		}
		return h
	}
	s := model.Spec{Features: model.Features{Words: 1}, MinKnownShare: 0.25, Heads: []model.Head{
		head("topic", topics), head("stance", []string{"hopeful", "neutral", "skeptical"}),
	}}
	rows := map[model.FeatureID][]int16{}
	for i, word := range []string{"goal", "shares", "bank", "keeper"} {
		weights := make([]int16, len(topics)+3)
		weights[i], weights[len(topics)+i%3] = 5, 2
		rows[featureOf(t, s.Features, word)] = weights
	}
	for _, id := range slices.Sorted(maps.Keys(rows)) {
		s.IDs, s.Weights = append(s.IDs, id), append(s.Weights, rows[id]...)
	}
	m, err := model.New(s)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// scrape returns the series of a scrape by their names and labels.
func (s *service) scrape(t testing.TB) map[string]float64 {
	t.Helper()
	answer := httptest.NewRecorder()
	s.telemetry.registry.Handler().ServeHTTP(answer, httptest.NewRequest("GET", "/metrics", nil))
	if answer.Code != 200 {
		t.Fatalf("the scrape: %d %s", answer.Code, answer.Body)
	}
	series := map[string]float64{}
	for lines := bufio.NewScanner(answer.Body); lines.Scan(); {
		if name, value, ok := strings.Cut(lines.Text(), "} "); ok && !strings.HasPrefix(name, "#") {
			series[name+"}"] = number(t, value)
		} else if name, value, ok := strings.Cut(lines.Text(), " "); ok && !strings.HasPrefix(name, "#") {
			series[name] = number(t, value)
		}
	}
	return series
}

func number(t testing.TB, s string) float64 {
	t.Helper()
	v, err := strconv.ParseFloat(s, 64)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// checkSeries compares some of a scrape with what is wanted.
func checkSeries(t *testing.T, got, want map[string]float64) {
	t.Helper()
	for _, name := range slices.Sorted(maps.Keys(want)) {
		if v, ok := got[name]; !ok || v != want[name] {
			t.Errorf("%s: %v (there: %t), want %v", name, v, ok, want[name])
		}
	}
}

func newPredictionLog(t testing.TB, cfg predictionlog.Config) (*predictionlog.Log, string) {
	t.Helper()
	cfg.Path, cfg.MaxBytes = filepath.Join(t.TempDir(), "p.jsonl"), 1<<20
	l, err := predictionlog.Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l, cfg.Path
}

func TestMetrics(t *testing.T) {
	log, _ := newPredictionLog(t, predictionlog.Config{Share: 1})
	s := start(t, Config{MaxBatchItems: 3, Telemetry: Telemetry{Version: "v7", Predictions: log}}, nil)
	if got := s.scrape(t); got["parley_ready"] != 0 {
		t.Errorf("ready is %v before there is a model", got["parley_ready"])
	}
	one, two := newModel(t, 1), newModel(t, 2)
	s.Use(one)
	s.Use(two)
	s.classify(t, "great goal", nil)
	s.classify(t, "shares qwrtzx", nil)
	s.classify(t, "qwrtzx", nil)
	_, _ = s.client.Classify(t.Context(), request("", nil))
	_, _ = s.client.BatchClassify(t.Context(), batch("great goal", "", "shares"))
	_, _ = s.client.BatchClassify(t.Context(), batch("goal", "goal", "goal", "goal")) // too many
	_, _ = grpc_health_v1.NewHealthClient(s.conn).Check(t.Context(), &grpc_health_v1.HealthCheckRequest{})
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
	got := s.scrape(t)
	checkSeries(t, got, map[string]float64{
		`parley_ready`: 1, `parley_calls_in_flight`: 0, `parley_revision_swaps_total`: 1,
		`parley_build_info{go_version="` + goVersion + `",version="v7"}`:        1,
		`parley_revision_info{alias="live",revision="` + two.Revision() + `"}`:  1,
		`parley_calls_total{code="OK",method="Classify"}`:                       3,
		`parley_calls_total{code="InvalidArgument",method="Classify"}`:          1,
		`parley_calls_total{code="OK",method="BatchClassify"}`:                  1,
		`parley_calls_total{code="InvalidArgument",method="BatchClassify"}`:     1,
		`parley_calls_total{code="OK",method="Check"}`:                          1,
		`parley_call_duration_seconds_count{method="Classify"}`:                 4,
		`parley_call_duration_seconds_bucket{method="BatchClassify",le="+Inf"}`: 2,
		`parley_documents_total{method="Classify",outcome="ok"}`:                3,
		`parley_documents_total{method="Classify",outcome="error"}`:             1,
		`parley_documents_total{method="BatchClassify",outcome="ok"}`:           2,
		`parley_documents_total{method="BatchClassify",outcome="error"}`:        1,
		`parley_document_bytes_total`:                                           float64(len("great goal") + len("shares qwrtzx") + len("qwrtzx") + len("great goal") + len("shares")),
		`parley_batch_items_sum`:                                                3,
		`parley_batch_items_bucket{le="1"}`:                                     0,
		`parley_batch_items_bucket{le="10"}`:                                    1,
		`parley_predictions_total{head="topic",label="sport"}`:                  2,
		`parley_predictions_total{head="topic",label="money"}`:                  2,
		`parley_abstentions_total{head="topic",reason="NO_EVIDENCE"}`:           1,
		`parley_abstentions_total{head="stance",reason="NO_EVIDENCE"}`:          1,
		`parley_prediction_probability_count{head="topic"}`:                     5,
		`parley_unknown_word_share_bucket{le="0"}`:                              3,
		`parley_unknown_word_share_bucket{le="0.5"}`:                            4,
		`parley_unknown_word_share_count`:                                       5,
		`parley_drift_documents`:                                                5,
		`parley_drift_unfamiliar_share`:                                         0.2,
		`parley_drift_unknown_word_share`:                                       2. / 8,
		`parley_drift_training_accuracy{head="stance"}`:                         0.75,
		`parley_prediction_log_rows_total{outcome="written"}`:                   5,
		`parley_prediction_log_rows_total{outcome="dropped"}`:                   0,
	})
	if _, there := got[`parley_revision_info{alias="live",revision="`+one.Revision()+`"}`]; there {
		t.Error("the old revision still has a series")
	}
}

// The number of series stays below the limit of the design whatever calls come
// and however often revisions change, and all numbers are those of the calls.
func TestSeriesAreBounded(t *testing.T) {
	const limit, swaps, workers, rounds = 300, 8, 4, 50
	log, _ := newPredictionLog(t, predictionlog.Config{Share: 0.5})
	s := start(t, Config{Telemetry: Telemetry{Predictions: log}, Labels: newBook(t).config()}, newWideModel(t, "zero"))
	var calls sync.WaitGroup
	for range workers {
		calls.Go(func() {
			for range rounds {
				s.everyKind(t)
			}
		})
	}
	most := 0
	for i := range swaps {
		first := fmt.Sprintf("first_%d", i)
		s.Use(newWideModel(t, first))
		got := s.scrape(t)
		most = max(most, len(got))
		if _, there := got[`parley_predictions_total{head="topic",label="`+first+`"}`]; !there {
			t.Errorf("no series for the label %s", first)
		}
	}
	calls.Wait()
	got := s.scrape(t)
	most = max(most, len(got))
	t.Logf("%d series", most)
	if most > limit {
		t.Errorf("%d series, the limit is %d", most, limit)
	}
	labels, revisions := 0, 0
	for name := range got {
		if strings.HasPrefix(name, `parley_predictions_total{`) {
			labels++
		}
		if strings.HasPrefix(name, `parley_revision_info{`) {
			revisions++
		}
	}
	if labels != 15 || revisions < 1 || revisions > 3 {
		t.Errorf("series of %d labels and %d revisions, want 15 and at most live, previous and shadow", labels, revisions)
	}
	checkSeries(t, got, map[string]float64{
		`parley_calls_total{code="OK",method="Classify"}`:                workers * rounds,
		`parley_documents_total{method="BatchClassify",outcome="ok"}`:    workers * rounds * 2,
		`parley_documents_total{method="BatchClassify",outcome="error"}`: workers * rounds,
		`parley_prediction_probability_count{head="stance"}`:             workers * rounds * 3,
		`parley_revision_swaps_total`:                                    swaps,
	})
}

// everyKind makes one call of every method, good ones and bad ones.
func (s *service) everyKind(t testing.TB) {
	_, _ = s.client.Classify(t.Context(), request("goal", nil))
	_, _ = s.client.Classify(t.Context(), request("", nil))
	_, _ = s.client.Classify(t.Context(), &parleyv1.ClassifyRequest{Model: "models/other", Document: document("goal")})
	_, _ = s.client.BatchClassify(t.Context(), batch("bank shares", "", "qwrtzx"))
	_, _ = s.models.ListModels(t.Context(), &parleyv1.ListModelsRequest{})
	_, _ = s.models.GetModel(t.Context(), &parleyv1.GetModelRequest{Name: "models/default"})
	_, _ = s.models.GetModel(t.Context(), &parleyv1.GetModelRequest{Name: "models/nothing"})
	_, _ = s.models.ListModelRevisions(t.Context(), &parleyv1.ListModelRevisionsRequest{Parent: "models/default"})
	_, _ = s.models.GetModelRevision(t.Context(), &parleyv1.GetModelRevisionRequest{Name: "models/default/revisions/live"})
	_, _ = grpc_health_v1.NewHealthClient(s.conn).Check(t.Context(), &grpc_health_v1.HealthCheckRequest{})
	_, _ = grpc_health_v1.NewHealthClient(s.conn).List(t.Context(), &grpc_health_v1.HealthListRequest{})
	labels := parleyv1.NewLabelServiceClient(s.conn)
	_, _ = labels.BatchCreateLabels(t.Context(), newLabels("r", label("goal", "topic", "sport"), label("", "topic", "sport")))
	_, _ = labels.ListLabels(t.Context(), &parleyv1.ListLabelsRequest{})
	_, _ = labels.ListConflicts(t.Context(), &parleyv1.ListConflictsRequest{})
	_, _ = labels.ConfirmLabels(t.Context(), &parleyv1.ConfirmLabelsRequest{RequestId: "c", Numbers: []int64{1}, Annotator: "ada"})
	_, _ = labels.SuggestDocuments(t.Context(), &parleyv1.SuggestDocumentsRequest{Annotator: "ada"})
	_, _ = labels.SkipDocument(t.Context(), &parleyv1.SkipDocumentRequest{Number: 99, Annotator: "ada"})
	_, _ = labels.ForgetTexts(t.Context(), &parleyv1.ForgetTextsRequest{RequestId: "f", References: []*parleyv1.TextReference{byText("gone")}})
}

// A share of the calls is logged, every error, and every slow call.
func TestLogSample(t *testing.T) {
	s := start(t, Config{Telemetry: Telemetry{LogShare: 1e-9}}, newModel(t, 1))
	for range 100 {
		s.classify(t, "goal", nil)
	}
	if lines := s.log.events(); len(lines) != 0 {
		t.Errorf("%d lines about calls that went well, want none", len(lines))
	}
	for range 10 {
		_, _ = s.client.Classify(t.Context(), request("", nil))
	}
	if lines := s.log.events(); len(lines) != 10 {
		t.Errorf("%d lines about ten calls that failed", len(lines))
	}
	if got := s.scrape(t)[`parley_calls_total{code="OK",method="Classify"}`]; got != 100 {
		t.Errorf("%v calls are counted, want 100", got)
	}
}

func TestSlowCall(t *testing.T) {
	slow := newSlow()
	s := start(t, Config{Telemetry: Telemetry{LogShare: 1e-9, SlowCall: time.Millisecond}}, newModel(t, 1), slow.desc())
	call := slow.call(t, s.conn)
	time.Sleep(2 * time.Millisecond)
	close(slow.release)
	if err := <-call; err != nil {
		t.Fatal(err)
	}
	checkEvent(t, s.log.last(t), "/test.Slow/Wait", `{"level":"warn","code":"OK","slow":true}`)
	if got := s.scrape(t)[`parley_calls_total{code="OK",method="other"}`]; got != 1 {
		t.Errorf("%v calls of unknown methods are counted, want 1", got)
	}
}

func TestTelemetryConfig(t *testing.T) {
	for want, c := range map[string]Telemetry{
		"log share 1.5: want more than 0, at most 1":      {LogShare: 1.5},
		"log share -1: want more than 0, at most 1":       {LogShare: -1},
		"drift window 99: want 100 to 10000000 documents": {DriftWindow: 99},
		"drift window -1: want 100 to 10000000 documents": {DriftWindow: -1},
	} {
		if _, err := New(Config{Telemetry: c}); err == nil || err.Error() != want {
			t.Errorf("%+v: error %v, want %s", c, err, want)
		}
	}
}

// The in-flight gauge counts a call while it runs.
func TestInFlight(t *testing.T) {
	slow := newSlow()
	s := start(t, Config{}, newModel(t, 1), slow.desc())
	call := slow.call(t, s.conn)
	if got := s.scrape(t)["parley_calls_in_flight"]; got != 1 {
		t.Errorf("%v calls in flight, want 1", got)
	}
	close(slow.release)
	if err := <-call; err != nil {
		t.Fatal(err)
	}
	if got := s.scrape(t)["parley_calls_in_flight"]; got != 0 {
		t.Errorf("%v calls in flight, want none", got)
	}
}

// A call that panics is counted as one that ended, with INTERNAL.
func TestPanicIsCounted(t *testing.T) {
	s := start(t, Config{}, &model.Model{})
	_, _ = s.client.Classify(t.Context(), request("goal", nil))
	checkSeries(t, s.scrape(t), map[string]float64{
		`parley_calls_in_flight`:                                    0,
		`parley_calls_total{code="Internal",method="Classify"}`:     1,
		`parley_documents_total{method="Classify",outcome="error"}`: 1,
	})
}

var hexID = regexp.MustCompile(`^[0-9a-f]{32}$`)

func TestNewRequestID(t *testing.T) {
	a, b := newRequestID(), newRequestID()
	if !hexID.MatchString(a) || a == b {
		t.Errorf("ids %q and %q, want two different ones of 32 hexadecimal digits", a, b)
	}
}
