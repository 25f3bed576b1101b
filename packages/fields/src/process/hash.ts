import { type EventView, KIND, leaf, type ProcessInfo } from '@ringfence/wire';
import { bodyText, type Field, nonEmpty, ofProcess } from '../field.ts';

const skipped = bodyText(leaf.Hash.skipped);
const hex = (bytes: Uint8Array | undefined): string | undefined =>
  nonEmpty(bytes && Buffer.from(bytes).toString('hex'));
const hashOf = (process: ProcessInfo | undefined): string | undefined => hex(process?.raw.sha256);
const isSkipped = (state: string): boolean => state !== 'hashed' && state !== 'pending';

/** Accessors for the hash of the executable or script. A `hash` event has one of them, so that a rule fires once. */
function hashAccessors(script: boolean) {
  const isOfHash = (event: EventView): boolean => event.cursor.leafBoolean(leaf.Hash.script) === script;

  /** Undefined for a hash event without a process, which describes a file only. */
  const sha256 = (event: EventView): string | undefined => {
    const { process, cursor } = event;
    if (process === undefined) return undefined;
    if (cursor.kind === KIND.Hash) return isOfHash(event) ? hex(cursor.leafBytes(leaf.Hash.sha256)) : undefined;
    return hex(script ? process.raw.scriptSha256 : process.raw.sha256);
  };

  /** Returns hashed, pending, or the reason why the file was skipped; undefined if the agent does not hash. */
  const stateOf = (event: EventView): string | undefined => {
    const { process, cursor } = event;
    if (process === undefined) return undefined;
    if (cursor.kind === KIND.Hash) return isOfHash(event) ? skipped(event) || 'hashed' : undefined;
    return nonEmpty(script ? process.raw.scriptHashState : process.raw.hashState);
  };

  const state = (event: EventView): string | undefined => {
    const value = stateOf(event);
    return value !== undefined && isSkipped(value) ? 'skipped' : value;
  };
  const why = (event: EventView): string | undefined => {
    const value = stateOf(event);
    return value !== undefined && isSkipped(value) ? value : undefined;
  };
  return { sha256, state, why };
}

const executable = hashAccessors(false);
const script = hashAccessors(true);

/** Hashes of the executable of a process and of the script that it runs. */
export const hashFields: readonly Field[] = [
  {
    name: 'process.hash.sha256',
    type: 'string',
    doc: 'SHA-256 of the executable (of a script: of its interpreter), 64 lower-case hex digits. The first exec of a file does not have it yet; a `hash` event follows, so a rule names both: `event.action in (exec, hash) and process.hash.sha256 in (...)`.',
    aliases: ['sha256'],
    subject: ofProcess,
    get: executable.sha256,
  },
  {
    name: 'process.hash.state',
    type: 'string',
    doc: 'hashed, pending (the hash follows) or skipped (`process.hash.skipped` has the reason). Absent: the agent does not hash.',
    subject: ofProcess,
    get: executable.state,
  },
  {
    name: 'process.hash.skipped',
    type: 'string',
    doc: 'Reason why the executable was not hashed: too big, changed, gone, remote, queue full, unreadable, timed out.',
    subject: ofProcess,
    get: executable.why,
  },
  {
    name: 'process.script_hash.sha256',
    type: 'string',
    doc: 'SHA-256 of the script that the process runs (`process.script`). A rule on it names both events: `event.action in (exec, hash) and process.script_hash.sha256 in (...)`. Full profile.',
    subject: ofProcess,
    get: script.sha256,
  },
  {
    name: 'process.script_hash.state',
    type: 'string',
    doc: 'hashed, pending (the hash follows) or skipped (`process.script_hash.skipped` has the reason). Absent: not a script, or the agent does not know the file.',
    subject: ofProcess,
    get: script.state,
  },
  {
    name: 'process.script_hash.skipped',
    type: 'string',
    doc: 'Reason why the script was not hashed, as in `process.hash.skipped`.',
    subject: ofProcess,
    get: script.why,
  },
  {
    name: 'Hashes',
    type: 'string',
    doc: "Sigma's field: `SHA256=` and the SHA-256 of the executable in capital letters.",
    subject: ofProcess,
    get(event) {
      const digits = executable.sha256(event);
      return digits === undefined ? undefined : `SHA256=${digits.toUpperCase()}`;
    },
  },
  {
    name: 'process.parent.hash.sha256',
    type: 'string',
    doc: "SHA-256 of the parent's executable.",
    subject: ofProcess,
    get: (event) => hashOf(event.process?.parent),
  },
];
