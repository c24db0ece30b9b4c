package judge

// A Judgement is one answer of a head beside the truth.
type Judgement struct {
	Truth, Predicted int
	// Source is the number of the source document: rows of one source stand or
	// fall together, so intervals draw whole sources.
	Source int
	// Probabilities are those stated, calibrated, one per label. Predicted is
	// the label that was answered (or would have been, had the head not
	// abstained).
	Probabilities []float64
	// Abstained is true when the model would not give the label.
	Abstained bool
	// Row says which row of the data this is, for lists of cases.
	Row Row
}

func (j *Judgement) right() bool         { return j.Predicted == j.Truth }
func (j *Judgement) confidence() float64 { return j.Probabilities[j.Predicted] }

// A Row names a row of labelled data.
type Row struct {
	ID, Place, Group, Target string // Place is file:line
	Text                     string
}

// An Interval holds a measure with 95% confidence.
type Interval struct {
	Low  float64 `json:"low"`
	High float64 `json:"high"`
}

// shifted moves both ends by x.
func (i Interval) shifted(x float64) Interval { return Interval{i.Low + x, i.High + x} }

// within cuts off what lies outside low to high.
func (i Interval) within(low, high float64) Interval {
	return Interval{min(max(i.Low, low), high), min(max(i.High, low), high)}
}

// number numbers the sources of a list 0, 1, … in order of first appearance and
// returns the number of every row's source, and how many there are.
func number(list []Judgement) (of []int, sources int) {
	at := map[int]int{}
	of = make([]int, len(list))
	for i := range list {
		s, ok := at[list[i].Source]
		if !ok {
			s = len(at)
			at[list[i].Source] = s
		}
		of[i] = s
	}
	return of, len(at)
}
