package model

import (
	"runtime"
	"testing"
)

// MemoryBytes is close to what the heap grows by.
func TestMemoryBytes(t *testing.T) {
	const models = 8
	f := Features{Words: 1}
	var words []string
	for i := range 20_000 {
		words = append(words, "w"+string(rune('a'+i%26))+string(rune('a'+i/26%26))+string(rune('a'+i/676)))
	}
	file := tiny(t, f, words...).Bytes()
	kept := make([]*Model, models)
	before := heap()
	for i := range kept {
		m, err := Parse(append([]byte(nil), file...))
		if err != nil {
			t.Fatal(err)
		}
		kept[i] = m
	}
	grown, said := float64(heap()-before), float64(models)*float64(kept[0].MemoryBytes())
	if grown < said*0.9 || grown > said*1.3 {
		t.Errorf("the heap grew by %.0f bytes, the models say %.0f", grown, said)
	}
	runtime.KeepAlive(kept)
}

func heap() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
