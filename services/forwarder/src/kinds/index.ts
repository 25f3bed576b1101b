import type { SinkKind } from '../sink.ts';
import { alertmanager } from './alertmanager/index.ts';
import { azure } from './azure/index.ts';
import { elasticsearch } from './elasticsearch/index.ts';
import { email } from './email/index.ts';
import { falco } from './falco/index.ts';
import { jira } from './jira/index.ts';
import { kafka } from './kafka/index.ts';
import { loki } from './loki/index.ts';
import { otlp } from './otlp/index.ts';
import { pagerduty } from './pagerduty/index.ts';
import { s3 } from './s3/index.ts';
import { secops } from './secops/index.ts';
import { slack } from './slack/index.ts';
import { splunk } from './splunk/index.ts';
import { syslog } from './syslog/index.ts';
import { teams } from './teams/index.ts';
import { thehive } from './thehive/index.ts';
import { webhook } from './webhook/index.ts';

/** All kinds of sinks. To add one, add its folder here; docs/SINKS.md gets its table of settings from it. */
export const KINDS: readonly SinkKind[] = [
  alertmanager,
  azure,
  elasticsearch,
  email,
  falco,
  jira,
  kafka,
  loki,
  otlp,
  pagerduty,
  s3,
  secops,
  slack,
  splunk,
  syslog,
  teams,
  thehive,
  webhook,
];
