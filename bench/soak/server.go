package main

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

// A server is a process of "classifier serve" that keeps its address when it
// is restarted.
type server struct {
	w        *workshop
	name     string
	address  string
	args     []string
	cmd      *exec.Cmd
	ended    chan struct{} // closed when the process has ended
	log      string
	starts   int
	addrFile string
}

// patient is a flag with which a server refuses no call because the machine is
// busy with something else: what that does is the matter of "soak overload".
const patient = "--max-queue=1m"

// firstPort is where the search for free ports begins, below those that the
// system gives to outgoing connections: one of them could take the port of a
// server that is down.
const firstPort, lastPort = 20000, 30000

// freeAddress returns an address of a port that nobody listens on and that no
// other server of the workshop has: on all of the hosts, and with the first.
func (w *workshop) freeAddress(hosts ...string) (string, error) {
	for port := firstPort + os.Getpid()%5000; port < lastPort; port++ {
		if w.isFree(strconv.Itoa(port), hosts) {
			return net.JoinHostPort(hosts[0], strconv.Itoa(port)), nil
		}
	}
	return "", fmt.Errorf("no free port from %d to %d", firstPort, lastPort)
}

func (w *workshop) isFree(port string, hosts []string) bool {
	for _, host := range hosts {
		address := net.JoinHostPort(host, port)
		if slices.ContainsFunc(w.servers, func(s *server) bool { return s.address == address }) {
			return false
		}
		lis, err := net.Listen("tcp", address)
		if err != nil || lis.Close() != nil {
			return false
		}
	}
	return true
}

// serve starts a server with flags of "classifier serve" and waits until it is
// ready.
func (w *workshop) serve(args ...string) (*server, error) {
	address, err := w.freeAddress("127.0.0.1")
	if err != nil {
		return nil, err
	}
	return w.serveOn(address, args...)
}

func (w *workshop) serveOn(address string, args ...string) (*server, error) {
	name := fmt.Sprintf("server-%d", len(w.servers)+1)
	s := &server{w: w, name: name, address: address, args: args, log: filepath.Join(w.Logs, name+".log"), addrFile: w.file(name + ".addr")}
	w.servers = append(w.servers, s)
	return s, s.start()
}

// environment is that of this process without the variables that are flags.
func environment() []string {
	return slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "CLASSIFIER_") })
}

// start starts the process and waits until it is ready.
func (s *server) start() error {
	log, err := os.OpenFile(s.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer log.Close()
	if err := os.Remove(s.addrFile); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	cmd := exec.Command(s.w.Classifier, append([]string{"serve", "--addr", s.address, "--addr-file", s.addrFile}, s.args...)...)
	cmd.Stdout, cmd.Stderr, cmd.Env = log, log, environment()
	if err := onCore(s.w.ServerCore, cmd.Start); err != nil {
		return err
	}
	ended := make(chan struct{})
	s.cmd, s.ended = cmd, ended
	s.starts++
	go func() {
		_ = cmd.Wait() // cmd.ProcessState tells
		close(ended)
	}()
	err = s.w.await(s.name+" ready", func() bool { return s.hasEnded() || exists(s.addrFile) })
	if err == nil && s.hasEnded() {
		err = fmt.Errorf("%s ended at its start: %s", s.name, s.cmd.ProcessState)
	}
	return s.explain(err)
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

func (s *server) hasEnded() bool {
	select {
	case <-s.ended:
		return true
	default:
		return false
	}
}

// explain adds the end of the log to an error.
func (s *server) explain(err error) error {
	if err == nil {
		return nil
	}
	b, _ := os.ReadFile(s.log)
	return fmt.Errorf("%w; the end of its log:\n%s", err, b[max(0, len(b)-4000):])
}

// end sends a signal and waits until the process has ended.
func (s *server) end(sig syscall.Signal) error {
	if err := s.cmd.Process.Signal(sig); err != nil {
		return fmt.Errorf("%s: %w", s.name, err)
	}
	if err := s.w.await(s.name+" ended", s.hasEnded); err != nil {
		return s.explain(err)
	}
	if sig == syscall.SIGTERM && !s.cmd.ProcessState.Success() {
		return s.explain(fmt.Errorf("%s did not end well: %s", s.name, s.cmd.ProcessState))
	}
	return nil
}

// stopAll ends what still runs.
func (w *workshop) stopAll() {
	for _, s := range w.servers {
		if s.cmd != nil && !s.hasEnded() {
			_ = s.cmd.Process.Kill()
			<-s.ended
		}
	}
}

// addressesOf lists addresses for a client.
func addressesOf(servers []*server) string {
	var list []string
	for _, s := range servers {
		list = append(list, s.address)
	}
	return strings.Join(list, ",")
}
