// Package metrics counts what a server does and says it to Prometheus.
//
// Counting happens on the path of every call, so it is plain arithmetic on
// memory that was laid out beforehand: calls.go has an array per method,
// answers.go one per head of a model. Names, labels and help texts are put to the
// numbers when somebody asks for them.
//
// The number of series is bounded: methods and codes are a fixed set, labels are
// those of the live revision up to a limit, revisions are those in memory.
package metrics
