import { chmodSync, copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Of /etc, what programs need to start. */
const ETC = ['passwd', 'group', 'nsswitch.conf', 'ld.so.cache', 'hosts', 'services'];

/** Resizes pictures. Whoever names a file "x.png; id" runs commands: the hole that the demo goes in by. */
const SERVICE = `while read -r picture; do
	sh -c "test -f $picture"
done
`;

/** What the sandbox's /etc and /opt/shop hold, below a new folder of `parent`. Its service is a shell under the name of a web server. */
export class SandboxFiles implements Disposable {
  readonly path: string;

  constructor(parent: string) {
    mkdirSync(parent, { recursive: true, mode: 0o700 });
    this.path = mkdtempSync(join(parent, 'demo-'));
    chmodSync(this.path, 0o755);
    mkdirSync(join(this.path, 'etc/cron.d'), { recursive: true });
    for (const file of ETC) if (existsSync(`/etc/${file}`)) copyFileSync(`/etc/${file}`, join(this.path, 'etc', file));
    writeFileSync(join(this.path, 'etc/shadow'), 'root:$y$j9T$demo$notarealhash:20000:0:99999:7:::\n', { mode: 0o600 });
    mkdirSync(join(this.path, 'shop'));
    writeFileSync(join(this.path, 'shop/serve.sh'), SERVICE);
    for (const name of ['httpd', 'backup-helper']) copyFileSync('/bin/bash', join(this.path, 'shop', name));
    // Somebody forgot it: the way to root. Outside of the sandbox only root can come by this folder's parent.
    chmodSync(join(this.path, 'shop/backup-helper'), 0o4755);
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}
