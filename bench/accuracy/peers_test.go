package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func writeFile(t *testing.T, name, data string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(data), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestReadFigures(t *testing.T) {
	tuned := writeFile(t, "tuned.jsonl", `{"set": "mails", "seconds": 3, "nb": {"pick": ["w1", "mnb1"], "macro_f1": 60, "favg": 70}, "all": {"macro_f1": 62.5, "favg": 65}}
{"set": "news", "all": {"accuracy": 90}}
`)
	fast := writeFile(t, "fast.json", `{"mails": {"macro_f1": 62.5}, "other": {"favg": 1}}`)
	got, err := readFigures([]string{tuned, fast})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		set    string
		m      measure
		system string
		value  float64
	}{
		{"mails", measure{name: macroF1Name}, "tuned all", 0.625}, // not fast, which comes later
		{"mails", measure{name: fAvgName}, "tuned nb: w1 mnb1", 0.7},
		{"other", measure{name: fAvgName}, "fast", 0.01},
	} {
		f := best(got[c.set], c.m)
		if f == nil || f.System != c.system || *f.of(c.m) != c.value {
			t.Errorf("%s by %s: got %+v, want %s", c.set, c.m.name, f, c.system)
		}
	}
	if f := best(got["news"], measure{name: macroF1Name}); f != nil {
		t.Errorf("news has no macro-F1: got %+v", f)
	}
}

func TestBadFigures(t *testing.T) {
	for _, c := range []struct{ file, want string }{
		{`{"set": 3}`, "set: json"},
		{`{"set": "a", "svm": {"accuracy": "high"}}`, "a: f svm: json"},
		{`{"a": {"macro_f1": 101}}`, "a: f: 101: want points, 0 to 100"},
		{`{"a": 3}`, "a: f: json"},
		{`[1]`, "json"},
		{`{"a": `, "unexpected EOF"},
	} {
		_, err := readFigures([]string{writeFile(t, "f.json", c.file)})
		if err == nil || !strings.Contains(err.Error(), "f.json: ") || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got error %v, want %s", c.file, err, c.want)
		}
	}
	if _, err := readFigures([]string{"nowhere.json"}); err == nil {
		t.Error("a file that is not there")
	}
}

func TestMatched(t *testing.T) {
	zero, one := 0, 1
	list := func() []prediction {
		return []prediction{ // in another order than the rows
			{ID: "4", Fold: &one, Truth: "c", Predicted: "b"},
			{ID: "2", Fold: &zero, Truth: "b", Predicted: "x"},
			{ID: "3", Fold: &one, Truth: "z", Predicted: "z"},
			{ID: "1", Fold: &zero, Truth: "a", Predicted: "a"},
		}
	}
	got, err := twoFolds().matched(list())
	if err != nil || strings.Join(got, " ") != "a x z b" {
		t.Errorf("got %v, %v", got, err)
	}
	for _, c := range []struct {
		change func(p []prediction) []prediction
		want   string
	}{
		{func(p []prediction) []prediction { return p[1:] }, "3 predictions for 4 test rows"},
		{func(p []prediction) []prediction { p[0].ID = "5"; return p }, `no prediction for row "4" of fold 1`},
		{func(p []prediction) []prediction { p[0].Fold = nil; return p }, `no prediction for row "4" of fold 1`},
		{func(p []prediction) []prediction { p[0].Truth = "a"; return p }, `row "4" of fold 1: the truth is "c", not "a"`},
	} {
		if _, err := twoFolds().matched(c.change(list())); err == nil || err.Error() != c.want {
			t.Errorf("got error %v, want %s", err, c.want)
		}
	}
}

// Rows without ids are taken in order.
func TestMatchedWithoutIDs(t *testing.T) {
	s := certain("x", nil, "abc", "abc")
	got, err := s.matched([]prediction{{Truth: "a", Predicted: "c"}, {Truth: "b", Predicted: "b"}, {Truth: "c", Predicted: "a"}})
	if err != nil || strings.Join(got, " ") != "c b a" {
		t.Errorf("got %v, %v", got, err)
	}
}

func TestReadPredictions(t *testing.T) {
	if list, err := readPredictions(filepath.Join(t.TempDir(), "none")); list != nil || err != nil {
		t.Errorf("a file that is not there: got %v, %v", list, err)
	}
	list, err := readPredictions(writeFile(t, "p", "{\"id\": \"1\"}\n\n{\"id\": \"2\", \"fold\": 3}\n"))
	if err != nil || len(list) != 2 || *list[1].Fold != 3 {
		t.Errorf("got %v, %v", list, err)
	}
	if _, err := readPredictions(writeFile(t, "p", "{\"id\": \"1\"}\n{\"id\": 2}\n")); err == nil || !strings.Contains(err.Error(), "prediction 2: ") {
		t.Errorf("a number for an id: got %v", err)
	}
}
