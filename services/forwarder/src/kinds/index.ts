import type { SinkKind } from '../sink.ts';
import { elasticsearch } from './elasticsearch/index.ts';
import { kafka } from './kafka/index.ts';
import { s3 } from './s3/index.ts';
import { splunk } from './splunk/index.ts';
import { syslog } from './syslog/index.ts';
import { webhook } from './webhook/index.ts';

/** All kinds of sinks. To add one, add its folder here; docs/SINKS.md gets its table of settings from it. */
export const KINDS: readonly SinkKind[] = [elasticsearch, kafka, s3, splunk, syslog, webhook];
