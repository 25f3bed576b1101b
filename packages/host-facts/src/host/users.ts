import { statSync } from 'node:fs';
import { type ContextSink, type EnrichmentSource, ifExists, readBounded } from '@ringfence/host-kit';

const MAX_BYTES = 16 << 20;
const UID_MAX = 4_294_967_295;

/** Emits the names of the host's user database. Reads it again when its modification time has changed. */
export function usersSource(path = '/etc/passwd'): EnrichmentSource {
  const known = new Map<number, string>();
  let sink: ContextSink | undefined;
  let stamp = '';

  function refresh(): void {
    const stat = ifExists(() => statSync(path, { bigint: true }));
    const now = stat === null ? '' : `${stat.ino}/${stat.mtimeNs}/${stat.size}`;
    if (now === stamp) return;
    for (const [uid, name] of parseUsers(readBounded(path, MAX_BYTES) ?? Buffer.alloc(0))) {
      if (known.get(uid) === name) continue;
      known.set(uid, name);
      sink?.user(uid, name);
    }
    stamp = now;
  }

  return {
    name: 'users',
    start(into) {
      sink = into;
      refresh();
    },
    tick: refresh,
    close() {
      sink = undefined;
    },
  };
}

/** Returns the first name of each uid, like getpwuid. */
export function parseUsers(text: Buffer): Map<number, string> {
  const users = new Map<number, string>();
  for (const line of text.toString('latin1').split('\n')) {
    const [name, , uid] = line.split(':');
    if (!name || uid === undefined || !/^\d{1,10}$/.test(uid)) continue;
    const number = Number(uid);
    if (number > UID_MAX || users.has(number)) continue;
    users.set(number, Buffer.from(name, 'latin1').toString('utf8').slice(0, 256));
  }
  return users;
}
