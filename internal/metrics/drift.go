package metrics

import (
	"math"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/parley-nlp/parley/internal/model"
)

// Drift is how far the documents of late are from those of training. No label is
// needed for it, so it does not tell whether answers are wrong: it tells when
// the figures of the training report may no longer hold. The window starts
// afresh when another revision goes live.

// A baseline is what a head was like in training.
type baseline struct {
	shares   []float64 // of the training documents, by label
	accuracy float64   // out of fold; 0 when unknown
	examples uint64    // behind it
}

// newBaseline takes the training documents' label counts, or the prior of a
// model without any. Half a document is added to each label, so that none has
// the share 0.
func newBaseline(h *model.Head) baseline {
	b := baseline{accuracy: h.Evaluation.Accuracy, examples: h.Evaluation.Examples}
	sum := uint64(0)
	for _, n := range h.DocCounts {
		sum += n
	}
	if sum == 0 {
		b.shares = append(b.shares, h.Prior...)
		return b
	}
	b.shares = smoothed(h.DocCounts)
	return b
}

// smoothed returns the shares of counts with half a document added to each.
func smoothed(counts []uint64) []float64 {
	sum := float64(len(counts)) / 2
	for _, n := range counts {
		sum += float64(n)
	}
	shares := make([]float64, len(counts))
	for i, n := range counts {
		shares[i] = (float64(n) + 0.5) / sum
	}
	return shares
}

// leastShare stands for a prior of 0.
const leastShare = 1e-6

// stability is the population stability index of served against trained shares,
//
//	sum over labels (p - q) ln(p / q)
//
// the symmetric Kullback-Leibler divergence (Jeffreys 1946; as PSI: Siddiqi,
// "Credit Risk Scorecards", 2006, whose rule of thumb is that up to 0.1 nothing
// has changed and from 0.25 much has). Without any change it is about
// (labels - 1) (1/n + 1/m) for n served and m training documents (Yurdakul and
// Naranjo, "Statistical properties of the population stability index", 2020), so
// a window of a few hundred documents says little. Served labels are the model's
// guesses: with imperfect ones a small index is left even without drift.
func stability(served []uint64, trained []float64) float64 {
	psi := 0.0
	for i, p := range smoothed(served) {
		q := max(trained[i], leastShare)
		psi += (p - q) * math.Log(p/q)
	}
	return psi
}

// share is part of whole, NaN when there is no whole.
func share(part, whole uint64) float64 {
	if whole == 0 {
		return math.NaN()
	}
	return float64(part) / float64(whole)
}

var (
	driftDocumentsDesc  = driftDesc("documents", "Documents in the window that the other drift metrics are about.")
	driftUnfamiliarDesc = driftDesc("unfamiliar_share", "Share of documents with no or too few known words. In training 0.01 by construction: the threshold is the first percentile there.")
	driftUnknownDesc    = driftDesc("unknown_word_share", "Share of words that do not occur in the training texts.")
	driftPSIDesc        = driftDesc("psi", "Population stability index of the most probable labels against the training labels; 0.1 is a small, 0.25 a large change.", "head")
	driftAbstainedDesc  = driftDesc("abstained_share", "Share of documents that got no label.", "head")
	driftConfidenceDesc = driftDesc("confidence", "Mean calibrated probability of the most probable label: the accuracy that the model expects of itself.", "head")
	trainedAccuracyDesc = driftDesc("training_accuracy", "Accuracy on sources held out in training. Calibrated confidence has this mean where nothing has changed.", "head")
)

func driftDesc(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("parley_drift_"+name, help, labels, nil)
}

func describeDrift(out chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{
		driftDocumentsDesc, driftUnfamiliarDesc, driftUnknownDesc,
		driftPSIDesc, driftAbstainedDesc, driftConfidenceDesc, trainedAccuracyDesc,
	} {
		out <- d
	}
}

// collectDrift says how far the window is from training. That the mean
// confidence falls below the accuracy of training tells of the accuracy to
// expect: the difference of confidences of Guillory et al., "Predicting with
// Confidence on Unseen Distributions" (2021). What no document has told yet has
// no series.
func (h *Heads) collectDrift(out chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		if !math.IsNaN(v) { // averages over servers would become NaN too
			out <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
		}
	}
	sum := h.window.sum()
	gauge(driftDocumentsDesc, float64(sum.documents))
	gauge(driftUnfamiliarDesc, share(sum.unfamiliar, sum.documents))
	gauge(driftUnknownDesc, share(sum.unknownWords, sum.words))
	for i := range h.exported() {
		head, seen := &h.heads[i], &sum.heads[i]
		psi := math.NaN()
		if seen.asked > 0 {
			psi = stability(seen.best, head.trained.shares)
		}
		gauge(driftPSIDesc, psi, head.name)
		gauge(driftAbstainedDesc, share(seen.abstained, seen.asked), head.name)
		gauge(driftConfidenceDesc, share(seen.probability, seen.asked)/probabilityUnit, head.name)
		if head.trained.examples > 0 {
			gauge(trainedAccuracyDesc, head.trained.accuracy, head.name)
		}
	}
}
