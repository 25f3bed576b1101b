import type { Dashboard } from '../model.ts';
import { dashboardId } from '../sources.ts';
import { count, newest, terms } from './parts.ts';
import { DEAD_LETTERS, ENROLMENTS, OPERATORS } from './searches.ts';

/** A dashboard can be forged with the trail, so it does not say that the trail is intact. */
const VERIFY = `**Is the trail intact?** Only a check of the chains says so, with the heads that the auditors signed on the bus:

    ringfence audit verify

It walks every chain up to its head and exits with 1 if a record was changed, removed, added or cut off. \`--json\` has each
chain with its last number.`;

export const AUDIT: Dashboard = {
  id: dashboardId('audit'),
  title: 'Ringfence: audit',
  description:
    'What the audit trail holds, how far each chain reaches, whose signatures failed, and what could not be handled.',
  from: 'now-30d',
  controls: [
    { title: 'Host', source: 'audit', field: 'host.id' },
    { title: 'Kind', source: 'audit', field: 'ringfence.audit.kind' },
    { title: 'Topic', source: 'audit', field: 'ringfence.audit.topic' },
  ],
  rows: [
    {
      height: 9,
      panels: [
        {
          type: 'metric',
          title: 'Records',
          description: '0: nothing was stored in this time.',
          width: 8,
          source: 'audit',
          measure: count('Records'),
        },
        {
          type: 'metric',
          title: 'Dead letters',
          description: '0: every record could be handled.',
          width: 8,
          source: 'audit',
          query: 'ringfence.audit.kind : "dlq"',
          measure: count('Dead letters'),
        },
        {
          type: 'metric',
          title: 'Signatures',
          description:
            'Alerts whose signature is not of an enrolled detector. 0: each is, or one process writes unsigned.',
          width: 8,
          source: 'alerts',
          query: 'ringfence.signature.verified : false',
          measure: count('Alerts with a wrong signature'),
        },
        { type: 'markdown', title: 'Verification', description: 'How to verify the trail.', width: 24, text: VERIFY },
      ],
    },
    {
      height: 11,
      panels: [
        {
          type: 'series',
          title: 'Records over time',
          description: 'By kind. Empty: nothing was stored.',
          width: 24,
          source: 'audit',
          shape: 'bar',
          measure: count('Records'),
          breakdown: terms('ringfence.audit.kind', 'Kind', 12),
        },
        {
          type: 'table',
          title: 'Chains',
          description:
            'Each chain with its last number: `ringfence audit verify` reaches up to there. Empty: nothing was stored.',
          width: 24,
          source: 'audit',
          rows: [terms('ringfence.audit.topic', 'Topic', 10), terms('ringfence.audit.kind', 'Kind', 5)],
          measures: [
            count('Records'),
            { op: 'max', field: 'ringfence.audit.seq', label: 'Last number' },
            { op: 'unique', field: 'ringfence.audit.partition', label: 'Partitions' },
            newest,
          ],
        },
      ],
    },
    {
      height: 13,
      panels: [
        {
          type: 'table',
          title: 'What people did',
          description:
            'Actions by user. They have neither kind nor topic, so filters by these hide them. Empty: nobody changed anything or took evidence.',
          width: 16,
          source: 'actions',
          query: 'ringfence.operator.origin : *',
          rows: [terms('event.action', 'Action', 25), terms('user.name', 'User', 10)],
          measures: [count('Actions'), newest],
        },
        {
          type: 'search',
          title: 'Who did what, and why',
          description: 'Newest first. Empty: nobody changed anything or took evidence.',
          width: 32,
          search: OPERATORS,
        },
      ],
    },
    {
      height: 13,
      panels: [
        {
          type: 'search',
          title: 'Enrolments and revocations',
          description: 'Empty: nobody was enrolled or revoked in this time.',
          width: 24,
          search: ENROLMENTS,
        },
        {
          type: 'search',
          title: 'Dead letters',
          description: 'Empty: every record could be handled.',
          width: 24,
          search: DEAD_LETTERS,
        },
      ],
    },
  ],
};
