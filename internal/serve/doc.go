// Package serve is the gRPC server: it answers ClassificationService and
// ModelService from revisions of one model, held in memory, and LabelService from a
// ledger.
//
// A call passes, from the outside in: package guard (who calls, is there room and
// time), decode.go (what cannot be read), call.go (request id, log line, panics),
// validate.go (the rules in the .proto files), and then its method in
// classification.go, models.go or labels*.go. The errors that a caller gets from here are made
// in status.go.
//
// held.go says what is held and by which names; a call looks once. What changes it:
// watch.go (when to look at the store), keeper.go (loading), choose.go (what to
// hold), move.go (the RPCs that move aliases). shadow.go and agreement.go compare
// the shadow with the live revision.
//
// clerk.go has the ledger, which may be away; speaker.go says in whose name a caller
// may speak.
//
// What it tells of itself: telemetry.go holds the counters of calls, observe.go
// those of the documents in them, register.go gives them names. admin.go is the
// second port, where they can be read.
package serve
