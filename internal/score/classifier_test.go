package score

import (
	"context"
	"errors"
	"fmt"
	"math"
	"reflect"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

func TestOptionsCheck(t *testing.T) {
	for _, c := range []struct {
		options Options
		want    string // "" for none
	}{
		{Options{}, ""},
		{Options{Top: -1, Evidence: 50, MinProbability: ptr(1), MinMargin: 1, Heads: []string{"a", "b"}}, ""},
		{Options{Top: 1 << 16, MinProbability: ptr(0)}, ""},
		{Options{Top: -2}, "top -2: want"},
		{Options{Top: 1<<16 + 1}, "top 65537: want"},
		{Options{Evidence: -1}, "evidence -1: want"},
		{Options{Evidence: 51}, "evidence 51: want"},
		{Options{MinProbability: ptr(1.01)}, "least probability 1.01: want"},
		{Options{MinProbability: ptr(-0.01)}, "least probability -0.01: want"},
		{Options{MinProbability: ptr(math.NaN())}, "least probability NaN: want"},
		{Options{MinMargin: -1}, "least margin -1: want"},
		{Options{MinMargin: math.NaN()}, "least margin NaN: want"},
		{Options{Heads: []string{"topic", "stance", "topic"}}, `head "topic" is asked for twice`},
	} {
		err := c.options.Check()
		if got := fmt.Sprint(err); (err == nil) != (c.want == "") || !strings.Contains(got, c.want) {
			t.Errorf("%+v: got error %v, want %q", c.options, err, c.want)
		}
	}
}

func TestClassifiersCheckTheirOptions(t *testing.T) {
	if _, err := Local(testModel(t), Options{Top: -2}); err == nil {
		t.Error("Local took top -2")
	}
	if _, err := Remote(nil, Options{Top: -2}, Calls{}); err == nil {
		t.Error("Remote took top -2")
	}
}

func TestUnknownHead(t *testing.T) {
	o := Options{Heads: []string{"topic", "tone"}}
	if _, err := Local(testModel(t), o); err == nil || err.Error() != `the model has no head "tone"` {
		t.Errorf("local: got error %v", err)
	}
	_, err := mustRemote(t, start(t), o).Classify(context.Background(), about("", "goal"))
	if got := status.Convert(err); got.Code() != codes.InvalidArgument || !strings.Contains(got.Message(), `the model has no head "tone"`) {
		t.Errorf("remote: got error %v", err)
	}
}

// JSON has no evidence: the answers themselves must be the same.
func TestRemoteEvidenceIsThatOfTheLocalModel(t *testing.T) {
	c := start(t)
	texts := about("", "a late goal in the match was great, great!", "the leaders said oil shares fell", "terrible talks", "qwrtz")
	for _, n := range []int{0, 1, 5, 50} {
		o := Options{Evidence: n, Top: -1}
		want, err := mustLocal(t, o).Classify(context.Background(), texts)
		if err != nil {
			t.Fatal(err)
		}
		got, err := mustRemote(t, c, o).Classify(context.Background(), texts)
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%d terms: remote %+v, local %+v", n, got, want)
		}
		for _, p := range want[0].Predictions {
			if len(p.Evidence) > n || n > 0 && len(p.Evidence) == 0 {
				t.Errorf("%s: %d terms, want 1 to %d", p.Head, len(p.Evidence), n)
			}
			for _, e := range p.Evidence {
				if !strings.Contains(texts[0].Text, e.Term) || e.Nats == 0 {
					t.Errorf("%s: evidence %+v, want a part of %q", p.Head, e, texts[0])
				}
			}
		}
	}
}

func TestNoTextsGiveNoRows(t *testing.T) {
	for name, c := range map[string]Classifier{"local": mustLocal(t, Options{}), "remote": mustRemote(t, start(t), Options{})} {
		if rows, err := c.Classify(context.Background(), nil); err != nil || len(rows) != 0 {
			t.Errorf("%s: got %v, error %v", name, rows, err)
		}
	}
}

func TestCancelledCallsFail(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	for name, c := range map[string]Classifier{"local": mustLocal(t, Options{}), "remote": mustRemote(t, start(t), Options{})} {
		if _, err := c.Classify(ctx, about("", "goal")); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: got error %v, want %v", name, err, context.Canceled)
		}
	}
}

// The server's own limits come back as error rows, without the place that a
// text had in its batch.
func TestRemoteErrorsOfTexts(t *testing.T) {
	rows, err := mustRemote(t, start(t), Options{}).Classify(context.Background(), about("", "goal", "  ", "\xff", strings.Repeat("x", MaxDocumentBytes+1)))
	if err != nil {
		t.Fatal(err)
	}
	if rows[0].Err != nil {
		t.Errorf("a good text: got error %v", rows[0].Err)
	}
	for i, want := range map[int]string{
		1: "the text is empty",
		2: "the text is not valid UTF-8",
		3: "the text has 1048577 bytes, the limit is 1048576",
	} {
		if got := rows[i].Err; got == nil || *got != (Error{"INVALID_ARGUMENT", want}) {
			t.Errorf("text %d: got %+v, want INVALID_ARGUMENT: %s", i, got, want)
		}
	}
}

func TestCodeName(t *testing.T) {
	for c, want := range map[codes.Code]string{
		codes.OK: "OK", codes.Canceled: "CANCELLED", codes.InvalidArgument: "INVALID_ARGUMENT",
		codes.Unavailable: "UNAVAILABLE", codes.DataLoss: "DATA_LOSS", codes.Unauthenticated: "UNAUTHENTICATED",
	} {
		if got := codeName(c); got != want {
			t.Errorf("%s: got %q, want %q", c, got, want)
		}
	}
}
