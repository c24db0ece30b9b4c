package prevalence

import (
	"strings"
	"testing"
)

func TestParseBy(t *testing.T) {
	for text, want := range map[string]By{
		"source": {"source", ""}, "date:month": {"date", "month"}, "a:b": {"a:b", ""}, "a:b:year": {"a:b", "year"}, "date:Month": {"date:Month", ""},
	} {
		if got, err := ParseBy(text); err != nil || got != want || got.String() != text {
			t.Errorf("%q: got %+v, error %v", text, got, err)
		}
	}
	for _, text := range []string{"", ":day"} {
		if got, err := ParseBy(text); err == nil {
			t.Errorf("%q: got %+v, want an error", text, got)
		}
	}
}

func TestPeriods(t *testing.T) {
	for _, c := range []struct{ value, unit, want string }{
		{"2025-08-15", "day", "2025-08-15"}, {"2025-08-15", "month", "2025-08"}, {"2025-08-15", "year", "2025"},
		{"2024-12-30", "week", "2025-W01"}, {"2021-01-03", "week", "2020-W53"},
		{"2025-08-15T23:59:59+14:00", "day", "2025-08-15"}, {"2025-08-15T23:59:59.123Z", "day", "2025-08-15"},
		{"2025-08-15 10:30:00", "day", "2025-08-15"}, {"2025-08", "month", "2025-08"}, {"2025", "year", "2025"},
		{"Fri, 15 Aug 2025 10:00:00 GMT", "month", "2025-08"}, {"15 August 2025", "day", "2025-08-15"}, {"August 15, 2025", "day", "2025-08-15"},
		{"15.8.2025", "day", "2025-08-15"}, {"15.08.2025", "day", "2025-08-15"}, {" 2025-08-15 ", "day", "2025-08-15"}, {"", "day", nothing},
	} {
		b := bucketer{by: By{"date", c.unit}}
		if got, err := b.bucket(&dateCounts{}, c.value, "1", position{0, 1}); err != nil || got != c.want {
			t.Errorf("%s of %q: got %q, error %v, want %q", c.unit, c.value, got, err, c.want)
		}
	}
}

func TestNoDates(t *testing.T) {
	for _, value := range []string{"08/15/2025", "15/08/2025", "1755216000", "yesterday", "2025-13-01"} {
		b, d := bucketer{by: By{"date", "month"}}, dateCounts{By: By{"date", "month"}}
		if got, err := b.bucket(&d, value, "row 7", position{0, 1}); err == nil || !strings.Contains(err.Error(), `--by date:month: row "row 7" has "`+value) {
			t.Errorf("%q first: got %q, error %v", value, got, err)
		}
		d = dateCounts{}
		if _, err := b.bucket(&d, "2025-08-15", "8", position{0, 1}); err != nil {
			t.Fatal(err)
		}
		if got, err := b.bucket(&d, value, "9", position{0, 2}); err != nil || got != nothing || d.Bad != 1 || d.Sample != value {
			t.Errorf("%q later: got %q, error %v, %d bad", value, got, err, d.Bad)
		}
	}
}

func TestLongValuesAreCut(t *testing.T) {
	b := bucketer{by: By{"source", ""}}
	if got, err := b.bucket(&dateCounts{}, strings.Repeat("é", 1000), "1", position{}); err != nil || got != strings.Repeat("é", maxValue/2)+"…" {
		t.Errorf("got %q, error %v", got, err)
	}
	if got, err := b.bucket(&dateCounts{}, "a\xff", "1", position{}); err != nil || got != "a\uFFFD" {
		t.Errorf("not UTF-8: got %q, error %v", got, err)
	}
}
