import type { FuzzTarget } from '../lib/target.ts';
import { api } from './api.ts';
import { eventBatch, rawBatch } from './batches.ts';
import { channel } from './channel.ts';
import { control } from './control.ts';
import { controlStream } from './control-stream.ts';
import { kafka } from './kafka.ts';
import { recordings } from './recordings.ts';
import { records } from './records.ts';
import { schemas } from './schemas.ts';
import { transcoder } from './transcoder.ts';

export const TARGETS: readonly FuzzTarget[] = [
  transcoder,
  rawBatch,
  eventBatch,
  records,
  schemas,
  kafka,
  control,
  controlStream,
  channel,
  recordings,
  api,
];
