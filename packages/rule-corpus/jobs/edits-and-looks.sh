## edits and looks
#desc a person at a terminal: tmux, vim, less, top, shell settings, dotfiles, installers downloaded from an internal server and run
#in host
#needs tmux vim
export HOME=/home/ann TERM=xterm; mkdir -p /home/ann/dotfiles /srv/tools; cd /home/ann; export HISTFILE=/home/ann/.bash_history
pty() { script -qec "$1" /dev/null < /dev/null > /dev/null; }
printf 'set nocp\n' > dotfiles/vimrc; printf 'alias g=git\nexport PATH=$HOME/.local/bin:$PATH\n' > dotfiles/bashrc; printf 'set -g history-limit 5000\n' > dotfiles/tmux.conf; for f in vimrc bashrc tmux.conf; do ln -sf dotfiles/$f .$f; done; cp dotfiles/bashrc .profile; bash -ic 'g --version; history -a; exit' ; bash -lc 'type g'; printf 'ls\ncd /tmp\npwd\nhistory\nexit\n' | bash -i; cat .bash_history; wc -l .bash_history
for f in notes.md .bashrc /etc/hosts /etc/fstab /etc/ssh/ssh_config /etc/crontab; do pty "vim -u NONE -c 'normal Gox' -c wq $f"; done; vim -es -u NONE -c 'r !date' -c '!ls' -c wq notes.md; ed -s notes.md < /dev/null; pty 'timeout --foreground 1 less +G /var/log/dpkg.log'; pty 'timeout --foreground 2 top -n 1'; pty 'timeout --foreground 1 htop'; pty 'timeout --foreground 2 watch -n 1 df'; timeout 1 tail -f /var/log/dpkg.log; less /etc/services | head -2; zless /usr/share/doc/bash/changelog.Debian.gz | head -2; man -P cat ls | head -3
tmux -L lab -f /dev/null new-session -d -s work -x 80 -y 24; for c in 'cd /etc && ls -la' 'ps aux | grep node' 'git -C /srv status' 'sudo -n true' 'export TOKEN=x; env | sort' 'for n in 1 2 3; do uptime; sleep 0.2; done' 'find / -name "*.conf" 2>/dev/null | head' 'python3 -c "print(1)"' 'vim -u NONE +q notes.md'; do tmux -L lab send-keys -t work "$c" Enter; sleep 0.3; done; tmux -L lab split-window -t work 'top -n 1'; tmux -L lab capture-pane -p -t work | tail -2; tmux -L lab kill-server; screen -dmS lab sh -c 'ls; sleep 0.2'
cat > /srv/tools/install.sh <<'I'
#!/bin/sh
set -e
os=$(uname -s) arch=$(uname -m); dir=${INSTALL_DIR:-$HOME/.local/bin}; mkdir -p "$dir"; tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
curl -fsSL http://10.9.8.7:8010/tool.tgz -o "$tmp/tool.tgz"; tar -xzf "$tmp/tool.tgz" -C "$tmp"; chmod +x "$tmp/tool"; mv "$tmp/tool" "$dir/tool"; "$dir/tool" --version
grep -q local/bin ~/.profile || echo 'export PATH="$HOME/.local/bin:$PATH"' >> ~/.profile
I
cp /bin/true /srv/tools/tool; tar czf /srv/tools/tool.tgz -C /srv/tools tool; (cd /srv/tools && exec python3 -m http.server -b 10.9.8.7 8010 > /dev/null 2>&1) & w=$!; sleep 0.7
curl -fsSL http://10.9.8.7:8010/install.sh | sh -s -- -y; curl --proto '=http' -sSf http://10.9.8.7:8010/install.sh | bash; wget -qO- http://10.9.8.7:8010/install.sh | INSTALL_DIR=/usr/local/bin sh; curl -fsSLO http://10.9.8.7:8010/install.sh && less install.sh | head -1 && sh install.sh; curl -fsSL http://10.9.8.7:8010/tool.tgz | tar xz -C .local/bin; wget -q http://10.9.8.7:8010/tool -O /usr/local/bin/tool && chmod +x /usr/local/bin/tool && tool; kill $w
git config --global user.email a@example.org; mkdir -p .ssh .config/app; chmod 700 .ssh; ssh-keygen -q -t ed25519 -N '' -f .ssh/id; eval "$(ssh-agent -s)"; ssh-add .ssh/id; ssh-add -l; printf 'Host lab\n  HostName 127.0.0.1\n' > .ssh/config; ssh-keyscan -T 1 127.0.0.1; ssh-agent -k; gpg --batch -q --passphrase '' --quick-gen-key ann; gpg -k; echo x | gpg --batch -q -ea -r ann | gpg -q -d; gpgconf --kill all
unzip -v > /dev/null; zip -q x.zip notes.md && unzip -qo x.zip; echo '{"a":1}' | jq .a; diff -u notes.md dotfiles/vimrc; find . -type f -newer notes.md; grep -rI alias . | head -2; sort notes.md | uniq -c; cal; echo 1+1 | bc; rm -f x.zip; history -c; unset HISTFILE; clear; reset
