package score

import (
	"bytes"
	"fmt"
	"testing"
)

func TestThousands(t *testing.T) {
	for n, want := range map[int64]string{0: "0", 999: "999", 1000: "1,000", 1234567: "1,234,567", 100000: "100,000"} {
		if got := Thousands(n); got != want {
			t.Errorf("%d: got %s, want %s", n, got, want)
		}
	}
}

func TestWriteText(t *testing.T) {
	many := map[string]int64{}
	for i := range 22 {
		many[fmt.Sprint("l", i)] = int64(1000 + i)
	}
	s := Summary{Rows: 3, Errors: 2, Kinds: map[string]int64{"empty text": 1, "broken JSON": 1}, Heads: []HeadCount{
		{Head: "topic", Labels: map[string]int64{"b": 1, "a": 1, "c": 1200}, Abstained: map[string]int64{"below the threshold": 4}},
		{Head: "stance", Abstained: map[string]int64{"no known word": 1}},
		{Head: "many", Labels: many},
	}}
	var b bytes.Buffer
	s.WriteText(&b)
	want := `  errors: broken JSON 1, empty text 1
  topic: c 1,200, a 1, b 1; no label: below the threshold 4
  stance: no label: no known word 1
  many: l21 1,021, l20 1,020, l19 1,019, l18 1,018, l17 1,017, l16 1,016, l15 1,015, l14 1,014, l13 1,013, l12 1,012, l11 1,011, l10 1,010, l9 1,009, l8 1,008, l7 1,007, l6 1,006, l5 1,005, l4 1,004, l3 1,003, l2 1,002, and 2 more
`
	if b.String() != want {
		t.Errorf("got\n%s\nwant\n%s", b.String(), want)
	}
}
