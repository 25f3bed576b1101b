## works in containers
#desc a person or an orchestrator with containerd and podman containers: runs, exec sessions, probes, copies, logs, sets of containers as in Compose
#in host
#needs dockerd runc base.tar containerd ctr
mkdir -p /srv/ctr; . /opt/lab/lib.sh; engine; export DOCKER_CONFIG=/srv/docker-client; docker import /opt/engine/base.tar debian:12
docker volume create data; for name in db api worker; do docker run -d --name $name --network none -v data:/data --memory 128m --cpus 0.5 --restart on-failure -e ROLE=$name debian:12 sh -c 'while :; do echo "$ROLE $(date +%s)" >> /data/$ROLE.log; sleep 1; done'; done
for name in db api worker; do docker exec $name sh -c 'ls -la /data; cat /proc/1/cmdline; id; env | sort; cat /etc/os-release > /dev/null; df -h'; docker exec -e A=1 -w /tmp $name bash -c 'echo hello > note; cat note; hostname; ps; ls /proc | wc -l'; done
for n in 1 2 3; do for name in db api worker; do docker exec $name test -f /data/$name.log; docker exec $name sh -c 'tail -n 1 /data/*.log'; done; done
script -qec 'docker exec -it api bash -c "ls; whoami; exit"' /dev/null < /dev/null; tar cf - -C /etc hosts | docker cp - api:/tmp; docker cp api:/data /srv/ctr/; docker exec -u nobody api id; docker exec worker sh -c 'apt-get -v; dpkg -l | wc -l; useradd x; echo conf=1 > /etc/app.conf; kill -HUP 1; chmod 600 /etc/app.conf'
docker run --rm --network none debian:12 sh -c 'for n in 1 2 3 4 5; do (sleep 0.1; true) & done; wait'; docker run --rm --network none --cap-drop ALL --security-opt no-new-privileges --read-only debian:12 id; docker run --rm --network host debian:12 ls /sys/class/net; docker run --rm --network none --cap-add NET_ADMIN --cap-add SYS_PTRACE --ulimit nofile=1024 debian:12 sh -c 'cat /proc/self/status > /dev/null'
docker pause db; docker unpause db; docker update --memory 96m api; docker restart -t 1 worker; docker kill -s HUP db; docker wait db & docker logs --tail 3 api; docker events --since 1m --until "$(date +%s)" > /dev/null; docker rm -f db api worker; docker volume rm data
docker save debian:12 -o /srv/ctr/i.tar; C='ctr -a /run/docker/containerd/containerd.sock -n lab'; $C images import --base-name debian /srv/ctr/i.tar; $C images ls; $C containers ls; $C version; kill "$(cat /run/docker.pid)"; wait
