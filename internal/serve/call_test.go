package serve

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"strings"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/emptypb"

	"github.com/parley-nlp/parley/internal/model"
	parleyv1 "github.com/parley-nlp/parley/proto/parley/v1"
)

func TestRequestID(t *testing.T) {
	s := start(t, Config{}, newModel(t, 1))
	for _, test := range []struct {
		name   string
		sent   []string
		echoed bool
	}{
		{"none", nil, false},
		{"a good one", []string{"7f3a-!~"}, true},
		{"the longest", []string{strings.Repeat("i", 64)}, true},
		{"too long", []string{strings.Repeat("i", 65)}, false},
		{"empty", []string{""}, false},
		{"a space", []string{"a b"}, false},
		{"two", []string{"a", "b"}, false},
	} {
		ctx := t.Context()
		for _, id := range test.sent {
			ctx = metadata.AppendToOutgoingContext(ctx, "x-request-id", id)
		}
		var header metadata.MD
		if _, err := s.client.Classify(ctx, request("goal", nil), grpc.Header(&header)); err != nil {
			t.Fatal(err)
		}
		ids := header.Get("x-request-id")
		if len(ids) != 1 || len(ids[0]) < 2 {
			t.Errorf("%s: answered with the ids %q, want one", test.name, ids)
			continue
		}
		if echoed := len(test.sent) == 1 && ids[0] == test.sent[0]; echoed != test.echoed {
			t.Errorf("%s: sent %q, answered with %q", test.name, test.sent, ids)
		}
		if logged := s.log.last(t)["request_id"]; logged != ids[0] {
			t.Errorf("%s: logged as %v, answered with %q", test.name, logged, ids)
		}
	}
}

func TestPlausibleID(t *testing.T) {
	for id, want := range map[string]bool{
		"a": true, "!": true, "~": true, "": false, " ": false, "a\n": false, "\x7f": false, "é": false, "\xff": false,
	} {
		if got := plausibleID(id); got != want {
			t.Errorf("%q: %t, want %t", id, got, want)
		}
	}
}

// A failed call has its id in the trailer. A header would keep clients from
// trying again.
func TestRequestIDOfAFailedCall(t *testing.T) {
	s := start(t, Config{}, newModel(t, 1))
	var header, trailer metadata.MD
	ctx := metadata.AppendToOutgoingContext(t.Context(), "x-request-id", "mine")
	_, err := s.client.Classify(ctx, request("", nil), grpc.Header(&header), grpc.Trailer(&trailer))
	if got := trailer.Get("x-request-id"); err == nil || len(got) != 1 || got[0] != "mine" || len(header) > 0 {
		t.Errorf("error %v, ids %q, header %v, want an error, mine and none", err, got, header)
	}
}

func TestLog(t *testing.T) {
	m := newModel(t, 1)
	s := start(t, Config{MaxBatchItems: 3}, m)
	bad := &parleyv1.ClassifyOptions{Heads: []string{"mood"}}
	for _, test := range []struct {
		method  string
		request proto.Message
		want    string
	}{
		{classifyMethod, request("great goal", nil),
			`{"level":"info","code":"OK","revision":"REV","items":1,"bytes":10,"decisions":["topic=LABELED","stance=LABELED"]}`},
		{classifyMethod, request("qwrtzx", nil),
			`{"level":"info","code":"OK","revision":"REV","items":1,"bytes":6,"decisions":["topic=NO_EVIDENCE","stance=NO_EVIDENCE"]}`},
		{classifyMethod, request(" ", nil),
			`{"level":"info","code":"InvalidArgument","revision":"REV","items":1,"bytes":1,"error":"EMPTY_DOCUMENT document.text"}`},
		{classifyMethod, request("goal", bad),
			`{"level":"info","code":"InvalidArgument","revision":"REV","error":"UNKNOWN_HEAD options.heads[0]"}`},
		{batchMethod, batch("great goal", "", "shares"), `{"level":"info","code":"OK","revision":"REV","items":3,"bytes":16,"item_errors":1}`},
		{batchMethod, batch("goal", "goal", "goal", "goal"),
			`{"level":"info","code":"InvalidArgument","error":"BATCH_TOO_LARGE items"}`},
		{modelService + "ListModels", &parleyv1.ListModelsRequest{}, `{"level":"info","code":"OK"}`},
		{modelService + "GetModelRevision", &parleyv1.GetModelRevisionRequest{Name: "models/default/revisions/live"}, `{"level":"info","code":"OK","revision":"REV"}`},
		{"/grpc.health.v1.Health/Check", &grpc_health_v1.HealthCheckRequest{}, `{"level":"debug","code":"OK"}`},
		{"/grpc.health.v1.Health/Check", &grpc_health_v1.HealthCheckRequest{Service: "nothing"}, `{"level":"debug","code":"NotFound","error":"unknown service"}`},
	} {
		_ = s.conn.Invoke(t.Context(), test.method, test.request, &emptypb.Empty{})
		checkEvent(t, s.log.last(t), test.method, strings.ReplaceAll(test.want, "REV", m.Revision()))
	}
}

// checkEvent compares a log line with the JSON that is wanted beside the
// method, the id and the time.
func checkEvent(t *testing.T, event map[string]any, method, want string) {
	t.Helper()
	rest := maps.Clone(event)
	if id, ok := rest["request_id"].(string); !ok || id == "" {
		t.Errorf("%s: request_id is %v", method, rest["request_id"])
	}
	if ms, ok := rest["ms"].(float64); !ok || ms < 0 {
		t.Errorf("%s: ms is %v", method, rest["ms"])
	}
	if rest["method"] != method {
		t.Errorf("method is %v, want %s", rest["method"], method)
	}
	maps.DeleteFunc(rest, func(key string, _ any) bool { return key == "request_id" || key == "ms" || key == "method" })
	var wanted map[string]any
	if err := json.Unmarshal([]byte(want), &wanted); err != nil {
		t.Fatal(err)
	}
	if got, want := fmt.Sprint(rest), fmt.Sprint(wanted); got != want {
		t.Errorf("%s:\n got %s\nwant %s", method, got, want)
	}
}

// A model that was never built makes Classify panic: its caller gets INTERNAL
// with the id under which the cause is logged, others are answered.
func TestPanic(t *testing.T) {
	s := start(t, Config{}, new(model.Model))
	ctx := metadata.AppendToOutgoingContext(t.Context(), "x-request-id", "mine")
	_, err := s.client.Classify(ctx, request("goal", nil))
	const want = "Internal: internal error; the server's log has the cause under request id mine\nparley/INTERNAL map[request_id:mine]"
	if got := refusal(err); got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
	events := s.log.events()
	if len(events) != 2 {
		t.Fatalf("logged %v, want the panic and the call", events)
	}
	checkPanicEvent(t, events[0], "mine", "classification.go")
	checkEvent(t, events[1], classifyMethod, fmt.Sprintf(`{"level":"error","code":"Internal","revision":%q,"items":1,"bytes":4,
		"error":"INTERNAL"}`, new(model.Model).Revision()))
	if _, err := s.models.ListModels(t.Context(), &parleyv1.ListModelsRequest{}); err != nil {
		t.Errorf("another call: %v", err)
	}
	s.Use(newModel(t, 1))
	s.classify(t, "goal", nil)
}

func checkPanicEvent(t *testing.T, event map[string]any, id, place string) {
	t.Helper()
	stack, _ := event["stack"].(string)
	if event["level"] != "error" || event["message"] != "panic" || event["request_id"] != id || event["panic"] == "" || !strings.Contains(stack, place) {
		t.Errorf("logged %v, want the panic of %s with a stack through %s", event, id, place)
	}
}

func TestPanicInAStream(t *testing.T) {
	broken := &grpc.ServiceDesc{ServiceName: "test.Broken", Streams: []grpc.StreamDesc{{
		StreamName: "Break", ServerStreams: true,
		Handler: func(any, grpc.ServerStream) error { panic("broken") },
	}}}
	s := start(t, Config{}, newModel(t, 1), broken)
	stream, err := s.conn.NewStream(t.Context(), &broken.Streams[0], "/test.Broken/Break")
	if err != nil {
		t.Fatal(err)
	}
	err = stream.RecvMsg(&emptypb.Empty{})
	event := s.log.last(t)
	id, _ := event["request_id"].(string)
	checkPanicEvent(t, event, id, "call_test.go")
	if want := "parley/INTERNAL map[request_id:" + id + "]"; id == "" || !strings.Contains(refusal(err), want) {
		t.Errorf("got %s, want %s", refusal(err), want)
	}
}

// A method that is called without its interceptors works.
func TestCallWithoutInterceptors(t *testing.T) {
	s := start(t, Config{}, newModel(t, 1))
	resp, err := s.Server.Classify(context.Background(), request("great goal", nil))
	if err != nil || len(resp.GetClassification().GetPredictions()) != 2 {
		t.Errorf("got %v and %v, want two predictions", resp, err)
	}
}
