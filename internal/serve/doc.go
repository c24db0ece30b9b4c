// Package serve is the gRPC server: it answers ClassificationService and
// ModelService from one model held in memory.
//
// A call passes, from the outside in: decode.go (what cannot be read), call.go
// (request id, log line, panics), validate.go (the rules in the .proto files),
// and then its method in classification.go or models.go. Every error a caller
// can get is made in status.go.
//
// What it tells of itself: telemetry.go holds the counters of calls, observe.go
// those of the documents in them, register.go gives them names. admin.go is the
// second port, where they can be read.
package serve
