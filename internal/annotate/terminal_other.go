//go:build !unix

package annotate

// watchSignals: there are none of those signals here.
func watchSignals(*terminal) (stop func()) { return func() {} }

// suspend: there is no such thing here.
func (t *terminal) suspend() error { return nil }
