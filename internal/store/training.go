package store

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"
)

// A Training is what a revision was trained on: the record beside its card, which
// never changes either.
type Training struct {
	LedgerID string     `json:"ledger_id,omitempty"` // of the ledger of labels; "" for none
	Position int64      `json:"position"`            // of the ledger, at which its rows were read
	Base     []BaseFile `json:"base,omitempty"`      // files beside the ledger, in their order
	Heads    []string   `json:"heads"`
	Holdout  Holdout    `json:"holdout"`
	// Configuration is all that it takes to train again, as a JSON object.
	Configuration json.RawMessage `json:"configuration,omitempty"`
	// Digests are those of the training texts, by the ledger's salt, ascending.
	// They tell whether a text was among them, and nothing else about it.
	Digests [][16]byte `json:"-"`
}

// A BaseFile is a file of training rows.
type BaseFile struct {
	Name   string `json:"name"`
	SHA256 string `json:"sha256"` // in hexadecimal
}

// A Holdout says which rows were kept out of training.
type Holdout struct {
	Epoch int     `json:"epoch"`
	Share float64 `json:"share"` // 0: none
}

// Limits of a record.
const (
	MaxDigests   = 10_000_000
	maxBaseFiles = 10_000
	maxHeads     = 1_000
	maxRecord    = int64(16*MaxDigests + maxJSON)
)

// A record is laid out as
//
//	"parley training 1\n"
//	length of the JSON object, 4 bytes, most significant first
//	the JSON object, with the number of digests
//	the digests, 16 bytes each, ascending
//	SHA-256 of all that
const trainingMagic = "parley training 1\n"

// A trainingHead is the JSON object of a record.
type trainingHead struct {
	Revision string `json:"revision"`
	*Training
	Count int `json:"digests"`
}

func trainingPrefix(name string) string { return modelPrefix(name) + "training/" }

const trainingSuffix = ".training"

func trainingKey(name, revision string) string {
	return trainingPrefix(name) + revision + trainingSuffix
}

// PutTraining records what a revision was trained on. It may come before the
// revision, as it should, so that whoever sees the revision sees the record. To
// record the same again changes nothing; something else is ErrExists.
func (s *Store) PutTraining(ctx context.Context, name, revision string, t Training) error {
	if err := errors.Join(checkModel(name), checkRevision(revision), t.check()); err != nil {
		return err
	}
	if err := s.mark(ctx); err != nil {
		return err
	}
	if err := s.createTraining(ctx, name, revision, &t); err != nil {
		return err
	}
	state, err := s.State(ctx, name) // after the record was written: see GC
	if err == nil && state.removing(revision) {
		err = fmt.Errorf("%s: revision %s: %w: record it again when that is done", s, revision, ErrBusy)
	}
	return err
}

// createTraining writes a record unless there is one; in place of a damaged one.
func (s *Store) createTraining(ctx context.Context, name, revision string, t *Training) error {
	key, data := trainingKey(name, revision), encodeTraining(revision, t)
	err := s.bucket.create(ctx, key, data)
	if !errors.Is(err, errExists) {
		return err
	}
	there, err := created(ctx, func() ([]byte, error) { return s.training(ctx, name, revision) })
	switch {
	case errors.Is(err, ErrCorrupt):
		return s.bucket.put(ctx, key, data)
	case err == nil && !bytes.Equal(there, data):
		err = fmt.Errorf("%s: %s: %w: it says something else of the same revision", s, key, ErrExists)
	}
	return err
}

func (t *Training) check() error {
	for _, f := range t.Base {
		if err := errors.Join(checkText("base file", f.Name), checkRevision(f.SHA256)); err != nil {
			return fmt.Errorf("base file: %w", err)
		}
	}
	for _, h := range t.Heads {
		if err := checkText("head", h); err != nil {
			return err
		}
	}
	switch {
	case t.Position < 0 || t.Holdout.Epoch < 0 || !(t.Holdout.Share >= 0 && t.Holdout.Share < 1):
		return fmt.Errorf("%w: training at position %d, hold-out %d of share %v", ErrInvalid, t.Position, t.Holdout.Epoch, t.Holdout.Share)
	case len(t.Base) > maxBaseFiles || len(t.Heads) > maxHeads || len(t.Digests) > MaxDigests:
		return fmt.Errorf("%w: training on %d files, %d heads, %d texts: the limits are %d, %d, %d", ErrInvalid,
			len(t.Base), len(t.Heads), len(t.Digests), maxBaseFiles, maxHeads, MaxDigests)
	case len(t.Configuration) > maxConfiguration || len(t.Configuration) > 0 && !isObject(t.Configuration):
		return fmt.Errorf("%w: configuration: want a JSON object of at most %d bytes", ErrInvalid, maxConfiguration)
	}
	return checkText("ledger", t.LedgerID)
}

func compareDigests(a, b [16]byte) int { return bytes.Compare(a[:], b[:]) }

// encodeTraining is the record of t, whose digests may be in any order and repeat.
func encodeTraining(revision string, t *Training) []byte {
	digests := slices.Clone(t.Digests)
	slices.SortFunc(digests, compareDigests)
	digests = slices.Compact(digests)
	head, err := json.Marshal(trainingHead{revision, t, len(digests)})
	if err != nil {
		panic(err) // check has looked at the one value that JSON may not have
	}
	data := make([]byte, 0, len(trainingMagic)+4+len(head)+16*len(digests)+sha256.Size)
	data = append(data, trainingMagic...)
	data = binary.BigEndian.AppendUint32(data, uint32(len(head)))
	data = append(data, head...)
	for _, d := range digests {
		data = append(data, d[:]...)
	}
	sum := sha256.Sum256(data)
	return append(data, sum[:]...)
}

// decodeTraining returns the parts of a record: what it says, and the bytes of the
// digests.
func decodeTraining(data []byte, revision string) (Training, []byte, error) {
	var t Training
	end := len(data) - sha256.Size
	if end < len(trainingMagic)+4 || string(data[:len(trainingMagic)]) != trainingMagic {
		return t, nil, errors.New("it is no record of a training that this program knows")
	}
	if sum := sha256.Sum256(data[:end]); !bytes.Equal(sum[:], data[end:]) {
		return t, nil, errors.New("its SHA-256 is another")
	}
	body := data[len(trainingMagic):end]
	length := int64(binary.BigEndian.Uint32(body))
	if body = body[4:]; length > int64(len(body)) {
		return t, nil, errors.New("it is cut short")
	}
	head := trainingHead{Training: &t}
	if err := json.Unmarshal(body[:length], &head); err != nil {
		return t, nil, err
	}
	digests := body[length:]
	if head.Revision != revision || head.Count < 0 || int64(len(digests)) != 16*int64(head.Count) {
		return t, nil, fmt.Errorf("it has %d bytes of digests of revision %.64q", len(digests), head.Revision)
	}
	for i := 16; i < len(digests); i += 16 {
		if bytes.Compare(digests[i-16:i], digests[i:i+16]) >= 0 {
			return t, nil, errors.New("its digests have no order")
		}
	}
	return t, digests, t.check()
}

// training reads the bytes of a record and looks at them. A record that is not as
// it should be is ErrCorrupt.
func (s *Store) training(ctx context.Context, name, revision string) ([]byte, error) {
	data, err := s.bucket.get(ctx, trainingKey(name, revision), maxRecord)
	if err != nil {
		return nil, err
	}
	if _, _, err := decodeTraining(data, revision); err != nil {
		return nil, fmt.Errorf("%s: %s: %w: %w", s, trainingKey(name, revision), ErrCorrupt, err)
	}
	return data, nil
}

// Training returns what a revision was trained on; ErrNotFound if nobody recorded
// it.
func (s *Store) Training(ctx context.Context, name, revision string) (Training, error) {
	if err := errors.Join(checkModel(name), checkRevision(revision)); err != nil {
		return Training{}, err
	}
	data, err := s.training(ctx, name, revision)
	if errors.Is(err, ErrNotFound) {
		return Training{}, fmt.Errorf("%s: model %s: what revision %s was trained on: %w", s, name, revision, ErrNotFound)
	}
	if err != nil {
		return Training{}, err
	}
	t, digests, _ := decodeTraining(data, revision)
	t.Digests = make([][16]byte, len(digests)/16)
	for i := range t.Digests {
		t.Digests[i] = [16]byte(digests[16*i:])
	}
	return t, nil
}

// Holds counts which of the digests, ascending, the training texts have.
func (t *Training) Holds(digests [][16]byte) int {
	n := 0
	for _, d := range digests {
		if _, found := slices.BinarySearchFunc(t.Digests, d, compareDigests); found {
			n++
		}
	}
	return n
}

// TrainedOn finds the revisions of a model that were trained on texts with any of
// the digests, which are those of a ledger: with how many, by revision. Of those in
// unknown, ascending, nobody can tell: they have no record, a damaged one, or one
// that belongs to another ledger, whose digests are salted otherwise.
func (s *Store) TrainedOn(ctx context.Context, name, ledgerID string, digests [][16]byte) (hits map[string]int, unknown []string, err error) {
	ids, err := s.revisions(ctx, name, "")
	if err != nil {
		return nil, nil, err
	}
	digests = slices.Clone(digests)
	slices.SortFunc(digests, compareDigests)
	digests = slices.Compact(digests)
	hits = map[string]int{}
	var mu sync.Mutex
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(atOnce)
	for _, id := range ids {
		group.Go(func() error {
			t, err := s.Training(ctx, name, id)
			if err != nil && !errors.Is(err, ErrNotFound) && !errors.Is(err, ErrCorrupt) {
				return err
			}
			mu.Lock()
			defer mu.Unlock()
			if err != nil || t.LedgerID != ledgerID {
				unknown = append(unknown, id)
			} else if n := t.Holds(digests); n > 0 {
				hits[id] = n
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return nil, nil, err
	}
	slices.Sort(unknown)
	return hits, unknown, nil
}
