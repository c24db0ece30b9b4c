package guard

import (
	"fmt"
	"strings"
	"testing"
)

func TestKeys(t *testing.T) {
	var file strings.Builder
	secrets := map[string]string{}
	for _, role := range []Role{Scorer, Reader | Scorer, Admin} {
		name := "caller." + strings.ReplaceAll(role.String(), "+", "@")
		secret, line, err := NewKey(name, role)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(line, secret) {
			t.Errorf("the line %q has the key %s", line, secret)
		}
		secrets[name] = secret
		fmt.Fprintf(&file, "# %s\n\n  %s", name, line)
	}
	keys, err := parseKeys("keys", []byte(file.String()))
	if err != nil || len(keys) != 3 {
		t.Fatalf("%d keys, error %v, want 3", len(keys), err)
	}
	for name, secret := range secrets {
		who := find(keys, secret)
		if who == nil || who.name != name || strings.ReplaceAll(who.role.String(), "+", "@") != strings.TrimPrefix(name, "caller.") {
			t.Errorf("the key of %s is that of %+v", name, who)
		}
		for _, wrong := range []string{secret + " ", secret[1:], strings.ToLower(secret), ""} {
			if who := find(keys, wrong); who != nil {
				t.Errorf("%q is the key of %+v", wrong, who)
			}
		}
	}
	if who := find(nil, ""); who != nil {
		t.Errorf("without keys there is %+v", who)
	}
}

func TestKeyErrors(t *testing.T) {
	hash := strings.Repeat("ab", 32)
	for _, c := range []struct{ file, want string }{
		{"a scorer " + hash + "\n\nb scorer\n", "keys:3: 2 fields: want a name, its roles and the SHA-256 of its key"},
		{"a boss " + hash, `keys:1: role "boss": want scorer, reader, operator, labeler, relay, auditor, curator, eraser or admin, several separated by +`},
		{"a scorer+ " + hash, `keys:1: role "": want scorer, reader, operator, labeler, relay, auditor, curator, eraser or admin, several separated by +`},
		{"a scorer " + hash[1:], "keys:1: the third field is no SHA-256: want 64 hexadecimal digits"},
		{"a scorer " + hash + "00", "keys:1: the third field is no SHA-256: want 64 hexadecimal digits"},
		{"-a scorer " + hash, `keys:1: name "-a": want at most 64 letters, digits and . _ @ -, a letter or digit first`},
		{strings.Repeat("a scorer "+hash+"\n", maxKeys+1), "keys:101: more than 100 keys, the limit"},
		{strings.Repeat("x", 1<<17), "keys: bufio.Scanner: token too long"},
	} {
		if keys, err := parseKeys("keys", []byte(c.file)); err == nil || err.Error() != c.want || keys != nil {
			t.Errorf("%.30q: got %v, want %s", c.file, err, c.want)
		}
	}
	if _, _, err := NewKey("two words", Admin); err == nil {
		t.Error("a name of two words was taken")
	}
}

func TestParseCertificateRoles(t *testing.T) {
	for _, c := range []struct{ rule, want string }{
		{"scorer", `"scorer": want ROLE=PATTERN, such as scorer=dns:*.example`},
		{"boss=*", `"boss=*": role "boss": want scorer, reader, operator, labeler, relay, auditor, curator, eraser or admin, several separated by +`},
		{"scorer=", `"scorer=": pattern "": want dns:NAME, a URI or *`},
		{"scorer=dns:", `"scorer=dns:": pattern "dns:": want dns:NAME, a URI or *`},
		{"scorer=dns:a,b.example", `"scorer=dns:a,b.example": pattern "b.example": want dns:NAME, a URI or *`},
		{"scorer=spiffe://*/x/*", `"scorer=spiffe://*/x/*": pattern "spiffe://*/x/*" has more than one *`},
	} {
		if list, err := ParseCertificateRoles(c.rule); err == nil || err.Error() != c.want {
			t.Errorf("%s: got %v, %v, want %s", c.rule, list, err, c.want)
		}
	}
	list, err := ParseCertificateRoles("reader+scorer=spiffe://example/*,*")
	if err != nil || len(list) != 2 || list[1].role.String() != "scorer+reader" || list[1].pattern != "*" {
		t.Errorf("got %v, error %v", list, err)
	}
}

func TestFits(t *testing.T) {
	for _, c := range []struct {
		name, pattern string
		want          bool
	}{
		{"dns:a.example", "dns:a.example", true},
		{"dns:a.example", "dns:b.example", false},
		{"dns:a.example", "dns:*.example", true},
		{"dns:.example", "dns:*.example", true},
		{"dns:example", "dns:*.example", false},
		{"dns:a.example.evil", "dns:*.example", false},
		{"spiffe://example/a/b", "spiffe://example/*", true},
		{"spiffe://example.evil/a", "spiffe://example/*", false},
		{"ab", "ab*b", false},
		{"abb", "ab*b", true},
	} {
		if got := fits(c.name, c.pattern); got != c.want {
			t.Errorf("%s, %s: got %t", c.name, c.pattern, got)
		}
	}
}

func FuzzParseKeys(f *testing.F) {
	f.Add([]byte("a scorer " + strings.Repeat("ab", 32) + "\n# x\n"))
	f.Fuzz(func(t *testing.T, file []byte) {
		keys, err := parseKeys("keys", file)
		if (err != nil) == (keys != nil) && len(keys) > 0 || len(keys) > maxKeys {
			t.Errorf("%d keys, error %v", len(keys), err)
		}
		for _, k := range keys {
			if k.caller.role == 0 || !callerName.MatchString(k.caller.name) {
				t.Errorf("caller %+v", k.caller)
			}
		}
	})
}
