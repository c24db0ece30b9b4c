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

// ParseBys reads several, each of which may be there once.
func ParseBys(list []string) ([]By, error) {
	var all []By
	for _, s := range list {
		by, err := ParseBy(s)
		if err != nil {
			return nil, err
		}
		if slices.Contains(all, by) {
			return nil, fmt.Errorf("%s is given twice", by)
		}
		all = append(all, by)
	}
	return all, nil
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
	by      By
	last    int  // the layout of the date before
	lenient bool // rows of another part may come before the first
}

// A dateCounts is what is known of the values of a column that are no dates.
type dateCounts struct {
	By       By       `json:"by"`
	First    position `json:"first"` // of a date
	Bad      int      `json:"bad"`   // values that are no dates,
	FirstBad position `json:"first_bad"`
	Sample   string   `json:"sample"` // the first of them,
	ID       string   `json:"id"`     // and the id of its row
}

func (d *dateCounts) add(o dateCounts) {
	if o.First.before(d.First) {
		d.First = o.First
	}
	if d.Bad += o.Bad; o.FirstBad.before(d.FirstBad) {
		d.FirstBad, d.Sample, d.ID = o.FirstBad, o.Sample, o.ID
	}
}

// check returns an error unless the first value is a date, or there is none.
func (d *dateCounts) check() error {
	if !d.FirstBad.before(d.First) {
		return nil
	}
	return fmt.Errorf("--by %s: row %q has %q, whose format is not known: want a date as 2025-08-15 or 2025-08-15T10:30:00Z (with slashes the day cannot be told from the month)", d.By, d.ID, d.Sample)
}

// bucket returns the group of a value, of the row with the id at a position. The
// first value of a column of dates must be one; later ones that are none are
// counted.
func (b *bucketer) bucket(d *dateCounts, value, id string, at position) (string, error) {
	value = strings.TrimSpace(value)
	if value == "" {
		return nothing, nil
	}
	if b.by.Unit == "" {
		return shortened(value), nil
	}
	if t, ok := b.parse(value); ok {
		if d.First.Row == 0 {
			d.First = at
		}
		return period(t, b.by.Unit), nil
	}
	if d.Bad++; d.Bad == 1 {
		d.FirstBad, d.Sample, d.ID = at, shortened(value), id
	}
	if b.lenient {
		return nothing, nil
	}
	return nothing, d.check()
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
