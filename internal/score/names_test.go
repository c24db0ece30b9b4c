package score

import (
	"context"
	"reflect"
	"testing"
)

// What labels are called, by a model and by a server.
func TestNames(t *testing.T) {
	m, err := targetModel(t).Rename("stance", map[string]string{"con": "Against", "pro": "In favour"})
	if err != nil {
		t.Fatal(err)
	}
	want := Names{"topic": {}, "stance": {"con": "Against", "neutral": "neutral", "pro": "In favour"}}
	remote := mustRemote(t, startWith(t, m), Options{})
	for who, c := range map[string]Classifier{"local": mustLocalWith(t, m, Options{}), "remote": remote} {
		got, err := c.Names(context.Background(), m.Revision())
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %q, error %v, want %q", who, got, err, want)
		}
	}
	if got, err := remote.Names(context.Background(), targetModel(t).Revision()); err != nil || len(got) != 0 {
		t.Errorf("a revision that the server does not have: got %q, error %v, want none", got, err)
	}
	for _, c := range []struct{ head, label, want string }{
		{"stance", "con", "Against"}, {"stance", "neutral", "neutral"}, {"stance", "", ""},
		{"topic", "con", "con"}, {"tone", "con", "con"},
	} {
		if got := want.Of(c.head, c.label); got != c.want {
			t.Errorf("%s %q is called %q, want %q", c.head, c.label, got, c.want)
		}
	}
}

func TestNamesOfNoServer(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if got, err := mustRemote(t, start(t), Options{}).Names(ctx, "live"); err == nil {
		t.Errorf("a call that was called off: got %q, want an error", got)
	}
}
