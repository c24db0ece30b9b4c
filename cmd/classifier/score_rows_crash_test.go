package main

import (
	"bytes"
	"os"
	"testing"
	"time"
)

// TestScoreToParquetSurvivesKill: a file that is made of all rows at the end is
// there whole or not at all, and the rows that it is made of are not lost.
func TestScoreToParquetSurvivesKill(t *testing.T) {
	c := newCrash(t)
	out, want := c.path("out.parquet"), c.path("want.parquet")
	c.mayFail(c.command("score", "-m", c.model, "--keep", "group", "-o", want, c.input))
	for n := range c.kills {
		at := int64(len(c.want)) * int64(n+1) / int64(c.kills+1)
		cmd := c.command("score", "-m", c.model, "--keep", "group", "--resume", "--checkpoint-every", "30ms", "-o", out, c.input)
		if !c.kill(cmd, out+".partial", at, time.Minute) {
			t.Logf("kill %d came too late", n+1)
			os.Remove(out)
		}
		if size(out) > 0 {
			t.Fatal("there is an output that is not complete")
		}
	}
	c.mayFail(c.command("score", "-m", c.model, "--keep", "group", "--resume", "-o", out, c.input))
	got, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	if c.want, err = os.ReadFile(want); err != nil || !bytes.Equal(got, c.want) {
		t.Errorf("%d bytes that are not the %d of an uninterrupted run, error %v", len(got), len(c.want), err)
	}
	c.check(out)
}
