import type { InRecord } from '@ringfence/bus';
import { EventView } from '@ringfence/schema';
import { DetectorError } from '../errors.ts';

export type Check = (record: InRecord) => Buffer;

/**
 * Walks a whole batch before anything of it is applied, so that a bad one leaves no trace in the state. Throws DetectorError or SchemaError, both poison.
 */
export function createCheckStep(): Check {
  const view = new EventView();
  return function checkBatch({ key: hostId, value }) {
    if (value === null)
      throw new DetectorError('ERR_DETECTOR_BOUNDS', hostId, 'a tombstone, which ringfence.events has none of');
    view.open(value);
    if (view.head.hostId !== hostId || hostId.length > 64 || hostId.includes('/')) {
      throw new DetectorError(
        'ERR_DETECTOR_KEY',
        hostId,
        `the batch says it is of host ${JSON.stringify(view.head.hostId.slice(0, 64))}`,
      );
    }
    while (view.next());
    return Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  };
}
