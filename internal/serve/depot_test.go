package serve

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/proto"

	"github.com/parley-nlp/parley/internal/model"
	"github.com/parley-nlp/parley/internal/store"
	parleyv1 "github.com/parley-nlp/parley/proto/parley/v1"
)

// A depot is a store in a directory, with models whose money bias tells them
// apart.
type depot struct {
	*store.Store
	dir string
}

func newDepot(t testing.TB) *depot {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "store")
	st, err := store.Open(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { st.Close() })
	return &depot{st, dir}
}

// publish publishes the test model of that bias and returns its id.
func (d *depot) publish(t testing.TB, bias int64) string {
	t.Helper()
	return d.publishModel(t, newModel(t, bias))
}

func (d *depot) publishModel(t testing.TB, m *model.Model) string {
	t.Helper()
	about := store.Provenance{TrainerVersion: "v1.2.3", Trained: time.Unix(1_700_000_000, 0).UTC()}
	if _, err := d.Publish(context.WithoutCancel(t.Context()), "default", m, about); err != nil {
		t.Fatal(err)
	}
	return m.Revision()
}

// alias points an alias to a revision.
func (d *depot) alias(t testing.TB, alias, id string) {
	t.Helper()
	if _, err := d.SetAlias(t.Context(), "default", alias, id, "", "test"); err != nil {
		t.Fatal(err)
	}
}

// file is where the model file of a revision lies.
func (d *depot) file(id string) string {
	return filepath.Join(d.dir, "models", "default", "files", id+".model")
}

// config is that of a server of the depot that looks every few milliseconds.
func (d *depot) config() Config {
	return Config{Revisions: Revisions{
		Open: func(ctx context.Context) (*store.Store, error) { return store.Open(ctx, d.dir) },
		Poll: 2 * time.Millisecond, MaxRetry: 8 * time.Millisecond,
	}}
}

// listen runs a server on loopback until the test ends.
func listen(t testing.TB, cfg Config) *service {
	t.Helper()
	log := &journal{}
	cfg.Log = zerolog.New(log)
	s, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	lis, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- s.Serve(ctx, lis) }()
	drain := sync.OnceValue(func() error { cancel(); return <-served })
	conn, err := grpc.NewClient(lis.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithUnaryInterceptor(log.keepTexts))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		conn.Close()
		if err := drain(); err != nil {
			t.Errorf("Serve returned %v", err)
		}
		log.checkSecrecy(t)
	})
	return &service{s, parleyv1.NewClassificationServiceClient(conn), parleyv1.NewModelServiceClient(conn), conn, log, drain}
}

// until waits for a condition.
func until(t testing.TB, what string, met func() bool) {
	t.Helper()
	for deadline := time.Now().Add(2 * time.Minute); !met(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain: %s", what)
		}
	}
}

// untilLive waits until a revision is live.
func (s *service) untilLive(t testing.TB, id string) {
	t.Helper()
	until(t, "revision "+id+" is live", func() bool { return s.Live() == id })
}

// answer checks that a revision answers the calls that name none, consistently.
func (s *service) answers(t testing.TB, id string, bias int64) {
	t.Helper()
	resp, err := s.client.Classify(t.Context(), request("shares", nil))
	if err != nil {
		t.Fatal(err)
	}
	if want := "models/default/revisions/" + id; resp.GetModelRevision() != want {
		t.Fatalf("answered by %s, want %s", resp.GetModelRevision(), want)
	}
	if got, want := moneyScore(resp.GetClassification()), (bias+3)*nat; got != want {
		t.Fatalf("%s gave the score %d, want %d", id, got, want)
	}
}

// moneyScore is the score of the first label of the first head.
func moneyScore(c *parleyv1.Classification) int64 {
	return c.GetPredictions()[0].GetScores()[0].GetRawScore()
}

// timeless is a classification without what differs from call to call.
func timeless(c *parleyv1.Classification) *parleyv1.Classification {
	out := proto.CloneOf(c)
	out.ComputeTime = nil
	return out
}

// replace writes a file's bytes as change makes them.
func replace(t testing.TB, path string, change func([]byte) []byte) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, change(data), 0o600); err != nil {
		t.Fatal(err)
	}
}

// fileReader reads the model file at path, which holds data unless that is nil.
func fileReader(t testing.TB, path string, data []byte) func() (*model.Model, error) {
	t.Helper()
	if data != nil {
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return func() (*model.Model, error) {
		b, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		return model.Parse(b)
	}
}
