package dataset

import (
	"strings"
	"testing"
)

func TestIsDate(t *testing.T) {
	for s, want := range map[string]bool{
		"2026-03-02": true, "2026-03-02T10:00:00Z": true, "2026/03/02": true, "31/12/2025": true,
		"12/31/2025": true, "31.12.2025": true,
		"": false, "2026": false, "2026-13-40": false, "sport": false, "2026-03-0": false, "10.5": false,
	} {
		if got := isDate(s); got != want {
			t.Errorf("isDate(%q) = %v, want %v", s, got, want)
		}
	}
}

func TestDatesAreNoHeads(t *testing.T) {
	const rows = "day,body,team\n" +
		"2026-03-02,the invoice is wrong,billing\n" +
		"2026-03-02,the app crashes again,technical\n" +
		"2026-03-03,the refund is late,billing\n"
	srcs := []Source{Reader("in.csv", strings.NewReader(rows))}
	_, err := ReadAll(srcs, Options{Format: FormatCSV})
	ce, ok := err.(*ColumnError)
	if !ok {
		t.Fatalf("error %v, want a *ColumnError", err)
	}
	if len(ce.HeadGuesses) != 1 || ce.HeadGuesses[0] != "team" {
		t.Errorf("heads guessed %q, want [team]", ce.HeadGuesses)
	}
}
