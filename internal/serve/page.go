package serve

import (
	"encoding/base64"
	"slices"
	"strconv"
	"strings"

	parleyv1 "github.com/parley-nlp/parley/proto/parley/v1"
)

// defaultPage is how many revisions a page has when the caller does not say.
const defaultPage = 100

// pageOf returns the part of list that follows the revision a token names, and the
// token of the page after it. list is ordered newest first. When the revision is
// gone, the page begins with the first that is older.
func pageOf(list []*parleyv1.ModelRevision, token string, size int) (page []*parleyv1.ModelRevision, next string, err error) {
	if token != "" {
		name, published, ok := parseToken(token)
		if !ok {
			return nil, "", errPageToken()
		}
		at := slices.IndexFunc(list, func(r *parleyv1.ModelRevision) bool { return r.GetName() == name })
		if at < 0 {
			at = slices.IndexFunc(list, func(r *parleyv1.ModelRevision) bool { return publishedAt(r) < published }) - 1
			if at < -1 {
				at = len(list) - 1
			}
		}
		list = list[at+1:]
	}
	if size == 0 {
		size = defaultPage
	}
	if len(list) <= size {
		return list, "", nil
	}
	return list[:size], tokenOf(list[size-1]), nil
}

// publishedAt is when a revision was published, in nanoseconds since 1970; 0 when
// nobody knows.
func publishedAt(r *parleyv1.ModelRevision) int64 {
	if r.GetPublishTime() == nil {
		return 0
	}
	return r.GetPublishTime().AsTime().UnixNano()
}

// tokenOf is the token of the page that follows last.
func tokenOf(last *parleyv1.ModelRevision) string {
	return base64.RawURLEncoding.EncodeToString([]byte(strconv.FormatInt(publishedAt(last), 10) + " " + last.GetName()))
}

func parseToken(token string) (name string, published int64, ok bool) {
	text, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil {
		return "", 0, false
	}
	digits, name, ok := strings.Cut(string(text), " ")
	published, err = strconv.ParseInt(digits, 10, 64)
	return name, published, ok && err == nil
}
