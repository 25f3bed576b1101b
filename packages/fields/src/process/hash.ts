import type { EventView, ProcessInfo } from '@ringfence/wire';
import { KIND, leaf } from '@ringfence/wire';
import { bodyText, type Field, nonEmpty, ofProcess } from '../field.ts';

const skipped = bodyText(leaf.Hash.skipped);
const hex = (bytes: Uint8Array | undefined): string | undefined =>
  nonEmpty(bytes && Buffer.from(bytes).toString('hex'));
const hashOf = (process: ProcessInfo | undefined): string | undefined => hex(process?.raw.sha256);
const plain = (state: string): boolean => state === 'hashed' || state === 'pending';

/**
 * Accessors of the hash of a process's executable or script. A `hash` event has only the hash that it reports, so that
 * a rule fires once for it.
 */
function known(script: boolean) {
  const isReported = (event: EventView): boolean => event.cursor.leafBoolean(leaf.Hash.script) === script;

  /** undefined for a hash event of a file without a process. */
  const sha256 = (event: EventView): string | undefined => {
    const { process, cursor } = event;
    if (process === undefined) return undefined;
    if (cursor.kind === KIND.Hash) return isReported(event) ? hex(cursor.leafBytes(leaf.Hash.sha256)) : undefined;
    return hex(script ? process.raw.scriptSha256 : process.raw.sha256);
  };

  /** Returns `hashed`, `pending`, or the reason for skipping; undefined: the agent does not hash. */
  const stateOf = (event: EventView): string | undefined => {
    const { process, cursor } = event;
    if (process === undefined) return undefined;
    if (cursor.kind === KIND.Hash) return isReported(event) ? skipped(event) || 'hashed' : undefined;
    return nonEmpty(script ? process.raw.scriptHashState : process.raw.hashState);
  };

  const state = (event: EventView): string | undefined => {
    const value = stateOf(event);
    return value === undefined || plain(value) ? value : 'skipped';
  };
  const why = (event: EventView): string | undefined => {
    const value = stateOf(event);
    return value === undefined || plain(value) ? undefined : value;
  };
  return { sha256, state, why };
}

const executable = known(false);
const script = known(true);

/** Hashes of the executable of a process, and of the script that it was started as. */
export const hashFields: readonly Field[] = [
  {
    name: 'process.hash.sha256',
    type: 'string',
    doc: 'SHA-256 of its executable (for a script, of the interpreter), 64 lower-case hex digits. The first exec of a file does not have it yet; an event `hash` of the process brings it, so a rule on it names both: `event.action in (exec, hash) and process.hash.sha256 in (...)`.',
    aliases: ['sha256'],
    subject: ofProcess,
    get: executable.sha256,
  },
  {
    name: 'process.hash.state',
    type: 'string',
    doc: 'hashed; pending: it follows; skipped: `process.hash.skipped` has the reason. Absent: the agent does not hash.',
    subject: ofProcess,
    get: executable.state,
  },
  {
    name: 'process.hash.skipped',
    type: 'string',
    doc: 'Why its executable was not hashed: too big, changed, gone, remote, queue full, unreadable.',
    subject: ofProcess,
    get: executable.why,
  },
  {
    name: 'process.script_hash.sha256',
    type: 'string',
    doc: 'SHA-256 of the script that the process was started as (`process.script`), likewise: `event.action in (exec, hash) and process.script_hash.sha256 in (...)`. Full profile.',
    subject: ofProcess,
    get: script.sha256,
  },
  {
    name: 'process.script_hash.state',
    type: 'string',
    doc: 'hashed; pending: it follows; skipped: `process.script_hash.skipped` has the reason. Absent: the process is no script, or the agent does not know the file.',
    subject: ofProcess,
    get: script.state,
  },
  {
    name: 'process.script_hash.skipped',
    type: 'string',
    doc: 'Why its script was not hashed, as `process.hash.skipped`.',
    subject: ofProcess,
    get: script.why,
  },
  {
    name: 'Hashes',
    type: 'string',
    doc: "Sigma's name: `SHA256=` and the SHA-256 of its executable in capital letters.",
    subject: ofProcess,
    get(event) {
      const digits = executable.sha256(event);
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
