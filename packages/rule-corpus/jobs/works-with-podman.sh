## works with podman
#desc a developer with containers but no daemon: podman with its own images, builds, exec
#in host
#needs podman runc
#setup mkdir -p /etc/containers; printf '[engine]\ncgroup_manager="cgroupfs"\nevents_logger="file"\nruntime="runc"\n' > /etc/containers/containers.conf; printf '[storage]\ndriver="vfs"\nrunroot="/run/podman"\ngraphroot="/srv/podman"\n' > /etc/containers/storage.conf; printf '{"default":[{"type":"insecureAcceptAnything"}]}\n' > /etc/containers/policy.json
cd /srv; export P='--cgroups=disabled --network none'; mkdir -p tiny/bin tiny/etc tiny/lib/x86_64-linux-gnu tiny/lib64; cp /usr/bin/busybox tiny/bin/; for b in sh ls cat sleep id ps wget; do ln -s busybox tiny/bin/$b; done; for l in $(ldd /usr/bin/busybox | grep -o '/lib[^ ]*'); do mkdir -p tiny/$(dirname $l); cp $l tiny/$l; done; echo root:x:0:0::/:/bin/sh > tiny/etc/passwd
tar c -C tiny . | podman import - tiny:1; podman run --rm $P tiny:1 sh -c 'id; ls /; cat /etc/passwd'; podman run -d --name a $P -v /srv/tiny:/in:ro tiny:1 sh -c 'while :; do ls /in > /tmp/l; sleep 1; done'; for n in 1 2 3; do podman exec a sh -c 'ps; cat /tmp/l; id'; done; podman top a; podman logs a; podman inspect a > /dev/null; podman cp a:/etc/passwd /srv/p; podman diff a
printf 'FROM tiny:1\nRUN sh -c "id > /made"\nCOPY p /p\nCMD ["sh"]\n' > Containerfile; podman build -q --isolation chroot --network host -t tiny:2 .; podman images; podman ps -a; podman rm -f -t 0 a; podman generate kube x 2> /dev/null; podman system prune -f; podman rmi -af
