// An S3 server for tests: one bucket in a directory. It refuses a request whose signature differs from the one that
// AWS's own signer computes, and a body that differs from its signed hash.
package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	signer "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3afero"
	"github.com/spf13/afero"
)

var authorization = regexp.MustCompile(
	`^AWS4-HMAC-SHA256 Credential=([^/]+)/\d{8}/([^/]+)/s3/aws4_request, ?SignedHeaders=([^,]+), ?Signature=[0-9a-f]{64}$`)

// Arguments: address, directory, bucket, region, access key, secret key.
func main() {
	address, directory, bucket, region := os.Args[1], os.Args[2], os.Args[3], os.Args[4]
	credentials := aws.Credentials{AccessKeyID: os.Args[5], SecretAccessKey: os.Args[6]}
	files := afero.NewBasePathFs(afero.NewOsFs(), filepath.Join(directory, "objects"))
	meta := afero.NewBasePathFs(afero.NewOsFs(), filepath.Join(directory, "meta"))
	backend, err := s3afero.SingleBucket(bucket, files, meta)
	if err != nil {
		log.Fatal(err)
	}
	store := gofakes3.New(backend).Server()
	server := http.HandlerFunc(func(response http.ResponseWriter, request *http.Request) {
		if request.URL.Path == "/ready" {
			return
		}
		if code := refusal(request, credentials, region); code != "" {
			log.Println(request.Method, request.URL.Path, code)
			response.WriteHeader(http.StatusForbidden)
			fmt.Fprintf(response, "<Error><Code>%s</Code></Error>", code)
			return
		}
		store.ServeHTTP(response, request)
	})
	log.Fatal(http.ListenAndServe(address, server))
}

// Returns S3's code of the reason to refuse a request, or an empty string.
func refusal(request *http.Request, credentials aws.Credentials, region string) string {
	match := authorization.FindStringSubmatch(request.Header.Get("Authorization"))
	if match == nil {
		return "AccessDenied"
	}
	if match[1] != credentials.AccessKeyID {
		return "InvalidAccessKeyId"
	}
	if match[2] != region {
		return "AuthorizationHeaderMalformed"
	}
	at, err := time.Parse("20060102T150405Z", request.Header.Get("X-Amz-Date"))
	if err != nil || time.Since(at).Abs() > 15*time.Minute {
		return "RequestTimeTooSkewed"
	}
	body, err := io.ReadAll(request.Body)
	if err != nil {
		return "IncompleteBody"
	}
	request.Body = io.NopCloser(bytes.NewReader(body))
	hash := request.Header.Get("X-Amz-Content-Sha256")
	if sum := sha256.Sum256(body); hash != hex.EncodeToString(sum[:]) {
		return "XAmzContentSHA256Mismatch"
	}
	credentials.SessionToken = request.Header.Get("X-Amz-Security-Token")
	signed := request.Clone(request.Context())
	signed.Header = http.Header{}
	signed.ContentLength = 0
	for _, name := range strings.Split(match[3], ";") {
		if value := request.Header.Get(name); value != "" {
			signed.Header.Set(name, value)
		}
	}
	signed.URL.Host = request.Host
	signed.URL.RawPath = escape(request.URL.Path)
	err = signer.NewSigner(func(options *signer.SignerOptions) { options.DisableURIPathEscaping = true }).
		SignHTTP(request.Context(), credentials, signed, hash, "s3", region, at)
	if err != nil || signature(signed) != signature(request) {
		return "SignatureDoesNotMatch"
	}
	return ""
}

func signature(request *http.Request) string {
	value := request.Header.Get("Authorization")
	return value[strings.LastIndex(value, "=")+1:]
}

// Escapes a path as the canonical request of AWS has it: all but unreserved characters and slashes.
func escape(path string) string {
	var escaped strings.Builder
	for _, character := range []byte(path) {
		isPlain := character >= 'a' && character <= 'z' || character >= 'A' && character <= 'Z' ||
			character >= '0' && character <= '9' || strings.IndexByte("/-._~", character) >= 0
		if isPlain {
			escaped.WriteByte(character)
		} else {
			fmt.Fprintf(&escaped, "%%%02X", character)
		}
	}
	return escaped.String()
}
