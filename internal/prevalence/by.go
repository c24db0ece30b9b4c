package prevalence

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// A By is a column whose values part the rows: each value, or periods of dates.
type By struct {
	Column string
	Unit   string // day, week, month, year; "" for values as they are
}

var units = []string{"day", "week", "month", "year"}

// ParseBy reads COLUMN or COLUMN:UNIT.
func ParseBy(s string) (By, error) {
	column, unit := s, ""
	if at := strings.LastIndexByte(s, ':'); at >= 0 && slices.Contains(units, s[at+1:]) {
		column, unit = s[:at], s[at+1:]
	}
	if column == "" {
		return By{}, fmt.Errorf("%q: want COLUMN or COLUMN:UNIT, with one of the units %s", s, strings.Join(units, ", "))
	}
	return By{column, unit}, nil
}

// String is what ParseBy reads.
func (b By) String() string {
	if b.Unit == "" {
		return b.Column
	}
	return b.Column + ":" + b.Unit
}

// layouts are how dates may be written: as in ISO 8601 first, then with the
// month as a word, or with dots, which put the day first. With slashes nobody can
// tell the day from the month.
var layouts = []string{
	time.RFC3339, "2006-01-02", "2006-01-02T15:04:05", "2006-01-02 15:04:05", "2006-01-02 15:04:05Z07:00", "2006-01-02T15:04", "2006-01-02 15:04",
	"2006-01-02T15:04:05Z0700", "20060102", "2006-01", "2006",
	time.RFC1123Z, time.RFC1123, time.RFC850, time.UnixDate, time.RubyDate, time.ANSIC,
	"2 January 2006", "2 Jan 2006", "January 2, 2006", "Jan 2, 2006", "2.1.2006", "2.1.2006 15:04", "2.1.2006 15:04:05",
}

// A bucketer tells the groups of a column's values.
type bucketer struct {
	by     By
	last   int  // the layout of the date before
	dates  bool // there was one
	bad    int  // values that are no dates
	sample string
}

// bucket returns the group of a value. The first value of a column of dates must
// be one; later ones that are none are counted.
func (b *bucketer) bucket(value, id string) (string, error) {
	value = strings.TrimSpace(value)
	if value == "" {
		return nothing, nil
	}
	if b.by.Unit == "" {
		return shortened(value), nil
	}
	t, ok := b.parse(value)
	switch {
	case ok:
		b.dates = true
		return period(t, b.by.Unit), nil
	case !b.dates:
		return "", fmt.Errorf("--by %s: row %q has %q, whose format is not known: want a date as 2025-08-15 or 2025-08-15T10:30:00Z (with slashes the day cannot be told from the month)", b.by, id, shortened(value))
	}
	if b.bad++; b.bad == 1 {
		b.sample = shortened(value)
	}
	return nothing, nil
}

// parse tries the layout that fitted last, then all.
func (b *bucketer) parse(value string) (time.Time, bool) {
	if t, err := time.Parse(layouts[b.last], value); err == nil {
		return t, true
	}
	for i, l := range layouts {
		if t, err := time.Parse(l, value); err == nil {
			b.last = i
			return t, true
		}
	}
	return time.Time{}, false
}

// period names the day, week, month or year of a time, as written: no time zone
// is changed. Names sort as the times do.
func period(t time.Time, unit string) string {
	switch unit {
	case "day":
		return t.Format("2006-01-02")
	case "week":
		year, week := t.ISOWeek()
		return fmt.Sprintf("%04d-W%02d", year, week)
	case "month":
		return t.Format("2006-01")
	}
	return t.Format("2006")
}

// shortened cuts a long value at a character.
func shortened(s string) string {
	if len(s) <= maxValue {
		return strings.ToValidUTF8(s, "\uFFFD")
	}
	return strings.ToValidUTF8(s[:maxValue], "") + "…"
}
