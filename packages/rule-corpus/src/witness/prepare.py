# Prepares a sandbox for a witness: /opt/lab/prepare.json has what prepare.ts wrote. It ends when all is there; a copy
# of it keeps the sockets.
import json, os, shutil, socket, subprocess

wanted = json.load(open("/opt/lab/prepare.json"))


def make(path):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    return path


for ip in wanted["addresses"]:
    subprocess.run(["ip", "addr", "replace", ip, "dev", "lo"], check=True)
sockets = []
for ip, port in wanted["listeners"]:
    sockets.append(socket.create_server((ip, port), family=socket.AF_INET6 if ":" in ip else socket.AF_INET))
for path in wanted["sockets"]:
    if os.path.lexists(make(path)):
        os.unlink(path)
    sockets.append(socket.socket(socket.AF_UNIX))
    sockets[-1].bind(path)
    sockets[-1].listen()
for path in wanted["folders"]:
    os.makedirs(path, exist_ok=True)
for path in wanted["pipes"]:
    os.mkfifo(make(path))
for path, mode in wanted["files"]:
    if not os.path.exists(make(path)):
        open(path, "w").close()
        os.chmod(path, mode)
for path in wanted["programs"]:
    if os.path.lexists(make(path)):
        os.unlink(path)
    shutil.copy("/opt/lab/actor", path)
    os.chmod(path, 0o4755 if path in wanted["setUserId"] else 0o755)
for name, program in wanted["names"]:
    if os.path.lexists(make(name)):
        os.unlink(name)
    os.symlink(program, name)
os.makedirs("/run/turn/0")
os.chmod("/run/turn", 0o777)
if os.fork() == 0:
    os.setsid()
    for fd in (0, 1, 2):
        os.close(fd)
    kept = []
    import select
    while True:
        for ready in select.select(sockets, [], [])[0]:
            kept.append(ready.accept())
