import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { ConfigError, type ConfigSources, loadConfig, parseSet, showConfig } from '../src/index.ts';

const directory = mkdtempSync(join(tmpdir(), 'ringfence-config-'));
after(() => rmSync(directory, { recursive: true, force: true }));

const file = join(directory, 'ringfence.yaml');

function write(text: string): string {
  writeFileSync(file, text, { mode: 0o600 });
  return file;
}

/** Sources without any setting, unless overridden. */
function sources(overrides: ConfigSources = {}): ConfigSources {
  return { env: {}, ...overrides, file: overrides.file ?? write('') };
}

function problemsOf(from: ConfigSources): string[] {
  try {
    loadConfig(from);
  } catch (error) {
    assert.ok(error instanceof ConfigError);
    assert.equal(error.code, 'ERR_CONFIG_INVALID');
    return error.message.split('\n').map((line) => line.replaceAll(`${directory}/`, ''));
  }
  return [];
}

describe('loadConfig', () => {
  it('needs no settings', () => {
    const config = loadConfig(sources());
    assert.equal(config.sensor.pollIntervalMs, 4);
    assert.equal(config.sensor.ringBulkBytes, 2 * config.sensor.ringSecurityBytes);
    assert.equal(config.responder.mode, 'observe');
    assert.equal(config.topics.incidents.retentionMs, Number.POSITIVE_INFINITY);
    assert.deepEqual(config.metrics.listen, { host: '127.0.0.1', port: 9464 });
  });

  it('returns deep-frozen settings', () => {
    const config = loadConfig(sources());
    assert.ok(Object.isFrozen(config) && Object.isFrozen(config.topics.raw) && Object.isFrozen(config.services));
    assert.throws(() => Object.assign(config.log, { level: 'trace' }), TypeError);
  });

  it('prefers flags to the environment, the environment to the file, and the file to the default', () => {
    const path = write('log: { level: debug }\nsensor: { pollInterval: 10ms }\ncollector: { tick: 2s }\n');
    const env = { RINGFENCE_LOG_LEVEL: 'warn', RINGFENCE_SENSOR_POLL_INTERVAL: '20ms' };
    const config = loadConfig({ file: path, env, flags: [parseSet('log.level = error')] });
    assert.equal(config.log.level, 'error');
    assert.equal(config.sensor.pollIntervalMs, 20);
    assert.equal(config.collector.tickMs, 2000);
    assert.equal(config.log.format, 'auto');
  });

  it('uses the last of two flags for the same setting', () => {
    const config = loadConfig(sources({ flags: [parseSet('log.level=warn'), parseSet('log.level=debug')] }));
    assert.equal(config.log.level, 'debug');
  });

  it('returns the services in the order of the data flow', () => {
    const config = loadConfig(sources({ flags: [{ flag: '--only', key: 'services', value: 'detector, collector' }] }));
    assert.deepEqual(config.services, ['collector', 'detector']);
  });

  it('resolves paths in the state directory unless they are set', () => {
    const config = loadConfig(
      sources({ flags: [parseSet('stateDir=/srv/rf'), parseSet('auditor.path=/data/audit.db')] }),
    );
    assert.equal(config.bus.embedded.path, '/srv/rf/bus.db');
    assert.equal(config.collector.spool.path, '/srv/rf/spool');
    assert.equal(config.auditor.path, '/data/audit.db');
  });

  it('uses defaults for an empty section and for a section with only comments', () => {
    const config = loadConfig(sources({ file: write('sensor:\n  # opens: all\nbus:\n  embedded:\n') }));
    assert.equal(config.sensor.opens, 'interest');
  });

  it('reads the file that RINGFENCE_CONFIG names', () => {
    const config = loadConfig({ env: { RINGFENCE_CONFIG: write('log: { level: fatal }') } });
    assert.equal(config.log.level, 'fatal');
  });
});

describe('settings that are refused with the position, the expected value and a suggestion', () => {
  const cases: { description: string; yaml: string; expected: string[] }[] = [
    {
      description: 'an unknown key',
      yaml: 'log:\n  levle: debug\n',
      expected: ['ringfence.yaml:2:3: log.levle: there is no such setting (did you mean level?)'],
    },
    {
      description: 'a key in the wrong section',
      yaml: 'chainIdle: 30m\n',
      expected: ['ringfence.yaml:1:1: chainIdle: there is no such setting (did you mean detector.chainIdle?)'],
    },
    {
      description: 'a duration without a unit',
      yaml: 'sensor:\n  pollInterval: 4\n',
      expected: [
        'ringfence.yaml:2:17: sensor.pollInterval: expected a duration such as 500ms, 10s, 5m, 2h or 3d; a bare number has no unit; got 4',
      ],
    },
    {
      description: 'a wrong unit',
      yaml: 'collector: { batchMaxBytes: 512KB }\n',
      expected: [
        'ringfence.yaml:1:29: collector.batchMaxBytes: expected a size such as 512KiB, 64MiB or 4GiB; there is no unit KB; got 512KB (did you mean 512KiB?)',
      ],
    },
    {
      description: 'a size instead of a duration',
      yaml: 'collector: { tick: 1MiB }\n',
      expected: [
        'ringfence.yaml:1:20: collector.tick: expected a duration such as 500ms, 10s, 5m, 2h or 3d; there is no unit MiB; got 1MiB',
      ],
    },
    {
      description: 'a value out of range',
      yaml: 'collector: { tick: 1h }\n',
      expected: ['ringfence.yaml:1:20: collector.tick: expected at most 10s; got 1h'],
    },
    {
      description: 'a ring size the kernel refuses',
      yaml: 'sensor: { ringBulkBytes: 33MiB }\n',
      expected: [
        'ringfence.yaml:1:26: sensor.ringBulkBytes: expected a power of two, such as 8MiB or 16MiB: the kernel accepts no other size; got 33MiB',
      ],
    },
    {
      description: 'an unknown choice',
      yaml: 'responder: { mode: enforced }\n',
      expected: [
        'ringfence.yaml:1:20: responder.mode: expected one of observe, enforce; got enforced (did you mean enforce?)',
      ],
    },
    {
      description: 'a scalar instead of a section',
      yaml: 'bus: embedded\n',
      expected: ['ringfence.yaml:1:6: bus: expected a section of settings; got `embedded`'],
    },
    {
      description: 'a document that is not a mapping',
      yaml: '- log\n',
      expected: ['ringfence.yaml:1:1: expected a section of settings; got a list'],
    },
    {
      description: 'a key without a value',
      yaml: 'log:\n  level:\n',
      expected: [
        'ringfence.yaml:2:9: log.level: expected one of trace, debug, info, warn, error, fatal, silent; got no value; omit the key to use the default',
      ],
    },
    {
      description: 'a relative path',
      yaml: 'sensor: { watchedPaths: [etc] }\n',
      expected: ['ringfence.yaml:1:25: sensor.watchedPaths: expected an absolute path; got etc'],
    },
    {
      description: 'two settings that exclude each other',
      yaml: 'metrics:\n  listen: 0.0.0.0:9464\n',
      expected: [
        'ringfence.yaml:2:11: metrics.listen: expected a loopback address, or metrics.token to be set; got 0.0.0.0',
      ],
    },
    {
      description: 'a port for alerts that other hosts reach, and that needs no token',
      yaml: 'collector:\n  alerts:\n    enabled: true\n    listen: 0.0.0.0:2801\n',
      expected: [
        'ringfence.yaml:4:13: collector.alerts.listen: expected a loopback address, because alerts come unencrypted; got 0.0.0.0',
        'default: collector.alerts.token: expected a token, or tokenFile, because without one any process of this host could post alerts',
      ],
    },
    {
      description: 'two places of the token for alerts, whose value is not shown',
      yaml: 'collector:\n  alerts:\n    token: hunter2\n    tokenFile: /etc/ringfence/falco-token\n',
      expected: [
        'ringfence.yaml:4:16: collector.alerts.tokenFile: expected no file, because collector.alerts.token is set',
      ],
    },
    {
      description: 'a silence limit shorter than the interval of ticks',
      yaml: 'bus: { driver: kafka }\nenricher: { silentAfter: 5s }\ncollector: { tick: 4s }\n',
      expected: [
        'ringfence.yaml:2:26: enricher.silentAfter: expected 0s, or at least 6s: ticks arrive every 4s (collector.tick) or up to a second later; got 5s',
      ],
    },
    {
      description: 'several settings at once, in the order of the file',
      yaml: 'services: []\nlog: { level: loud }\n',
      expected: [
        'ringfence.yaml:1:11: services: expected a list of one or more of collector, enricher, detector, responder, auditor, forwarder, registrar; got []',
        'ringfence.yaml:2:15: log.level: expected one of trace, debug, info, warn, error, fatal, silent; got loud',
      ],
    },
    {
      description: 'a setting that has been removed',
      yaml: 'topics: { hostIncidents: { retention: 1d } }\n',
      expected: [
        'ringfence.yaml:1:11: topics.hostIncidents: there is no such setting (the setting has been removed: delete it)',
      ],
    },
    {
      description: 'a prototype key',
      yaml: '__proto__: { polluted: 1 }\n',
      expected: ['ringfence.yaml:1:1: __proto__: there is no such setting'],
    },
  ];
  for (const { description, yaml, expected } of cases) {
    it(description, () => assert.deepEqual(problemsOf(sources({ file: write(yaml) })), expected));
  }

  it('invalid YAML', () => {
    const [problem = ''] = problemsOf(sources({ file: write('log:\n  level: "debug\n') }));
    assert.match(problem, /^ringfence\.yaml:\d+:\d+: not valid YAML: /);
  });

  it('a duplicate key', () => {
    assert.match(
      problemsOf(sources({ file: write('log: {}\nlog: {}\n') })).join(),
      /^ringfence\.yaml:2:1: not valid YAML: Map keys must be unique/,
    );
  });

  it('aliases that expand without bound', () => {
    const bomb = `a: &a [1, 2, 3, 4, 5, 6, 7, 8, 9]\n${['b', 'c', 'd', 'e', 'f'].map((name, i) => `${name}: &${name} [${`*${'abcdef'[i]}, `.repeat(9)}]`).join('\n')}\n`;
    assert.match(problemsOf(sources({ file: write(bomb) })).join(), /aliases cannot be resolved/);
  });

  it('environment variables and flags', () => {
    const env = {
      RINGFENCE_LOG_LEVL: 'debug',
      RINGFENCE_COLLECTOR_TICK: '1',
      RINGFENCE_TOPICS_HOST_INCIDENTS_RETENTION: '1d',
      RINGFENCE_YARDSTICKS: '/y',
      RINGFENCE_TESTKIT_CACHE: '/c',
      PATH: '/bin',
    };
    assert.deepEqual(problemsOf(sources({ env, flags: [parseSet('sensor.openss=all')] })), [
      'environment: RINGFENCE_LOG_LEVL: there is no such setting (did you mean RINGFENCE_LOG_LEVEL?)',
      'RINGFENCE_COLLECTOR_TICK: collector.tick: expected a duration such as 500ms, 10s, 5m, 2h or 3d; a bare number has no unit; got 1',
      'environment: RINGFENCE_TOPICS_HOST_INCIDENTS_RETENTION: there is no such setting (the setting has been removed: delete it)',
      '--set: sensor.openss: there is no such setting (did you mean sensor.opens?)',
    ]);
    assert.throws(() => parseSet('log.level'), /--set: log\.level: expected key=value/);
  });

  it('a value with control characters, which are escaped', () => {
    assert.deepEqual(problemsOf(sources({ env: { RINGFENCE_LOG_LEVEL: '\x1b[2Jx\n' } })), [
      'RINGFENCE_LOG_LEVEL: log.level: expected one of trace, debug, info, warn, error, fatal, silent; got \\x1b[2Jx\\x0a',
    ]);
  });
});

describe('an unusable settings file', () => {
  it('is an error if it was named and does not exist', () => {
    assert.deepEqual(problemsOf({ file: join(directory, 'none.yaml'), env: {} }), [
      'none.yaml: the file does not exist',
    ]);
  });

  it('is an error if it is a directory', () => {
    assert.match(problemsOf({ file: directory, env: {} }).join(), /expected a file; it is a directory$/);
  });

  it('is an error if it is too large', () => {
    assert.match(
      problemsOf(sources({ file: write('#'.repeat(1024 * 1024 + 1)) })).join(),
      /expected at most 1048576 bytes/,
    );
  });

  it('is an error if other users may write to it, whoever reads it', () => {
    chmodSync(write('log: {}\n'), 0o666);
    assert.match(problemsOf({ file, env: {} }).join(), /not trusted: .* is writable by every user.*chmod go-w/);
    chmodSync(file, 0o600);
  });

  it('leads to an error with the system error as its cause', () => {
    try {
      loadConfig({ file: join(directory, 'none.yaml'), env: {} });
      assert.fail('the missing file was read');
    } catch (error) {
      assert.ok(error instanceof ConfigError);
      assert.equal((error.cause as NodeJS.ErrnoException).code, 'ENOENT');
    }
  });
});

describe('showConfig', () => {
  it('prints YAML that loads to the same settings, with the source of each value and masked secrets', () => {
    const from = sources({
      flags: [parseSet('sensor.opens=all'), parseSet('metrics.listen=[::]:9464'), parseSet('metrics.token=hunter2')],
    });
    const text = showConfig(from);
    assert.match(text, /opens: all +# --set/);
    assert.match(text, /token: "\*{8}" +# --set/);
    assert.doesNotMatch(text, /hunter2/);
    const reloaded = loadConfig({ file: write(text), env: {} });
    assert.deepEqual({ ...reloaded.metrics, token: 'hunter2' }, { ...loadConfig(from).metrics });
    assert.deepEqual({ ...reloaded, metrics: 0 }, { ...loadConfig(from), metrics: 0 });
  });

  it('never shows a secret in an error', () => {
    assert.deepEqual(problemsOf(sources({ env: { RINGFENCE_METRICS_TOKEN: 'hun\nter2' } })), [
      'RINGFENCE_METRICS_TOKEN: metrics.token: expected one line of text; the value is not shown, because it is a secret',
    ]);
  });
});
