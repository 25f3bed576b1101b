## is watched
#desc a monitored server: an exporter that is scraped, checks, statistics, followed logs, health checks at regular intervals
#in host
#in prom/agent:1
#needs prometheus-node-exporter
mkdir -p /srv/text /var/log/app /srv/checks; prometheus-node-exporter --web.listen-address=127.0.0.1:9100 --collector.textfile.directory=/srv/text > /dev/null 2>&1 & e=$!
cat > /srv/checks/all <<'C'
#!/bin/sh
check_disk() { df -P / | awk 'NR==2 {sub("%","",$5); exit $5 > 99}'; }
check_load() { read one rest < /proc/loadavg; [ "${one%.*}" -lt 1000 ]; }
check_procs() { [ "$(ps -eo pid= | wc -l)" -lt 5000 ]; }
check_port() { ss -ltn | grep -q ":$1 "; }
check_files() { [ -z "$(find /srv/text -mmin -0 -name none)" ] && stat -c %a /etc/shadow > /dev/null && sha256sum /etc/passwd /usr/bin/su > /dev/null; }
for c in check_disk check_load check_procs 'check_port 9100' check_files; do $c && echo "OK $c" || echo "CRITICAL $c"; done
for p in /proc/[0-9]*; do cat $p/stat $p/status $p/cmdline $p/io $p/limits; ls $p/fd | wc -l; readlink $p/exe; done > /dev/null 2>&1
C
chmod 755 /srv/checks/all
printf 'import http.server, socketserver, threading\nclass H(http.server.BaseHTTPRequestHandler):\n    def do_GET(s): s.send_response(200); s.end_headers(); s.wfile.write(b"ok")\n    def log_message(s, *a): pass\nfor p in (8091, 8092): threading.Thread(target=http.server.ThreadingHTTPServer(("10.9.8.%%d" %% (p - 8080), p), H).serve_forever).start()\n' | sed 's/%%/%/g' > /srv/up.py; python3 /srv/up.py & u=$!
touch /var/log/app/app.log; tail -F /var/log/app/app.log 2> /dev/null | grep --line-buffered error > /srv/errors & sleep 0.5
# Checks of a load balancer and an agent: once per second while the job runs.
python3 -c 'import time, urllib.request, socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for n in range(24):
    for u in ("http://10.9.8.11:8091/", "http://10.9.8.12:8092/health"): urllib.request.urlopen(u).read()
    for m in range(5): s.sendto(b"app.requests:1|c", ("127.0.0.1", 8125))
    time.sleep(0.5)' &
for n in 1 2 3 4 5 6 7 8; do curl -s http://127.0.0.1:9100/metrics | wc -l; /srv/checks/all; for m in $(seq 1 10); do echo "$n error $m" >> /var/log/app/app.log; done; echo "lab_up $n" > /srv/text/x.$$ && mv /srv/text/x.$$ /srv/text/x.prom; vmstat 1 1 > /dev/null; iostat > /dev/null; free > /dev/null; cat /proc/stat /proc/net/dev /proc/meminfo /proc/diskstats /proc/net/tcp /proc/vmstat /sys/class/net/*/statistics/* > /dev/null 2>&1; ss -s > /dev/null; ip -s link > /dev/null; uptime; who; lsof -nP -i 2> /dev/null | wc -l; netstat -s > /dev/null; sleep 0.6; done
/usr/lib/sysstat/sadc 1 2 /srv/sa; pidstat 1 1 > /dev/null; mpstat > /dev/null; last -n 3; lastlog > /dev/null; dmesg 2> /dev/null | tail -1; systemd-cgls > /dev/null; systemd-detect-virt; journalctl --disk-usage; logger -t check ok; snmpget -v 2> /dev/null; kill $e $u; pkill tail
