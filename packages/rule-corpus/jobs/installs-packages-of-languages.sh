## installs packages of languages
#desc a developer or build with npm, pip and CPAN: hooks, native code, programs installed on the PATH
#in host
#in moby/buildkit:v0.21
#needs npm pip3
export HOME=/home/ann npm_config_prefix=/home/ann/.npm-global npm_config_offline=true npm_config_audit=false npm_config_fund=false npm_config_update_notifier=false; cd /home/ann; mkdir -p lib app tool/src
cat > lib/package.json <<'J'
{ "name": "lab-lib", "version": "1.0.0", "bin": { "lab-lib": "cli.js" }, "scripts": { "postinstall": "node -e 'require(`fs`).writeFileSync(`built`, ``)'", "test": "node cli.js" } }
J
printf '#!/usr/bin/env node\nconsole.log(process.argv.length)\n' > lib/cli.js; for n in $(seq 1 150); do echo "module.exports = $n" > lib/$n.js; done
(cd lib && npm pack -s && npm test -s); (cd app && npm init -y > /dev/null && npm install -s ../lib/lab-lib-1.0.0.tgz && npx lab-lib && npm ls && rm -rf node_modules && npm ci -s && npm run 2> /dev/null); npm install -s -g ./lib/lab-lib-1.0.0.tgz; .npm-global/bin/lab-lib; npm uninstall -s -g lab-lib; npm cache verify > /dev/null
cat > tool/setup.py <<'P'
from setuptools import setup, Extension
setup(name="lab-tool", version="1.0", py_modules=["labtool"], package_dir={"": "src"}, ext_modules=[Extension("labfast", ["fast.c"])], entry_points={"console_scripts": ["lab-tool=labtool:main"]})
P
printf 'def main():\n    print("ok")\n' > tool/src/labtool.py; printf '#include <stddef.h>\nint lab_fast(int n) { return n + 1; }\nvoid *PyInit_labfast(void) { return NULL; }\n' > tool/fast.c
/usr/bin/python3 -m venv --system-site-packages venv && venv/bin/pip install -q --no-index --no-build-isolation ./tool && venv/bin/lab-tool && venv/bin/pip list > /dev/null && venv/bin/pip uninstall -q -y lab-tool; (cd tool && /usr/bin/python3 setup.py -q build); /usr/bin/python3 -m compileall -q tool
perl -MExtUtils::MakeMaker -e 1; mkdir -p mod/lib && cd mod && printf 'use ExtUtils::MakeMaker; WriteMakefile(NAME => "Lab", VERSION_FROM => "lib/Lab.pm");' > Makefile.PL && printf 'package Lab; our $VERSION = 1; 1;\n' > lib/Lab.pm && perl Makefile.PL INSTALL_BASE=/home/ann/perl > /dev/null && make -s && make -s install > /dev/null
