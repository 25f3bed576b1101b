import type { Shape } from './shape.ts';

const TRIAGE_SHAPE: Shape = {
  status: 'string',
  verdict: 'string',
  history: [{ status: 'string', verdict: 'string', by: 'string', note: 'string', at: 'number' }],
};
const TIE_SHAPE: Shape = { kind: 'string', end: 'string', detail: 'string', at: 'number' };
const REF_SHAPE: { readonly [field: string]: Shape } = { chainId: 'string', hostId: 'string', openedAt: 'number' };
export const MEMORY_SHAPES: Readonly<Record<string, Shape>> = {
  f: REF_SHAPE,
  a: { accepts: [{ tie: TIE_SHAPE, ktime: 'number', by: 'string' }], forks: [{ entityId: 'string', start: 'number' }] },
  s: [TIE_SHAPE],
  o: { lineage: ['string'], ties: [TIE_SHAPE] },
  k: 'number',
  v: { root: 'string', clients: ['string'] },
  p: [{ root: 'string', endpoint: 'string', ktime: 'number' }],
  x: 'string',
  i: 'boolean',
  j: { version: 'number', triage: TRIAGE_SHAPE },
};

export const HOST_SHAPE: Shape = {
  tick: 'number',
  nextOrdinal: 'number',
  ktime: 'number',
  hostname: 'string',
  addresses: ['string'],
  rarity: ['any'],
  verdicts: ['any'],
  runs: [
    {
      id: 'string',
      lanes: [{ key: 'number', highest: 'number', holes: [{ from: 'number', to: 'number', due: 'number' }] }],
    },
  ],
};
export const COUNTS_SHAPE: Shape = {
  id: 'string',
  hostId: 'string',
  revision: 'number',
  version: 'number',
  firstSeen: 'number',
  lastSeen: 'number',
  lastKtime: 'number',
  omitted: 'number',
  stale: 'boolean',
  rules: { '*': 'number' },
  alerts: [['number']],
};
export const RULE_COUNTS_SHAPE: Shape = [
  { rule: 'string', chains: 'number', truePositives: 'number', falsePositives: 'number' },
];
export const CHAIN_SHAPE: Shape = {
  id: 'string',
  hostId: 'string',
  bootId: 'string',
  ordinal: 'number',
  revision: 'number',
  version: 'number',
  firstSeen: 'number',
  lastSeen: 'number',
  lastKtime: 'number',
  alerts: [
    {
      id: 'string',
      rule: 'string',
      priority: 'string',
      tactics: ['string'],
      techniques: ['string'],
      timestamp: 'number',
      entityId: 'string',
      executable: 'string',
      output: 'string',
      why: 'string',
      container: 'any',
      count: 'number',
      lastTimestamp: 'number',
      minute: 'number',
      sentInMinute: 'number',
    },
  ],
  omitted: 'number',
  stages: [{ tactic: 'string', techniques: ['string'], firstSeen: 'number' }],
  rules: { '*': { weight: 'number', ktime: 'number' } },
  processes: {
    '*': {
      entityId: 'string',
      parentEntityId: 'string',
      execId: 'number',
      pid: 'number',
      executable: 'string',
      args: 'string',
      user: 'string',
      containerId: 'string',
    },
  },
  keys: ['string'],
  stale: 'boolean',
  openedAt: 'number',
  published: 'boolean',
  edges: ['string'],
  above: ['string'],
  absorbed: ['string'],
  survivor: 'any',
  touchedKtime: 'number',
  triage: TRIAGE_SHAPE,
};
export const SURVIVOR_SHAPE: Shape = {
  ...REF_SHAPE,
  tie: { edge: 'string', kind: 'string', why: 'string', at: 'number' },
};
