package page

import (
	"strings"
	"testing"
)

func TestTicks(t *testing.T) {
	tests := []struct {
		low, high float64
		want      string
	}{
		{0, 1, "0.0 0.2 0.4 0.6 0.8 1.0"},
		{.6, 1, "0.6 0.7 0.8 0.9 1.0"},
		{.9, 1, "0.90 0.92 0.94 0.96 0.98 1.00"},
		{-.1, .1, "−0.10 −0.05 0.00 0.05 0.10"},
		{-.3, 1, "0.0 0.5 1.0"},
		{0, 7, "0 2 4 6"},
		{0, 300, "0 100 200 300"},
		{0, 12_345, "0 5,000 10,000"},
		{0, 1 << 62, "0 1,000,000,000,000,000,000 2,000,000,000,000,000,000 3,000,000,000,000,000,000 4,000,000,000,000,000,000"},
	}
	for _, test := range tests {
		var got []string
		for _, tick := range ticks(test.low, test.high) {
			got = append(got, tick.Label)
			if tick.Value < test.low-1e-9 || tick.Value > test.high+1e-9 {
				t.Errorf("ticks(%v, %v): %v is outside", test.low, test.high, tick.Value)
			}
		}
		if got := strings.Join(got, " "); got != test.want {
			t.Errorf("ticks(%v, %v) = %s, want %s", test.low, test.high, got, test.want)
		}
	}
}

// Names are given the room that they take in any font.
func TestBoxIsGenerous(t *testing.T) {
	h := newPlot("", "").TextHandler.(anchored)
	font := newPlot("", "").X.Tick.Label.Font
	for _, s := range []string{"doc-01", "WWWW", "和平進程", "a b"} {
		width, _, _ := h.Box(s, font)
		if plain, _, _ := h.Plain.Box(s, font); width < 1.1*plain || width < fullWidth(s)*font.Size {
			t.Errorf("%q: %v for a text of %v", s, width, plain)
		}
	}
}
