/* The table of all settings. It is one table by design, and therefore longer than other files. */
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

/** The default directories, which depend on the user and the environment. */
export interface DefaultDirectories {
  readonly stateDir: string;
  readonly runDir: string;
}

/** The services in the order of the data flow. */
export const SERVICES: readonly ServiceName[] = [
  'collector',
  'enricher',
  'detector',
  'responder',
  'auditor',
  'forwarder',
  'registrar',
];

/** Default of `sensor.audit`: all kinds except loopback traffic and unix sockets. */
const DEFAULT_AUDIT_KINDS = [
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

/** Default of `services`: all services that a single host needs. */
const SINGLE_HOST_SERVICES = SERVICES.filter((service) => service !== 'registrar');

const NAME = { pattern: /^[A-Za-z0-9._-]{1,100}$/, expected: 'up to 100 letters, digits, dots, dashes, underscores' };
const URL_TEXT = { pattern: /^https?:\/\/[^\s\p{Cc}]{1,500}$/u, expected: 'http:// or https:// URL' };
const STREAM_PART = { pattern: /^[a-z0-9][a-z0-9_]{0,63}$/, expected: 'up to 64 lower-case letters, digits, _' };
const USER_NAME = { pattern: /^[a-z_][a-z0-9_-]{0,31}$/, expected: 'user name' };
const LINE = { pattern: /^[^\p{Cc}]{1,255}$/u, expected: 'one line of text' };

const SYSLOG = {
  pattern: /^(udp|tcp):\/\/(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]{1,253}):[1-9]\d{0,4}$/,
  expected: 'udp:// or tcp://, host:port',
};

const REDIS_URL = {
  pattern: /^rediss?:\/\/[^\s\p{Cc}@]{1,500}$/u,
  expected: 'redis:// or rediss:// URL without a password',
};

const PRINCIPAL = {
  pattern: /^(User:[^\p{Cc}]{1,255})?$/u,
  expected: '`User:` and a name, or empty text',
};
const principal = (name: string, description: string) => text(name, description, PRINCIPAL);
const shared = (services: string) =>
  principal(
    '',
    `A principal that all ${services} share, for brokers that know them by passwords or tokens. Empty: each has its own, which the registrar allows and \`ringfence revoke\` removes.`,
  );

const topic = (name: string, retention: string, retentionBytes: string) =>
  section(`\`${name}\`.`, {
    retention: duration(retention, 'How long records are kept.', { endless: true, min: 60_000 }),
    retentionBytes: size(retentionBytes, 'Maximum size; the oldest records are deleted first.', {
      endless: true,
      min: 1024 ** 2,
    }),
  });

const kafka = () =>
  section('The Kafka driver.', {
    brokers: servers(['127.0.0.1:9092'], 'Brokers to contact first; they report the other brokers.'),
    client: choice(
      ['platformatic', 'kafkajs'],
      'platformatic',
      'Client library. `kafkajs` has had no release since 2023: use it only where it is required.',
    ),
    clientId: text('ringfence', 'Name of this client in the logs and quotas of the brokers.', NAME),
    topicPrefix: text('', 'Prefix of all topic and group names, so that several fleets can share brokers.', NAME),
    tls: section('Encryption and mutual authentication.', {
      enabled: flag(false, 'Use TLS to connect to the brokers.'),
      ca: optionalPath(
        'PEM file of the CAs that signed the certificates of the brokers. Empty: the CAs of the system.',
      ),
      cert: optionalPath(
        'PEM file of the client certificate, for brokers that require it. Read again when it changes.',
      ),
      key: optionalPath('PEM file of the key of that certificate.'),
      serverName: text(
        '',
        'Name to expect in the certificates of the brokers, if it differs from the name in `brokers`.',
        NAME,
      ),
    }),
    sasl: section('Authentication by password or token.', {
      mechanism: choice(
        ['none', 'plain', 'scram-sha-256', 'scram-sha-512', 'oauthbearer'],
        'none',
        '`plain` and `oauthbearer` send the secret to the server: they require `tls.enabled`, except on loopback.',
      ),
      username: text('', 'User for `plain` and `scram-…`.', LINE),
      password: secret('Password of that user.'),
      tokenFile: optionalPath('File with the token for `oauthbearer`. Read again for each connection.'),
    }),
    compression: choice(
      ['zstd', 'lz4', 'gzip', 'none'],
      'zstd',
      'Compression of written record batches. All of these compressions can be read, whatever is set here.',
    ),
    partitions: count(
      12,
      'Number of partitions of the partitioned topics, and so the maximum number of members that share the work.',
      { min: 1, max: 1000 },
    ),
    replicationFactor: count(
      0,
      'Replicas of each partition of new topics. `0`: three, or fewer if there are fewer brokers.',
      { max: 10 },
    ),
    minInsyncReplicas: count(
      0,
      'Replicas that must have a record before it counts as written. `0`: one less than `replicationFactor`, but at least one.',
      { max: 10 },
    ),
    sessionTimeout: duration(
      '10s',
      'A group member without a heartbeat for this long is considered dead, and its partitions move to other members. Brokers limit the range.',
      { min: 1000, max: 300_000 },
    ),
    rebalanceTimeout: duration(
      '60s',
      'How long a member may take to finish its current batch when partitions move. After that, another member processes the batch.',
      { min: 1000, max: 600_000 },
    ),
    requestDeadline: duration('10s', 'Deadline of a request to a broker.', { min: 500, max: 120_000 }),
    produceDeadline: duration(
      '30s',
      'How long a write is retried before it fails, after which the sender waits or spools.',
      { min: 1000, max: 600_000 },
    ),
  });

const elasticsearch = () =>
  section('The cluster that stores the evidence if `auditor.sink` is `elasticsearch` or `opensearch`.', {
    nodes: urls(['http://127.0.0.1:9200'], 'Nodes of the cluster; any node can serve a request.'),
    user: text('', 'User of the cluster. Empty: no user.', LINE),
    password: secret('Password of that user.'),
    apiKey: secret('API key, instead of a user.'),
    ca: optionalPath('PEM file of the CAs that signed the certificate of the server. Empty: the CAs of the system.'),
    prefix: text(
      'ringfence',
      'The data streams are `logs-PREFIX.alerts-NAMESPACE`, `.actions-`, `.audit-` and `.events-`; the indices are `PREFIX-incidents` and `PREFIX-audit-heads`.',
      STREAM_PART,
    ),
    namespace: text('default', 'Last part of the names of the data streams.', STREAM_PART),
    eventSample: share(
      0.01,
      'Share of processes whose events are stored. Executions and gaps are always stored. All events are on the bus.',
    ),
    analyzer: flag(
      false,
      "Let documents of alerts and processes pass for those of Elastic's own agent (`agent.type: endpoint`), because Elastic Security's Analyzer draws no others (docs/KIBANA.md).",
    ),
    requestTimeout: duration('30s', 'Deadline of a request.', { min: 100, max: 600_000 }),
    bulkBytes: size('4MiB', 'Size of a bulk request.', { min: 64 * 1024, max: 64 * 1024 ** 2 }),
    bulkConcurrency: count(2, 'Maximum number of concurrent bulk requests.', { min: 1, max: 16 }),
  });

/** All settings. The descriptions generate docs/CONFIGURATION.md. */
const shape = (directories: DefaultDirectories) => ({
  stateDir: path(
    directories.stateDir,
    'Directory of the keys, the bus, the spool and the audit trail. If it is lost, so is the identity of this host.',
    '/var/lib/ringfence as root, else $XDG_STATE_HOME/ringfence',
  ),
  runDir: path(
    directories.runDir,
    'Directory of the unix socket through which commands control a running `ringfence up`. Its content does not survive a reboot.',
    '/run/ringfence as root, else $XDG_RUNTIME_DIR/ringfence',
  ),
  services: choices(
    SERVICES,
    'Services that this process runs. All other services must run elsewhere on the same bus.',
    SINGLE_HOST_SERVICES,
  ),
  user: text(
    '',
    'Unprivileged user that `up` switches to. Work that needs capabilities then runs in a separate process that has only these capabilities; all other processes have none. If started as root, `up` makes that user the owner of `stateDir` and `runDir`; the process with capabilities then is another user, `sensor.user`. The user must be able to enter every folder above these and above the program. Empty: no switch.',
    USER_NAME,
  ),
  instance: text(
    'auto',
    'Name that distinguishes this process from others with the same services, in leases, traces and metrics. `auto`: hostname and process id.',
    NAME,
  ),
  shutdownDeadline: duration(
    '30s',
    'How long a stop may take to finish the current work. The rest is done after the next start.',
    { min: 100, max: 600_000 },
  ),

  log: section("Ringfence's own log, on stderr.", {
    level: choice(
      ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'],
      'info',
      'Lowest level that is logged. `warn`: nothing was lost; `error`: data was lost or a person must act.',
    ),
    format: choice(
      ['auto', 'lines', 'json'],
      'auto',
      '`lines` for people, `json` for machines; `auto` uses `lines` on a terminal.',
    ),
  }),

  sensor: section(
    'The eBPF programs in the kernel. New ring sizes take effect at a restart, which drains the old rings.',
    {
      user: text(
        '',
        'User of the process with capabilities if `user` is set and `up` is started as root. `up` makes it the owner of `sensor.stateDir` and `sensor.pinPath`, which `user` can neither read nor change. Empty: the name in `user` with `-sensor` added.',
        USER_NAME,
      ),
      stateDir: optionalPath(
        'Directory of the keys, the spool and the list of executed commands of that process. Empty: `stateDir` with `-sensor` added.',
      ),
      ringSecurityBytes: ringSize(
        1,
        'Ring buffer of lifecycle and security events, all of which is resident memory. When it is full, events are dropped and counted. `auto`: a 512th of the memory of the host, from 4 to 32 MiB.',
      ),
      ringBulkBytes: ringSize(
        2,
        'Ring buffer of file events, all of which is resident memory. When it is full, events are dropped and counted. `auto`: a 256th of the memory of the host, from 8 to 64 MiB.',
      ),
      nice: count(
        -10,
        'Priority of the process that reads the rings, from -20 (most CPU time) to 19, if it may raise its priority (root, or CAP_SYS_NICE) and has a lower one. Without it, an agent beside many busy programs gets as little CPU time as each of them, and its rings overflow.',
        { min: -20, max: 19 },
      ),
      pollInterval: duration(
        '4ms',
        'How often a busy ring is read. While events keep arriving in small numbers, the interval doubles, then triples. A longer interval uses less CPU and delays every alert by as much.',
        { min: 1, max: 1000 },
      ),
      opens: choice(
        ['interest', 'all'],
        'interest',
        '`interest` sends writes, creates and opens that a rule can match; `all` sends every open, at several times the cost.',
      ),
      watchedPaths: paths(
        [],
        'Opens for reading below these paths are also sent, for the audit trail. Rules add their own paths. A path that is a file is recognized by its identity, too, whatever other path it is opened by.',
      ),
      audit: patterns(
        DEFAULT_AUDIT_KINDS,
        'Kinds of events (such as `flow`) and forms of a kind (such as `flow.remote`) that are sent for the audit trail even if no rule can match them. `all`: all kinds. docs/EVENTS.md lists kinds and forms.',
      ),
      environment: patterns(
        ['*'],
        'Environment variables of programs that rules may ask for, besides those that execs always have. `*`: any variable; an empty list: none. Environments hold passwords and tokens, and rules come from the process without capabilities, so a shorter list bounds what that process can learn.',
        ['*'],
      ),
      pinPath: path(
        '/sys/fs/bpf/ringfence',
        'Directory in a BPF file system for the pins of rings, counters and links, which outlive the agent. Two agents on one host need different directories.',
      ),
      selfNoise: flag(
        false,
        'Report file and network events of the agent itself; otherwise they are dropped and counted. Its execs are always reported.',
      ),
      share: section(
        'Limit on the events of one cgroup (a container or a service) while a ring is more than half full, so that a noisy cgroup does not suppress events of other cgroups. Below that level, no cgroup is throttled. Only `bytesPerSecond` throttles exec, exit, credentials, namespaces, access to processes, modules, bpf, mounts and writes to watched paths. Throttled forks and connects are merged; other throttled events are dropped and counted by kind and cgroup (`ringfence stats`).',
        {
          perSecond: count(
            20_000,
            'Events per second of one cgroup. `0`: no limit. The ring can still fill if all cgroups together send more than the reader can process.',
            { min: 0, max: 10_000_000 },
          ),
          burst: count(5000, 'Events that a cgroup may send at once in addition to that rate.', {
            min: 1,
            max: 10_000_000,
          }),
          bytesPerSecond: size(
            '512KiB',
            'Bytes per second of one cgroup in the security ring, and eight times as many in the bulk ring. Executions and failed calls beyond it are reported with shortened texts; once the ring is three quarters full, all events beyond it are dropped and counted. All cgroups below a cgroup, and all processes of a user other than root, may send four times as much. `0B`: no limit.',
            { min: 0, max: 1024 ** 3 },
          ),
        },
      ),
      keepPinned: flag(
        false,
        'Keep the sensor and its rings in the kernel after a clean stop, so that the next start reads the events in between.',
      ),
    },
  ),

  collector: section('Reads the sensor, signs batches and executes commands.', {
    batchMaxBytes: size('512KiB', 'A batch is sent when it reaches this size or when a poll interval has passed.', {
      min: 64 * 1024,
      max: 768 * 1024,
    }),
    tick: duration(
      '1s',
      'How often a tick is recorded. On an idle host, a tick can be up to a second late. All timers of rules and incidents run on ticks, and a host without ticks for `enricher.silentAfter` is reported as silent.',
      { min: 100, max: 10_000 },
    ),
    killsPerMinute: count(
      60,
      'Maximum number of kills per minute by this agent, on any order; further kills are refused.',
      {
        max: 6000,
      },
    ),
    hostRoot: path(
      '/',
      "Path of the host's root directory. In a container, set it to the mount of that directory: the agent reads the names of users and containers there, and which processes must never be killed.",
    ),
    protected: paths(
      [],
      'Executables that are never killed, in addition to the built-in list (service managers, container runtimes, Kubernetes, services of systemd, sshd): absolute paths on the host, with `*` for one part of a path. Every process that runs such a file is spared.',
    ),
    actions: choices(
      ['kill', 'suspend', 'block', 'isolate', 'quarantine', 'revert', 'lock', 'collect'],
      'What responders may have this agent do: [RESPONSE](RESPONSE.md). `block` and `isolate` need CAP_NET_ADMIN, which the unit gives. `quarantine`, `revert`, `lock` and `collect` change or read files and accounts of the host, and need capabilities that the unit does not give. Turn on only what the key of a stolen responder may reach.',
      ['kill', 'suspend'],
    ),
    tampering: section('Reports of tampering with the agent or its sensor, in addition to its events and its log.', {
      syslog: text(
        '',
        'Server to which the agent sends each report in the tick that finds it, as a message of RFC 5424: `udp://host:port` or `tcp://host:port`. The connection is not encrypted. While the server does not answer, the last 64 reports are kept. Empty: none.',
        SYSLOG,
      ),
    }),
    dockerRoots: paths(
      [],
      'Data directories of additional Docker engines. The data directory of the default engine is known or read from /etc/docker/daemon.json.',
    ),
    integrity: section('Checks whether kernel and host are in the expected state, and reports deviations as events.', {
      every: duration('1h', 'Interval of the checks. The first check runs a minute after the start. `0s`: never.', {
        min: 0,
      }),
      knownPrograms: patterns(
        ['sd_*'],
        "Names of known BPF programs, as `bpftool prog` shows them; a `*` at the end matches any suffix. All other programs except Ringfence's own are reported.",
      ),
    }),
    hash: section(
      'SHA-256 hashes of executed files, once per version of a file. Files are read in the background at low priority; the exec does not wait.',
      {
        enabled: flag(true, 'Hash executables. Without hashes, rules on `process.hash.sha256` match nothing.'),
        maxBytes: size('64MiB', 'A larger executable is not hashed, and its events state this.'),
        bytesPerSecond: size(
          '32MiB',
          'Maximum bytes read per second on average: for files of the host, and again for those of containers. A lower limit reduces the load on the disk and delays hashes.',
          { min: 1 << 20 },
        ),
      },
    ),
    logs: section("Reads the host's logs of authentication and scheduled jobs, and signs their lines.", {
      files: paths(
        ['/var/log/auth.log', '/var/log/secure'],
        'Log files to follow, also through their rotation, by their paths on the host; the last part may contain `*`. Missing files are read once they appear. Symbolic links are not followed.',
      ),
      journald: choice(
        ['auto', 'on', 'off'],
        'auto',
        'Whether to read the facilities auth, authpriv and cron from the journal. `auto`: only if none of the files exists at the start, since they contain the same lines.',
      ),
      linesPerSecond: count(
        1000,
        'Maximum lines per second of one file or unit, with bursts of ten times as many. Further lines are dropped, counted and reported as a gap.',
        { min: 1 },
      ),
    }),
    alerts: section('Takes alerts that Falco or another sensor on this host posts as JSON. See docs/ALERTS.md.', {
      enabled: flag(false, 'Take them. `collector.alerts.token` or `collector.alerts.tokenFile` is required.'),
      listen: address(
        '127.0.0.1:2801',
        "Address on loopback. The default port is that of falcosidekick, which Falco's documentation uses.",
      ),
      token: secret('Sent as a bearer token, or as the password in the URL, with any user.'),
      tokenFile: optionalPath('File with the token, instead of `token`. Read again for each request.'),
    }),
    probes: section(
      "Probes in libraries and programs of the host, which report data from the process's memory. Files in containers are not probed.",
      {
        pam: flag(true, 'Reports authentications through libpam, with the user and the outcome.'),
        shell: flag(true, 'Reports each line typed into bash or zsh, including passwords on a command line.'),
        tls: flag(
          false,
          'Reports the first 1,024 bytes of all data that passes through libssl, before encryption or after decryption. For laboratories only: such data does not belong on a production bus.',
        ),
        files: paths(
          [],
          'Additional libraries and programs to probe, recognised by their names: libpam.so*, bash, zle.so, libreadline.so*, libssl.so*.',
        ),
        custom: paths(
          [],
          'Files, or directories of *.yaml files, that define custom probes: see docs/PROBES.md. An invalid file prevents the start.',
        ),
      },
    ),
    spool: section('Stores batches while the bus is unavailable.', {
      path: statePath('spool', 'Directory of the spool.'),
      maxBytes: size(
        '512MiB',
        'Maximum size of the spool. Beyond it, low-value events are dropped first, and counted.',
        { min: 1024 ** 2 },
      ),
    }),
  }),

  bus: section('Carries records between services.', {
    driver: choice(
      ['embedded', 'kafka'],
      'embedded',
      '`embedded`: a durable log in one file, for services in one process. `kafka`: Kafka brokers, for services anywhere.',
    ),
    embedded: section('The embedded driver.', {
      path: statePath('bus.db', 'File of the log.'),
      maxBytes: size(
        '4GiB',
        'Maximum size of the file. When it is reached and retention frees no space, producers wait.',
        { min: 16 * 1024 ** 2 },
      ),
      synchronous: choice(
        ['normal', 'full'],
        'normal',
        '`normal` survives a killed process; `full` also survives a power failure, at the cost of one disk flush per batch.',
      ),
    }),
    kafka: kafka(),
  }),

  schemaRegistry: section(
    "A schema registry with Confluent's API. It gives ids to schemas; the signed schemas are on `ringfence.schemas` in any case.",
    {
      url: text(
        '',
        "URL of the registry, including the path of the API. Records are then written in Confluent's format; records of processes without a registry are still read.",
        URL_TEXT,
      ),
      user: text('', 'User of the registry.', LINE),
      password: secret('Password of that user.'),
      ca: optionalPath('PEM file of the CAs that signed the certificate of the server. Empty: the CAs of the system.'),
      timeout: duration(
        '5s',
        'How long the registry may take to answer. While it is unavailable, only records with unknown schemas wait.',
        { min: 100, max: 60_000 },
      ),
    },
  ),

  redis: section(
    'State that responders share: jobs, leases and limits. Without Redis, a file holds this state for one process only.',
    {
      url: text('', 'URL of the server, such as redis://127.0.0.1:6379/0, or rediss:// for TLS.', REDIS_URL),
      user: text('', 'User of the server. Empty: the default user.', LINE),
      password: secret('Password of that user.'),
      ca: optionalPath('PEM file of the CAs that signed the certificate of the server. Empty: the CAs of the system.'),
      cert: optionalPath('PEM file of the client certificate, if the server requires it.'),
      key: optionalPath('PEM file of the key of that certificate.'),
      prefix: text('ringfence', 'Prefix of all keys, so that several fleets can share a server.', NAME),
      timeout: duration(
        '2s',
        'How long the server may take to answer. While it is unavailable, kills wait and expire.',
        { min: 100, max: 60_000 },
      ),
    },
  ),

  access: section(
    'Principals of the services in the access lists of the brokers, which `ringfence topics apply` writes.',
    {
      agent: principal(
        'User:agent',
        'Principal of all agents; the certificate of an agent identifies its host. Set `User:*` if the brokers distinguish agents: then any principal that the brokers know may write to the topics of agents. Empty: no access.',
      ),
      enricher: shared('enrichers'),
      detector: shared('detectors'),
      responder: shared('responders'),
      auditor: shared('auditors'),
      forwarder: shared('forwarders'),
      registrar: principal(
        'User:service:registrar',
        'Principal of the registrar, which enrols agents and services and writes their access lists. Empty: no access.',
      ),
    },
  ),

  topics: section(
    'How long records stay on the bus. The embedded log deletes unread records only if its maximum size requires it, and counts them. Brokers delete records on time, read or not.',
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
      runs: topic('ringfence.runs', '1d', '256MiB'),
      rarity: topic('ringfence.rarity', 'forever', 'unlimited'),
      interest: topic('ringfence.interest', 'forever', 'unlimited'),
      schemas: topic('ringfence.schemas', 'forever', 'unlimited'),
      enrolments: topic('ringfence.enrolments', 'forever', 'unlimited'),
      auditHeads: topic('ringfence.audit-heads', 'forever', 'unlimited'),
      operator: topic('ringfence.operator', 'forever', 'unlimited'),
      dlq: topic('ringfence.dlq', '28d', '256MiB'),
    },
  ),

  enricher: section('Tracks all processes and adds their context to each event.', {
    maxProcesses: count(
      65_536,
      'Maximum number of processes in memory; ended processes are evicted first. A lower limit saves memory and shortens lineages.',
      { min: 1024, max: 4_194_304 },
    ),
    writtenFiles: count(
      65_536,
      'Maximum number of written files in memory, to recognise a file that is executed later.',
      { min: 1024, max: 4_194_304 },
    ),
    silentAfter: duration(
      '5s',
      'In a fleet, a host without ticks for this long leads to an alert, unless its agent announced that it stops. After an outage of the brokers, hosts get ten more seconds. `0s`: never.',
      { min: 0, max: 86_400_000 },
    ),
  }),

  detector: section('Turns events into alerts and alerts into incidents.', {
    rules: paths(['builtin'], 'Rule files, or directories of rule files; `builtin` is the content of Ringfence.', [
      'builtin',
    ]),
    profile: choice(
      ['recommended', 'hunt'],
      'recommended',
      'Active rules. `recommended`: rules that are hardly ever wrong. `hunt`: also rules about behaviour that healthy machines show now and then.',
    ),
    maxChains: count(
      10_000,
      'Maximum number of open chains. Beyond it, the chain that was idle for longest is closed and counted.',
      { min: 16, max: 1_000_000 },
    ),
    chainIdle: duration(
      '30m',
      'A chain without a new alert for this long is closed; a later alert opens a new chain.',
      { min: 1000 },
    ),
    localPeers: flag(
      false,
      'Also link chains by connections within a host, over loopback and unix sockets. The sensor then reports all such connections, not only those that a rule needs.',
    ),
    incidentThreshold: count(
      40,
      'Score at which a chain becomes an incident. A lower threshold reports more incidents, and sooner.',
      { min: 1, max: 1000 },
    ),
  }),

  responder: section('Decides which action an incident leads to.', {
    mode: choice(
      ['observe', 'enforce'],
      'observe',
      'Mode of kills that a rule requests and no policy covers. `observe` records what would have been done; `enforce` executes the kill, on every host. Each policy has its own mode.',
    ),
    policies: paths(
      ['builtin'],
      'Policy files, or directories of policy files; `builtin` stands for the policies of Ringfence.',
      ['builtin'],
    ),
    playbooks: paths(
      [],
      'Playbook files, or directories of playbook files; `builtin` stands for the playbooks of Ringfence, which only observe. Changed files take effect at once; with an error, the playbooks in force stay.',
      ['builtin'],
    ),
    killsPerMinutePerHost: count(
      10,
      'Maximum number of kills per minute on one host. Further kills are refused and recorded. `0`: no kills.',
      { max: 10_000 },
    ),
    maxCauseAge: duration(
      '5m',
      'An alert or incident older than this leads to no kill, so that a backlog kills nothing.',
      { min: 1000 },
    ),
    killsPerMinute: count(
      120,
      'Maximum number of kills per minute in the fleet. Further kills wait; kills that would expire while they wait are refused. `0`: no kills.',
      { max: 100_000 },
    ),
    commandTtl: duration('30s', 'A command older than this is not executed.', { min: 1000, max: 600_000 }),
  }),

  auditor: section('Stores the evidence.', {
    sink: choice(
      ['sqlite', 'elasticsearch', 'opensearch'],
      'sqlite',
      '`sqlite`: one file, for services in one process. `elasticsearch` and `opensearch`: data streams in a cluster, for any number of auditors.',
    ),
    elasticsearch: elasticsearch(),
    headInterval: duration(
      '5m',
      'How often signed heads of the audit chains are published to `ringfence.audit-heads`. Records after the last head can be cut off undetected.',
      { min: 1000, max: 86_400_000 },
    ),
    headRecords: count(100_000, 'Heads are also published after this many records.', { min: 1 }),
    headSyslog: text(
      '',
      'Syslog server on another machine that gets each published head, as a message of RFC 5424: `udp://host:port` or `tcp://host:port`. With its file, `ringfence audit verify --heads FILE` finds a trail that was rewritten together with its heads. The connection is not encrypted. Empty: none.',
      SYSLOG,
    ),
    path: statePath('audit.db', 'File of the audit trail.'),
    maxBytes: size(
      '8GiB',
      'Maximum size of the file. Beyond it, the oldest events are deleted first; alerts, incidents, commands and results stay.',
      { min: 16 * 1024 ** 2 },
    ),
    holdMaxBytes: size(
      '1GiB',
      'Maximum size of the events and executions that `ringfence incident hold` keeps beyond their retention, at most half of `auditor.maxBytes`. A hold that needs more is refused; what a growing incident needs beyond it is dropped and counted.',
      { min: 1024 ** 2 },
    ),
    synchronous: choice(
      ['full', 'normal'],
      'full',
      '`full`: evidence survives a power failure, at the cost of one disk flush per batch. `normal`: evidence survives a killed process.',
    ),
    eventRetention: duration('7d', 'How long events that belong to no alert are kept.', { endless: true, min: 60_000 }),
  }),

  forwarder: section('Sends alerts, incidents and responses to other systems: SIEMs, tickets, chats.', {
    sinks: paths(
      [],
      'Files of sinks, or directories of such files; docs/SINKS.md describes them. An empty list: nothing is sent.',
    ),
  }),

  identity: section('Identity of this process in a fleet. A single process on the embedded log needs none.', {
    path: statePath(
      'identity',
      'Directory of the files from `ringfence enrol`: the certificate, the keys and the root of the fleet.',
    ),
    registrar: text(
      '',
      'URL for the renewal of certificates, such as `https://registrar:7443`. Empty: they are renewed by hand.',
      URL_TEXT,
    ),
    rootKey: text(
      '',
      "SHA-256 of the fleet's root key in hex, which `ringfence enrol` prints. With it, no other `root.pem` in `path` is accepted, so a user who can write only to `path` can't decide whose commands and keys are trusted. Empty: any.",
      { pattern: /^([0-9a-f]{64})?$/, expected: '64 hexadecimal digits' },
    ),
  }),

  registrar: section('Enrols agents and services: issues certificates for one-time tokens, and revokes them.', {
    path: statePath(
      'authority',
      'Directory of the certificate authority and the root key of the fleet, created at the first start.',
    ),
    listen: address('0.0.0.0:7443', 'Address where agents and services connect to enrol, over TLS.'),
    names: names(['localhost', '127.0.0.1'], 'DNS names and IP addresses of the registrar, for its certificate.'),
    certificateDays: count(30, 'Validity of certificates. They are renewed after two thirds of it.', {
      min: 1,
      max: 825,
    }),
  }),

  control: section('The stream through which agents receive commands and the interest, and send answers.', {
    listen: address(
      '0.0.0.0:9443',
      'Responders: address where agents connect, over mutual TLS. Used with the Kafka driver only.',
    ),
    endpoints: servers(
      [],
      'Agents: responders, of which the agent connects to any one. Empty: no stream, so nothing is killed on this host.',
    ),
    standingMaxAge: duration(
      '1h',
      'Agents: a list of the services in force that is older no longer counts. The agent then obeys no responder until a responder or the registrar sends a newer list.',
      { min: 60_000, max: 86_400_000 },
    ),
  }),

  tracing: section('Traces of alerts, from the system call to the response.', {
    endpoint: text(
      '',
      'URL to send traces to, with OTLP over HTTP, such as `http://collector:4318/v1/traces`. Empty: no traces.',
      URL_TEXT,
    ),
  }),

  metrics: section('Metrics for Prometheus, and health checks.', {
    enabled: flag(true, 'Serve `/metrics`, `/healthz` and `/readyz`.'),
    listen: address(
      '127.0.0.1:9464',
      'Address of these endpoints. An address other than loopback requires `metrics.token`.',
    ),
    token: secret('Bearer token that a scraper must send.'),
  }),
});

type Settings = z.output<z.ZodObject<ReturnType<typeof shape>>>;

/** Returns the schema of all settings, which validates each setting independently of the others. */
export function settingsSchema(directories: DefaultDirectories): SettingsSchema {
  return z.strictObject(shape(directories));
}

/** Resolves the paths that default to a place in the state directory. */
function resolveStatePaths(settings: Settings) {
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
  /** the same values under the names of the settings */
  readonly settings: Readonly<Record<string, unknown>>;
  readonly conflicts: readonly Conflict[];
}

/** Compiles values that each passed `settingsSchema`, and finds conflicts between them. */
export function compile(directories: DefaultDirectories, values: unknown): Compiled {
  const schema = z.strictObject(shape(directories));
  const parsed = schema.parse(values);
  const settings = resolveStatePaths(parsed);
  const config = withUnits(schema, settings);
  return { config, settings, conflicts: conflictsOf(config) };
}
