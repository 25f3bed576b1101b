## develops
#desc a developer with git, Python and Node: commits, branches, environments, archives, keys
#in host
export HOME=/home/ann; cd /home/ann
git config --global user.email ann@example.org; git config --global user.name ann; git config --global init.defaultBranch main
git init -q --bare /srv/repo.git; git clone -q /srv/repo.git repo; cd repo
for n in 1 2 3 4 5 6; do echo "console.log($n)" > f$n.js; git add .; git commit -q -m "change $n"; done
git push -q origin main; git log --oneline; git checkout -q -b side; git rebase -q main; git gc -q; git fetch -q
mkdir -p .venv; python3 -m venv --without-pip .venv; .venv/bin/python -c 'import json,ssl,socket; print(json.dumps({}))'
printf 'import unittest\nclass T(unittest.TestCase):\n  def test(self): self.assertTrue(True)\n' > test_x.py; python3 -m unittest -q test_x
printf 'import base64,subprocess\nprint(base64.b64encode(b"x"));subprocess.run(["id","-u"])\n' > tool.py; python3 tool.py
grep -rn console . | wc -l; find . -name '*.js' | xargs wc -l; sed -i s/console/Console/ f1.js; diff f1.js f2.js; tar czf /tmp/src.tgz .; zip -qr /tmp/src.zip f*.js
for n in $(seq 1 20); do node -e 'require("fs").writeFileSync("out.json", JSON.stringify(process.versions))'; done
ssh-keygen -q -t ed25519 -N '' -f .key; openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=x -keyout key.pem -out cert.pem 2>/dev/null
