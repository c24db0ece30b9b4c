package main

import (
	"errors"
	"maps"
	"net"
	"net/netip"
	"slices"
	"sync"

	"golang.org/x/net/dns/dnsmessage"
)

// serviceName is the name that the servers have.
const serviceName = "parley.test."

// A names is a name server that knows one name and its IPv4 addresses.
type names struct {
	conn net.PacketConn
	done chan struct{}

	mu        sync.Mutex
	addresses []netip.Addr
	questions int
}

// newNames listens on a free port of this machine.
func newNames() (*names, error) {
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	n := &names{conn: conn, done: make(chan struct{})}
	go n.serve()
	return n, nil
}

func (n *names) address() string { return n.conn.LocalAddr().String() }

func (n *names) close() {
	n.conn.Close()
	<-n.done
}

// add gives the name one more address.
func (n *names) add(host string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.addresses = append(n.addresses, netip.MustParseAddr(host))
}

// asked is how often somebody asked for the addresses.
func (n *names) asked() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.questions
}

func (n *names) serve() {
	defer close(n.done)
	packet := make([]byte, 512)
	for {
		size, from, err := n.conn.ReadFrom(packet)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			continue
		}
		if answer, err := n.answer(packet[:size]); err == nil {
			_, _ = n.conn.WriteTo(answer, from) // a lost packet is asked for again
		}
	}
}

// answer makes the answer to a question.
func (n *names) answer(packet []byte) ([]byte, error) {
	var p dnsmessage.Parser
	header, err := p.Start(packet)
	if err != nil {
		return nil, err
	}
	q, err := p.Question()
	if err != nil {
		return nil, err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	m := dnsmessage.Message{
		Header:    dnsmessage.Header{ID: header.ID, Response: true, Authoritative: true},
		Questions: []dnsmessage.Question{q},
	}
	if q.Name.String() != serviceName {
		m.RCode = dnsmessage.RCodeNameError
	} else if q.Type == dnsmessage.TypeA {
		n.questions++
		for _, a := range n.addresses {
			m.Answers = append(m.Answers, dnsmessage.Resource{
				Header: dnsmessage.ResourceHeader{Name: q.Name, Class: dnsmessage.ClassINET},
				Body:   &dnsmessage.AResource{A: a.As4()},
			})
		}
	}
	return m.Pack()
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
