import type { InRecord, OutRecord } from '@ringfence/bus';
import { asBuffer, decode, type SigningKey, TOPIC } from '@ringfence/wire';
import { MisplacedRecordError } from '../errors.ts';
import type { ResponderMetrics } from '../metrics.ts';
import { containedBy } from './contained.ts';
import { type Memory, placeOf } from './memory.ts';
import type { TraceSteps } from './trace.ts';
import { checkSignature, type Trusted } from './verify.ts';

export interface AwaitDeps {
  /** signs what the detector is told */
  readonly key: SigningKey;
  readonly memory: Memory;
  readonly metrics: ResponderMetrics;
  readonly tracing: TraceSteps;
  /** keys of the responders, this one's among them */
  readonly responders: Trusted;
  /** told when there is a command to route */
  readonly opened: () => void;
}

/**
 * An enforced command is open from here on, until its answer comes. The answer may lie before it: after a crash both are read again, and nothing orders
 * one topic after the other.
 */
export function createAwaitAnswer(deps: AwaitDeps): (record: InRecord, value: Uint8Array) => readonly OutRecord[] {
  const { key, memory, metrics, tracing, responders, opened } = deps;
  return function awaitAnswer(record, value) {
    const command = decode('Command', value);
    if (command.mode !== 'enforce') return [];
    checkSignature(responders, 'command', command, value);
    const { id, hostId, expiresAt } = command;
    if (record.key !== hostId) throw new MisplacedRecordError('command', id, hostId, record.key);
    const known = memory.commands.get(id);
    if (known?.answer == null) {
      if (known === undefined) {
        const bytes = asBuffer(value).toString('base64');
        memory.commands.set(id, { hostId, expiresAt, command: bytes, answer: null }, placeOf(record));
      }
      opened();
      return [];
    }
    const answer = Buffer.from(known.answer, 'base64');
    memory.commands.set(id, { hostId, expiresAt, command: null, answer: null }, placeOf(record));
    const result = decode('Result', answer);
    metrics.answered(result.outcome);
    tracing.answered(value, result);
    return [{ topic: TOPIC.results, key: hostId, value: answer }, ...containedBy(value, result, key)];
  };
}

/** The first answer to a command is its Result. What comes after it says the same, or comes too late. */
export function createTakeAnswer({
  key,
  memory,
  metrics,
  tracing,
  responders,
}: Pick<AwaitDeps, 'key' | 'memory' | 'metrics' | 'tracing' | 'responders'>): (
  record: InRecord,
  value: Uint8Array,
) => readonly OutRecord[] {
  return function takeAnswer(record, value) {
    const result = decode('Result', value);
    checkSignature(responders, 'result', result, value);
    const { id, hostId } = result;
    if (record.key !== hostId) throw new MisplacedRecordError('result', id, hostId, record.key);
    const known = memory.commands.get(id);
    if (known === undefined) {
      const answer = asBuffer(value).toString('base64');
      memory.commands.set(id, { hostId, expiresAt: result.at, command: null, answer }, placeOf(record));
      return [];
    }
    if (known.command === null) {
      if (known.answer === null) metrics.answersAgain++;
      return [];
    }
    memory.commands.set(id, { ...known, command: null }, placeOf(record));
    metrics.answered(result.outcome);
    const command = Buffer.from(known.command, 'base64');
    tracing.answered(command, result);
    return [{ topic: TOPIC.results, key: hostId, value }, ...containedBy(command, result, key)];
  };
}
