package ledger

// Limits of what a ledger takes. Lengths are in bytes of UTF-8.
const (
	MaxBatch       = 1000     // labels, references or other items of one call
	MaxBatchBytes  = 32 << 20 // texts of one call
	MaxText        = 1 << 20
	MaxID          = 512 // a caller's name of a text, and a group
	MaxTarget      = 4 << 10
	MaxName        = 256 // heads, labels, annotators, sources, batches, revisions, request ids
	MaxKind        = 32
	MaxReason      = 1 << 10
	MaxHeads       = 64       // of a queue item
	MaxSplit       = 256      // labels that a label is split into
	MaxDetails     = 1 << 20  // JSON of a recorded event
	MaxPredictions = 64 << 10 // JSON of a queue item
	MaxEvents      = 10_000   // of one page
	MaxPageBytes   = 16 << 20 // texts of one page, unless its first event has more
)
