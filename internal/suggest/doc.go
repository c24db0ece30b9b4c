// Package suggest chooses the texts that are worth a label next, out of a pool
// that may be larger than memory:
//
//	rows of the pool            files, or the sampled prediction log
//	  -> not labelled or queued, equal texts merged        pool.go
//	  -> a uniform sample                                  sample.go
//	  -> how unsure the model is of each                   uncertain.go
//	  -> the least sure of each label and a few more kept  keep.go
//	  -> one after the other: unsure, unlike those before, no label too often  choose.go
//	batch, with how each text was chosen and with what probability
//
// Beside it lie labels that are likely wrong (suspect.go). The package does no I/O,
// and the same pool, model and labels give the same batch, in whatever order rows
// come; of equal texts the first is named.
package suggest
