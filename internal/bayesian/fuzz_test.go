package bayesian

import (
	"bytes"
	"errors"
	"testing"
)

// FuzzRead reads the input as it is, and as the value of a model and of a class
// after their types, in a message of the right length.
func FuzzRead(f *testing.F) {
	models, classes := testdata(f)
	for _, files := range []map[string][]byte{models, classes} {
		for _, file := range files {
			f.Add(file)
			s := stream{rest: string(file)}
			_, _, value := s.firstValue()
			f.Add([]byte(value.rest))
		}
	}
	f.Add([]byte(spelled))
	f.Fuzz(func(t *testing.T, data []byte) {
		checkRead(t, data)
		checkRead(t, []byte(allTypes+msg(i(65), string(data))))
		checkRead(t, []byte(allTypes+msg(i(68), string(data))))
	})
}

// checkRead fails unless reading file takes memory in proportion and either is
// an error or gives what encoding/gob reads. That no longer meets sizes that it
// cannot bear.
func checkRead(t *testing.T, file []byte) {
	t.Helper()
	var model *Classifier
	var class *Class
	var modelErr, classErr error
	taken := allocated(func() {
		model, modelErr = Read(bytes.NewReader(file))
		class, classErr = ReadClass("c", bytes.NewReader(file))
	})
	if taken > 8<<20+32*len(file) { // the fuzzing engine allocates as well
		t.Fatalf("%d bytes taken for %d", taken, len(file))
	}
	if modelErr == nil {
		checkAgainstGob(t, file, model)
	} else if !errors.Is(modelErr, ErrFormat) {
		t.Fatalf("error of no kind: %v", modelErr)
	}
	if classErr == nil {
		checkClassAgainstGob(t, file, class)
	} else if !errors.Is(classErr, ErrFormat) {
		t.Fatalf("error of no kind: %v", classErr)
	}
}
