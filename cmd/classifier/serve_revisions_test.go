package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/parley-nlp/parley/client"
	"github.com/parley-nlp/parley/internal/model"
	"github.com/parley-nlp/parley/internal/store"
)

// trained returns models that differ, trained by the command.
func trained(t *testing.T) (models []*model.Model) {
	t.Helper()
	dir := t.TempDir()
	rows := `{"text": "goal scored in the last minute", "topic": "sport"}
{"text": "the keeper saved a penalty", "topic": "sport"}
{"text": "shares fell on Monday", "topic": "money"}
{"text": "the bank lowered its rate", "topic": "money"}
`
	for i, more := range []string{"", `{"text": "a late goal", "topic": "sport"}` + "\n"} {
		data, path := filepath.Join(dir, "rows.jsonl"), filepath.Join(dir, string(rune('a'+i))+".model")
		if err := os.WriteFile(data, []byte(rows+more), 0o600); err != nil {
			t.Fatal(err)
		}
		out, err := exec.Command("classifier", "train", "-o", path, "--preset", "long", "--estimator", "mnb", "--value", "binary", "--alpha", "1", data).CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		m, err := readModel(path)
		if err != nil {
			t.Fatal(err)
		}
		models = append(models, m)
	}
	return models
}

// A process is "classifier serve" in one of its own.
type process struct {
	*exec.Cmd
	addrFile, logFile string
}

func serveProcess(t *testing.T, args ...string) *process {
	t.Helper()
	dir := t.TempDir()
	addrFile, logFile := filepath.Join(dir, "addr"), filepath.Join(dir, "log")
	log, err := os.Create(logFile)
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	args = append([]string{"serve", "--addr", "127.0.0.1:0", "--addr-file", addrFile, "--drain-delay", "0s"}, args...)
	p := &process{exec.Command("classifier", args...), addrFile, logFile}
	p.Stderr = log
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if p.ProcessState == nil {
			p.Process.Kill()
			p.Wait()
		}
		if t.Failed() {
			t.Logf("%s", p.log(t))
		}
	})
	return p
}

// log is what the process has logged so far.
func (p *process) log(t *testing.T) string {
	t.Helper()
	data, err := os.ReadFile(p.logFile)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// untilLogged waits until the log has a text.
func (p *process) untilLogged(t *testing.T, text string) {
	t.Helper()
	eventually(t, "the log has "+text, func() bool { return strings.Contains(p.log(t), text) })
}

// signal sends the process a signal.
func (p *process) signal(t *testing.T, s syscall.Signal) {
	t.Helper()
	if err := p.Process.Signal(s); err != nil {
		t.Fatal(err)
	}
}

// dial waits until the process is ready and returns a client of it.
func (p *process) dial(t *testing.T) *client.Client {
	t.Helper()
	var addr []byte
	eventually(t, "the server is ready", func() (found bool) {
		var err error
		addr, err = os.ReadFile(p.addrFile)
		return err == nil
	})
	c, err := client.Dial(strings.TrimSpace(string(addr)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func eventually(t *testing.T, what string, met func() bool) {
	t.Helper()
	for deadline := time.Now().Add(2 * time.Minute); !met(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain: %s", what)
		}
	}
}

// answersBy waits until the client is answered by m.
func answersBy(t *testing.T, c *client.Client, m *model.Model) {
	t.Helper()
	eventually(t, m.Revision()+" answers", func() bool {
		answer, err := c.Classify(t.Context(), "a goal", nil)
		if err != nil {
			t.Fatal(err)
		}
		return answer.GetModelRevision() == "models/summit/revisions/"+m.Revision()
	})
}

// end tells the process to stop, and wants the exit code 0.
func (p *process) end(t *testing.T) {
	t.Helper()
	p.signal(t, syscall.SIGTERM)
	if err := p.Wait(); err != nil {
		t.Errorf("the server ended with %v", err)
	}
}

func TestServeFollowsStore(t *testing.T) {
	models := trained(t)
	dir := filepath.Join(t.TempDir(), "store")
	p := serveProcess(t, "--store", dir, "--model-name", "summit", "--poll", "10ms")
	s, err := store.Open(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	alias := func(m *model.Model) {
		if _, err := s.Publish(t.Context(), "summit", m, store.Provenance{}); err != nil {
			t.Fatal(err)
		}
		if _, err := s.SetAlias(t.Context(), "summit", "live", m.Revision(), "", ""); err != nil {
			t.Fatal(err)
		}
	}
	alias(models[0])
	c := p.dial(t)
	answersBy(t, c, models[0])
	alias(models[1])
	answersBy(t, c, models[1])
	p.end(t)
	p.untilLogged(t, "another revision is live")
}

// SIGHUP ends the wait for the next look at the store.
func TestHangupLooksAtStore(t *testing.T) {
	models := trained(t)
	s, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "store"))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for _, m := range models {
		if _, err := s.Publish(t.Context(), "summit", m, store.Provenance{}); err != nil {
			t.Fatal(err)
		}
	}
	alias := func(m *model.Model) {
		if _, err := s.SetAlias(t.Context(), "summit", "live", m.Revision(), "", ""); err != nil {
			t.Fatal(err)
		}
	}
	alias(models[0])
	p := serveProcess(t, "--store", s.String(), "--model-name", "summit", "--poll", "1h")
	c := p.dial(t)
	answersBy(t, c, models[0])
	alias(models[1])
	p.signal(t, syscall.SIGHUP)
	answersBy(t, c, models[1])
	p.end(t)
}

// SIGHUP reads the model file again.
func TestHangupReloadsFile(t *testing.T) {
	models := trained(t)
	path := filepath.Join(t.TempDir(), "m.model")
	put := func(data []byte) {
		if err := os.WriteFile(path+".new", data, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(path+".new", path); err != nil {
			t.Fatal(err)
		}
	}
	put(models[0].Bytes())
	p := serveProcess(t, "--model", path, "--model-name", "summit")
	c := p.dial(t)
	answersBy(t, c, models[0])
	put(models[1].Bytes()[:1000])
	p.signal(t, syscall.SIGHUP)
	p.untilLogged(t, "what answers goes on answering")
	answersBy(t, c, models[0])
	put(models[1].Bytes())
	p.signal(t, syscall.SIGHUP)
	answersBy(t, c, models[1])
	p.end(t)
}

// A server that waits for its first revision can be told to stop.
func TestStopBeforeReady(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "store")
	p := serveProcess(t, "--store", dir, "--poll", "10ms")
	p.untilLogged(t, "the alias points nowhere")
	p.end(t)
	if log := p.log(t); strings.Contains(log, `"ready"`) {
		t.Errorf("it was ready: %s", log)
	}
}
