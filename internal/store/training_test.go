package store

import (
	"encoding/json"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// digestsOf are those of some texts.
func digestsOf(numbers ...byte) [][16]byte {
	var list [][16]byte
	for _, n := range numbers {
		list = append(list, [16]byte{n, 1, 2})
	}
	return list
}

// trainingOf is a training on some texts.
func trainingOf(numbers ...byte) Training {
	return Training{
		LedgerID: "ledger", Position: 17, Base: []BaseFile{{"base.jsonl", strings.Repeat("ab", 32)}}, Heads: []string{"topic", "stance"},
		Holdout: Holdout{Epoch: 2, Share: 0.1}, Configuration: json.RawMessage(`{"recipe":{"seed":1}}`), Digests: digestsOf(numbers...),
	}
}

func putTraining(t *storeTest, s *Store, revision string, r Training) {
	t.Helper()
	if err := s.PutTraining(t.Context(), "news", revision, r); err != nil {
		t.Fatal(err)
	}
}

func TestTraining(t *testing.T) {
	each(t, func(t *storeTest) {
		ctx, s := t.Context(), t.open()
		m := newModel(t, 1)
		r := m.Revision()
		_, err := s.Training(ctx, "news", r)
		wantError(t, err, ErrNotFound)
		card := must[Card](t)(s.PublishTrained(ctx, "news", m, Provenance{}, trainingOf(9, 3, 7, 3)))
		got := must[Training](t)(t.open().Training(ctx, "news", r))
		if want := trainingOf(3, 7, 9); string(encodeTraining(r, &got)) != string(encodeTraining(r, &want)) || !slices.Equal(got.Digests, want.Digests) {
			t.Errorf("training %+v, want %+v", got, want)
		}
		if got.Position != 17 || got.Holdout.Share != 0.1 || got.Base[0].Name != "base.jsonl" || string(got.Configuration) != `{"recipe":{"seed":1}}` {
			t.Errorf("training %+v", got)
		}
		putTraining(t, s, r, trainingOf(7, 9, 3)) // the same
		wantError(t, s.PutTraining(ctx, "news", r, trainingOf(7)), ErrExists)
		again := must[Card](t)(s.PublishTrained(ctx, "news", m, Provenance{}, trainingOf(7))) // the first record stays, as the card
		if string(encode(again)) != string(encode(card)) || len(must[Training](t)(s.Training(ctx, "news", r)).Digests) != 3 {
			t.Errorf("card %+v", again)
		}
		later := publish(t, s, 2)
		must[Card](t)(s.PublishTrained(ctx, "news", newModel(t, 2), Provenance{}, trainingOf(1)))
		if n := len(must[Training](t)(s.Training(ctx, "news", later)).Digests); n != 1 {
			t.Errorf("%d digests of a revision that was published without", n)
		}
	})
}

func TestTrainingRefusesBadRecords(t *testing.T) {
	s := open(t, "mem://")
	for i, bad := range []func(*Training){
		func(r *Training) { r.Position = -1 },
		func(r *Training) { r.Holdout.Share = 1 },
		func(r *Training) { r.Base[0].SHA256 = "x" },
		func(r *Training) { r.Base[0].Name = "a\nb" },
		func(r *Training) { r.Configuration = json.RawMessage("1") },
		func(r *Training) { r.LedgerID = strings.Repeat("x", 2000) },
		func(r *Training) { r.Heads = []string{"\x00"} },
	} {
		r := trainingOf(1)
		bad(&r)
		if err := s.PutTraining(t.Context(), "news", newModel(t, 1).Revision(), r); err == nil {
			t.Errorf("case %d is taken", i)
		} else {
			wantError(t, err, ErrInvalid)
		}
		_, err := s.PublishTrained(t.Context(), "news", newModel(t, 1), Provenance{}, r)
		wantError(t, err, ErrInvalid)
	}
	if list := must[[]string](t)(s.IDs(t.Context(), "news")); len(list) != 0 {
		t.Errorf("revisions %q", list)
	}
}

// TestDamagedTraining: any other byte is found out, and recording again repairs it.
func TestDamagedTraining(t *testing.T) {
	dir := t.TempDir()
	s, st := open(t, dir), &storeTest{T: t, url: dir}
	r := publish(t, s, 1)
	putTraining(st, s, r, trainingOf(1, 2, 3))
	path := filepath.Join(dir, filepath.FromSlash(trainingKey("news", r)))
	whole := must[[]byte](t)(os.ReadFile(path))
	damage := map[string][]byte{"empty": {}, "cut": whole[:len(whole)-1], "longer": append(slices.Clone(whole), 0), "other": []byte(strings.Repeat("x", 100))}
	for i := range whole {
		flipped := slices.Clone(whole)
		flipped[i] ^= 1
		damage["byte "+string(rune('0'+i%10))] = flipped
		if _, _, err := decodeTraining(flipped, r); err == nil {
			t.Errorf("byte %d may be another", i)
		}
	}
	for name, data := range damage {
		if err := os.WriteFile(path, data, 0o644); err != nil {
			t.Fatal(err)
		}
		_, err := s.Training(t.Context(), "news", r)
		wantError(t, err, ErrCorrupt)
		if hits, unknown, err := s.TrainedOn(t.Context(), "news", "ledger", digestsOf(1)); err != nil || len(hits) != 0 || !slices.Equal(unknown, []string{r}) {
			t.Errorf("%s: trained on it: %v, unknown %v, error %v", name, hits, unknown, err)
		}
		putTraining(st, s, r, trainingOf(1, 2, 3))
		if now := must[[]byte](t)(os.ReadFile(path)); string(now) != string(whole) {
			t.Errorf("%s: it was not repaired", name)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, filepath.FromSlash(trainingKey("news", newModel(t, 2).Revision()))), whole, 0o644); err != nil {
		t.Fatal(err)
	}
	_, err := s.Training(t.Context(), "news", newModel(t, 2).Revision())
	wantError(t, err, ErrCorrupt) // it is of another revision
}

func TestTrainedOn(t *testing.T) {
	each(t, func(t *storeTest) {
		ctx, s := t.Context(), t.open()
		a, b, c, d := publish(t, s, 1), publish(t, s, 2), publish(t, s, 3), publish(t, s, 4)
		putTraining(t, s, a, trainingOf(1, 2, 3))
		putTraining(t, s, b, trainingOf(3, 4))
		other := trainingOf(1)
		other.LedgerID = "another"
		putTraining(t, s, d, other)
		for _, test := range []struct {
			digests [][16]byte
			want    map[string]int
		}{
			{digestsOf(1), map[string]int{a: 1}}, {digestsOf(3, 1, 3), map[string]int{a: 2, b: 1}},
			{digestsOf(5), map[string]int{}}, {nil, map[string]int{}},
		} {
			hits, unknown, err := t.open().TrainedOn(ctx, "news", "ledger", test.digests)
			if err != nil || !maps.Equal(hits, test.want) || !slices.Equal(unknown, sorted(c, d)) {
				t.Errorf("%v: trained on them: %v, want %v; unknown %v; error %v", test.digests, hits, test.want, unknown, err)
			}
		}
	})
}

func TestGCRemovesTrainings(t *testing.T) {
	each(t, func(t *storeTest) {
		ctx, s := t.Context(), t.open()
		a, b := publish(t, s, 1), publish(t, s, 2)
		must[State](t)(s.SetAlias(ctx, "news", Live, b, "", ""))
		lone := newModel(t, 3).Revision() // its publisher died
		for i, r := range []string{a, b, lone} {
			putTraining(t, s, r, trainingOf(byte(i)))
		}
		r := must[Removal](t)(later(t.open(), 48*time.Hour).GC(ctx, "news", Keep{Age: time.Hour}, false))
		if !slices.Equal(r.Revisions, []string{a}) || !slices.Equal(r.Files, []string{lone}) {
			t.Errorf("removed %+v", r)
		}
		s.clock = time.Now
		left := must[[]object](t)(s.bucket.list(ctx, trainingPrefix("news"), 0))
		if len(left) != 1 || left[0].name != b+trainingSuffix {
			t.Errorf("records %v", left)
		}
	})
}

// TestTrainingsAtOnce: of several that record something else, one wins.
func TestTrainingsAtOnce(t *testing.T) {
	each(t, func(t *storeTest) {
		t.open()
		m := newModel(t, 1)
		won := make([]bool, 8)
		together(len(won), func(i int) {
			err := t.stores(i%4).PutTraining(t.Context(), "news", m.Revision(), trainingOf(byte(i)))
			if won[i] = err == nil; !won[i] {
				wantError(t, err, ErrExists)
			}
		})
		got := must[Training](t)(t.first.Training(t.Context(), "news", m.Revision())).Digests
		for i, w := range won {
			if w != (got[0] == digestsOf(byte(i))[0]) {
				t.Errorf("record %d won: %v; it is %v", i, w, got)
			}
		}
	})
}

// TestKilledPublishersOfTrainings: a revision that is seen has its record.
func TestKilledPublishersOfTrainings(t *testing.T) {
	each(t, func(t *storeTest) {
		if t.url == "mem://" {
			t.Skip("ends with its process")
		}
		s, random := t.open(), rand.New(rand.NewPCG(11, 12))
		seen := 0
		for round := range int64(10) {
			p := startChild(t.T, append([]string{"publish-trained", t.url}, modelFiles(t, round)...)...)
			time.Sleep(time.Duration(random.Int64N(int64(25 * time.Millisecond))))
			p.Process.Kill()
			_ = p.Wait() // it was killed
			for _, id := range ids(t, s) {
				seen++
				must[Training](t)(s.Training(t.Context(), "news", id))
			}
		}
		t.Logf("%d revisions were seen", seen)
	})
}

func FuzzTraining(f *testing.F) {
	r := strings.Repeat("ab", 32)
	t := trainingOf(1, 2)
	f.Add(encodeTraining(r, &t))
	f.Add([]byte(trainingMagic))
	f.Fuzz(func(t *testing.T, data []byte) {
		got, digests, err := decodeTraining(data, r)
		if err != nil {
			return
		}
		for i := 0; i < len(digests); i += 16 {
			got.Digests = append(got.Digests, [16]byte(digests[i:]))
		}
		if _, _, err := decodeTraining(encodeTraining(r, &got), r); err != nil {
			t.Errorf("encoded again: %v", err)
		}
	})
}
