## builds with Go
#desc a developer or build server with Go: generated code, build, tests, a server with its client, a cache in the home folder
#in host
#needs go
export HOME=/home/ann PATH=/usr/local/go/bin:$PATH GOTOOLCHAIN=local GOPROXY=off GOFLAGS=-mod=mod CGO_ENABLED=0; mkdir -p /home/ann/svc/store; cd /home/ann/svc
cat > main.go <<'G'
package main

import (
	"fmt"
	"lab/svc/store"
	"net"
	"os"
	"os/exec"
)

//go:generate sh -c "echo package main > gen.go"
func main() {
	l, err := net.Listen("tcp", "127.0.0.1:8086")
	if err != nil { panic(err) }
	go func() { for { c, err := l.Accept(); if err != nil { return }; c.Write([]byte("ok\n")); c.Close() } }()
	for n := 0; n < 200; n++ { c, err := net.Dial("tcp", l.Addr().String()); if err == nil { c.Close() }; store.Put(n) }
	out, _ := exec.Command("sh", "-c", "uname -r").Output()
	fmt.Println(string(out), os.Getpid())
}
G
printf 'package store\n\nimport ("fmt"; "os")\n\nfunc Put(n int) error { return os.WriteFile(fmt.Sprintf("/tmp/store%%d", n%%30), []byte("x"), 0o600) }\n' > store/store.go
printf 'package store\n\nimport "testing"\n\nfunc TestPut(t *testing.T) { if err := Put(1); err != nil { t.Fatal(err) } }\nfunc BenchmarkPut(b *testing.B) { for n := 0; n < b.N && n < 500; n++ { Put(n) } }\n' > store/store_test.go
go mod init lab/svc; go generate; gofmt -l .; go build -o svc . && ./svc; go test -count 1 ./store; go build -ldflags '-s -w' -trimpath -o /usr/local/bin/svc . && svc; go env > /dev/null; go list -m
