package guard

import (
	"bufio"
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"fmt"
	"regexp"
	"strings"
)

// A file of keys has a line for each: the caller's name, its roles, and the
// SHA-256 of its key in hexadecimal digits, separated by spaces. Empty lines and
// those that begin with # say nothing. Keys have 256 random bits, so that their
// hashes tell nothing about them.

// maxKeys is how many keys a file may have: every call is compared with all.
const maxKeys = 100

// maxKeyBytes is the longest key that is looked at.
const maxKeyBytes = 256

// A bearerKey is a line of the file.
type bearerKey struct {
	hash   [sha256.Size]byte
	caller *caller
}

var callerName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._@-]{0,63}$`)

// NewKey returns a new key for a caller, and its line in a file of keys.
func NewKey(name string, role Role) (secret, line string, err error) {
	if !callerName.MatchString(name) {
		return "", "", errCallerName(name)
	}
	secret = "parley-" + rand.Text() + rand.Text()
	hash := sha256.Sum256([]byte(secret))
	return secret, name + " " + role.String() + " " + hex.EncodeToString(hash[:]) + "\n", nil
}

func errCallerName(name string) error {
	return fmt.Errorf("name %q: want at most 64 letters, digits and . _ @ -, a letter or digit first", name)
}

// CheckKeys returns an error when contents are no file of keys.
func CheckKeys(file string, contents []byte) error {
	_, err := parseKeys(file, contents)
	return err
}

// parseKeys reads a file of keys. Its errors quote no hash.
func parseKeys(file string, contents []byte) ([]bearerKey, error) {
	var keys []bearerKey
	lines := bufio.NewScanner(bytes.NewReader(contents))
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimSpace(lines.Text())
		if line == "" || line[0] == '#' {
			continue
		}
		k, err := parseKey(line)
		if err != nil {
			return nil, fmt.Errorf("%s:%d: %w", file, n, err)
		}
		if keys = append(keys, k); len(keys) > maxKeys {
			return nil, fmt.Errorf("%s:%d: more than %d keys, the limit", file, n, maxKeys)
		}
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return keys, nil
}

func parseKey(line string) (bearerKey, error) {
	fields := strings.Fields(line)
	if len(fields) != 3 {
		return bearerKey{}, fmt.Errorf("%d fields: want a name, its roles and the SHA-256 of its key", len(fields))
	}
	if !callerName.MatchString(fields[0]) {
		return bearerKey{}, errCallerName(fields[0])
	}
	role, err := ParseRole(fields[1])
	if err != nil {
		return bearerKey{}, err
	}
	hash, err := hex.DecodeString(fields[2])
	if err != nil || len(hash) != sha256.Size {
		return bearerKey{}, fmt.Errorf("the third field is no SHA-256: want %d hexadecimal digits", 2*sha256.Size)
	}
	return bearerKey{[sha256.Size]byte(hash), &caller{fields[0], role}}, nil
}

// find returns the caller whose key it is, nil if nobody's. How long it takes
// says nothing about the keys.
func find(keys []bearerKey, secret string) *caller {
	if len(secret) > maxKeyBytes {
		return nil
	}
	hash := sha256.Sum256([]byte(secret))
	found := -1
	for i := range keys {
		found = subtle.ConstantTimeSelect(subtle.ConstantTimeCompare(hash[:], keys[i].hash[:]), i, found)
	}
	if found < 0 {
		return nil
	}
	return keys[found].caller
}
