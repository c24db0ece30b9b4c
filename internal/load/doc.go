// Package load calls Parley servers as a stated load and says what came of it.
//
//	Dial       -> Target    connections that record every attempt
//	Target.Run -> Result    latency, errors, attempts, servers, revisions
//
// # Open loop
//
// With Config.Rate calls start at times of a Poisson process, drawn before the
// load begins, whether or not earlier calls were answered. Latency counts from
// the time at which a call was meant to start: a server that stalls for a
// second, or a load generator that falls behind, makes all calls late that were
// due in that second, and so it is counted. (In a closed loop the stall would
// hold back the calls that could have measured it: coordinated omission.)
//
// # Closed loop
//
// Without a rate, Config.Concurrency callers each send a call when the one
// before is answered. That tells what a server can do, not what its users see.
package load
