#!/bin/sh
# day.sh SECONDS DIR - runs various programs of an ordinary host again and again, with few repeated paths.
# Each round also has actions that rules match, so that the mix contains some alerts.
end=$(($(date +%s) + $1))
dir=$2
mkdir -p "$dir/day"
cd "$dir/day" || exit 1

build() {
	for n in 1 2 3; do
		printf '#include <stdio.h>\n#include <sys/socket.h>\nint main(void) { printf("%d"); return 0; }\n' "$n" >"part$n.c"
		cc -c -o "part$n.o" "part$n.c"
	done
	cc -o program part?.c 2>/dev/null
	rm -f part?.c part?.o program
}

administer() {
	id; uname -a; uptime; df /; free; ps ax | head -3; date; env | sort | head -3
	ls -l /etc /var/log; stat /usr/bin/env; du -s /etc/ssl; hostname; who; tail -2 /etc/group
	for user in $(cut -d: -f1 /etc/passwd | head -5); do getent passwd "$user"; done
}

search() {
	find /etc -xdev -maxdepth 2 -type f | tail -$((60 + $1 % 50)) | xargs -n 20 grep -ls root
	tar cf - /etc/ssl 2>/dev/null | gzip -1 | wc -c
	ls /usr/lib /usr/share | tail -n +$(($1 % 100)) | head -20 | xargs -n 2 basename -a
}

script() {
	i=0
	while [ $i -lt 100 ]; do
		echo "line $i of $1" >"file$i.txt"
		sed "s/line/LINE/" "file$i.txt" | tr a-z A-Z | awk '{ print $2 }' >"out$i.log"
		i=$((i + 1))
	done
	cat out*.log | sort -u | head -5
	rm -f file*.txt out*.log
}

suspicious() {
	cat /etc/shadow
	cp /bin/true ./hidden && chmod u+s ./hidden && ./hidden
	echo aGVsbG8= | base64 -d | sh
	rm -f ./hidden
}

round=0
while [ "$(date +%s)" -lt "$end" ]; do
	build
	administer
	search $round
	script $round
	[ $((round % 4)) -eq 3 ] && suspicious
	round=$((round + 1))
done >/dev/null 2>&1
rm -rf "$dir/day"
