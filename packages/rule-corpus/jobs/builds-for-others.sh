## builds for others
#desc a continuous integration agent: checkouts, steps as scripts below its folder and /tmp, secrets, tests, artefacts, a release behind a symbolic link
#in host
#in jenkins/inbound-agent:3
export HOME=/home/ann CI=true; mkdir -p /srv/_work/_temp /srv/origin /home/ann/.cache; cd /srv; git config --global user.email ci@example.org; git config --global user.name ci; git config --global init.defaultBranch main; git config --global safe.directory '*'
git init -q origin; cd origin; for n in $(seq 1 60); do mkdir -p lib/$((n%6)); echo "int f$n(void){return $n;}" > lib/$((n%6))/f$n.c; done; printf 'all:\n\t@for f in lib/*/*.c; do $(CC) -c -o $${f%%.c}.o $$f; done; ar rcs all.a lib/*/*.o\n' > Makefile; printf '#!/bin/sh\necho checked\n' > check.sh; chmod 755 check.sh; printf '#!/bin/sh\ntest -n "$(git diff --cached --name-only)"\n' > .git/hooks/pre-commit; chmod 755 .git/hooks/pre-commit; git add .; git commit -qm one; git tag v1; git update-server-info
(cd /srv/origin/.git && exec python3 -m http.server -b 127.0.0.1 8012 > /dev/null 2>&1) & w=$!; sleep 0.6
for build in 1 2; do
	cd /srv/_work; rm -rf app; git clone -q http://127.0.0.1:8012/ app; cd app; git checkout -q v1; git submodule update --init; git log -1 --format=%H; git clean -ffdxq
	for step in 'make -s all' './check.sh; env | sort > /dev/null' 'printf "%s" "c2VjcmV0" | base64 -d > /tmp/secret; chmod 600 /tmp/secret; rm /tmp/secret' 'tar czf ../app.tgz . && sha256sum ../app.tgz > ../app.sum' 'curl -s -o /tmp/x http://127.0.0.1:8012/HEAD; test -s /tmp/x' 'python3 -m unittest -q 2> /dev/null || true' 'eval "$(ssh-agent -s)"; ssh-keygen -q -t ed25519 -N "" -f /tmp/k; ssh-add /tmp/k; ssh-agent -k; rm -f /tmp/k /tmp/k.pub' 'git status --porcelain | wc -l; git diff --stat; git rev-parse HEAD; git archive HEAD | tar t > /dev/null'; do
		s=$(mktemp /srv/_work/_temp/XXXXXX.sh); printf 'set -e\n%s\n' "$step" > $s; bash --noprofile --norc -e -o pipefail $s; rm -f $s
	done
	j=/tmp/jenkins$build.sh; printf '#!/bin/sh -xe\nid\nuname -a\nls\n' > $j; chmod +x $j; $j; rm $j; mkdir -p /tmp/tool$build; cp /bin/ls /tmp/tool$build/linter; /tmp/tool$build/linter > /dev/null; rm -rf /tmp/tool$build
done
node -e 'const { execFileSync, spawn } = require("child_process"); for (let n = 0; n < 12; n++) execFileSync("sh", ["-c", "git --version"]); spawn("sh", ["-c", "sleep 1"], { detached: true, stdio: "ignore" }).unref()'; python3 -c 'import subprocess; [subprocess.run(["bash", "-c", "echo $((1+1))"], stdout=subprocess.DEVNULL) for n in range(12)]'
mkdir -p /var/www/releases/1; tar xzf /srv/_work/app.tgz -C /var/www/releases/1; ln -sfn releases/1 /var/www/current; chown -R www-data: /var/www/releases 2> /dev/null; kill $w; git -C /srv/origin gc -q --aggressive; git -C /srv/origin bundle create /srv/b HEAD; git -C /srv/origin fsck; ccache --version; timeout 5 make -s -C /srv/origin -j2; docker --version; rm -rf /srv/_work
