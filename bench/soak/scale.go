package main

import (
	"fmt"
	"math"
	"net"
	"sync"
	"time"

	grpcdns "google.golang.org/grpc/resolver/dns"

	"github.com/parley-nlp/parley/client"
	"github.com/parley-nlp/parley/internal/load"
)

// A scaleCmd is "soak scale".
type scaleCmd struct {
	commonFlags
	Age     time.Duration `default:"5s" help:"--max-connection-age of the servers. Default: ${default}."`
	Rate    float64       `default:"300" help:"Calls a second. Default: ${default}."`
	Clients int           `default:"4" help:"Clients that make them, each with connections of its own. Default: ${default}."`
	Window  time.Duration `default:"10s" help:"How long traffic is counted after two ages. Default: ${default}."`
}

// unevenness is how far from even the traffic of a server may be.
const unevenness = 0.10

// ageSpread is how much older than its age a connection may get.
const ageSpread = 1.1

// hosts are the loopback addresses of the servers, as pods have addresses of
// their own.
var hosts = []string{"127.0.0.1", "127.0.0.2", "127.0.0.3"}

// Run adds two servers to one. The clients learn of them as in a cluster: the
// name has more addresses, and is looked up again when a connection has reached
// its age.
func (c *scaleCmd) Run(e *env) error {
	return c.soak(e, func(w *workshop) error {
		names, err := newNames()
		if err != nil {
			return err
		}
		defer names.close()
		// By default names are looked up every 30 s at most, which fits ages of
		// minutes.
		grpcdns.SetMinResolutionInterval(c.Age / 10)
		address, err := w.freeAddress(hosts...)
		if err != nil {
			return err
		}
		_, port, err := net.SplitHostPort(address)
		if err != nil {
			return err
		}
		if err := c.add(w, names, port, hosts[:1]); err != nil {
			return err
		}
		target, err := load.Dial(fmt.Sprintf("dns://%s/%s:%s", names.address(), serviceName, port), c.Clients, client.WithPlaintext())
		if err != nil {
			return err
		}
		defer target.Close()
		return c.scale(w, names, target, port)
	})
}

// add starts servers and gives the name their addresses too.
func (c *scaleCmd) add(w *workshop, names *names, port string, hosts []string) error {
	for _, host := range hosts {
		_, err := w.serveOn(net.JoinHostPort(host, port), patient, "-m", w.model, "--log-level", "warn",
			"--max-connection-age", c.Age.String(), "--drain-delay", "0s")
		if err != nil {
			return err
		}
		names.add(host)
	}
	return nil
}

func (c *scaleCmd) scale(w *workshop, names *names, target *load.Target, port string) error {
	count := &traffic{}
	count.reset()
	calls := w.stream(target, load.Config{Rate: c.Rate, MaxInFlight: 10000, Timeout: timeout, Seed: c.Seed}, count.watch)
	defer calls.end()
	w.sleep(c.Age / 2)
	count.reset()
	if err := c.add(w, names, port, hosts[1:]); err != nil {
		return err
	}
	began := time.Now()
	wait := time.Duration(2 * ageSpread * float64(c.Age))
	if !w.sleep(wait) {
		return w.ctx.Err()
	}
	w.title("1 server, then 3; connections end at %s, %d clients, %.0f calls/s", c.Age, c.Clients, c.Rate)
	w.figure("until each new server answered", "%s", count.firsts(began))
	count.reset()
	if !w.sleep(c.Window) {
		return w.ctx.Err()
	}
	share, worst := count.shares(len(hosts))
	r, err := calls.end()
	if err != nil {
		return err
	}
	w.figure("name looked up", "%d times", names.asked())
	w.figure("attempts", "%s", r.Attempts)
	for _, e := range r.Errors {
		w.figure("error "+e.Code, "%d times %s: %s", e.Count, e.Reason, e.Example)
	}
	w.promise(r.Failed == 0 && r.Answered > 0, "no call failed", "%d of %d, while connections ended", r.Failed, r.Answered+r.Failed)
	w.promise(worst <= unevenness, "traffic is even", "calls after two ages, %s: %s; at most %.1f%% from even, %.0f%% allowed", wait, share, 100*worst, 100*unevenness)
	return nil
}

// Traffic counts the answers of each server.
type traffic struct {
	mu    sync.Mutex
	calls map[string]int
	first map[string]time.Time
}

func (t *traffic) watch(c load.Call) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.calls[c.Server()]++
	if t.first[c.Server()].IsZero() {
		t.first[c.Server()] = c.Ended
	}
}

func (t *traffic) reset() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.calls, t.first = map[string]int{}, map[string]time.Time{}
}

// shares lists the calls of each of n servers, and how far the worst is from an
// even share.
func (t *traffic) shares(n int) (string, float64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	all := 0
	for _, calls := range t.calls {
		all += calls
	}
	if all == 0 || len(t.calls) != n {
		return fmt.Sprintf("%d servers answered", len(t.calls)), math.Inf(1)
	}
	worst := 0.0
	var list []int
	for _, server := range sortedKeys(t.calls) {
		even := float64(all) / float64(n)
		worst = max(worst, math.Abs(float64(t.calls[server])-even)/even)
		list = append(list, t.calls[server])
	}
	return fmt.Sprint(list), worst
}

// firsts tells when each server first answered.
func (t *traffic) firsts(began time.Time) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	text := ""
	for _, server := range sortedKeys(t.first) {
		text += fmt.Sprintf("%s %.1f s  ", server, max(0, t.first[server].Sub(began).Seconds()))
	}
	return text
}
