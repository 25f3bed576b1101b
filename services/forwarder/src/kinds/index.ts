import type { SinkKind } from '../sink.ts';
import { alertmanager } from './alertmanager/index.ts';
import { email } from './email/index.ts';
import { falco } from './falco/index.ts';
import { jira } from './jira/index.ts';
import { pagerduty } from './pagerduty/index.ts';
import { slack } from './slack/index.ts';
import { syslog } from './syslog/index.ts';
import { teams } from './teams/index.ts';
import { thehive } from './thehive/index.ts';
import { webhook } from './webhook/index.ts';

/** All kinds of sinks. To add one, add its folder here; docs/SINKS.md gets its table of settings from it. */
export const KINDS: readonly SinkKind[] = [
  alertmanager,
  email,
  falco,
  jira,
  pagerduty,
  slack,
  syslog,
  teams,
  thehive,
  webhook,
];
