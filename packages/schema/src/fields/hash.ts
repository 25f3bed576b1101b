import type { EventView } from '../event-batch.ts';
import { KIND, leafIndex } from '../layout.ts';
import type { ProcessInfo } from '../process.ts';
import { bodyText, type Field, ofProcess, some } from './field.ts';

const digest = leafIndex('Hash', 'sha256');
const skipped = bodyText('Hash', 'skipped');

/** hashed, pending, or why it was skipped; undefined: nobody hashes there. */
function stateOf(event: EventView): string | undefined {
  if (event.process === undefined) return undefined;
  return event.cursor.kind === KIND.Hash ? skipped(event) || 'hashed' : some(event.process.raw.hashState);
}

const hex = (bytes: Uint8Array | undefined): string | undefined => some(bytes && Buffer.from(bytes).toString('hex'));
const hashOf = (process: ProcessInfo | undefined): string | undefined => hex(process?.raw.sha256);

/** What is said of a file alone is no event of a process: it has none. */
function sha256(event: EventView): string | undefined {
  if (event.process === undefined) return undefined;
  return event.cursor.kind === KIND.Hash ? hex(event.cursor.leafBytes(digest)) : hashOf(event.process);
}

const plain = (state: string): boolean => state === 'hashed' || state === 'pending';

/** What the executable of a process is. */
export const hashFields: readonly Field[] = [
  {
    name: 'process.hash.sha256',
    type: 'string',
    doc: 'SHA-256 of its executable, of a script that is its interpreter, 64 lower-case hex digits. The first exec of a file does not have it yet; an event `hash` of the process brings it, so a rule on it names both: `event.action in (exec, hash) and process.hash.sha256 in (...)`.',
    aliases: ['sha256'],
    subject: ofProcess,
    get: sha256,
  },
  {
    name: 'process.hash.state',
    type: 'string',
    doc: 'hashed; pending: it follows; skipped: `process.hash.skipped` says why. Absent: the agent does not hash.',
    subject: ofProcess,
    get(event) {
      const state = stateOf(event);
      return state === undefined || plain(state) ? state : 'skipped';
    },
  },
  {
    name: 'process.hash.skipped',
    type: 'string',
    doc: 'Why its executable was not hashed: too big, changed, gone, remote, queue full, unreadable.',
    subject: ofProcess,
    get(event) {
      const state = stateOf(event);
      return state === undefined || plain(state) ? undefined : state;
    },
  },
  {
    name: 'Hashes',
    type: 'string',
    doc: "Sigma's name: `SHA256=` and the SHA-256 of its executable in capital letters.",
    subject: ofProcess,
    get(event) {
      const digits = sha256(event);
      return digits === undefined ? undefined : `SHA256=${digits.toUpperCase()}`;
    },
  },
  {
    name: 'process.parent.hash.sha256',
    type: 'string',
    doc: "SHA-256 of its parent's executable.",
    subject: ofProcess,
    get: (event) => hashOf(event.process?.parent),
  },
];
