/**
 * The allowed dependencies between packages in production code, from the lowest layer up. Tests and benches may use any
 * package through its exports. Before a new dependency is added to this table, check that it points to a lower layer.
 */
export const ARROWS: Readonly<Record<string, readonly string[]>> = {
  base: [],
  'libbpf-ts': [],
  telemetry: ['base'],

  bus: ['base'],
  config: ['base'],
  coordination: ['base'],
  'host-kit': ['base'],
  wire: ['base'],

  'bus-kafka': ['base', 'bus'],
  fields: ['wire'],
  identity: ['base', 'bus', 'wire'],
  'incident-text': ['base', 'wire'],
  'service-kit': ['base', 'bus', 'wire'],

  interest: ['fields', 'wire'],
  'log-reader': ['base', 'bus', 'fields', 'host-kit', 'wire'],
  registrar: ['base', 'bus', 'identity', 'wire'],
  'sequence-store': ['fields'],
  'syscall-trace': ['base', 'fields', 'libbpf-ts', 'wire'],

  control: ['base', 'identity', 'interest', 'wire'],
  enricher: ['base', 'bus', 'fields', 'interest', 'service-kit', 'wire'],
  rules: ['base', 'fields', 'interest', 'sequence-store', 'wire'],
  sensor: ['base', 'config', 'fields', 'host-kit', 'interest', 'libbpf-ts', 'wire'],

  auditor: ['base', 'bus', 'fields', 'incident-text', 'rules', 'service-kit', 'wire'],
  detector: ['base', 'bus', 'fields', 'interest', 'rules', 'service-kit', 'wire'],
  'host-facts': ['base', 'fields', 'host-kit', 'libbpf-ts', 'sensor', 'wire'],
  responder: ['base', 'bus', 'control', 'coordination', 'interest', 'rules', 'service-kit', 'wire'],

  collector: [
    'base',
    'bus',
    'control',
    'host-facts',
    'host-kit',
    'interest',
    'libbpf-ts',
    'log-reader',
    'sensor',
    'service-kit',
    'wire',
  ],
  posture: ['base', 'fields', 'host-facts', 'wire'],

  runtime: [
    'auditor',
    'base',
    'bus',
    'bus-kafka',
    'collector',
    'config',
    'control',
    'coordination',
    'detector',
    'enricher',
    'fields',
    'identity',
    'incident-text',
    'interest',
    'registrar',
    'responder',
    'rules',
    'sensor',
    'service-kit',
    'telemetry',
    'wire',
  ],
  testkit: ['base', 'bus', 'collector', 'libbpf-ts', 'sensor', 'wire'],

  doctor: ['base', 'bus-kafka', 'collector', 'config', 'identity', 'libbpf-ts', 'runtime', 'sensor'],
  'rule-lab': ['base', 'config', 'detector', 'enricher', 'fields', 'rules', 'runtime', 'testkit', 'wire'],
  simulator: [
    'base',
    'bus-kafka',
    'collector',
    'config',
    'control',
    'identity',
    'runtime',
    'telemetry',
    'testkit',
    'wire',
  ],

  /** Commands and views may use every package. */
  cli: ['*'],
};
