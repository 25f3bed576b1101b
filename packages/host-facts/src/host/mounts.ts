import { closeSync, openSync, statSync } from 'node:fs';
import {
  type ContextSink,
  type EnrichmentSource,
  haveMountsChanged,
  type MountFact,
  readBounded,
} from '@ringfence/host-kit';

const MAX_BYTES = 8 << 20;
const MAX_MOUNTS = 16_384;

/** Emits the mounts of a mount namespace. When the kernel reports that its list has changed, emits the new lines. */
export function mountsSource(path = '/proc/self/mountinfo', namespace = '/proc/self/ns/mnt'): EnrichmentSource {
  let known = new Set<string>();
  let sink: ContextSink | undefined;
  let inode = 0;
  let list = -1;

  function refresh(): void {
    const text = readBounded(path, MAX_BYTES);
    if (text === null) return;
    const lines = text.toString('latin1').split('\n').slice(0, MAX_MOUNTS);
    for (const line of lines) {
      const mount = known.has(line) ? null : parseMount(line, inode);
      if (mount !== null) sink?.mount(mount);
    }
    known = new Set(lines);
  }

  return {
    name: 'mounts',
    start(into) {
      sink = into;
      inode = statSync(namespace).ino;
      list = openSync(path, 'r');
      refresh();
    },
    tick() {
      if (haveMountsChanged(list)) refresh();
    },
    close() {
      if (list >= 0) closeSync(list);
      list = -1;
      sink = undefined;
    },
  };
}

/**
 * Parses `36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue`. The line is decoded as
 * latin1, so that each character is a byte.
 */
export function parseMount(line: string, mountNamespace: number): MountFact | null {
  const [front, back] = line.split(' - ', 2);
  const [, , device, root, point, options] = (front ?? '').split(' ');
  const [filesystem, source = ''] = (back ?? '').split(' ');
  const numbers = /^(\d{1,4}):(\d{1,7})$/.exec(device ?? '');
  if (numbers === null || root === undefined || point === undefined || options === undefined || !filesystem)
    return null;
  return {
    mountNamespace,
    device: (Number(numbers[1]) << 20) | Number(numbers[2]),
    root: unescapeOctal(root),
    point: unescapeOctal(point),
    filesystem: filesystem.slice(0, 64),
    source: unescapeOctal(source),
    options: options.slice(0, 1024),
  };
}

function unescapeOctal(text: string): Buffer {
  const plain = text.replace(/\\([0-7]{3})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 8) & 0xff),
  );
  return Buffer.from(plain, 'latin1').subarray(0, 4096);
}
