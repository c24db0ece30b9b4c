package ledger

import (
	"context"
	"database/sql"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
)

// notified is the channel on which writers of all ledgers of a database tell that
// there are new events; who hears of others' looks once in vain.
const notified = "parley_ledger"

// listenTime is how often the position is read though notifications are heard: who
// sits between client and server may swallow them.
const listenTime = 5 * time.Second

// A listener hears of new events on a connection of its own, from the first call of
// Heard on.
type listener struct {
	config *pgx.ConnConfig
	start  sync.Once
	stop   context.CancelFunc
	ctx    context.Context
	ended  chan struct{}

	mu        sync.Mutex
	heard     chan struct{}
	listening bool
}

func newListener(config *pgx.ConnConfig) *listener {
	l := &listener{config: config, ended: make(chan struct{}), heard: make(chan struct{})}
	l.ctx, l.stop = context.WithCancel(context.Background())
	return l
}

// Committing tells others of the transaction's events once it is durable.
func (*listener) Committing(ctx context.Context, tx *sql.Tx) error {
	_, err := tx.ExecContext(ctx, "NOTIFY "+notified)
	return err
}

func (l *listener) Heard() (<-chan struct{}, time.Duration) {
	l.start.Do(func() { go l.run() })
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.listening {
		return l.heard, listenTime
	}
	return l.heard, pollTime
}

// run listens until Close. While the connection is broken, those who wait poll.
func (l *listener) run() {
	defer close(l.ended)
	for l.ctx.Err() == nil {
		_ = l.listen() // why it ended shows where the position is read
		l.tell(false)
		select {
		case <-time.After(pollTime):
		case <-l.ctx.Done():
		}
	}
}

func (l *listener) listen() error {
	conn, err := pgx.ConnectConfig(l.ctx, l.config)
	if err != nil {
		return err
	}
	defer func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(l.ctx), time.Second)
		defer cancel()
		conn.Close(ctx)
	}()
	if _, err := conn.Exec(l.ctx, "LISTEN "+notified); err != nil {
		return err
	}
	for l.tell(true); ; l.tell(true) {
		if _, err := conn.WaitForNotification(l.ctx); err != nil {
			return err
		}
	}
}

// tell wakes those who wait, so that they look, and notes whether more will be heard.
func (l *listener) tell(listening bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	close(l.heard)
	l.heard, l.listening = make(chan struct{}), listening
}

// Close ends the listening.
func (l *listener) Close() error {
	l.stop()
	l.start.Do(func() { close(l.ended) }) // it never began
	<-l.ended
	return nil
}
