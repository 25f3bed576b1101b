import { randomBytes, randomUUID } from 'node:crypto';
import {
  isSignedLines,
  LANE,
  openRecording,
  RawBatchReader,
  RawBatchWriter,
  type SigningKey,
  signBytes,
} from '@ringfence/wire';

export interface PlayerOptions {
  readonly file: string;
  readonly hostId: string;
  readonly key: SigningKey;
  /** what this host was told to filter with. @default what the recorded one was */
  readonly interestVersion?: () => number;
}

/** A batch of a recording as this host would have sent it, and when. */
export interface PlayedBatch {
  readonly bytes: Buffer;
  /** ms since the first one */
  readonly atMs: number;
}

/**
 * A recorded stream of one host again, as another host's: its events byte for byte, in batches that this host signs, from a boot of its own, with times that are now.
 * Throws OperatorError when it is no recording.
 */
export async function* playRecording(options: PlayerOptions): AsyncGenerator<PlayedBatch> {
  const { file, hostId, key } = options;
  await using recording = await openRecording(file);
  const origin = { hostId, bootId: randomUUID(), run: randomBytes(8) };
  const reader = new RawBatchReader();
  let recorded: string | undefined;
  let first: number | undefined;
  let wallOffset = 0;
  for await (const record of recording.records()) {
    // It sends what a sensor saw.
    if (isSignedLines(record)) continue;
    reader.open(record);
    const { head, cursor } = reader;
    recorded ??= head.hostId;
    if (head.hostId !== recorded) continue;
    const writer = new RawBatchWriter({ ...origin, agentVersion: head.agentVersion });
    let at = 0;
    for (; reader.next(); writer.count++) {
      writer.events.append(cursor.buffer, cursor.eventAt, cursor.eventEnd);
      if (cursor.lane !== LANE.context) at = Math.max(at, cursor.ktime);
    }
    if (first === undefined && at > 0) {
      first = at;
      wallOffset = Date.now() * 1000 - at;
    }
    const { lanes } = head;
    const interestVersion = options.interestVersion?.() ?? head.interestVersion;
    const sign = (bytes: Uint8Array): Uint8Array => signBytes(key, bytes);
    const end = { interestVersion, lanes, wallOffset, sentAt: Date.now() * 1000, keyId: key.keyId, sign };
    yield { bytes: writer.finish(end), atMs: first === undefined ? 0 : Math.max(0, at - first) / 1000 };
  }
}
