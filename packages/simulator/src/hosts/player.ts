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
  /** Version of the interest that this host filters with. @default the version in the recording */
  readonly interestVersion?: () => number;
}

/** A batch of the recording, as this host sends it. */
export interface PlayedBatch {
  readonly bytes: Buffer;
  /** Milliseconds since the first batch. */
  readonly atMs: number;
}

/**
 * Plays the stream of a recording's first host as the stream of another host: the same bytes of events, in batches
 * signed by this host, with a new boot id and current times. Throws OperatorError when the file is not a recording.
 */
export async function* playRecording(options: PlayerOptions): AsyncGenerator<PlayedBatch> {
  const { file, hostId, key } = options;
  await using recording = await openRecording(file);
  const origin = { hostId, bootId: randomUUID(), run: randomBytes(8) };
  const reader = new RawBatchReader();
  let recordedHost: string | undefined;
  let firstEventAt: number | undefined;
  let wallOffset = 0;
  for await (const record of recording.records()) {
    // Only events are played, no log lines.
    if (isSignedLines(record)) continue;
    reader.open(record);
    const { head, cursor } = reader;
    recordedHost ??= head.hostId;
    if (head.hostId !== recordedHost) continue;
    const writer = new RawBatchWriter({ ...origin, agentVersion: head.agentVersion });
    let lastEventAt = 0;
    for (; reader.next(); writer.count++) {
      writer.events.append(cursor.buffer, cursor.eventAt, cursor.eventEnd);
      if (cursor.lane !== LANE.context) lastEventAt = Math.max(lastEventAt, cursor.ktime);
    }
    if (firstEventAt === undefined && lastEventAt > 0) {
      firstEventAt = lastEventAt;
      wallOffset = Date.now() * 1000 - lastEventAt;
    }
    const { lanes } = head;
    const interestVersion = options.interestVersion?.() ?? head.interestVersion;
    const sign = (bytes: Uint8Array): Uint8Array => signBytes(key, bytes);
    const trailer = { interestVersion, lanes, wallOffset, sentAt: Date.now() * 1000, keyId: key.keyId, sign };
    const atMs = firstEventAt === undefined ? 0 : Math.max(0, lastEventAt - firstEventAt) / 1000;
    yield { bytes: writer.finish(trailer), atMs };
  }
}
