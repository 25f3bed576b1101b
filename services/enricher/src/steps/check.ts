import { decodePart, KIND, RawBatchReader, typeOf } from '@ringfence/wire';
import { EnricherError } from '../errors.ts';

const ID = /^[\w.-]{1,64}$/;
const MAX_LANE = 255;
const MAX_CPU = 65_535;
const MAX_TGID = 2 ** 31 - 1;
/** Of a number of an event, and of a time in µs (it is the year 2112): sums of two, and twice one, are exact still. */
export const MAX_LONG: number = 2 ** 52 - 1;

export type Check = (hostId: string, bytes: Buffer) => void;

/**
 * Walks a whole batch before anything of it is applied, so that a bad one leaves no trace in the state: after this no step throws.
 * Throws EnricherError or SchemaError, both poison.
 */
export function createCheckStep(): Check {
  const reader = new RawBatchReader();
  const event = typeOf('Event');
  return function checkBatch(hostId, bytes) {
    reader.open(bytes);
    const { head, cursor } = reader;
    const reject = (message: string): never => {
      throw new EnricherError('ERR_ENRICHER_BOUNDS', hostId, message);
    };
    if (head.hostId !== hostId)
      throw new EnricherError(
        'ERR_ENRICHER_KEY',
        hostId,
        `says it is of host ${JSON.stringify(head.hostId.slice(0, 64))}`,
      );
    if (!ID.test(head.hostId) || !ID.test(head.bootId))
      reject('host id and boot id must be 1 to 64 letters, digits, dots and dashes');
    if (!inRange(Math.abs(head.wallOffset), MAX_LONG)) reject(`a wall clock of ${head.wallOffset} µs`);
    for (const { lane, cpu, sequence } of head.lanes)
      if (!inRange(lane, MAX_LANE) || !inRange(cpu, MAX_CPU) || !inRange(sequence, MAX_LONG))
        reject(`counters of lane ${lane}, CPU ${cpu} at ${sequence}`);
    while (reader.next()) {
      if (!inRange(cursor.lane, MAX_LANE) || !inRange(cursor.cpu, MAX_CPU))
        reject(`an event of lane ${cursor.lane}, CPU ${cursor.cpu}`);
      if (!inRange(cursor.tgid, MAX_TGID) || !inRange(cursor.tid, MAX_TGID))
        reject(`an event of process ${cursor.tgid}`);
      const { sequence, ktime, execId } = cursor;
      if (sequence < 1 || sequence > MAX_LONG || !inRange(ktime, MAX_LONG) || execId < 0)
        reject(`an event with the number ${sequence}, the time ${ktime} or the exec id ${execId}`);
      if (cursor.kind === KIND.ContainerContext) decodePart(event, cursor.buffer, cursor.eventAt);
    }
  };
}

const inRange = (value: number, max: number): boolean => value >= 0 && value <= max;
