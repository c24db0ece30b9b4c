//go:build gcs

package place

import _ "gocloud.dev/blob/gcsblob" // gs://

const withGCS = true
