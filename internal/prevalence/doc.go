// Package prevalence estimates what share of texts has each label, from the
// answers of a classifier that errs.
//
// Counting answers (classify and count) is biased wherever the shares are not
// those of the training data: some of the texts of a frequent label get the name
// of a rare one, and so the rare one looks more frequent than it is. How often
// that happens, for each label, answer and level of confidence, is known from
// the cross-validation at training (model.Outcomes). The answers seen are then a
// mixture of what texts of each label get, and the weights of the mixture are the
// shares (Mixture).
//
// This rests on label shift: the texts of a label are like its texts in training,
// and only the shares of the labels differ. Where other sources or times write
// about a label in other words, it fails. Rows that were drawn at random and
// labelled by hand (an audit) do without that assumption: prediction-powered
// inference (Audit) corrects the shares by what the audit shows.
//
// Intervals hold with 95% confidence. They allow for three things: that the rows
// are a sample of what their source brings, that the same texts might have been
// answered otherwise, and that the cross-validation had so many texts only.
//
//	Row -> Summariser (counts, bounded memory) -> Report
package prevalence
