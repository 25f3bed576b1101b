## runs services
#desc a server whose services are started, reloaded, restarted and inspected by init scripts, systemd's tools and a supervisor
#in host
#needs cron sshd rsyslogd
#setup id sshd > /dev/null 2>&1 || useradd -r -d /run/sshd -s /usr/sbin/nologin sshd; mkdir -p /run/sshd /var/spool/cron/crontabs /var/spool/rsyslog; ssh-keygen -A
printf '#!/bin/sh\n### BEGIN INIT INFO\n# Provides: lab\n# Required-Start:\n# Required-Stop:\n# Default-Start: 2 3 4 5\n# Default-Stop: 0 1 6\n### END INIT INFO\ncase $1 in\nstart) start-stop-daemon --start --quiet --background --make-pidfile --pidfile /run/lab.pid --chuid nobody --exec /bin/sleep -- 100 ;;\nstop) start-stop-daemon --stop --quiet --retry 1 --pidfile /run/lab.pid ;;\nrestart) $0 stop; $0 start ;;\nreload) start-stop-daemon --stop --signal CONT --quiet --pidfile /run/lab.pid ;;\nstatus) start-stop-daemon --status --pidfile /run/lab.pid ;;\nesac\n' > /etc/init.d/lab; chmod 755 /etc/init.d/lab; update-rc.d lab defaults; update-rc.d lab enable
for n in 1 2; do for s in lab cron; do service $s start; service $s status; service $s reload; service $s restart; service $s stop; done; done; service --status-all; invoke-rc.d lab start; invoke-rc.d lab stop; update-rc.d lab remove; rm /etc/init.d/lab
rsyslogd -n -f /etc/rsyslog.conf -i /run/rsyslog.pid & r=$!; sleep 0.6; for n in $(seq 1 30); do logger -t app "line $n"; done; kill -HUP $r; savelog -n -c 3 /var/log/syslog; kill -HUP $r; logger again; sleep 0.3; kill $r
printf 'Port 2222\n' > /srv/sshd; /usr/sbin/sshd -f /srv/sshd -p 2222 -o ListenAddress=127.0.0.1 -o PidFile=/run/s.pid; sleep 0.3; kill -HUP "$(cat /run/s.pid)"; sleep 0.3; kill "$(cat /run/s.pid)"
printf 'd /run/lab 0755 root root 1d\nf /run/lab/x 0644 root root - y\n' > /etc/tmpfiles.d/lab.conf; systemd-tmpfiles --create lab.conf; systemd-tmpfiles --clean lab.conf; printf 'u lab - "lab" /run/lab\n' > /srv/lab.conf; systemd-sysusers /srv/lab.conf; systemd-analyze verify /lib/systemd/system/cron.service; systemd-escape a/b; systemd-path > /dev/null; systemd-id128 new; systemctl --root=/ enable cron ssh; systemctl --root=/ mask cron; systemctl --root=/ unmask cron; mkdir -p /etc/systemd/system/cron.service.d; printf '[Service]\nRestart=always\n' > /etc/systemd/system/cron.service.d/o.conf; systemctl daemon-reload; systemctl cat cron; systemctl --root=/ preset cron; printf '[Timer]\nOnCalendar=daily\n[Install]\nWantedBy=timers.target\n' > /etc/systemd/system/lab.timer; printf '[Service]\nType=oneshot\nExecStart=/bin/true\n' > /etc/systemd/system/lab.service; systemctl --root=/ enable lab.timer; systemctl list-timers; systemctl --root=/ disable lab.timer; rm /etc/systemd/system/lab.*
cat > /srv/super.py <<'P'
import subprocess, time
# A supervisor that restarts a worker when it ends.
end = time.time() + 5; work = {}
while time.time() < end:
    for name in ("a", "b", "c"):
        p = work.get(name)
        if p is None or p.poll() is not None: work[name] = subprocess.Popen(["/bin/sh", "-c", "sleep 0.4; exit 1"], start_new_session=True, stdout=open(f"/var/log/{name}.log", "a"))
    time.sleep(0.1)
for p in work.values(): p.terminate(); p.wait()
P
python3 /srv/super.py; at -V; echo true | at now 2> /dev/null; atq; batch < /dev/null 2> /dev/null; anacron -T 2> /dev/null; nohup setsid sleep 0.2 > /dev/null 2>&1; flock /run/l true; chrt -b 0 true; nsenter --help > /dev/null; busybox start-stop-daemon -S -b -m -p /run/q -x /bin/true; ls /etc/rc2.d
