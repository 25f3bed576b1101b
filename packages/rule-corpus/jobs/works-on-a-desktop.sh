## works on a desktop
#desc a desktop user: a browser with its sandbox, an editor's remote server, D-Bus, unpacked and opened files, autostart
#in host
#needs chromium
#setup grep -q '^ann:' /etc/shadow || echo 'ann:*:19000:0:99999:7:::' >> /etc/shadow
export HOME=/home/ann; mkdir -p /home/ann/Downloads /home/ann/.config/autostart /home/ann/.local/share/applications /home/ann/.vscode-server/bin/1 /srv/page; chown -R 1000:1000 /home/ann; printf '<h1>x</h1><script>fetch("/a");localStorage.a=1</script>' > /srv/page/index.html; (cd /srv/page && exec python3 -m http.server -b 127.0.0.1 8013 > /dev/null 2>&1) & w=$!; sleep 0.5
cat > /srv/session.sh <<'S'
cd ~; export XDG_RUNTIME_DIR=/tmp/run-ann; mkdir -p -m 700 $XDG_RUNTIME_DIR
timeout 20 chromium --headless --disable-gpu --user-data-dir=.config/chromium --dump-dom http://127.0.0.1:8013/ > /dev/null 2>&1 || timeout 20 chromium --headless --no-sandbox --disable-gpu --user-data-dir=.config/chromium --dump-dom http://127.0.0.1:8013/ > /dev/null 2>&1
printf '[Desktop Entry]\nType=Application\nName=Chat\nExec=/usr/bin/true\n' > .config/autostart/chat.desktop; cp .config/autostart/chat.desktop .local/share/applications/; command -v dbus-run-session && timeout 5 dbus-run-session -- sh -c 'dbus-send --session --print-reply --dest=org.freedesktop.DBus / org.freedesktop.DBus.ListNames; gsettings list-schemas | head -2; xdg-mime query default text/html'
cd Downloads; for n in $(seq 1 40); do echo $n > f$n.txt; done; zip -q a.zip *.txt; tar czf app.tgz f*.txt; mkdir x; unzip -qo a.zip -d x; tar xzf app.tgz -C x; cp /bin/true x/app; chmod +x x/app; x/app; cp /bin/true tool.AppImage; chmod +x tool.AppImage; ./tool.AppImage; for n in $(seq 1 30); do mv x/f$n.txt x/g$n.txt; done; rm -rf x; gio trash f1.txt; xdg-open f2.txt; cd ..
printf '#!/bin/sh\nexec node "$@"\n' > .vscode-server/bin/1/server.sh; chmod +x .vscode-server/bin/1/server.sh; printf 'const { spawn } = require("child_process"), fs = require("fs"), net = require("net"); const s = net.createServer((c) => c.end()).listen(0, "127.0.0.1", () => { for (let n = 0; n < 30; n++) net.connect(s.address().port); }); fs.watch(process.env.HOME, () => {}); for (let n = 0; n < 4; n++) spawn("/bin/bash", ["-lc", "git --version; which python3 node; env -0 > /dev/null"]); setTimeout(() => process.exit(), 1500);' > .vscode-server/server.js; nohup .vscode-server/bin/1/server.sh .vscode-server/server.js > .vscode-server/log 2>&1
crontab -l; pactl info; lpstat; ssh-keygen -q -t ed25519 -N '' -f .ssh-key; sqlite3 .config/chromium/Default/History 'select count(*) from urls'; du -sh .config; find . -name '*.log' -delete; systemctl --user status; loginctl; nmcli; bluetoothctl --version; fc-list | wc -l; python3 -c 'import http.cookiejar, webbrowser, tkinter'; gpg -k; ps aux > /dev/null
S
su ann -s /bin/sh /srv/session.sh; kill $w
