package model

import (
	"bytes"
	"fmt"
	"math"
)

// selfTestTexts are classified when a model is built and again whenever it is
// read: other answers mean that this program would not serve the model that
// was evaluated. They are constants, so that no training text travels in a
// file, and they cover what texts are made of. Changing them takes a new
// ExtractorVersion.
var selfTestTexts = [...]string{
	"",
	"The talks could bring a ceasefire, officials said, but nobody expects a quick deal on territory.",
	"Is peace near? Markets doubt it! Oil rose 1.5% after the president's remarks; sanctions stay.",
	"No. Don't believe a word of it: Europe isn't at the table and won't be.",
	"Follow @desk for updates #summit https://example.com/live?x=1 (c) 2025",
	"ÉTÉ e\u0301te\u0301 Straße Київ Москва Ελλάδα",
	"首脳会談は金曜日にアラスカで行われる。",
	"qwrtzx vbnmlk qqqq",
	"the the the the and and of",
}

// A selfTestQuestion is a text, and what it is said to be about.
type selfTestQuestion struct{ text, target string }

// selfTestQuestions are the texts alone, and with the first target of each head
// that has any.
func selfTestQuestions(s *Spec) []selfTestQuestion {
	targets := []string{""}
	for _, h := range s.Heads {
		if len(h.Targets) > 0 {
			targets = append(targets, h.Targets[0].Name)
		}
	}
	var list []selfTestQuestion
	for _, target := range targets {
		for _, text := range selfTestTexts {
			list = append(list, selfTestQuestion{text, target})
		}
	}
	return list
}

// selfTestBytes is the length of the answers in a file.
func (m *Model) selfTestBytes() int {
	labels := 0
	for _, h := range m.spec.Heads {
		labels += len(h.Labels)
	}
	return len(selfTestQuestions(&m.spec)) * (8 + 16*labels)
}

// appendSelfTest appends the model's answers to the self-test texts.
func (m *Model) appendSelfTest(b []byte) []byte {
	c := m.NewClassifier()
	for _, q := range selfTestQuestions(&m.spec) {
		r := c.Classify(q.text, q.target)
		b = le.AppendUint32(b, uint32(r.Words))
		b = le.AppendUint32(b, uint32(r.KnownWords))
		for _, p := range r.Predictions {
			for i := range p.Raw {
				b = le.AppendUint64(b, uint64(p.Raw[i]))
				b = appendFloat(b, p.Probabilities[i])
			}
		}
	}
	return b
}

// selfTest returns an ErrSelfTest that says where the model's answers differ
// from want, those in its file.
func (m *Model) selfTest(want []byte) error {
	got := m.appendSelfTest(nil)
	n := len(selfTestQuestions(&m.spec))
	block := len(got) / n
	for text := range n {
		g, w := got[text*block:][:block], want[text*block:][:block]
		if !bytes.Equal(g, w) {
			return fmt.Errorf("%w: text %d: %s", ErrSelfTest, text, m.difference(g, w))
		}
	}
	return nil
}

// difference says how the answers to one self-test text differ.
func (m *Model) difference(got, want []byte) string {
	if !bytes.Equal(got[:8], want[:8]) {
		return fmt.Sprintf("%d of %d words known, the file says %d of %d",
			le.Uint32(got[4:]), le.Uint32(got), le.Uint32(want[4:]), le.Uint32(want))
	}
	for _, h := range m.spec.Heads {
		for _, label := range h.Labels {
			got, want = got[8:], want[8:]
			g, w := int64(le.Uint64(got)), int64(le.Uint64(want))
			got, want = got[8:], want[8:]
			p, q := math.Float64frombits(le.Uint64(got)), math.Float64frombits(le.Uint64(want))
			if g != w || p != q {
				return fmt.Sprintf("%s %q: score %d with probability %v, the file says %d with %v", h.Name, label, g, p, w, q)
			}
		}
	}
	return "probabilities differ"
}
