package judge

import "fmt"

// A Verdict says whether a challenger shall take the champion's place.
//
// It is Promote when the challenger is not worse, better in something, and no
// label pays for it:
//   - not worse: the 95% interval of the difference in macro-F1 lies above -1
//     point;
//   - better: the 95% interval of the difference in macro-F1 lies above 0, or
//     that of NLL below, and the p-value of the same difference is at most 0.05
//     (with few sources intervals alone say too much). An equal challenger
//     passes each of the two at most one time in forty, either at most one in
//     twenty;
//   - no label whose F1 fell by more than 5 points with a corrected p-value of
//     at most 0.05.
//
// It is NotEnoughData when neither the promotion nor its contrary is shown: no
// label fell, the challenger is not shown to be worse in macro-F1 (interval
// below 0), and either that interval reaches more than 1 point to both sides,
// so that not even an equal challenger could be shown not to be worse, or an
// interval says that it is better but the p-value does not. In all other cases
// it is Keep.
type Verdict string

// The verdicts.
const (
	Promote       Verdict = "promote"
	Keep          Verdict = "keep"
	NotEnoughData Verdict = "not enough data"
)

const (
	tolerance      = 0.01 // of macro-F1
	labelTolerance = 0.05 // of the F1 of a label
	significance   = 0.05
)

// decide sets the verdict and its reasons. equal is true when both classifiers
// state the same everywhere.
func (c *Comparison) decide(equal bool) {
	switch {
	case c.Examples == 0:
		c.Verdict = NotEnoughData
		c.because("there are no rows")
		return
	case equal:
		c.Verdict = Keep
		c.because("both state the same")
		return
	}
	notWorse, better := c.judgeMacroF1()
	surer := c.judgeNLL()
	switch fell := c.judgeLabels(); {
	case fell:
		c.Verdict = Keep
	case notWorse && (better || surer):
		c.Verdict = Promote
	case c.MacroF1.Interval.High < 0:
		c.Verdict = Keep
	case c.unclear():
		c.Verdict = NotEnoughData
	default:
		c.Verdict = Keep
	}
}

func (c *Comparison) because(format string, args ...any) {
	c.Reasons = append(c.Reasons, fmt.Sprintf(format, args...))
}

// judgeMacroF1 gives its finding as a reason, in points.
func (c *Comparison) judgeMacroF1() (notWorse, better bool) {
	d, i := &c.MacroF1, c.MacroF1.Interval
	notWorse, better = i.Low > -tolerance, i.Low > 0 && d.significant()
	finding := "not shown to be less than 1 point worse"
	switch {
	case better:
		finding = "better"
	case notWorse:
		finding = "not worse"
	case i.High < 0:
		finding = "worse"
	}
	c.because("macro-F1 %+.2f points, 95%% interval %+.2f to %+.2f, p %.4f: %s",
		100*d.Difference, 100*i.Low, 100*i.High, d.PValue, finding)
	return notWorse, better
}

// judgeNLL gives its finding as a reason, in nats.
func (c *Comparison) judgeNLL() (better bool) {
	d, i := &c.NLL, c.NLL.Interval
	better = i.High < 0 && d.significant()
	finding := "no difference shown"
	switch {
	case better:
		finding = "better"
	case i.Low > 0 && d.significant():
		finding = "worse"
	}
	c.because("NLL %+.4f nats, 95%% interval %+.4f to %+.4f, p %.4f: %s", d.Difference, i.Low, i.High, d.PValue, finding)
	return better
}

func (d *Difference) significant() bool { return d.PValue <= significance }

// judgeLabels reports whether a label pays for what others gain, and gives each
// that does as a reason.
func (c *Comparison) judgeLabels() (fell bool) {
	for _, l := range c.Labels {
		if l.fell() {
			c.because("label %q: F1 fell by %.1f points, p %.4f after Holm", l.Label, -100*l.Difference, l.PValue)
			fell = true
		}
	}
	return fell
}

// unclear reports whether more data could show what these do not, and gives
// that as a reason.
func (c *Comparison) unclear() bool {
	f, nll := &c.MacroF1, &c.NLL
	half := (f.Interval.High - f.Interval.Low) / 2
	if half > tolerance {
		c.because("the interval of macro-F1 reaches %.1f points to either side: only a difference of %.1f or more would likely show",
			100*half, 100*f.Detectable)
	}
	doubtful := f.Interval.Low > 0 && !f.significant() || nll.Interval.High < 0 && !nll.significant()
	if doubtful {
		c.because("%d sources are too few to be sure of the improvement", c.Sources)
	}
	return half > tolerance || doubtful
}
