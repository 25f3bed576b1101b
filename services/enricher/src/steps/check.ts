import { decodePart, KIND, MAX_LONG, RawBatchReader, typeOf } from '@ringfence/wire';
import { EnricherError } from '../errors.ts';

const ID = /^[\w.-]{1,64}$/;
const MAX_LANE = 255;
const MAX_CPU = 65_535;
const MAX_TGID = 2 ** 31 - 1;

export type Check = (hostId: string, bytes: Buffer) => void;

/**
 * Checks a whole batch before any of it is applied, so that an invalid one leaves no trace in the state: later steps
 * never throw. Throws EnricherError or SchemaError, both poison.
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
        `the batch names another host: ${JSON.stringify(head.hostId.slice(0, 64))}`,
      );
    if (!ID.test(head.hostId) || !ID.test(head.bootId))
      reject('host id and boot id must be 1 to 64 letters, digits, dots and dashes');
    if (!inRange(Math.abs(head.wallOffset), MAX_LONG)) reject(`the offset of its wall clock is ${head.wallOffset} µs`);
    for (const { lane, cpu, sequence } of head.lanes)
      if (!inRange(lane, MAX_LANE) || !inRange(cpu, MAX_CPU) || !inRange(sequence, MAX_LONG))
        reject(`it has counters of lane ${lane}, CPU ${cpu}, up to number ${sequence}`);
    while (reader.next()) {
      if (!inRange(cursor.lane, MAX_LANE) || !inRange(cursor.cpu, MAX_CPU))
        reject(`it has an event of lane ${cursor.lane}, CPU ${cursor.cpu}`);
      if (!inRange(cursor.tgid, MAX_TGID) || !inRange(cursor.tid, MAX_TGID))
        reject(`it has an event of process ${cursor.tgid}, thread ${cursor.tid}`);
      const { sequence, ktime, execId } = cursor;
      if (sequence < 1 || sequence > MAX_LONG || !inRange(ktime, MAX_LONG) || execId < 0)
        reject(`it has an event with sequence number ${sequence}, time ${ktime} and exec id ${execId}`);
      if (cursor.kind === KIND.ContainerContext) decodePart(event, cursor.buffer, cursor.eventAt);
    }
  };
}

const inRange = (value: number, max: number): boolean => value >= 0 && value <= max;
