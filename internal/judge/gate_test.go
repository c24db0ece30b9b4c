package judge

import (
	"strings"
	"testing"
)

// head is a comparison with the given interval of macro-F1, in points.
func gateHead(low, high float64, verdict Verdict) HeadComparison {
	return HeadComparison{"stance", Comparison{Examples: 300, Sources: 60, Verdict: verdict, MacroF1: Difference{Interval: Interval{low / 100, high / 100}}}}
}

func TestGate(t *testing.T) {
	better, equal, open := gateHead(0.5, 4, Promote), gateHead(-0.5, 0.6, Keep), gateHead(-4, 3, NotEnoughData)
	worse, narrow := gateHead(-5, -1, Keep), gateHead(-1.5, 0.2, Keep)
	fallen := gateHead(0.5, 4, Keep)
	fallen.Labels = []LabelDifference{{Label: "rare", Difference: -0.2, PValue: 0.01}}
	same := gateHead(0, 0, Keep)
	same.Same = true
	none := HeadComparison{"stance", Comparison{Verdict: NotEnoughData}}
	for _, c := range []struct {
		name                         string
		heads                        []HeadComparison
		data, correction, forgetting Verdict
	}{
		{"better", []HeadComparison{better}, Promote, Promote, Promote},
		{"better and equal", []HeadComparison{better, equal}, Promote, Promote, Promote},
		{"equal", []HeadComparison{equal}, Keep, Promote, Promote},
		{"the same", []HeadComparison{same}, Keep, Promote, Promote},
		{"better, and one open", []HeadComparison{better, open}, NotEnoughData, NotEnoughData, Promote},
		{"equal, and one open", []HeadComparison{equal, open}, NotEnoughData, NotEnoughData, Promote},
		{"better, and one worse", []HeadComparison{better, worse}, Keep, Keep, Keep},
		{"worse, and one open", []HeadComparison{open, worse}, Keep, Keep, Keep},
		{"a label fell", []HeadComparison{better, fallen}, Keep, Keep, Keep},
		{"nothing gained", []HeadComparison{narrow}, Keep, Keep, Promote},
		{"no rows", []HeadComparison{none}, NotEnoughData, NotEnoughData, Promote},
		{"no heads", nil, NotEnoughData, NotEnoughData, NotEnoughData},
	} {
		for occasion, want := range map[Occasion]Verdict{NewData: c.data, Correction: c.correction, NewLabel: c.correction, Forgetting: c.forgetting} {
			if got, reasons := Gate(c.heads, occasion); got != want || len(reasons) == 0 {
				t.Errorf("%s, occasion %s: %s, want %s (%s)", c.name, occasion, got, want, strings.Join(reasons, "; "))
			}
		}
	}
}

func TestNewShare(t *testing.T) {
	if s := NewShare(0, 0); s.Share != 0 || s.Interval != (Interval{0, 1}) {
		t.Errorf("of none: %+v", s)
	}
	if s := NewShare(8, 10); s.Share != 0.8 || s.Interval.Low > 0.5 || s.Interval.Low < 0.48 || s.Interval.High < 0.9 {
		t.Errorf("8 of 10: %+v", s)
	}
}
