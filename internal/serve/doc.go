// Package serve is the gRPC server: it answers ClassificationService and
// ModelService from revisions of one model, held in memory.
//
// A call passes, from the outside in: gate.go (who calls, is there room
// and time), decode.go (what cannot be read), call.go (request id, log line,
// panics), validate.go (the rules in the .proto files), and then its method in
// classification.go or models.go. Every error a caller can get is made in
// status.go or status_guard.go.
//
// held.go says what is held and by which names; a call looks once. What changes it:
// watch.go (when to look at the store), keeper.go (loading), choose.go (what to
// hold), move.go (the RPCs that move aliases). shadow.go and agreement.go compare
// the shadow with the live revision.
package serve
