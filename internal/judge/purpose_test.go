package judge

import "testing"

func TestParsePurpose(t *testing.T) {
	for _, test := range []struct {
		in   string
		want Purpose
	}{
		{"precision>=0.9", Purpose{"", 0.9}},
		{"AGAINST:precision>=0.95", Purpose{"AGAINST", 0.95}},
		{"no: not now:precision>=0.5", Purpose{"no: not now", 0.5}},
	} {
		got, err := ParsePurpose(test.in)
		if err != nil || got != test.want {
			t.Errorf("%q: got %v, %v, want %v", test.in, got, err, test.want)
		}
		if got.String() != test.in {
			t.Errorf("%q: written as %q", test.in, got)
		}
	}
}

func TestParsePurposeErrors(t *testing.T) {
	for _, test := range []struct{ in, want string }{
		{"", `purpose "": want precision>=0.9 or LABEL:precision>=0.9`},
		{"recall>=0.9", `purpose "recall>=0.9": want precision>=0.9 or LABEL:precision>=0.9`},
		{"precision>0.9", `purpose "precision>0.9": want precision>=0.9 or LABEL:precision>=0.9`},
		{":precision>=0.9", `purpose ":precision>=0.9": no label before the colon`},
		{"precision>=90%", `purpose "precision>=90%": want a precision between 0 and 1, got "90%"`},
		{"precision>=1", `purpose "precision>=1": want a precision between 0 and 1, got "1"`},
		{"precision>=0", `purpose "precision>=0": want a precision between 0 and 1, got "0"`},
		{"precision>=NaN", `purpose "precision>=NaN": want a precision between 0 and 1, got "NaN"`},
	} {
		if _, err := ParsePurpose(test.in); err == nil || err.Error() != test.want {
			t.Errorf("%q: got %v, want %s", test.in, err, test.want)
		}
	}
}
