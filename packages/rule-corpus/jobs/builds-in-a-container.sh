## builds in a container
#desc the steps of an image build: accounts, copies, compilers, set-id bits, cleanup
#in moby/buildkit:v0.21
/bin/sh -c 'mkdir -p /app && adduser --system --group app || useradd -r app'
/bin/sh -c 'cd /usr/share && tar cf - zoneinfo | tar xf - -C /app'
/bin/sh -c 'printf "int main(void){return 0;}" > /app/m.c && cc -O2 -o /app/main /app/m.c && strip /app/main && /app/main'
/bin/sh -c 'cp /usr/bin/busybox /app/tool && chmod 4755 /app/tool && chmod +x /app/main && chown -R app /app'
/bin/sh -c 'printf "#!/bin/sh\nexec /app/main\n" > /usr/local/bin/entry && chmod +x /usr/local/bin/entry && /usr/local/bin/entry'
/bin/sh -c 'echo {} > /app/package.json && cd /app && node -e 1 && python3 -m compileall -q /app'
/bin/sh -c 'rm -rf /var/lib/apt/lists/* /var/cache/apt /tmp/* /usr/share/man/man1'
/bin/sh -c 'echo app:x:1:1::/app:/bin/sh > /dev/null; ldconfig; find / -xdev -perm -4000 -type f > /dev/null'
