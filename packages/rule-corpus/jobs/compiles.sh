## compiles
#desc a developer in C: make, libraries, tests, an installation
#in host
#in moby/buildkit:v0.21
mkdir -p /home/ann/app/src && cd /home/ann/app
for n in $(seq 1 12); do printf '#include <stdio.h>\n#include <stdlib.h>\n#include <string.h>\nint f%d(int x){char b[64];snprintf(b,64,"%%d",x);return atoi(b)+%d;}\n' $n $n > src/f$n.c; done
{ for n in $(seq 1 12); do echo "int f$n(int);"; done; echo 'int main(void){int s=0;'; for n in $(seq 1 12); do echo "s+=f$n(s);"; done; echo 'return s<0;}'; } > src/main.c
printf 'OBJ=$(patsubst %%.c,%%.o,$(wildcard src/*.c))\napp: $(OBJ)\n\tcc -o $@ $^\nlib.a: $(OBJ)\n\tar rcs $@ $^\ntest: app\n\t./app\nclean:\n\trm -f src/*.o app lib.a\n' > Makefile
printf 'int main(void){return 0;}' > /tmp/conftest.c && cc -o /tmp/conftest /tmp/conftest.c && /tmp/conftest
make -j2 app lib.a test && strip app && install -m 755 app /usr/local/bin/lab-app && make clean
