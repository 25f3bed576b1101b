import type { FuzzTarget } from '../lib/target.ts';
import { api } from './api.ts';
import { eventBatch, rawBatch } from './batches.ts';
import { bundles } from './bundles.ts';
import { channel } from './channel.ts';
import { cluster } from './cluster.ts';
import { control } from './control.ts';
import { controlStream } from './control-stream.ts';
import { containers, elf } from './host-files.ts';
import { kafka } from './kafka.ts';
import { logLines } from './log-lines.ts';
import { playbooks } from './playbooks.ts';
import { recordings } from './recordings.ts';
import { records } from './records.ts';
import { schemas } from './schemas.ts';
import { rules, ruleTests, settings } from './texts.ts';
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
  bundles,
  api,
  rules,
  ruleTests,
  playbooks,
  settings,
  logLines,
  containers,
  elf,
  cluster,
];
