// Package store keeps trained models: revisions that never change, and aliases
// that say which of them is live. A store is a directory, an S3 bucket or a
// Google Cloud Storage bucket (with the build tag gcs), all laid out alike:
//
//	parley-store.json                        marks a store, with its format
//	models/NAME/files/REVISION.model         model files
//	models/NAME/cards/REVISION.json          their cards
//	models/NAME/training/REVISION.training   what they were trained on, if that is known
//	models/NAME/verdicts/REVISION/TIME.json  what gates said of them
//	models/NAME/aliases/NUMBER.json          a log: where aliases pointed after each move,
//	                                         and which revisions were withdrawn
//
// A revision is the SHA-256 of its file. It exists once its card does, and the
// card is written last: a publisher that dies leaves nothing to be seen.
//
// The aliases of a model are one log. An entry holds them all; the next one is
// created only if it is not there, which every kind of store does atomically, so
// of two that move aliases at the same time one wins. Numbers count down, so that
// the newest entry is listed first however long the log is: to look at the
// aliases takes one listing of one key, and one read if they moved.
//
// In a directory, the content of a file is on the disk before its name appears, and
// the name before the writer hears of it. Other stores promise that themselves.
package store
