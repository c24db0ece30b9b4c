package serve

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/rs/zerolog"
	"go.uber.org/goleak"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/test/bufconn"

	"github.com/parley-nlp/parley/internal/model"
	parleyv1 "github.com/parley-nlp/parley/proto/parley/v1"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// vocabulary is what the test model knows: for each term the weights, in nats,
// of money and sport, and of con, neutral and pro.
var vocabulary = map[string][5]int16{
	"shares":    {3, -2, 0, 0, 0},
	"goal":      {-2, 3, 0, 0, 0},
	"late goal": {0, 1, 0, 0, 1},
	"great":     {0, 0, -2, -1, 4},
	"terrible":  {0, 0, 4, -1, -2},
	"the":       {0, 0, 0, 0, 0},
	"Über":      {1, 0, 0, 0, 0},
}

// nat is one nat in raw scores.
const nat = 1 << model.ScoreBits

// newModel returns a model of the vocabulary. bias, in nats, is that of money:
// models with different ones are different revisions.
func newModel(t testing.TB, bias int64) *model.Model {
	t.Helper()
	return build(t, []model.Head{
		{Name: "topic", Labels: []string{"money", "sport"}, DocCounts: []uint64{2, 1}, Prior: []float64{0.6, 0.4}, Bias: []int64{bias * nat, 0},
			Blocks: []model.Block{{Value: model.Binary}}, InverseTemperature: 1, TargetInverseTemperature: 1},
		{Name: "stance", Labels: []string{"con", "neutral", "pro"}, DocCounts: []uint64{1, 0, 1}, Prior: []float64{0.4, 0.2, 0.4}, Bias: []int64{0, nat, 0},
			Blocks: []model.Block{{Value: model.TF}}, InverseTemperature: 0.5, TargetInverseTemperature: 1, MinProbability: 0.5,
			Evaluation: model.Evaluation{Examples: 9, Accuracy: 0.75, MacroF1: 0.5, MajorityAccuracy: 0.25, ECE: 0.125, PerfectECE: 0.0625, NLL: 1.5, Brier: 0.375,
				Learning: []model.LearningPoint{{Examples: 3, Accuracy: 0.5, MacroF1: 0.25}, {Examples: 7, Accuracy: 0.75, MacroF1: 0.5}}}},
	}, nil)
}

// aimed is what the test model with targets adds to the weights of a term in
// texts about a target.
var aimed = map[string]map[string][3]int16{
	"oil price":  {"great": {6, 0, -6}},
	"straße 1 ü": {"the": {0, 2, 0}},
}

// newTargetModel returns a model of the vocabulary whose stance has targets, a
// threshold of its own for pro, and label sets.
func newTargetModel(t testing.TB) *model.Model {
	t.Helper()
	return build(t, []model.Head{
		{Name: "topic", Labels: []string{"money", "sport"}, DocCounts: []uint64{2, 1}, Prior: []float64{0.6, 0.4}, Bias: []int64{0, 0},
			Blocks: []model.Block{{Value: model.Binary}}, InverseTemperature: 1, TargetInverseTemperature: 1},
		{Name: "stance", Labels: []string{"con", "neutral", "pro"}, DocCounts: []uint64{2, 1, 1}, Prior: []float64{0.5, 0.25, 0.25}, Bias: []int64{0, nat, 0},
			Blocks: []model.Block{{Value: model.TF, Targets: true}}, InverseTemperature: 0.5, TargetInverseTemperature: 0.25,
			Targets: []model.Target{
				{Name: "oil price", DocCounts: []uint64{1, 0, 1}, Prior: []float64{0.125, 0.125, 0.75}, Bias: []int64{nat, 0, 0}},
				{Name: "straße 1 ü", DocCounts: []uint64{1, 1, 0}, Prior: []float64{0.25, 0.5, 0.25}, Bias: []int64{0, 0, nat}},
			},
			MinProbability: 0.25, LabelThresholds: []float64{0, 0.625, 0.875},
			Sets: model.LabelSets{Coverage: 0.9, Thresholds: []float64{0.2, 0.7, 0.28}}},
	}, aimed)
}

// build returns a model of the vocabulary with these heads, which have five
// columns together. aimed are the target weights of the last.
func build(t testing.TB, heads []model.Head, aimed map[string]map[string][3]int16) *model.Model {
	t.Helper()
	s := model.Spec{Features: model.Features{Words: 2}, MinKnownShare: 0.25, Heads: heads}
	rows := map[model.FeatureID][5]int16{}
	for term, weights := range vocabulary {
		rows[featureOf(t, s.Features, term)] = weights
	}
	targetRows := map[model.FeatureID][3]int16{}
	for target, terms := range aimed {
		for term, weights := range terms {
			targetRows[model.Cross(featureOf(t, s.Features, term), target)] = weights
		}
	}
	last := &s.Heads[len(s.Heads)-1]
	for _, id := range slices.Sorted(maps.Keys(targetRows)) {
		weights := targetRows[id]
		last.TargetIDs, last.TargetWeights = append(last.TargetIDs, id), append(last.TargetWeights, weights[:]...)
	}
	for _, id := range slices.Sorted(maps.Keys(rows)) {
		s.IDs = append(s.IDs, id)
		weights := rows[id]
		s.Weights = append(s.Weights, weights[:]...)
	}
	m, err := model.New(s)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// featureOf returns the id of the feature that is the whole term.
func featureOf(t testing.TB, f model.Features, term string) model.FeatureID {
	t.Helper()
	x, err := model.NewExtractor(f, 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, feature := range x.Extract(term) {
		if feature.Start == 0 && int(feature.End) == len(term) {
			return feature.ID
		}
	}
	t.Fatalf("no feature is the whole of %q", term)
	return 0
}

// A service is a running server and a client of it.
type service struct {
	*Server
	client parleyv1.ClassificationServiceClient
	models parleyv1.ModelServiceClient
	conn   *grpc.ClientConn
	log    *journal
	drain  func() error // ends Serve's context and returns what Serve returned
}

// start runs a server over memory until the test ends, with the model unless
// it is nil, and with the extra services.
func start(t testing.TB, cfg Config, m *model.Model, extra ...*grpc.ServiceDesc) *service {
	t.Helper()
	log := &journal{}
	cfg.Log = zerolog.New(log)
	s, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	for _, desc := range extra {
		s.grpc.RegisterService(desc, nil)
	}
	if m != nil {
		s.Use(m)
	}
	lis := bufconn.Listen(1 << 20)
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- s.Serve(ctx, lis) }()
	drain := sync.OnceValue(func() error { cancel(); return <-served })
	conn := dial(t, lis, grpc.WithUnaryInterceptor(log.keepTexts))
	t.Cleanup(func() {
		conn.Close()
		if err := drain(); err != nil {
			t.Errorf("Serve returned %v", err)
		}
		log.checkSecrecy(t)
	})
	return &service{s, parleyv1.NewClassificationServiceClient(conn), parleyv1.NewModelServiceClient(conn), conn, log, drain}
}

func dial(t testing.TB, lis *bufconn.Listener, opts ...grpc.DialOption) *grpc.ClientConn {
	t.Helper()
	opts = append(opts,
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return lis.DialContext(ctx) }),
		grpc.WithDefaultCallOptions(grpc.MaxCallSendMsgSize(64<<20)))
	conn, err := grpc.NewClient("passthrough:///memory", opts...)
	if err != nil {
		t.Fatal(err)
	}
	return conn
}

// A journal keeps the log of a server, and the texts and targets that were sent
// to it.
type journal struct {
	mu    sync.Mutex
	lines []map[string]any
	texts []string
}

func (j *journal) Write(line []byte) (int, error) {
	var event map[string]any
	if err := json.Unmarshal(line, &event); err != nil {
		return 0, fmt.Errorf("log line %q: %w", line, err)
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.lines = append(j.lines, event)
	return len(line), nil
}

// events returns the lines so far.
func (j *journal) events() []map[string]any {
	j.mu.Lock()
	defer j.mu.Unlock()
	return slices.Clone(j.lines)
}

// last returns the newest line.
func (j *journal) last(t testing.TB) map[string]any {
	t.Helper()
	all := j.events()
	if len(all) == 0 {
		t.Fatal("nothing was logged")
	}
	return all[len(all)-1]
}

// keepTexts is an interceptor of the client.
func (j *journal) keepTexts(ctx context.Context, method string, req, reply any, cc *grpc.ClientConn, invoke grpc.UnaryInvoker, opts ...grpc.CallOption) error {
	j.mu.Lock()
	switch req := req.(type) {
	case *parleyv1.ClassifyRequest:
		j.texts = append(j.texts, req.GetDocument().GetText(), req.GetDocument().GetTarget())
	case *parleyv1.BatchClassifyRequest:
		for _, item := range req.GetItems() {
			j.texts = append(j.texts, item.GetDocument().GetText(), item.GetDocument().GetTarget())
		}
	case *parleyv1.BatchCreateLabelsRequest:
		for _, l := range req.GetLabels() {
			j.texts = append(j.texts, l.GetText(), l.GetTarget(), l.GetTextId(), l.GetGroup())
		}
	case *parleyv1.ForgetTextsRequest:
		for _, r := range req.GetReferences() {
			j.texts = append(j.texts, r.GetText(), r.GetTextId(), r.GetGroup())
		}
	}
	j.mu.Unlock()
	return invoke(ctx, method, req, reply, cc, opts...)
}

// checkSecrecy fails the test when a word of a text or target, of at least four
// bytes, is in the log.
func (j *journal) checkSecrecy(t testing.TB) {
	var log []string
	for _, event := range j.events() {
		log = append(log, fmt.Sprint(event))
	}
	slices.Sort(j.texts)
	for _, text := range slices.Compact(j.texts) {
		for word := range strings.FieldsSeq(text[:min(len(text), 1000)]) {
			i := slices.IndexFunc(log, func(line string) bool { return strings.Contains(line, word) })
			if i >= 0 && len(word) >= 4 {
				t.Errorf("the log has %q of a text: %s", word, log[i])
				return
			}
		}
	}
}

// classify classifies text and fails the test when it cannot be.
func (s *service) classify(t testing.TB, text string, o *parleyv1.ClassifyOptions) *parleyv1.Classification {
	t.Helper()
	return s.classifyAbout(t, text, "", o)
}

// classifyAbout is classify for a text about a target.
func (s *service) classifyAbout(t testing.TB, text, target string, o *parleyv1.ClassifyOptions) *parleyv1.Classification {
	t.Helper()
	req := request(text, o)
	req.Document.Target = target
	resp, err := s.client.Classify(t.Context(), req)
	if err != nil {
		t.Fatalf("%.40q: %v", text, err)
	}
	if want := "models/" + s.cfg.ModelName + "/revisions/" + s.Live(); resp.GetModelRevision() != want {
		t.Errorf("answered by %s, want %s", resp.GetModelRevision(), want)
	}
	return resp.GetClassification()
}

func request(text string, o *parleyv1.ClassifyOptions) *parleyv1.ClassifyRequest {
	return &parleyv1.ClassifyRequest{Document: document(text), Options: o}
}

func document(text string) *parleyv1.Document { return &parleyv1.Document{Text: text} }
