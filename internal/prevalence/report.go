package prevalence

import (
	"encoding/json"
	"io"
	"math"
)

// A Report is the label shares of rows. Its JSON has the fields in this order;
// shares have six decimals.
type Report struct {
	Revision string  `json:"revision"` // SHA-256 of the model file that answered, "" when not known
	Rows     int64   `json:"rows"`
	Errors   int64   `json:"errors"` // rows without answers; they are in no figure
	All      Group   `json:"all"`
	By       []Split `json:"by"`
	Audit    *Audit  `json:"audit,omitempty"`
	// Assumptions say what each value of Shares.RestsOn stands for.
	Assumptions []Assumption `json:"assumptions"`
	Notes       []string     `json:"notes"`
}

// An Audit counts the rows with true labels.
type Audit struct {
	Rows  int `json:"rows"`  // given
	Found int `json:"found"` // among the rows scored
}

// A Split is the rows by the values of a column.
type Split struct {
	Column string  `json:"column"`
	Unit   string  `json:"unit,omitempty"` // of dates: day, week, month, year
	Groups []Group `json:"groups"`         // dates in their order, else those with the most rows first
}

// A Group is the rows that share a value.
type Group struct {
	Value   string   `json:"value"` // "" for all rows
	Rows    int64    `json:"rows"`
	Errors  int64    `json:"errors"`
	Heads   []Shares `json:"heads"`
	Crossed []Shares `json:"crossed"` // pairs of heads
}

// Shares are those of a head's labels, or of the pairs of two heads' labels.
type Shares struct {
	Heads       []string `json:"heads"`         // one, or the two that are crossed
	Judged      int64    `json:"judged"`        // rows that the shares are about
	Withheld    int64    `json:"withheld"`      // of these, rows whose label was not given for want of confidence; 0 when crossed
	NoEvidence  int64    `json:"no_evidence"`   // rows without a known word; 0 when crossed
	OutOfDomain int64    `json:"out_of_domain"` // rows with too few known words; 0 when crossed
	Audited     int      `json:"audited"`       // rows with true labels among those judged
	Method      string   `json:"method"`        // mixture, prediction_powered, classify_and_count
	RestsOn     string   `json:"rests_on"`      // label_shift, random_audit, right_answers
	Why         string   `json:"why,omitempty"` // for classify_and_count: why not another
	Labels      []Share  `json:"labels"`
}

// A Share is that of one label, with 95% intervals.
type Share struct {
	Labels   []string `json:"labels"` // one of each head
	Names    []string `json:"names"`  // what they are called
	Share    float64  `json:"share"`
	Interval Interval `json:"interval"` // of the share in what the rows are a sample of
	// RowsInterval is that of the share in these very rows, where they are all that
	// matter.
	RowsInterval Interval `json:"rows_interval"`
	Classified   float64  `json:"classify_and_count"` // share of answers
	// The other estimates are there for all rows of a head, where its errors and all
	// probabilities are known.
	Adjusted      *float64 `json:"adjusted_count,omitempty"`
	Probabilistic *float64 `json:"probabilistic_classify_and_count,omitempty"`
	Expectation   *float64 `json:"expectation_maximisation,omitempty"`
}

// An Assumption is what figures rest on.
type Assumption struct {
	Name string `json:"name"`
	Text string `json:"text"`
}

// What figures may rest on.
const (
	LabelShift   = "label_shift"
	RandomAudit  = "random_audit"
	RightAnswers = "right_answers"
)

// Methods.
const (
	Mixture           = "mixture"
	PredictionPowered = "prediction_powered"
	ClassifyAndCount  = "classify_and_count"
)

var assumptions = []Assumption{
	{LabelShift, "The texts of each label are like its texts in training: only the shares of the labels differ. Other sources or times may write otherwise, and then the shares may be off by more than their intervals."},
	{RandomAudit, "The audited rows were drawn at random from those scored. Nothing else is assumed: not that texts are like those in training, nor that the classifier is any good."},
	{RightAnswers, "The classifier's answers are taken for right. The intervals know of the sample alone, not of the classifier's errors, and the shares may be far off."},
}

// WriteJSON writes the report as JSON.
func (r *Report) WriteJSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(r)
}

func rounded(x float64) float64 { return math.Round(x*1e6) / 1e6 }

func (i Interval) rounded() Interval { return Interval{rounded(i.Low), rounded(i.High)} }
