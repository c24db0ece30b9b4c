package train

import (
	"bufio"
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/parley-nlp/parley/internal/bayesian"
	"github.com/parley-nlp/parley/internal/exact"
	"github.com/parley-nlp/parley/internal/model"
)

// An ImportConfig says how word counts become a model.
type ImportConfig struct {
	Head  string  // name of the head
	Alpha float64 // smoothing, in counts
	// Uniform expects all labels alike; otherwise their shares of the words
	// learned are expected, one word added to each (Laplace), as documents per
	// label are not known.
	Uniform bool
}

// An ImportReport says what became of the counts.
type ImportReport struct {
	Revision     string          `json:"revision"`
	ModelBytes   int             `json:"model_bytes"`
	Features     string          `json:"features"`
	FeatureCount int             `json:"feature_count"`
	Head         string          `json:"head"`
	Documents    int64           `json:"documents,omitempty"` // learned, of all labels together; 0 when not known
	Labels       []ImportedLabel `json:"labels"`
	// Words is the number of different words with a count. Folded ones share a
	// feature with another, as "Truce" and "truce," do.
	Words   int       `json:"words"`
	Folded  int       `json:"words_folded"`
	LeftOut LeftWords `json:"words_left_out"`

	Warnings []string `json:"warnings"`
}

// An ImportedLabel is a class of the imported file.
type ImportedLabel struct {
	Label   string  `json:"label"`
	Learned int64   `json:"words_learned"` // repetitions included
	LeftOut int64   `json:"words_left_out"`
	Prior   float64 `json:"prior"`
}

// LeftWords are words that are not one word of a text to the tokeniser, such as
// "truce/deal" or "--": no text would have them as a feature.
type LeftWords struct {
	Words       int      `json:"words"`
	Occurrences int64    `json:"occurrences"`
	Examples    []string `json:"examples,omitempty"` // the most frequent ones
}

// maxLeftExamples is how many words that were left out are named.
const maxLeftExamples = 10

// Import makes a model of word counts: multinomial naive Bayes over single
// words, which count as often as they occur. It is not calibrated, as there are
// no texts to calibrate it on.
func Import(counts bayesian.Counts, cfg ImportConfig) (*model.Model, *ImportReport, error) {
	if !(cfg.Alpha >= MinStrength && cfg.Alpha <= MaxStrength) {
		return nil, nil, fmt.Errorf("alpha %v: want %v to %v", cfg.Alpha, MinStrength, MaxStrength)
	}
	slices.SortFunc(counts.Classes, func(a, b bayesian.ClassCounts) int { return cmp.Compare(a.Name, b.Name) })
	im, err := newImporter(counts, cfg)
	if err != nil {
		return nil, nil, err
	}
	if err := im.fold(); err != nil {
		return nil, nil, err
	}
	ids, learned, err := im.count()
	if err != nil {
		return nil, nil, err
	}
	m, err := model.New(im.spec(ids, learned))
	if err != nil {
		return nil, nil, err
	}
	im.describe(m)
	return m, im.report, nil
}

// An importer is the state of Import.
type importer struct {
	bayesian.Counts
	cfg      ImportConfig
	x, check *model.Extractor                    // the second by other hashes, see vocabulary
	checks   map[model.FeatureID]model.FeatureID // what check makes of the features
	feature  map[string]model.FeatureID          // of words that are a feature
	left     map[string]int64                    // of the others: occurrences
	report   *ImportReport
}

func newImporter(counts bayesian.Counts, cfg ImportConfig) (*importer, error) {
	x, err := model.NewExtractor(singleWords, 0)
	if err != nil {
		return nil, err
	}
	check, err := model.NewExtractor(singleWords, checkSeed)
	if err != nil {
		return nil, err
	}
	return &importer{
		Counts: counts, cfg: cfg, x: x, check: check,
		checks: map[model.FeatureID]model.FeatureID{}, feature: map[string]model.FeatureID{}, left: map[string]int64{},
		report: &ImportReport{Head: cfg.Head, Documents: counts.Documents},
	}, nil
}

// fold finds the feature of every word that was ever counted.
func (im *importer) fold() error {
	for _, class := range im.Classes {
		label := ImportedLabel{Label: class.Name, Learned: class.Total}
		for _, w := range class.Words {
			if w.Count == 0 {
				continue
			}
			single, err := im.isFeature(w.Word)
			if err != nil {
				return fmt.Errorf("class %q: word %.100q: %w", class.Name, w.Word, err)
			}
			if !single {
				im.left[w.Word] += w.Count
				label.LeftOut += w.Count
			}
		}
		im.report.Labels = append(im.report.Labels, label)
	}
	if len(im.feature) == 0 {
		return fmt.Errorf("%d words in %d classes, none of which is a word of a text: there is nothing to import", len(im.left), len(im.Classes))
	}
	return nil
}

// isFeature reports whether the tokeniser takes a word for exactly one word of a
// text, and then notes its feature.
func (im *importer) isFeature(word string) (bool, error) {
	if _, known := im.feature[word]; known {
		return true, nil
	}
	features := im.x.Extract(word)
	if len(features) != 1 {
		return false, nil
	}
	id, check := features[0].ID, im.check.Extract(word)[0].ID
	if other, known := im.checks[id]; known && other != check {
		return true, sharedID(id)
	}
	im.feature[word], im.checks[id] = id, check
	return true, nil
}

// count returns the features, ascending, and how often each was learned.
func (im *importer) count() ([]model.FeatureID, *Counts, error) {
	ids := slices.Sorted(maps.Keys(im.checks))
	if cells := len(ids) * len(im.Classes); cells > maxCells {
		return nil, nil, fmt.Errorf("%d classes x %d words are more than memory is planned for (%d)", len(im.Classes), len(ids), maxCells)
	}
	learned := newCounts(len(ids), len(im.Classes), 0)
	for c, class := range im.Classes {
		for _, w := range class.Words {
			id, known := im.feature[w.Word]
			if !known || w.Count == 0 {
				continue
			}
			row, _ := slices.BinarySearch(ids, id)
			cell := &learned.row(row)[c]
			if w.Count > math.MaxUint32-int64(*cell) {
				return nil, nil, fmt.Errorf("class %q: word %.100q: learned more than %d times, with those that fold into the same word", class.Name, w.Word, uint32(math.MaxUint32))
			}
			*cell += uint32(w.Count)
		}
	}
	return ids, learned, nil
}

// spec is the model with the weights that follow from counts.
func (im *importer) spec(ids []model.FeatureID, learned *Counts) model.Spec {
	weights := bayes(learned, learned.vocabularySize(), MultinomialNB, im.cfg.Alpha, nil).weights
	b := block{value: model.TF, weights: weights}
	head := model.Head{
		Name: im.cfg.Head, DocCounts: make([]uint64, len(im.Classes)), Prior: im.prior(),
		Blocks:             []model.Block{{Value: b.value, WeightBits: b.bits()}},
		InverseTemperature: 1, TargetInverseTemperature: 1,
	}
	for c, class := range im.Classes {
		head.Labels = append(head.Labels, class.Name)
		head.Bias = append(head.Bias, units(exact.Log(head.Prior[c])))
	}
	s := model.Spec{Features: singleWords, TrainingData: im.sum(), Heads: []model.Head{head}, IDs: ids, Weights: make([]int16, len(weights))}
	for i, w := range weights {
		s.Weights[i] = quantise(w, head.Blocks[0].WeightBits)
	}
	return s
}

// prior is what the labels' shares are expected to be.
func (im *importer) prior() []float64 {
	prior := uniform(len(im.Classes))
	if im.cfg.Uniform {
		return prior
	}
	all := float64(len(prior))
	for _, class := range im.Classes {
		all += float64(class.Total)
	}
	for c, class := range im.Classes {
		prior[c] = (float64(class.Total) + 1) / all
	}
	return prior
}

// sum is the SHA-256 over what was imported, in the place of that over training
// examples.
func (im *importer) sum() [sha256.Size]byte {
	h := sha256.New()
	h.Write(frame("word counts"))
	for _, class := range im.Classes {
		h.Write(frame(class.Name))
		h.Write(binary.LittleEndian.AppendUint64(nil, uint64(len(class.Words))))
		for _, w := range class.Words {
			h.Write(binary.LittleEndian.AppendUint64(frame(w.Word), uint64(w.Count)))
		}
	}
	return [sha256.Size]byte(h.Sum(nil))
}

// describe fills in the report.
func (im *importer) describe(m *model.Model) {
	r := im.report
	r.Revision, r.ModelBytes = m.Revision(), len(m.Bytes())
	r.Features, r.FeatureCount = m.Features().String(), m.FeatureCount()
	for i, p := range m.Heads()[0].Prior {
		r.Labels[i].Prior = p
	}
	r.Words = len(im.feature) + len(im.left)
	r.Folded = len(im.feature) - r.FeatureCount
	words := make([]string, 0, len(im.left))
	for w, n := range im.left {
		words = append(words, w)
		r.LeftOut.Occurrences += n
	}
	slices.SortFunc(words, func(a, b string) int { return cmp.Or(cmp.Compare(im.left[b], im.left[a]), cmp.Compare(a, b)) })
	r.LeftOut.Words = len(words)
	r.LeftOut.Examples = words[:min(len(words), maxLeftExamples)]
	r.Warnings = append(r.Warnings, "the model is not calibrated (inverse temperature 1): its probabilities are those of naive Bayes as they are, which are too sure. Train on labelled texts for calibrated ones")
	if !im.cfg.Uniform {
		r.Warnings = append(r.Warnings, "the prior is each label's share of the words learned, as the file does not have documents per label: expect all labels alike by --prior uniform")
	}
}

// WriteText writes the report for people.
func (r *ImportReport) WriteText(w io.Writer) error {
	b := bufio.NewWriter(w)
	fmt.Fprintf(b, "revision  %s\n", r.Revision)
	fmt.Fprintf(b, "model     %s, %d features, %d bytes\n", r.Features, r.FeatureCount, r.ModelBytes)
	fmt.Fprintf(b, "words     %d, of which %d fold into others\n", r.Words, r.Folded)
	fmt.Fprintf(b, "left out  %d words with %d occurrences, which are not one word of a text\n", r.LeftOut.Words, r.LeftOut.Occurrences)
	if n := len(r.LeftOut.Examples); n > 0 {
		var quoted []string
		for _, w := range r.LeftOut.Examples {
			quoted = append(quoted, strconv.Quote(shorten(w)))
		}
		fmt.Fprintf(b, "          %s", strings.Join(quoted, ", "))
		if more := r.LeftOut.Words - n; more > 0 {
			fmt.Fprintf(b, " and %d more", more)
		}
		fmt.Fprintln(b)
	}
	if r.Documents > 0 {
		fmt.Fprintf(b, "learned   from %d documents\n", r.Documents)
	}
	r.writeLabels(b)
	for _, w := range r.Warnings {
		fmt.Fprintf(b, "\nwarning: %s\n", w)
	}
	return b.Flush()
}

func (r *ImportReport) writeLabels(b *bufio.Writer) {
	width := len("label")
	for _, l := range r.Labels {
		width = max(width, utf8.RuneCountInString(l.Label))
	}
	fmt.Fprintf(b, "\n%s\n  %-*s  %13s  %8s  %5s\n", r.Head, width, "label", "words learned", "left out", "prior")
	for _, l := range r.Labels {
		fmt.Fprintf(b, "  %-*s  %13d  %8d  %5.3f\n", width, l.Label, l.Learned, l.LeftOut, l.Prior)
	}
}

// maxWordShown is how many characters of a word a text shows.
const maxWordShown = 40

func shorten(word string) string {
	if r := []rune(word); len(r) > maxWordShown {
		return string(r[:maxWordShown-1]) + "…"
	}
	return word
}
