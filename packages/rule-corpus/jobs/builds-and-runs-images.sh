## builds and runs images
#desc a build server or developer with Docker, who builds, runs, inspects, saves and removes images
#in host
#needs dockerd runc base.tar
mkdir -p /srv/image/files/etc; cd /srv/image
. /opt/lab/lib.sh; engine
export DOCKER_BUILDKIT=0 DOCKER_CONFIG=/srv/docker-client
docker import /opt/engine/base.tar debian:12
printf '#!/bin/sh\necho started\nwhile :; do date > /tmp/last; sleep 1; done\n' > files/entry.sh; cp /usr/bin/busybox files/tool; echo key=1 > files/etc/app.conf
for n in $(seq 1 100); do echo "line $n" > files/$n.txt; done
cat > Dockerfile <<'D'
FROM debian:12
RUN useradd -r -d /app app && mkdir -p /app && chown app /app
COPY files/ /app/
RUN chmod 755 /app/entry.sh && ln -s /app/tool /usr/local/bin/tool && cp /app/etc/app.conf /etc/ && ldconfig
RUN dpkg -l | wc -l && apt-get clean && rm -rf /var/lib/apt/lists/* /tmp/* && find / -xdev -perm -4000 -type f
RUN perl -e 'print "ok\n"' && sh -c 'set -e; for f in /app/*.txt; do md5sum $f; done > /app/sums' && tar czf /app/files.tgz -C /app etc
USER app
WORKDIR /app
HEALTHCHECK --interval=1s CMD test -f /tmp/last
ENTRYPOINT ["/app/entry.sh"]
D
docker build -q --network none -t shop/app:1 . ; docker build -q --network none -t shop/app:2 --label release=2 .
docker run -d --name app --network none shop/app:1; docker run -d --name cache --network none --read-only --tmpfs /tmp --user app shop/app:2
docker run --rm --network none -v /srv/image:/src:ro --entrypoint sh shop/app:1 -c 'ls -la /src; id; cat /etc/os-release > /dev/null'
docker exec app sh -c 'ps aux || ls /proc; cat /etc/hosts; env'; docker exec -u root app sh -c 'echo debug=1 >> /etc/app.conf; kill -0 1'
docker logs app; docker inspect app; docker stats --no-stream app; docker top app; docker cp app:/etc/app.conf /srv/image/back.conf; docker cp back.conf app:/tmp/; docker diff app
sleep 3; docker ps; docker restart -t 1 cache; docker commit cache shop/cache:1; docker save shop/app:1 | gzip -1 > /srv/app.tgz; docker image ls; docker system df
docker stop -t 1 app cache; docker rm app cache; docker image prune -f; docker rmi shop/app:2; docker volume prune -f
kill "$(cat /run/docker.pid)"; wait
