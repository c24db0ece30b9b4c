package serve

import (
	"bytes"
	"encoding/binary"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strconv"
	"testing"

	"github.com/rs/zerolog"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"

	parleyv1 "github.com/parley-nlp/parley/proto/parley/v1"
)

// exchange hands the server one request, without a network, and returns the
// message of its answer and the code.
func exchange(t *testing.T, s *Server, method string, message []byte) ([]byte, codes.Code) {
	t.Helper()
	frame := binary.BigEndian.AppendUint32([]byte{0}, uint32(len(message)))
	r := httptest.NewRequest(http.MethodPost, method, bytes.NewReader(append(frame, message...)))
	r.Proto, r.ProtoMajor, r.ProtoMinor = "HTTP/2.0", 2, 0
	r.Header.Set("Content-Type", "application/grpc")
	w := httptest.NewRecorder()
	s.grpc.ServeHTTP(w, r)
	answer := w.Result()
	code, err := strconv.Atoi(answer.Trailer.Get("Grpc-Status"))
	if err != nil {
		t.Fatalf("no status: %v", err)
	}
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	if len(body) < len(frame) {
		return nil, codes.Code(code)
	}
	return body[len(frame):], codes.Code(code)
}

// FuzzRequest takes any bytes through the whole server. A panic would come out
// as INTERNAL.
func FuzzRequest(f *testing.F) {
	if seeds, err := filepath.Glob("testdata/fuzz/FuzzRequest/*"); err != nil || len(seeds) == 0 {
		f.Fatalf("no seeds, error %v", err)
	}
	s, err := New(Config{MaxDocumentBytes: 100, MaxBatchItems: 5, Log: zerolog.Nop()})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(s.Stop)
	s.Use(newTargetModel(f))
	documented := []codes.Code{codes.OK, codes.InvalidArgument, codes.NotFound}
	f.Fuzz(func(t *testing.T, inBatch bool, message []byte) {
		method, check := classifyMethod, checkClassify
		if inBatch {
			method, check = batchMethod, checkBatch
		}
		answer, code := exchange(t, s, method, message)
		if !slices.Contains(documented, code) {
			t.Fatalf("%s: %s", method, code)
		}
		if code == codes.OK {
			check(t, message, answer)
		}
	})
}

// unmarshal reads what the server itself has read or written.
func unmarshal(t *testing.T, data []byte, m proto.Message) {
	t.Helper()
	if err := proto.Unmarshal(data, m); err != nil {
		t.Fatalf("%T: %v", m, err)
	}
}

func checkClassify(t *testing.T, request, answer []byte) {
	var req parleyv1.ClassifyRequest
	var resp parleyv1.ClassifyResponse
	unmarshal(t, request, &req)
	unmarshal(t, answer, &resp)
	checkAnswer(t, resp.GetClassification(), req.GetDocument(), req.GetOptions())
}

func checkBatch(t *testing.T, request, answer []byte) {
	var req parleyv1.BatchClassifyRequest
	var resp parleyv1.BatchClassifyResponse
	unmarshal(t, request, &req)
	unmarshal(t, answer, &resp)
	if len(resp.GetResults()) != len(req.GetItems()) {
		t.Fatalf("%d results for %d items", len(resp.GetResults()), len(req.GetItems()))
	}
	failed := 0
	for i, r := range resp.GetResults() {
		item := req.GetItems()[i]
		if r.GetId() != item.GetId() {
			t.Errorf("result %d has the id %q, want %q", i, r.GetId(), item.GetId())
		}
		if r.GetError() == nil {
			checkAnswer(t, r.GetClassification(), item.GetDocument(), req.GetOptions())
		} else if failed++; codes.Code(r.GetError().GetCode()) != codes.InvalidArgument {
			t.Errorf("item %d: %v", i, r.GetError())
		}
	}
	if int(resp.GetErrorCount()) != failed {
		t.Errorf("error_count is %d, want %d", resp.GetErrorCount(), failed)
	}
}

// checkAnswer checks the sum of the probabilities only when all were asked
// for.
func checkAnswer(t *testing.T, c *parleyv1.Classification, d *parleyv1.Document, o *parleyv1.ClassifyOptions) {
	if o.GetTopK() == -1 {
		checkClassification(t, c, d.GetText(), int(o.GetMaxEvidenceTerms()))
		return
	}
	for _, p := range c.GetPredictions() {
		if n := len(p.GetScores()); n == 0 || n > max(int(o.GetTopK()), 1) {
			t.Errorf("%s: %d scores, top %d asked for", p.GetHead(), n, o.GetTopK())
		}
		checkEvidence(t, p, d.GetText(), int(o.GetMaxEvidenceTerms()))
	}
}
