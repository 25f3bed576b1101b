## checks the health of a container
#desc a web server in a container with frequent health checks by a shell
#in shop/web:3
busybox httpd -p 127.0.0.1:8081 -h /usr/share/doc & sleep 0.2
for n in $(seq 1 15); do /bin/sh -c 'curl -fs http://localhost:8081/ > /dev/null || exit 1'; wget -qO- http://127.0.0.1:8081/bash/copyright > /dev/null; /bin/sh -c 'test -f /etc/hosts'; done
for n in $(seq 1 100); do echo "$n GET /" >> /var/log/app.log; done; ls /proc/1/; cat /proc/meminfo > /dev/null; getent hosts localhost
