package serve

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/emptypb"

	parleyv1 "github.com/parley-nlp/parley/proto/parley/v1"
)

// refusal writes an error with its details, one a line.
func refusal(err error) string {
	s := status.Convert(err)
	lines := []string{fmt.Sprintf("%s: %s", s.Code(), s.Message())}
	for _, d := range s.Details() {
		switch d := d.(type) {
		case *errdetails.ErrorInfo:
			lines = append(lines, fmt.Sprintf("%s/%s %v", d.GetDomain(), d.GetReason(), d.GetMetadata()))
		case *errdetails.BadRequest:
			for _, v := range d.GetFieldViolations() {
				lines = append(lines, fmt.Sprintf("field %s: %s", v.GetField(), v.GetDescription()))
			}
		case *errdetails.ResourceInfo:
			lines = append(lines, fmt.Sprintf("resource %s %s: %s", d.GetResourceType(), d.GetResourceName(), d.GetDescription()))
		case *errdetails.RetryInfo:
			lines = append(lines, fmt.Sprintf("retry after %s", d.GetRetryDelay().AsDuration()))
		default:
			lines = append(lines, fmt.Sprintf("%T", d))
		}
	}
	return strings.Join(lines, "\n")
}

const (
	classifyMethod = "/parley.v1.ClassificationService/Classify"
	batchMethod    = "/parley.v1.ClassificationService/BatchClassify"
	modelService   = "/parley.v1.ModelService/"
)

func batch(texts ...string) *parleyv1.BatchClassifyRequest {
	req := &parleyv1.BatchClassifyRequest{}
	for i, text := range texts {
		req.Items = append(req.Items, &parleyv1.BatchClassifyItem{Id: fmt.Sprint("n", i), Document: document(text)})
	}
	return req
}

func TestRefusals(t *testing.T) {
	s := start(t, Config{MaxDocumentBytes: 20, MaxBatchItems: 3}, newModel(t, 1))
	elsewhere := &parleyv1.ClassifyRequest{Model: "models/other", Document: document("goal")}
	gone := &parleyv1.ClassifyRequest{Model: "models/default/revisions/0a", Document: document("goal")}
	twins := batch("goal", "great", "shares")
	twins.Items[0].Id, twins.Items[2].Id = "same", "same"
	emptyText := "InvalidArgument: document.text: the text is empty\nparley/EMPTY_DOCUMENT map[]\nfield document.text: the text is empty"
	noModel := "NotFound: there is no models/other\nparley/MODEL_NOT_FOUND map[model:models/other]\nresource parley.v1.Model models/other: there is no models/other"
	noRevision := "NotFound: there is no models/default/revisions/0a on this server\n" +
		"parley/REVISION_NOT_FOUND map[model:models/default revision:models/default/revisions/0a]\n" +
		"resource parley.v1.ModelRevision models/default/revisions/0a: there is no models/default/revisions/0a on this server"
	noHead := `InvalidArgument: options.heads[1]: the model has no head "mood"; it has topic,stance
parley/UNKNOWN_HEAD map[head:mood known:topic,stance]
field options.heads[1]: the model has no head "mood"; it has topic,stance`
	badToken := "InvalidArgument: page_token: not a token of an earlier answer\nparley/INVALID_FIELD map[]\nfield page_token: not a token of an earlier answer"
	mood := &parleyv1.ClassifyOptions{Heads: []string{"topic", "mood"}}
	for _, test := range []struct {
		name, method string
		request      proto.Message
		want         string
	}{
		{"no document", classifyMethod, &parleyv1.ClassifyRequest{}, emptyText},
		{"empty text", classifyMethod, request("", nil), emptyText},
		{"white space", classifyMethod, request(" \t\r\n\u00a0\u3000", nil), emptyText},
		{"too large", classifyMethod, request("twenty-one letters ok", nil),
			"InvalidArgument: document.text: the text has 21 bytes, the limit is 20\n" +
				"parley/DOCUMENT_TOO_LARGE map[limit_bytes:20 size_bytes:21]\n" +
				"field document.text: the text has 21 bytes, the limit is 20"},
		{"unknown head", classifyMethod, request("goal", mood), noHead},
		{"unknown head of a batch", batchMethod, &parleyv1.BatchClassifyRequest{Items: batch("goal").Items, Options: mood}, noHead},
		{"unknown model", classifyMethod, elsewhere, noModel},
		{"unknown model of a batch", batchMethod, &parleyv1.BatchClassifyRequest{Model: "models/other", Items: batch("goal").Items}, noModel},
		{"unknown revision", classifyMethod, gone, noRevision},
		{"unknown model to get", modelService + "GetModel", &parleyv1.GetModelRequest{Name: "models/other"}, noModel},
		{"unknown parent", modelService + "ListModelRevisions", &parleyv1.ListModelRevisionsRequest{Parent: "models/other"}, noModel},
		{"unknown model of a revision", modelService + "GetModelRevision", &parleyv1.GetModelRevisionRequest{Name: "models/other/revisions/live"}, noModel},
		{"unknown revision to get", modelService + "GetModelRevision", &parleyv1.GetModelRevisionRequest{Name: "models/default/revisions/0a"}, noRevision},
		{"too many items", batchMethod, batch("goal", "goal", "goal", "goal"),
			"InvalidArgument: items: the batch has 4 items, the limit is 3\nparley/BATCH_TOO_LARGE map[items:4 limit:3]\nfield items: the batch has 4 items, the limit is 3"},
		{"ids that are equal", batchMethod, twins,
			"InvalidArgument: items[2].id: the id \"same\" is that of an earlier item\nparley/DUPLICATE_ITEM_ID map[id:same]\nfield items[2].id: the id \"same\" is that of an earlier item"},
		{"page token of models", modelService + "ListModels", &parleyv1.ListModelsRequest{PageToken: "x"}, badToken},
		{"page token of revisions", modelService + "ListModelRevisions", &parleyv1.ListModelRevisionsRequest{Parent: "models/default", PageToken: "x"}, badToken},
	} {
		err := s.conn.Invoke(t.Context(), test.method, test.request, &emptypb.Empty{})
		if got := refusal(err); got != test.want {
			t.Errorf("%s:\n got %s\nwant %s", test.name, got, test.want)
		}
	}
}

// Rules that stand in the .proto files.
func TestInvalidFields(t *testing.T) {
	s := start(t, Config{}, newModel(t, 1))
	items := batch("goal").Items
	long := []*parleyv1.BatchClassifyItem{{Id: strings.Repeat("i", 257), Document: document("goal")}}
	for _, test := range []struct {
		method  string
		request proto.Message
		fields  string
	}{
		{classifyMethod, request("goal", &parleyv1.ClassifyOptions{TopK: -2}), "options.top_k"},
		{classifyMethod, request("goal", &parleyv1.ClassifyOptions{Heads: []string{"topic", "topic"}}), "options.heads"},
		{classifyMethod, request("goal", &parleyv1.ClassifyOptions{Heads: []string{strings.Repeat("h", 257)}}), "options.heads[0]"},
		{classifyMethod, request("goal", &parleyv1.ClassifyOptions{Heads: strings.Split(strings.Repeat("h,", 32), ",")}), "options.heads options.heads"},
		{classifyMethod, request("goal", &parleyv1.ClassifyOptions{MinProbability: proto.Float64(-0.1)}), "options.min_probability"},
		{classifyMethod, request("goal", &parleyv1.ClassifyOptions{MinProbability: proto.Float64(1.1)}), "options.min_probability"},
		{classifyMethod, request("goal", &parleyv1.ClassifyOptions{MinProbability: proto.Float64(math.NaN())}), "options.min_probability"},
		{classifyMethod, request("goal", &parleyv1.ClassifyOptions{MinMargin: proto.Float64(-0.1)}), "options.min_margin"},
		{classifyMethod, request("goal", &parleyv1.ClassifyOptions{MinMargin: proto.Float64(math.NaN())}), "options.min_margin"},
		{classifyMethod, request("goal", &parleyv1.ClassifyOptions{MaxEvidenceTerms: -1}), "options.max_evidence_terms"},
		{classifyMethod, request("goal", &parleyv1.ClassifyOptions{MaxEvidenceTerms: 51}), "options.max_evidence_terms"},
		{classifyMethod, request("goal", &parleyv1.ClassifyOptions{Truncation: 9}), "options.truncation"},
		{classifyMethod, request("goal", &parleyv1.ClassifyOptions{TopK: -2, MaxEvidenceTerms: 51}), "options.top_k options.max_evidence_terms"},
		{classifyMethod, &parleyv1.ClassifyRequest{Model: "default", Document: document("goal")}, "model"},
		{classifyMethod, &parleyv1.ClassifyRequest{Model: "models/default/revisions/", Document: document("goal")}, "model"},
		{batchMethod, &parleyv1.BatchClassifyRequest{}, "items"},
		{batchMethod, &parleyv1.BatchClassifyRequest{Items: long}, "items[0].id"},
		{batchMethod, &parleyv1.BatchClassifyRequest{Model: "models/Default", Items: items}, "model"},
		{batchMethod, &parleyv1.BatchClassifyRequest{Items: items, Options: &parleyv1.ClassifyOptions{TopK: -2}}, "options.top_k"},
		{modelService + "ListModels", &parleyv1.ListModelsRequest{PageSize: -1}, "page_size"},
		{modelService + "GetModel", &parleyv1.GetModelRequest{}, "name"},
		{modelService + "GetModel", &parleyv1.GetModelRequest{Name: "models/default/revisions/live"}, "name"},
		{modelService + "ListModelRevisions", &parleyv1.ListModelRevisionsRequest{Parent: "models/", PageSize: 1001}, "parent page_size"},
		{modelService + "GetModelRevision", &parleyv1.GetModelRevisionRequest{Name: "models/default"}, "name"},
	} {
		checkInvalid(t, s.conn.Invoke(t.Context(), test.method, test.request, &emptypb.Empty{}), test.request, test.fields)
	}
}

// checkInvalid fails unless err is an INVALID_FIELD that names these fields,
// once in its message and once in its details.
func checkInvalid(t *testing.T, err error, request proto.Message, fields string) {
	t.Helper()
	var got, said []string
	for _, d := range status.Convert(err).Details() {
		if b, ok := d.(*errdetails.BadRequest); ok {
			for _, v := range b.GetFieldViolations() {
				got = append(got, v.GetField())
				said = append(said, v.GetField()+": "+v.GetDescription())
			}
		}
	}
	if strings.Join(got, " ") != fields {
		t.Errorf("%T %.99v: violations in %q, want %q", request, request, got, fields)
	}
	want := fmt.Sprintf("InvalidArgument: %s\nparley/INVALID_FIELD map[]\nfield %s", strings.Join(said, "; "), strings.Join(said, "\nfield "))
	if refusal(err) != want {
		t.Errorf("got %s\nwant %s", refusal(err), want)
	}
}

func TestNotReady(t *testing.T) {
	s := start(t, Config{}, nil)
	const want = "Unavailable: no model is loaded yet\nparley/SERVER_NOT_READY map[]\nretry after 1s"
	for method, req := range map[string]proto.Message{
		classifyMethod:                      request("goal", nil),
		batchMethod:                         batch("goal"),
		modelService + "ListModels":         &parleyv1.ListModelsRequest{},
		modelService + "GetModel":           &parleyv1.GetModelRequest{Name: "models/default"},
		modelService + "ListModelRevisions": &parleyv1.ListModelRevisionsRequest{Parent: "models/default"},
		modelService + "GetModelRevision":   &parleyv1.GetModelRevisionRequest{Name: "models/default/revisions/live"},
	} {
		if got := refusal(s.conn.Invoke(t.Context(), method, req, &emptypb.Empty{})); got != want {
			t.Errorf("%s:\n got %s\nwant %s", method, got, want)
		}
	}
}

// Errors of gRPC itself have no ErrorInfo.

func TestTooMuchEvidence(t *testing.T) {
	s := start(t, Config{}, newModel(t, 1))
	ask := func(items int, o *parleyv1.ClassifyOptions) string {
		b := batch(slices.Repeat([]string{"goal"}, items)...)
		b.Options = o
		return refusal(s.conn.Invoke(t.Context(), batchMethod, b, &emptypb.Empty{}))
	}
	if got := ask(1000, &parleyv1.ClassifyOptions{MaxEvidenceTerms: 50}); got != "OK: " {
		t.Errorf("1,000 items x 2 labels x 50 terms: got %s, want an answer", got)
	}
	want := "options.max_evidence_terms: items x labels x terms is 250000, the limit is 100000: ask for fewer, or send smaller batches"
	if got := ask(1000, &parleyv1.ClassifyOptions{MaxEvidenceTerms: 50, TopK: -1}); !strings.HasPrefix(got, "InvalidArgument: "+want+"\nparley/INVALID_FIELD") {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestRefusalsOfGRPC(t *testing.T) {
	s := start(t, Config{MaxMessageBytes: 1000}, newModel(t, 1))
	err := s.conn.Invoke(t.Context(), classifyMethod, request(strings.Repeat("goal ", 200), nil), &emptypb.Empty{})
	if got, want := refusal(err), "ResourceExhausted: grpc: received message larger than max (1006 vs. 1000)"; got != want {
		t.Errorf("message above the limit: got %s, want %s", got, want)
	}
	err = s.conn.Invoke(t.Context(), "/parley.v1.ClassificationService/Nothing", &emptypb.Empty{}, &emptypb.Empty{})
	if got, want := refusal(err), "Unimplemented: unknown method Nothing for service parley.v1.ClassificationService"; got != want {
		t.Errorf("unknown method: got %s, want %s", got, want)
	}
	s.drain() // gRPC answers before the line is written
	if got := s.log.last(t)["code"]; got != "ResourceExhausted" {
		t.Errorf("message above the limit: logged with code %v", got)
	}
}

// The document limit holds below the message limit: 2 MB is refused by
// default, and the server answers what is within both.
func TestTwoMegabytes(t *testing.T) {
	s := start(t, Config{}, newModel(t, 1))
	_, err := s.client.Classify(t.Context(), request(strings.Repeat("goal ", 400_000), nil))
	const want = "parley/DOCUMENT_TOO_LARGE map[limit_bytes:1048576 size_bytes:2000000]"
	if got := refusal(err); !strings.Contains(got, want) {
		t.Errorf("got %s, want %s", got, want)
	}
	resp, err := s.client.BatchClassify(t.Context(), batch("goal", strings.Repeat("goal ", 400_000)))
	if err != nil || resp.GetErrorCount() != 1 {
		t.Errorf("in a batch: %d errors and %v, want 1", resp.GetErrorCount(), err)
	}
}

// raw is a codec that sends and receives bytes as they are.
type raw struct{}

func (raw) Marshal(v any) ([]byte, error) { return v.([]byte), nil }

func (raw) Unmarshal(data []byte, v any) error {
	*v.(*[]byte) = bytes.Clone(data)
	return nil
}

func (raw) Name() string { return "proto" }

func TestMalformedRequests(t *testing.T) {
	s := start(t, Config{}, newModel(t, 1))
	const notProto = "InvalidArgument: the request is not a valid protocol buffer message\nparley/MALFORMED_REQUEST map[]"
	const notUTF8 = "InvalidArgument: the request has a string that is not valid UTF-8\nparley/MALFORMED_REQUEST map[]"
	for _, test := range []struct {
		name, method, request, want string
	}{
		{"text", classifyMethod, "\x12\x08\x0a\x06secr\xff\xfe", notUTF8},
		{"half a character", classifyMethod, "\x12\x04\x0a\x02\xe2\x82", notUTF8},
		{"model", classifyMethod, "\x0a\x01\xff", notUTF8},
		{"text of a batch", batchMethod, "\x12\x05\x12\x03\x0a\x01\xff", notUTF8},
		{"name", modelService + "GetModel", "\x0a\x01\xff", notUTF8},
		{"noise", classifyMethod, "secret noise", notProto},
		{"cut short", classifyMethod, "\x12\x08\x0a\x06se", notProto},
		{"field number 0", batchMethod, "\x02\x01\xff", notProto},
		{"a number without end", modelService + "ListModels", strings.Repeat("\xff", 11), notProto},
	} {
		before := len(s.log.events())
		err := s.conn.Invoke(t.Context(), test.method, []byte(test.request), new([]byte), grpc.ForceCodec(raw{}))
		if got := refusal(err); got != test.want {
			t.Errorf("%s:\n got %s\nwant %s", test.name, got, test.want)
		}
		events := s.log.events()[before:]
		if len(events) != 1 || events[0]["method"] != test.method || events[0]["code"] != "InvalidArgument" || events[0]["request_id"] == "" {
			t.Errorf("%s: logged %v, want one line of the call", test.name, events)
		}
		if log := fmt.Sprint(events); strings.Contains(log, "secr") {
			t.Errorf("%s: the log has the text: %s", test.name, log)
		}
	}
}

// A zero-length frame is a valid, empty message.
func TestEmptyFrame(t *testing.T) {
	s := start(t, Config{}, newModel(t, 1))
	err := s.conn.Invoke(t.Context(), classifyMethod, []byte{}, new([]byte), grpc.ForceCodec(raw{}))
	if got := refusal(err); !strings.Contains(got, "parley/EMPTY_DOCUMENT") {
		t.Errorf("got %s, want EMPTY_DOCUMENT", got)
	}
}

func TestContextErrors(t *testing.T) {
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	late, cancel := context.WithDeadline(t.Context(), time.Unix(0, 0))
	defer cancel()
	for _, test := range []struct {
		ctx  context.Context
		want string
	}{
		{canceled, "Canceled: context canceled"},
		{late, "DeadlineExceeded: the deadline passed before all items were classified"},
	} {
		if got := refusal(errContext(test.ctx)); got != test.want {
			t.Errorf("got %s, want %s", got, test.want)
		}
	}
}
