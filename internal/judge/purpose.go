package judge

import (
	"fmt"
	"strconv"
	"strings"
)

// A Purpose is what the answers that are given shall be good for.
type Purpose struct {
	// Label is the one whose answers shall be precise; "" means all answers
	// together.
	Label string `json:"label,omitempty"`
	// Precision is the share of answers that shall be right, between 0 and 1.
	Precision float64 `json:"precision"`
}

const purposeMeasure = "precision>="

// ParsePurpose reads "precision>=0.9" and "LABEL:precision>=0.9". The label may
// itself contain colons.
func ParsePurpose(text string) (Purpose, error) {
	label, condition := "", text
	if at := strings.LastIndex(text, ":"); at >= 0 {
		label, condition = text[:at], text[at+1:]
		if label == "" {
			return Purpose{}, fmt.Errorf("purpose %q: no label before the colon", text)
		}
	}
	number, found := strings.CutPrefix(condition, purposeMeasure)
	if !found {
		return Purpose{}, fmt.Errorf("purpose %q: want %s0.9 or LABEL:%s0.9", text, purposeMeasure, purposeMeasure)
	}
	precision, err := strconv.ParseFloat(number, 64)
	if err != nil || !(precision > 0 && precision < 1) {
		return Purpose{}, fmt.Errorf("purpose %q: want a precision between 0 and 1, got %q", text, number)
	}
	return Purpose{label, precision}, nil
}

// String is the form that ParsePurpose reads.
func (p Purpose) String() string {
	condition := purposeMeasure + strconv.FormatFloat(p.Precision, 'g', -1, 64)
	if p.Label == "" {
		return condition
	}
	return p.Label + ":" + condition
}
