// Package place reads and writes files on disk, in S3, and in Google Cloud
// Storage (with the build tag gcs): what a cluster's workers can all reach.
//
// Files in buckets are named s3://BUCKET/KEY, with the parameters of
// gocloud.dev/blob behind a question mark (region, endpoint, ...). The same keys
// and environment variables open them as open a store of models.
package place

import (
	"context"
	"fmt"
	"strings"
	"sync"

	"gocloud.dev/blob"
	_ "gocloud.dev/blob/s3blob" // s3://
)

// An address is a file or folder in a bucket.
type address struct {
	bucket string // URL of the bucket, with its parameters
	name   string // of the bucket, without them
	key    string
}

// parse takes an address apart; remote is false for a path on disk.
func parse(url string) (a address, remote bool, err error) {
	scheme, rest, isURL := strings.Cut(url, "://")
	switch {
	case !isURL:
		return a, false, nil
	case scheme == "gs" && !withGCS:
		return a, true, fmt.Errorf("%s: this program was built without Google Cloud Storage: build it with -tags gcs", Bare(url))
	case scheme != "s3" && scheme != "gs":
		return a, true, fmt.Errorf("%s: want a path, s3://BUCKET/KEY or gs://BUCKET/KEY", Bare(url))
	}
	rest, parameters, _ := strings.Cut(rest, "?")
	host, key, _ := strings.Cut(rest, "/")
	if host == "" {
		return a, true, fmt.Errorf("%s: no bucket is named", Bare(url))
	}
	a = address{bucket: scheme + "://" + host, name: scheme + "://" + host, key: key}
	if parameters != "" {
		a.bucket += "?" + parameters
	}
	return a, true, nil
}

// Bare is a URL without its parameters, which may be nobody's business.
func Bare(url string) string {
	if !strings.Contains(url, "://") {
		return url
	}
	name, _, _ := strings.Cut(url, "?")
	return name
}

// opened are the buckets that this process has opened, by URL. They stay open.
var opened sync.Map

type opening struct {
	once   sync.Once
	bucket *blob.Bucket
	err    error
}

// open opens the bucket of an address, once in a process.
func (a address) open(ctx context.Context) (*blob.Bucket, error) {
	value, _ := opened.LoadOrStore(a.bucket, &opening{})
	o := value.(*opening)
	o.once.Do(func() { o.bucket, o.err = blob.OpenBucket(context.WithoutCancel(ctx), a.bucket) })
	if o.err != nil {
		return nil, fmt.Errorf("%s: %s", a.name, strings.ReplaceAll(o.err.Error(), a.bucket, a.name))
	}
	return o.bucket, nil
}
