## tests with Python
#desc a Python developer: a virtual environment, tests that start processes and servers, a worker pool, a development server that reloads
#in host
#in python:3.11
export HOME=/home/ann; mkdir -p /home/ann/api/tests; cd /home/ann/api; /usr/bin/python3 -m venv --without-pip venv
cat > app.py <<'P'
import http.server, json, sqlite3, sys, os
class H(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        with sqlite3.connect("/tmp/api.db") as db:
            db.execute("create table if not exists t(n)"); db.execute("insert into t values(1)"); n = db.execute("select count(*) from t").fetchone()[0]
        body = json.dumps({"n": n}).encode(); self.send_response(200); self.end_headers(); self.wfile.write(body)
    def log_message(self, *a): pass
if __name__ == "__main__": http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), H).serve_forever()
P
cat > tests/test_app.py <<'P'
import base64, multiprocessing, os, socket, subprocess, sys, tempfile, threading, time, unittest, urllib.request, http.server
sys.path.insert(0, "."); import app
class T(unittest.TestCase):
    def test_server(self):
        s = http.server.ThreadingHTTPServer(("127.0.0.1", 0), app.H); threading.Thread(target=s.serve_forever, daemon=True).start()
        for n in range(60): urllib.request.urlopen(f"http://127.0.0.1:{s.server_port}/").read()
        s.shutdown()
    def test_pool(self):
        with multiprocessing.Pool(2) as p: self.assertEqual(sum(p.map(abs, range(200))), 19900)
    def test_shell(self):
        for n in range(20): subprocess.check_output("echo %d | tr 0-9 a-j" % n, shell=True)
        subprocess.run([sys.executable, "-c", "import base64; print(base64.b64decode('cHJpbnQoMSk='))"], check=True, stdout=subprocess.DEVNULL)
    def test_files(self):
        with tempfile.TemporaryDirectory() as d:
            for n in range(150): open(os.path.join(d, str(n)), "w").write("x")
            p = os.path.join(d, "run.sh"); open(p, "w").write("#!/bin/sh\nexit 0\n"); os.chmod(p, 0o755); self.assertEqual(subprocess.call([p]), 0)
    def test_sockets(self):
        a, b = socket.socketpair(); a.send(b"x"); self.assertEqual(b.recv(1), b"x")
P
venv/bin/python -m unittest discover -q -s tests; venv/bin/python -m compileall -q .; venv/bin/python -m cProfile -o /tmp/prof -c pass 2> /dev/null
# A development server that restarts itself when a file changes.
cat > reload.py <<'P'
import os, subprocess, sys, time
seen = None; child = None; end = time.time() + 4
while time.time() < end:
    now = os.stat("app.py").st_mtime_ns
    if now != seen:
        if child: child.terminate(); child.wait()
        child = subprocess.Popen([sys.executable, "app.py", "8087"]); seen = now
    time.sleep(0.2)
child.terminate()
P
venv/bin/python reload.py & for n in 1 2 3 4 5; do sleep 0.7; echo "# $n" >> app.py; curl -s http://127.0.0.1:8087/; done; wait
for n in $(seq 1 15); do venv/bin/python -c 'import json, urllib.request, asyncio; asyncio.run(asyncio.sleep(0))'; done
