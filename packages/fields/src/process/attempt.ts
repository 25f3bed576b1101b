import { type EventView, leaf, normalPath, records, UNSET_ID, u64High, u64Low } from '@ringfence/wire';
import { baseName, bodyBoolean, bodyLong, bodyText, type Field, nonEmpty } from '../field.ts';
import { capabilityNames } from '../names/capabilities.ts';
import { groupIds } from './credentials.ts';

const { AttemptCall: CALL, AttemptOperation: OPERATION } = records;
const kinds = ['attempt'];
const operation = bodyLong(leaf.Attempt.operation);
const call = bodyLong(leaf.Attempt.call);
const argvCut = bodyBoolean(leaf.Attempt.argvCut);
const path = bodyText(leaf.Attempt.pathBytes);
/** Three ids, or the capability sets of capset. */
const asked = [leaf.Attempt.first, leaf.Attempt.second, leaf.Attempt.third];

const NAMES = new Map<number, string>(
  Object.entries(CALL).map(([name, value]) => [value, name.replace('CALL_', '').toLowerCase()]),
);
const GROUPS: ReadonlySet<number> = new Set([
  CALL.CALL_SETGID,
  CALL.CALL_SETFSGID,
  CALL.CALL_SETREGID,
  CALL.CALL_SETRESGID,
  CALL.CALL_SETGROUPS,
]);

const isExec = (event: EventView): boolean => operation(event) === OPERATION.ATTEMPT_EXEC_FAILED;
const isCapset = (event: EventView): boolean => call(event) === CALL.CALL_CAPSET;
const setsIds = (event: EventView): boolean =>
  operation(event) === OPERATION.ATTEMPT_CREDENTIALS_FAILED && !isCapset(event);

function ids(event: EventView): string[] {
  const { cursor } = event;
  if (call(event) === CALL.CALL_SETGROUPS)
    return groupIds(cursor, cursor.leafAt(leaf.Attempt.groupsBytes), cursor.leafLength(leaf.Attempt.groupsBytes));
  const numbers = asked.map((leaf) => u64Low(cursor.buffer, cursor.leafAt(leaf)));
  return [...new Set(numbers)].filter((id) => id !== UNSET_ID).map(String);
}

/** Returns the union of the effective, permitted and inheritable set. */
function capabilities({ cursor: { buffer }, cursor }: EventView): string[] {
  const all = Buffer.alloc(8);
  for (const leaf of asked) {
    const at = cursor.leafAt(leaf);
    all.writeUInt32LE((all.readUInt32LE(0) | u64Low(buffer, at)) >>> 0, 0);
    all.writeUInt32LE((all.readUInt32LE(4) | u64High(buffer, at)) >>> 0, 4);
  }
  return capabilityNames(all);
}

const requested = (event: EventView): string | undefined =>
  isExec(event) ? nonEmpty(normalPath(path(event))) : undefined;

/** The request of a fork, an exec or a change of credentials that failed. The event's process made the request. */
export const attemptFields: readonly Field[] = [
  {
    name: 'attempt.call',
    type: 'string',
    doc: 'System call that failed: fork, vfork, clone, clone3, execve, execveat, capset, setuid, setresgid, setgroups, …',
    kinds,
    get: (event) => NAMES.get(call(event)),
  },
  {
    name: 'attempt.path',
    type: 'string',
    doc: 'Path of the failed exec as the caller passed it, made absolute; links are not followed.',
    kinds,
    get: requested,
  },
  {
    name: 'attempt.name',
    type: 'string',
    doc: 'Last component of the path.',
    kinds,
    get: (event) => nonEmpty(baseName(requested(event) ?? '')),
  },
  {
    name: 'attempt.args',
    type: 'strings',
    doc: "Arguments of the failed exec from the caller's memory, at most 4,096 bytes.",
    kinds,
    get: (event) => (isExec(event) ? event.cursor.leafTexts(leaf.Attempt.argvBytes) : undefined),
  },
  {
    name: 'attempt.args_cut',
    type: 'bool',
    doc: 'The arguments are truncated.',
    kinds,
    get: (event) => (isExec(event) ? argvCut(event) : undefined),
  },
  {
    name: 'attempt.user.ids',
    type: 'strings',
    doc: 'User ids that the process requested (real, effective or saved), as numbered in its user namespace.',
    kinds,
    get: (event) => (setsIds(event) && !GROUPS.has(call(event)) ? ids(event) : undefined),
  },
  {
    name: 'attempt.group.ids',
    type: 'strings',
    doc: 'Group ids that the process requested, as numbered in its user namespace; the first 32 on setgroups.',
    kinds,
    get: (event) => (setsIds(event) && GROUPS.has(call(event)) ? ids(event) : undefined),
  },
  {
    name: 'attempt.capabilities',
    type: 'strings',
    doc: 'Capabilities that the process requested in any of its sets.',
    kinds,
    get: (event) => (isCapset(event) ? capabilities(event) : undefined),
  },
];
