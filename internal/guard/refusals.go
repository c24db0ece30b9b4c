package guard

import (
	"iter"
	"net"
	"strings"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"
)

// A refusalReason is why a call or a connection was turned away.
type refusalReason int

const (
	noRefusal refusalReason = iota
	noCredential
	unknownKey
	wrongRole
	overloaded
	memoryFull
	labelsFull
	shortDeadline
	messageTooLarge
	badCertificate
	expiredCertificate
	failedHandshake
	tooManyConnections
	refusals // how many there are
)

var refusalNames = [refusals]string{
	noCredential:       "no_credential",
	unknownKey:         "unknown_key",
	wrongRole:          "wrong_role",
	overloaded:         "overloaded",
	memoryFull:         "memory",
	labelsFull:         "label_calls",
	shortDeadline:      "insufficient_deadline",
	messageTooLarge:    "message_too_large",
	badCertificate:     "untrusted_certificate",
	expiredCertificate: "expired_certificate",
	failedHandshake:    "failed_handshake",
	tooManyConnections: "too_many_connections",
}

// Counters count what the guard does. All may be read at any time.
type Counters struct {
	Connections   atomic.Int64 // now
	Reloads       atomic.Int64 // files read anew
	FailedReloads atomic.Int64 // new files that were broken

	refused [refusals]atomic.Int64
	logs    [refusals]zerolog.Logger
	log     zerolog.Logger
}

func newCounters(log zerolog.Logger) *Counters {
	c := &Counters{log: log}
	for i := range c.logs {
		// A flood of refusals must not become a flood of lines.
		c.logs[i] = log.Sample(&zerolog.BurstSampler{Burst: 10, Period: time.Second})
	}
	return c
}

// Refused yields the reasons of refusals, always all of them and in the same
// order, and the count of each.
func (c *Counters) Refused() iter.Seq2[string, *atomic.Int64] {
	return func(yield func(string, *atomic.Int64) bool) {
		for r := noRefusal + 1; r < refusals; r++ {
			if !yield(refusalNames[r], &c.refused[r]) {
				return
			}
		}
	}
}

// refuse counts a refused call and logs it, without what it has sent.
func (c *Counters) refuse(why refusalReason, method string, who *caller, from net.Addr) {
	c.refused[why].Add(1)
	e := c.logs[why].Info()
	if e == nil {
		return
	}
	e.Str("refused", refusalNames[why])
	if who != nil && who.name != "" {
		e.Str("caller", who.name)
	}
	if from != nil {
		e.Stringer("peer", from)
	}
	e.Str("method", known(method)).Send()
}

// refuseConnection counts a connection that was turned away and logs it.
func (c *Counters) refuseConnection(why refusalReason, from net.Addr, cause error) {
	c.refused[why].Add(1)
	if e := c.logs[why].Info(); e != nil {
		e.Str("refused", refusalNames[why]).Stringer("peer", from).AnErr("cause", cause).Send()
	}
}

// known returns the method, unless its name is the caller's invention.
func known(method string) string {
	for _, prefix := range []string{classificationPrefix, modelPrefix, labelPrefix, healthPrefix, "/grpc.reflection."} {
		if strings.HasPrefix(method, prefix) && len(method) < 100 {
			return method
		}
	}
	return "another"
}

// checker is a reload.Value of any type.
type checker interface {
	Check() (changed bool, err error)
	Files() []string
}

// reloaded looks whether files have changed, and counts and logs it.
func (c *Counters) reloaded(what string, v checker) {
	changed, err := v.Check()
	switch {
	case err != nil:
		c.FailedReloads.Add(1)
		c.log.Error().Err(err).Msg(what + ": the new file is broken; the old one stays in use")
	case changed:
		c.Reloads.Add(1)
		c.log.Info().Strs("files", v.Files()).Msg(what + " read anew")
	}
}
