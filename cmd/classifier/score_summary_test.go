package main

import (
	"bytes"
	"os"
	"strings"
	"testing"
	"time"
)

// TestSummarySurvivesKill: a run that is killed and resumed sums up the rows of
// before, too.
func TestSummarySurvivesKill(t *testing.T) {
	c := newCrash(t)
	args := func(name string, more ...string) []string {
		list := []string{"score", "-m", c.model, "--checkpoint-every", "1ms", "--by", "writer", "--summary", c.path(name + ".json"), "-o", c.path(name)}
		return append(append(list, more...), c.input)
	}
	c.mayFail(c.command(args("whole")...))
	want, err := os.ReadFile(c.path("whole.json"))
	if err != nil {
		t.Fatal(err)
	}
	killed := 0
	for range 10 {
		if !c.kill(c.command(args("killed", "--overwrite")...), c.path("killed.partial"), int64(len(c.want)/4), time.Minute) {
			continue
		}
		killed++
		if _, err := os.Stat(c.path("killed.json")); err == nil {
			t.Fatal("a run that was killed left a summary")
		}
		break
	}
	if killed == 0 {
		t.Fatal("every run was over before it was killed")
	}
	resumed := c.command(args("killed", "--resume")...)
	c.mayFail(resumed)
	if text := resumed.Stderr.(*bytes.Buffer).String(); !strings.Contains(text, "going on after") {
		t.Fatalf("the run did not go on: %s", text)
	}
	got, err := os.ReadFile(c.path("killed.json"))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Error("the summary of the resumed run is not that of the whole run")
	}
}
