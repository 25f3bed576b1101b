import type { InRecord, OutRecord } from '@ringfence/bus';
import { decode } from '@ringfence/wire';
import { MisplacedRecordError } from '../errors.ts';
import type { Runs } from '../playbook/runs.ts';
import { positionOf } from '../state/memory.ts';
import { checkSignature, type Trusted } from './verify.ts';

export interface SignalDeps {
  readonly runs: Runs;
  /** Keys of the responders, this responder's own included. */
  readonly responders: Trusted;
}

/** Returns the step for `ringfence.runs`. The step throws ForgedRecordError and MisplacedRecordError. */
export function createTakeSignal({
  runs,
  responders,
}: SignalDeps): (record: InRecord, value: Uint8Array) => readonly OutRecord[] {
  return function takeSignal(record, value) {
    const signal = decode('RunSignal', value);
    checkSignature(responders, 'signal of run', signal, value);
    if (record.key !== signal.hostId)
      throw new MisplacedRecordError('signal of run', signal.id, signal.hostId, record.key);
    return runs.take(signal, positionOf(record));
  };
}
