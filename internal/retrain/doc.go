// Package retrain makes the next revision of a model from base files and a ledger
// of labels, and puts it in the place of the one that answers if it is shown to
// deserve that. Run is the whole of it, step by step:
//
//	ledger and base files -> rows                    rows.go
//	  -> a cap per source                            cap.go
//	  -> some sources are held out                   holdout.go
//	  -> a candidate, by the code of train           candidate.go
//	  -> labels that it finds too surprising wait    surprise.go, quarantine.go
//	     for a second opinion; then it is made anew
//	  -> candidate and champion on the hold-out      compare.go, standin.go
//	  -> the gate                                    gate.go
//	  -> recorded, published, promoted or not        looks.go, publish.go
//	  -> revisions that hold forgotten texts go      receipt.go
//
// Everything up to the gate depends on data alone. What changes store and ledger
// comes after it, in an order in which a run that dies leaves nothing half
// promoted, and the next run does what is left.
package retrain
