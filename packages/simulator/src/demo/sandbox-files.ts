import { chmodSync, copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Files of /etc that programs need to start. */
const ETC_FILES = ['passwd', 'group', 'nsswitch.conf', 'ld.so.cache', 'hosts', 'services'];

/** Resizes pictures. Vulnerable on purpose: it runs the shell commands in a file name such as "x.png; id". */
const SERVICE = `while read -r picture; do
	sh -c "test -f $picture"
done
`;

/** Files of the sandbox's /etc and /opt/shop, in a new folder below `parent`. Its web server is a copy of bash. */
export class SandboxFiles implements Disposable {
  readonly path: string;

  constructor(parent: string) {
    mkdirSync(parent, { recursive: true, mode: 0o700 });
    this.path = mkdtempSync(join(parent, 'demo-'));
    chmodSync(this.path, 0o755);
    mkdirSync(join(this.path, 'etc/cron.d'), { recursive: true });
    for (const file of ETC_FILES)
      if (existsSync(`/etc/${file}`)) copyFileSync(`/etc/${file}`, join(this.path, 'etc', file));
    writeFileSync(join(this.path, 'etc/shadow'), 'root:$y$j9T$demo$notarealhash:20000:0:99999:7:::\n', { mode: 0o600 });
    mkdirSync(join(this.path, 'shop'));
    writeFileSync(join(this.path, 'shop/serve.sh'), SERVICE);
    for (const name of ['httpd', 'backup-helper']) copyFileSync('/bin/bash', join(this.path, 'shop', name));
    // The forgotten set-user-id bit of the story. Outside of the sandbox only root may enter this folder's parent.
    chmodSync(join(this.path, 'shop/backup-helper'), 0o4755);
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}
