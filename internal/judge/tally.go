package judge

// A tally is what accuracy and F1 need of a confusion matrix, by label.
type tally []labelTally

type labelTally struct{ hits, examples, predicted int32 }

// add counts an answer weight times.
func (t tally) add(truth, predicted, weight int) {
	w := int32(weight)
	t[truth].examples += w
	t[predicted].predicted += w
	if truth == predicted {
		t[truth].hits += w
	}
}

func (t tally) accuracy() float64 {
	hits, examples := 0, 0
	for _, l := range t {
		hits += int(l.hits)
		examples += int(l.examples)
	}
	return ratio(hits, examples)
}

// macroF1 is the unweighted mean of F1 over the labels that occur among the
// examples or the predictions.
func (t tally) macroF1() float64 {
	sum, seen := 0.0, 0
	for _, l := range t {
		if l.seen() {
			sum += l.f1()
			seen++
		}
	}
	return sum / float64(max(1, seen))
}

func (l labelTally) seen() bool         { return l.examples > 0 || l.predicted > 0 }
func (l labelTally) precision() float64 { return ratio(int(l.hits), int(l.predicted)) }
func (l labelTally) recall() float64    { return ratio(int(l.hits), int(l.examples)) }
func (l labelTally) f1() float64        { return ratio(2*int(l.hits), int(l.examples)+int(l.predicted)) }

// ratio is a / b, or 0 when b is 0.
func ratio(a, b int) float64 {
	if b == 0 {
		return 0
	}
	return float64(a) / float64(b)
}

// MacroF1 is the unweighted mean of F1 over the labels that occur in truth or
// predicted, which are equally long and hold numbers below labels; 0 when they
// are empty. It is cheap enough for a search to call it at every step.
func MacroF1(labels int, truth, predicted []int) float64 {
	t := make(tally, labels)
	for i := range truth {
		t.add(truth[i], predicted[i], 1)
	}
	return t.macroF1()
}

// Accuracy is the share of predicted that equals truth, which is equally long;
// 0 when they are empty.
func Accuracy(truth, predicted []int) float64 {
	right := 0
	for i := range truth {
		if truth[i] == predicted[i] {
			right++
		}
	}
	return ratio(right, len(truth))
}
