// Package quote writes names into messages.
package quote

import (
	"strconv"
	"strings"
)

// most is how many names a message lists.
const most = 20

// List quotes names, and says how many more there are than a message lists.
func List(names []string) string {
	var list []string
	for _, n := range names[:min(len(names), most)] {
		list = append(list, strconv.Quote(n))
	}
	s := strings.Join(list, ", ")
	if more := len(names) - most; more > 0 {
		s += " and " + strconv.Itoa(more) + " more"
	}
	return s
}
