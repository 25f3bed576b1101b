import { join } from 'node:path';
import { z } from 'zod';
import type { Config, ServiceName } from './config.ts';
import { type Conflict, conflictsOf } from './conflicts.ts';
import {
  address,
  choice,
  choices,
  count,
  duration,
  flag,
  names,
  optionalPath,
  path,
  paths,
  patterns,
  ringSize,
  secret,
  section,
  servers,
  share,
  size,
  statePath,
  text,
  urls,
} from './setting.ts';
import type { SettingsSchema } from './walk.ts';
import { withUnits } from './with-units.ts';

/** Where things are kept on this machine unless a setting says so. */
export interface Home {
  readonly stateDir: string;
  readonly runDir: string;
}

/** In the order the data flows. */
export const SERVICES: readonly ServiceName[] = [
  'collector',
  'enricher',
  'detector',
  'responder',
  'auditor',
  'registrar',
];

/** What is worth keeping of what no rule asks for: all but what a machine says to itself, and unix sockets. */
const AUDITED = [
  'attempt.credentials',
  'attempt.exec',
  'attempt.fork',
  'authentication',
  'bpf',
  'capability',
  'connect.udp',
  'datagram.remote',
  'fault',
  'file_change',
  'flow.remote',
  'io_uring',
  'isolation',
  'memory',
  'module',
  'mount_change',
  'packet.dns',
  'packet.tls',
  'process_access',
  'redirect',
  'shell_line',
  'signal',
  'socket',
  'sysctl',
  'system_change',
  'tls_data',
];

/** What `up` runs unless it is told: all that one machine needs. */
const ONE_MACHINE = SERVICES.filter((service) => service !== 'registrar');

const NAME = { pattern: /^[A-Za-z0-9._-]{1,100}$/, expected: 'up to 100 letters, digits, dots, dashes, underscores' };
const URL_TEXT = { pattern: /^https?:\/\/[^\s\p{Cc}]{1,500}$/u, expected: 'http:// or https:// URL' };
const STREAM_PART = { pattern: /^[a-z0-9][a-z0-9_]{0,63}$/, expected: 'up to 64 lower-case letters, digits, _' };
const USER_NAME = { pattern: /^[a-z_][a-z0-9_-]{0,31}$/, expected: 'name of a user' };
const LINE = { pattern: /^[^\p{Cc}]{1,255}$/u, expected: 'text of one line' };

const REDIS_URL = {
  pattern: /^rediss?:\/\/[^\s\p{Cc}@]{1,500}$/u,
  expected: 'redis:// or rediss:// URL without a password',
};

const PRINCIPAL = {
  pattern: /^(User:[^\p{Cc}]{1,255})?$/u,
  expected: '`User:` and a name, or empty text',
};
const principal = (role: string, who: string) =>
  text(`User:${role}`, `${who} Empty: no access is given to it.`, PRINCIPAL);

const topic = (name: string, retention: string, retentionBytes: string) =>
  section(`\`${name}\`.`, {
    retention: duration(retention, 'How long a record is kept.', {
      endless: true,
      min: 60_000,
    }),
    retentionBytes: size(retentionBytes, 'How much is kept; the oldest records go first.', {
      endless: true,
      min: 1024 ** 2,
    }),
  });

const kafka = () =>
  section('The Kafka driver.', {
    brokers: servers(['127.0.0.1:9092'], 'Brokers to ask first; they name the others.'),
    client: choice(
      ['platformatic', 'kafkajs'],
      'platformatic',
      'The client that speaks to them. `kafkajs` has had no release since 2023: for houses that have standardised on it.',
    ),
    clientId: text('ringfence', 'The name of this client in the logs and quotas of the brokers.', NAME),
    topicPrefix: text(
      '',
      'Stands before the name of every topic and group, so that several fleets can share brokers.',
      NAME,
    ),
    tls: section('Encryption, and who both sides are.', {
      enabled: flag(false, 'Speak TLS to the brokers.'),
      ca: optionalPath('PEM file of the authorities that vouch for the brokers. Empty: those of the system.'),
      cert: optionalPath(
        'PEM file of the certificate of this client, for brokers that ask for one. Read again when it changes.',
      ),
      key: optionalPath('PEM file of the key of that certificate.'),
      serverName: text('', 'The name to expect in the certificates of the brokers, when not that in `brokers`.', NAME),
    }),
    sasl: section('Who this client is, where brokers ask for a password or a token.', {
      mechanism: choice(
        ['none', 'plain', 'scram-sha-256', 'scram-sha-512', 'oauthbearer'],
        'none',
        '`plain` and `oauthbearer` show the secret to whoever answers: they need `tls.enabled`, except on loopback.',
      ),
      username: text('', 'The user of `plain` and `scram-…`.', LINE),
      password: secret('Their password.'),
      tokenFile: optionalPath('File with the token of `oauthbearer`. Read again for every connection.'),
    }),
    compression: choice(
      ['zstd', 'lz4', 'gzip', 'none'],
      'zstd',
      'How record batches are packed. What any of them packed can be read whatever is set here.',
    ),
    partitions: count(12, 'Partitions of the topics that are spread, and so the most members that share the work.', {
      min: 1,
      max: 1000,
    }),
    replicationFactor: count(
      0,
      'Copies of each partition of topics that are made. 0: three, or as many as there are brokers.',
      { max: 10 },
    ),
    minInsyncReplicas: count(
      0,
      'Copies that must have a record before it counts as written. 0: one less than `replicationFactor`, at least one.',
      { max: 10 },
    ),
    sessionTimeout: duration(
      '10s',
      'A member of a group that is silent for this long is dead, and its partitions go to others. Brokers have bounds of their own.',
      { min: 1000, max: 300_000 },
    ),
    rebalanceTimeout: duration(
      '60s',
      'How long a member may finish the batch in hand when partitions move; later the batch is another member’s.',
      { min: 1000, max: 600_000 },
    ),
    requestDeadline: duration('10s', 'How long one request to a broker may take.', { min: 500, max: 120_000 }),
    produceDeadline: duration(
      '30s',
      'How long a record is offered to the brokers before its sender is told that they are away, and waits or spools.',
      { min: 1000, max: 600_000 },
    ),
  });

const elasticsearch = () =>
  section('The cluster that takes the evidence when `auditor.sink` is `elasticsearch` or `opensearch`.', {
    nodes: urls(['http://127.0.0.1:9200'], 'Its nodes; any of them answers for all.'),
    user: text('', 'The user to show it. Empty: none.', LINE),
    password: secret('The password of that user.'),
    apiKey: secret('An API key, instead of a user.'),
    ca: optionalPath('PEM file of the authorities that vouch for it. Empty: those of the system.'),
    prefix: text(
      'ringfence',
      'Streams are `logs-PREFIX.alerts-NAMESPACE`, `.actions-`, `.audit-`, `.events-`; indices `PREFIX-incidents`, `PREFIX-audit-heads`.',
      STREAM_PART,
    ),
    namespace: text('default', 'Last part of the names of the streams.', STREAM_PART),
    eventSample: share(
      0.01,
      'The share of processes whose events are stored beside what always is: executions and gaps. Every event is on the bus.',
    ),
    requestTimeout: duration('30s', 'How long one request may take.', { min: 100, max: 600_000 }),
    bulkBytes: size('4MiB', 'Size of one bulk request.', { min: 64 * 1024, max: 64 * 1024 ** 2 }),
    bulkConcurrency: count(2, 'Bulk requests under way at once.', { min: 1, max: 16 }),
  });

/** Every setting there is. What a person reads about one is written here and nowhere else. */
const shape = (home: Home) => ({
  stateDir: path(
    home.stateDir,
    'Keys, the bus, the spool and the audit trail. Losing it loses the identity of this host.',
    '/var/lib/ringfence as root, else $XDG_STATE_HOME/ringfence',
  ),
  runDir: path(
    home.runDir,
    'The unix socket through which commands steer a running `ringfence up`. Gone after a reboot.',
    '/run/ringfence as root, else $XDG_RUNTIME_DIR/ringfence',
  ),
  services: choices(
    SERVICES,
    'The services this process runs. A service left out must run elsewhere on the same bus.',
    ONE_MACHINE,
  ),
  user: text(
    '',
    'The unprivileged user that `up` becomes. What needs capabilities is then a process of its own that has those few and does nothing else; all the rest has none. Started as root, it gives `stateDir`, `runDir` and `sensor.pinPath` to that user, who must be able to enter the folders above these and above the program. Empty: it stays who started it.',
    USER_NAME,
  ),
  instance: text(
    'auto',
    'The name of this process among others that do the same: in leases, traces, metrics. `auto`: host name and process id.',
    NAME,
  ),
  shutdownDeadline: duration(
    '30s',
    'How long a stop may take to finish what is in hand; the rest comes at the next start.',
    {
      min: 100,
      max: 600_000,
    },
  ),

  log: section('What the program says about itself, on stderr.', {
    level: choice(
      ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'],
      'info',
      'The least important line that is written. `warn`: nothing was lost; `error`: data was lost or a person is needed.',
    ),
    format: choice(
      ['auto', 'lines', 'json'],
      'auto',
      '`lines` for people, `json` for machines; `auto` takes `lines` on a terminal.',
    ),
  }),

  sensor: section(
    'The eBPF programs in the kernel. Changing the ring sizes takes a restart that drains the old rings.',
    {
      ringSecurityBytes: ringSize(
        '4MiB',
        'Ring of lifecycle and security events. Full means counted loss; all of it is resident memory.',
      ),
      ringBulkBytes: ringSize('16MiB', 'Ring of file events. Full means counted loss; all of it is resident memory.'),
      pollInterval: duration(
        '4ms',
        'How often a busy ring is looked at; at half, then at a third of that pace while a little goes on coming. Longer costs less CPU and delays every alert by as much.',
        { min: 1, max: 1000 },
      ),
      opens: choice(
        ['interest', 'all'],
        'interest',
        '`interest` sends writes, creates and what a rule can match; `all` sends every open, at several times the cost.',
      ),
      watchedPaths: paths([], 'Opens for reading below these are sent too, for the audit trail. Rules add their own.'),
      audit: patterns(
        AUDITED,
        'Kinds of events that are sent for the audit trail although no rule can match them, or a form of a kind: `flow`, `flow.remote`. `all`: every one. docs/EVENTS.md lists both.',
      ),
      pinPath: path(
        '/sys/fs/bpf/ringfence',
        'Directory of a BPF file system where rings, counters and links outlive the agent. Two agents on one host need two.',
      ),
      selfNoise: flag(
        false,
        'Report file and network events of the agent itself; otherwise they are counted and dropped. Its execs are always reported.',
      ),
      share: section(
        'What one cgroup (a container, a service) may send while a ring is more than half full, so that a noisy one does not blind the others. While the reader keeps up nobody is held back. Never held back: exec, exit, credentials, namespaces, looks into processes, modules, bpf, mounts, writes of watched paths. Forks and connects are merged, the rest is counted by kind and cgroup (`ringfence stats`).',
        {
          perSecond: count(
            20_000,
            'Events a second of one cgroup. 0: no limit. When the shares of all cgroups come to more than the reader can take, the ring can still fill.',
            { min: 0, max: 10_000_000 },
          ),
          burst: count(5000, 'Events that a cgroup may send at once beyond that.', { min: 1, max: 10_000_000 }),
        },
      ),
      keepPinned: flag(
        false,
        'Leave sensor and rings in the kernel after a clean stop too: the next start then reads what happened in between.',
      ),
    },
  ),

  collector: section('Reads the sensor, signs batches, carries out commands.', {
    batchMaxBytes: size('512KiB', 'A batch is sent at this size, or when a poll interval has passed.', {
      min: 64 * 1024,
      max: 768 * 1024,
    }),
    tick: duration(
      '1s',
      'How often a tick is recorded; while nothing happens one comes up to a second later. All rule and incident timers run on ticks, and a host without any for `enricher.silentAfter` is told as silent.',
      {
        min: 100,
        max: 10_000,
      },
    ),
    killsPerMinute: count(
      60,
      'Most kills this agent carries out in a minute, whoever ordered them; more are refused.',
      {
        max: 6000,
      },
    ),
    hostRoot: path(
      '/',
      "Where the host's `/` is. In a container: where it is mounted, for the names of users and containers, and for the processes never to be killed.",
    ),
    dockerRoots: paths(
      [],
      'Data roots of further Docker engines. That of the usual one is known, or read from /etc/docker/daemon.json.',
    ),
    integrity: section('Looks whether kernel and host are as they should be, and tells what is not as events.', {
      every: duration('1h', 'How often it looks; the first time a minute after the start. `0s`: never.', { min: 0 }),
      knownPrograms: patterns(
        ['sd_*'],
        'Names of BPF programs that are known, as `bpftool prog` shows them; `*` at the end stands for anything. All others but the own ones are told.',
      ),
    }),
    hash: section(
      'SHA-256 of what is executed, each file once for each change of it. It is read aside, with low priority; the exec does not wait.',
      {
        enabled: flag(true, 'Hash executables. Without it rules on `process.hash.sha256` match nothing.'),
        maxBytes: size('64MiB', 'A larger executable is skipped, and its events say so.'),
        bytesPerSecond: size(
          '32MiB',
          'Most that is read in a second on average. Less is kinder to the disk, and tells hashes later.',
          {
            min: 1 << 20,
          },
        ),
      },
    ),
    logs: section("Reads the host's logs of authentication and scheduled jobs, and signs what it reads.", {
      files: paths(
        ['/var/log/auth.log', '/var/log/secure'],
        'Log files to follow through their rotation, as the host names them; `*` may stand in the last part. One that is not there is waited for. Links are not followed.',
      ),
      journald: choice(
        ['auto', 'on', 'off'],
        'auto',
        'Reads the facilities auth, authpriv and cron from the journal. `auto`: when none of the files is there at the start, since they have the same lines.',
      ),
      linesPerSecond: count(
        1000,
        'Most lines of one file or unit in a second, ten times as many at once. What is more is dropped, counted, and told as a gap.',
        { min: 1 },
      ),
    }),
    probes: section(
      'Probes in libraries and programs of the host: what they say is what the process had in its memory. Files in containers are others, and have none.',
      {
        pam: flag(true, 'Reports who was asked to prove who they are, and whether they could, from libpam.'),
        shell: flag(
          true,
          'Reports each line typed into bash or zsh, with what stands in it: a password on a command line too.',
        ),
        tls: flag(
          false,
          'Reports the first 1,024 bytes of everything that goes through libssl, before encryption or after decryption. For laboratories: nobody else should want that on the bus.',
        ),
        files: paths(
          [],
          'Further libraries and programs to probe, known by their names: libpam.so*, bash, zle.so, libreadline.so*, libssl.so*.',
        ),
        custom: paths(
          [],
          'Files, or directories of *.yaml files, that define probes of your own: see docs/PROBES.md. A file with a mistake in it stops the start.',
        ),
      },
    ),
    spool: section('Keeps batches while the bus does not take them.', {
      path: statePath('spool', 'Directory of the spool.'),
      maxBytes: size('512MiB', 'Bound of the spool. Beyond it low-value events are dropped first, and counted.', {
        min: 1024 ** 2,
      }),
    }),
  }),

  bus: section('What carries records between services.', {
    driver: choice(
      ['embedded', 'kafka'],
      'embedded',
      '`embedded`: a durable log in one file, for services in one process. `kafka`: brokers, for services anywhere.',
    ),
    embedded: section('The embedded driver.', {
      path: statePath('bus.db', 'The file of the log.'),
      maxBytes: size('4GiB', 'Bound of the file. When retention frees nothing more, producers wait.', {
        min: 16 * 1024 ** 2,
      }),
      synchronous: choice(
        ['normal', 'full'],
        'normal',
        '`normal` survives a killed process; `full` survives a power cut too, at one disk flush a batch.',
      ),
    }),
    kafka: kafka(),
  }),

  schemaRegistry: section("A schema registry with Confluent's API. Without one, schemas are on `ringfence.schemas`.", {
    url: text(
      '',
      "Its address, with the path of the API. Records then travel in Confluent's frame; those of whoever has no registry are read too.",
      URL_TEXT,
    ),
    user: text('', 'The user to show it.', LINE),
    password: secret('The password of that user.'),
    ca: optionalPath('PEM file of the authorities that vouch for it. Empty: those of the system.'),
    timeout: duration('5s', 'How long it may take to answer. While it is away, only records of unknown schemas wait.', {
      min: 100,
      max: 60_000,
    }),
  }),

  redis: section('What responders share: jobs, leases, limits. Without it, a file for this process alone.', {
    url: text('', 'Its address, such as redis://127.0.0.1:6379/0, or rediss:// for TLS.', REDIS_URL),
    user: text('', 'The user to show it, where it has several.', LINE),
    password: secret('The password to show it.'),
    ca: optionalPath('PEM file of the authorities that vouch for it. Empty: those of the system.'),
    cert: optionalPath('PEM file of the certificate to show it, where it asks for one.'),
    key: optionalPath('PEM file of the key of that certificate.'),
    prefix: text('ringfence', 'Begins every key, so that several fleets can share a server.', NAME),
    timeout: duration('2s', 'How long it may take to answer. While it is away, kills wait, and expire.', {
      min: 100,
      max: 60_000,
    }),
  }),

  access: section('Names of the services in the access lists of the brokers, which `ringfence topics apply` writes.', {
    agent: principal(
      'agent',
      'Every agent; its certificate says the host. `User:*` where the brokers tell agents apart: then whoever is known to them may write what agents write.',
    ),
    enricher: principal('enricher', 'Every enricher.'),
    detector: principal('detector', 'Every detector.'),
    responder: principal('responder', 'Every responder.'),
    auditor: principal('auditor', 'Every auditor.'),
    registrar: principal('registrar', 'Who enrols agents and services.'),
  }),

  topics: section(
    'How long records stay on the bus. In the embedded log what a service has not read yet goes only when the disk bound forces it, and is counted; brokers delete in time, read or not.',
    {
      raw: topic('ringfence.raw', '6h', '1GiB'),
      logsRaw: topic('logs-raw', '3d', '256MiB'),
      events: topic('ringfence.events', '3d', '1GiB'),
      alerts: topic('ringfence.alerts', '28d', 'unlimited'),
      edges: topic('ringfence.edges', '3d', '256MiB'),
      joins: topic('ringfence.joins', '3d', '256MiB'),
      feedback: topic('ringfence.feedback', '28d', '256MiB'),
      incidents: topic('ringfence.incidents', 'forever', 'unlimited'),
      commands: topic('ringfence.commands', 'forever', 'unlimited'),
      results: topic('ringfence.results', 'forever', 'unlimited'),
      answers: topic('ringfence.answers', '1d', '256MiB'),
      hostIncidents: topic('ringfence.host-incidents', '1d', '256MiB'),
      rarity: topic('ringfence.rarity', 'forever', 'unlimited'),
      interest: topic('ringfence.interest', 'forever', 'unlimited'),
      schemas: topic('ringfence.schemas', 'forever', 'unlimited'),
      enrolments: topic('ringfence.enrolments', 'forever', 'unlimited'),
      auditHeads: topic('ringfence.audit-heads', 'forever', 'unlimited'),
      dlq: topic('ringfence.dlq', '28d', '256MiB'),
    },
  ),

  enricher: section('Knows every process and joins its context to each event.', {
    maxProcesses: count(
      65_536,
      'Processes remembered, the ended ones first to go. Fewer saves memory and shortens lineages.',
      { min: 1024, max: 4_194_304 },
    ),
    writtenFiles: count(65_536, 'Written files remembered, to recognise one that is executed later.', {
      min: 1024,
      max: 4_194_304,
    }),
    silentAfter: duration(
      '5s',
      'In a fleet: a host from which no tick has come for this long is an alert, unless its agent has said that it ends. Ten seconds more after the brokers were away. `0s`: never.',
      { min: 0, max: 86_400_000 },
    ),
  }),

  detector: section('Turns events into alerts and alerts into incidents.', {
    rules: paths(
      ['builtin'],
      'Rule files, or directories of them; `builtin` is the content that comes with Ringfence.',
      ['builtin'],
    ),
    profile: choice(
      ['recommended', 'hunt'],
      'recommended',
      'Which rules are active: `recommended`, those that are hardly ever wrong; `hunt`, those too that are about what healthy machines do now and then.',
    ),
    maxChains: count(10_000, 'Chains remembered. Beyond it the one idle for longest is closed, and counted.', {
      min: 16,
      max: 1_000_000,
    }),
    chainIdle: duration('30m', 'A chain without a new alert for this long is closed; a later alert opens another.', {
      min: 1000,
    }),
    localPeers: flag(
      false,
      'Chains also join by connections within a host, over loopback and unix sockets. The sensor then tells of each of them, not only of those that a rule asks for.',
    ),
    incidentThreshold: count(40, 'Score from which a chain is an incident. Lower reports more, sooner.', {
      min: 1,
      max: 1000,
    }),
  }),

  responder: section('Decides what is done about an incident.', {
    mode: choice(
      ['observe', 'enforce'],
      'observe',
      'What is done about a kill that a rule asks for and no policy speaks about: `observe` records what would have been done; `enforce` does it, everywhere. A policy says its own mode.',
    ),
    policies: paths(
      ['builtin'],
      'Policy files, or directories of them; `builtin` are those that come with Ringfence.',
      ['builtin'],
    ),
    killsPerMinutePerHost: count(
      10,
      'Most kills on one host in a minute. Those beyond are refused and recorded. 0: none.',
      { max: 10_000 },
    ),
    maxCauseAge: duration('5m', 'An alert or incident older than this leads to no kill: a backlog is history.', {
      min: 1000,
    }),
    killsPerMinute: count(
      120,
      'Most kills in the fleet in a minute. Those beyond wait for their turn; those that would expire waiting are refused. 0: none.',
      { max: 100_000 },
    ),
    commandTtl: duration('30s', 'A command older than this is not carried out.', { min: 1000, max: 600_000 }),
  }),

  auditor: section('Keeps the evidence.', {
    sink: choice(
      ['sqlite', 'elasticsearch', 'opensearch'],
      'sqlite',
      '`sqlite`: one file, for services in one process; the others: data streams in a cluster, for any number of auditors.',
    ),
    elasticsearch: elasticsearch(),
    headInterval: duration(
      '5m',
      'How often the heads of the audit chains are noted on `ringfence.audit-heads`, signed. What came since the last one can be cut off unseen.',
      { min: 1000, max: 86_400_000 },
    ),
    headRecords: count(100_000, 'Heads are also noted after so many records.', { min: 1 }),
    path: statePath('audit.db', 'The file of the audit trail.'),
    maxBytes: size(
      '8GiB',
      'Bound of the file. Beyond it the oldest events go first; alerts, incidents, commands and results stay.',
      { min: 16 * 1024 ** 2 },
    ),
    synchronous: choice(
      ['full', 'normal'],
      'full',
      '`full`: evidence survives a power cut, at one disk flush a batch; `normal` survives a killed process.',
    ),
    eventRetention: duration('7d', 'How long events that belong to no alert are kept.', { endless: true, min: 60_000 }),
  }),

  identity: section('Who this process is in a fleet. In one process on the embedded log nothing of it is needed.', {
    path: statePath('identity', 'What `ringfence enrol` got: certificate, keys, the root of the fleet.'),
    registrar: text('', 'Where certificates are renewed, `https://registrar:7443`. Empty: by hand.', URL_TEXT),
  }),

  registrar: section('Enrols agents and services: gives certificates for one-time tokens, takes them back.', {
    path: statePath('authority', 'The certificate authority and the root key of the fleet; made at the first start.'),
    listen: address('0.0.0.0:7443', 'Where agents and services connect to enrol, over TLS.'),
    names: names(['localhost', '127.0.0.1'], 'DNS names and addresses that it is known by.'),
    certificateDays: count(30, 'How long certificates are valid. They are renewed at two thirds of it.', {
      min: 1,
      max: 825,
    }),
  }),

  control: section('The stream through which agents get commands and the interest, and answer.', {
    listen: address(
      '0.0.0.0:9443',
      'Responders: where agents connect, over mutual TLS. Used with the Kafka driver only.',
    ),
    endpoints: servers(
      [],
      'Agents: the responders to connect to, any one of them. Empty: no stream, nothing is killed on this host.',
    ),
  }),

  tracing: section('Traces of what led to alerts, from the system call to the response.', {
    endpoint: text(
      '',
      'Where they are sent: OTLP over HTTP, `http://collector:4318/v1/traces`. Empty: none.',
      URL_TEXT,
    ),
  }),

  metrics: section('Counters for Prometheus, and health for whoever runs this.', {
    enabled: flag(true, 'Serve `/metrics`, `/healthz` and `/readyz`.'),
    listen: address('127.0.0.1:9464', 'Where they are served. Anything but loopback needs `metrics.token`.'),
    token: secret('Bearer token that a scraper must show.'),
  }),
});

type Settings = z.output<z.ZodObject<ReturnType<typeof shape>>>;

/** Each setting for itself. Default paths depend on who runs it, so the schema does. */
export function settingsSchema(home: Home): SettingsSchema {
  return z.strictObject(shape(home));
}

/** Paths that lie in the state directory unless they were set. */
function placePaths(settings: Settings) {
  const { stateDir, collector, bus, auditor, identity, registrar } = settings;
  const { spool } = collector;
  return {
    ...settings,
    collector: { ...collector, spool: { ...spool, path: spool.path ?? join(stateDir, 'spool') } },
    bus: { ...bus, embedded: { ...bus.embedded, path: bus.embedded.path ?? join(stateDir, 'bus.db') } },
    auditor: { ...auditor, path: auditor.path ?? join(stateDir, 'audit.db') },
    identity: { ...identity, path: identity.path ?? join(stateDir, 'identity') },
    registrar: { ...registrar, path: registrar.path ?? join(stateDir, 'authority') },
  };
}

export interface Compiled {
  readonly config: Config;
  /** the same, under the names they are set by */
  readonly settings: Readonly<Record<string, unknown>>;
  readonly conflicts: readonly Conflict[];
}

/** From values that each passed `settingsSchema`. */
export function compile(home: Home, given: unknown): Compiled {
  const schema = z.strictObject(shape(home));
  const parsed = schema.parse(given);
  const settings = placePaths(parsed);
  const config = withUnits(schema, settings);
  return { config, settings, conflicts: conflictsOf(config) };
}
