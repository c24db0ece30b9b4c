package main

import (
	"context"
	"math"
	"net"
	"slices"
	"testing"
	"time"

	"github.com/parley-nlp/parley/internal/load"
)

// Go's own resolver understands the name server.
func TestNames(t *testing.T) {
	n, err := newNames()
	if err != nil {
		t.Fatal(err)
	}
	defer n.close()
	n.add("127.0.0.1")
	n.add("127.0.0.3")
	r := net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "udp", n.address())
	}}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	got, err := r.LookupHost(ctx, serviceName)
	if slices.Sort(got); err != nil || !slices.Equal(got, []string{"127.0.0.1", "127.0.0.3"}) {
		t.Errorf("%q, %v", got, err)
	}
	if got, err := r.LookupHost(ctx, "other.test."); err == nil {
		t.Errorf("another name has the addresses %q", got)
	}
	if n.asked() == 0 {
		t.Error("nobody asked")
	}
}

func TestShares(t *testing.T) {
	call := func(server string) load.Call { return load.Call{Attempts: []load.Attempt{{Address: server}}} }
	count := &traffic{}
	count.reset()
	for _, server := range []string{"a", "b", "a", "c", "b", "c", "a", "b", "c", "a"} {
		count.watch(call(server))
	}
	if text, worst := count.shares(3); text != "[4 3 3]" || math.Abs(worst-0.2) > 1e-9 {
		t.Errorf("%s, %v", text, worst)
	}
	if _, worst := count.shares(4); !math.IsInf(worst, 1) {
		t.Errorf("a server without calls: %v", worst)
	}
}
