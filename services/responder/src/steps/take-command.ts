import type { InRecord, OutRecord } from '@ringfence/bus';
import { askedOf, decode } from '@ringfence/wire';
import type { Commands } from '../command.ts';
import { MisplacedRecordError } from '../errors.ts';
import { positionOf } from '../state/memory.ts';
import { checkSignature, type Trusted } from './verify.ts';

export interface TakeDeps {
  readonly commands: Commands;
  /** Keys of the responders, this responder's own included. */
  readonly responders: Trusted;
}

/** Returns the step for `ringfence.commands`. The step throws ForgedRecordError and MisplacedRecordError. */
export function createTakeCommand({
  commands,
  responders,
}: TakeDeps): (record: InRecord, value: Uint8Array) => readonly OutRecord[] {
  return function takeCommand(record, value) {
    const command = decode('Command', value);
    // An observed command has its Result since it was ordered.
    if (askedOf(command) === 'observe') return [];
    checkSignature(responders, 'command', command, value);
    checkKey('command', command, record);
    return commands.take(command, value, positionOf(record));
  };
}

/** Returns the step for `ringfence.answers`. The step throws ForgedRecordError and MisplacedRecordError. */
export function createTakeAnswer({
  commands,
  responders,
}: TakeDeps): (record: InRecord, value: Uint8Array) => readonly OutRecord[] {
  return function takeAnswer(record, value) {
    const result = decode('Result', value);
    checkSignature(responders, 'result', result, value);
    checkKey('result', result, record);
    return commands.answer(result, value, positionOf(record));
  };
}

function checkKey(kind: string, { id, hostId }: { readonly id: string; readonly hostId: string }, { key }: InRecord) {
  if (key !== hostId) throw new MisplacedRecordError(kind, id, hostId, key);
}
