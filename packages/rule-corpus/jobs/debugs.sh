## debugs
#desc a developer who debugs own programs: strace, gdb on a live process, a core dump, valgrind, binutils, a preloaded library, coverage
#in host
#in moby/buildkit:v0.21
#needs gdb strace
export HOME=/home/ann; mkdir -p /home/ann/dbg; cd /home/ann/dbg
printf '#include <stdio.h>\n#include <stdlib.h>\n#include <unistd.h>\nint step(int n){return n+1;}\nint main(int c,char**v){int n=0;FILE*f;for(int i=0;i<(c>1?400:20);i++){n=step(n);f=fopen("/etc/hostname","r");if(f)fclose(f);if(c>1)usleep(10000);}char*p=malloc(10);free(p);return n<0;}\n' > m.c
printf '#define _GNU_SOURCE\n#include <dlfcn.h>\n#include <stdlib.h>\nvoid free(void*p){static void(*f)(void*);if(!f)f=dlsym(RTLD_NEXT,"free");f(p);}\n' > shim.c
cc -g -O0 --coverage -o m m.c; cc -shared -fPIC -o shim.so shim.c -ldl; ./m; gcov -n m.c; LD_PRELOAD=./shim.so ./m; LD_PRELOAD=$PWD/shim.so sh -c './m; ls > /dev/null'; LD_LIBRARY_PATH=. ldd ./m
cc -g -O0 -o m m.c; cc -g -fsanitize=address,undefined -o san m.c && ./san; strace -f -o /tmp/t ./m; strace -c -f sh -c './m; ./m' 2> /dev/null; strace -e openat,connect ls 2>&1 | tail -1; ltrace -c ./m 2> /dev/null
./m slow & p=$!; sleep 0.1; gdb -q -batch -p $p -ex bt -ex 'print n' -ex 'call (int)step(41)' -ex detach; gcore -o /tmp/core $p; strace -p $p -o /tmp/t2 & sleep 0.4; kill $!; cat /proc/$p/maps /proc/$p/status /proc/$p/environ /proc/$p/stack > /dev/null; ls -l /proc/$p/fd; pmap $p > /dev/null; lsof -p $p > /dev/null; kill $p
gdb -q -batch -ex 'break step' -ex run -ex bt -ex 'info registers' -ex 'set var n=5' -ex finish -ex kill ./m; gdb -q -batch -ex 'info functions step' ./m /tmp/core.*; gdb -q -batch -ex run -ex 'generate-core-file /tmp/c2' -ex kill --args ./m; gdbserver --once 127.0.0.1:9876 ./m & sleep 0.3; gdb -q -batch -ex 'target remote 127.0.0.1:9876' -ex continue ./m
readelf -a m > /dev/null; objdump -d m > /dev/null; nm m | wc -l; strings m | head -3; addr2line -e m 0x1139; objcopy --only-keep-debug m m.debug; strip m; objcopy --add-gnu-debuglink=m.debug m; size m; file m; xxd m | head -2; od -c m | head -2; base64 m | base64 -d | cmp - m; valgrind -q ./m; ulimit -c unlimited; sh -c 'kill -SEGV $$'; printf 'int main(){__builtin_trap();}' > t.c; cc -o t t.c; ./t
perf stat true 2> /dev/null; time -p ./m; taskset -c 0 ./m; ionice -c 3 ./m; prlimit --nofile=64 ./m; setarch -R ./m; unshare -r id; PYTHONFAULTHANDLER=1 python3 -X importtime -c 1 2> /dev/null; python3 -c 'import ctypes; print(ctypes.CDLL(None).getpid())'; node --prof -e 0; rm -f isolate*.log
