// Package guard stands before the methods of a gRPC server: it says who may
// call, how much at once, and for how long.
//
// A connection passes connections.go (how many there may be, and writes that
// stall) and, with TLS, the handshake in callers.go. A call passes gate.go when
// its headers have come: methods.go says what its method asks for, callers.go who
// calls, by a key (keys.go) or a certificate (roles.go), and admission.go whether
// there is time and room. It gets a Ticket (ticket.go), on which the server
// reports how far the call is.
//
// memory.go and scheduler.go look how the process fares. refusals.go counts and
// logs who was turned away; errors.go has what callers are told.
package guard
