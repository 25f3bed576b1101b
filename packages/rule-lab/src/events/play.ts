import { constants } from 'node:os';
import { eventKinds } from '@ringfence/fields';
import { credentialsOf, O, type SyntheticHost, type SyntheticProcess } from '@ringfence/synthetic';
import { type KindName, LANE, layouts } from '@ringfence/wire';
import { bodyValues } from './bodies.ts';
import { bits, bytesOf } from './body-values.ts';
import { Facts } from './facts.ts';
import type { GivenEvent } from './given.ts';
import { BITS } from './names.ts';
import type { Processes } from './processes.ts';
import type { Stage } from './stage.ts';

interface Scene {
  readonly host: SyntheticHost;
  readonly process: SyntheticProcess;
  readonly target: SyntheticProcess | undefined;
  readonly facts: Facts;
}

const FILE_TYPES: Readonly<Record<string, number>> = {
  fifo: 0o1_0000,
  character: 0o2_0000,
  dir: 0o4_0000,
  block: 0o6_0000,
  file: 0o10_0000,
  symlink: 0o12_0000,
  socket: 0o14_0000,
};
/** PAM_AUTH_ERR */
const PAM_FAILURE = 7;
/** umount2(2) has flags of its own. */
const UMOUNT = 2;

/** Kinds that synthetic hosts have a call for. */
const PLAYS: Readonly<Record<string, (scene: Scene) => void>> = {
  exit: ({ host, process, facts }) =>
    host.exit(process, facts.number('process.exit_code') ?? 0, facts.number('process.exit_signal') ?? 0),
  credentials: changeCredentials,
  open: ({ host, process, facts }) =>
    host.open(process, facts.text('file.path') ?? '/file', openFlags(facts), {
      result: resultOf(facts, 3),
      reached: facts.text('file.reached_path') ?? '',
      rawPath: facts.text('file.raw_path') ?? '',
      received: facts.bool('file.open.received') ?? false,
      created: facts.bool('file.open.created') ?? false,
      ...(facts.text('file.type') === undefined && facts.number('file.mode') === undefined
        ? {}
        : { mode: modeOf(facts) }),
    }),
  file_change: changeFile,
  mount_change: changeMounts,
  connect,
  accept: ({ host, process, facts }) => {
    const end = (side: string, port: number) => ({
      address: bytesOf(facts.text(`${side}.ip`) ?? '127.0.0.1'),
      port: facts.number(`${side}.port`) ?? port,
    });
    host.accept(process, end('source', 40_000), end('destination', 80), { result: resultOf(facts, 4) });
  },
  authentication: ({ host, process, facts }) => {
    const failed = facts.text('event.outcome') === 'failure' ? PAM_FAILURE : 0;
    const [service, user, remoteHost] = ['service', 'user', 'remote_host'].map(
      (name) => facts.text(`ringfence.pam.${name}`) ?? '',
    );
    host.authenticate(process, service ?? '', user ?? '', facts.number('event.result') ?? failed, remoteHost);
  },
  shell_line: ({ host, process, facts }) => host.shellLine(process, facts.text('ringfence.shell.line') ?? ''),
  tls_data: ({ host, process, facts }) =>
    host.tls(process, facts.bool('ringfence.tls.egress') ?? true, facts.text('ringfence.tls.payload') ?? ''),
  probe: ({ host, process, facts }) => {
    const numbers = facts.arguments('probe.numbers').map(([name, value]) => [name, Number(value)] as const);
    host.probe(
      process,
      facts.text('probe.name') ?? '',
      Object.fromEntries([...facts.arguments('probe.args'), ...numbers]),
    );
  },
  process_access: ({ host, process, target, facts }) => {
    const { operation, request, count, targetTgid } = bodyValues('process_access', facts) as Record<string, number>;
    const values = { operation: operation ?? 1, request: request ?? 0, count: count ?? 1, result: resultOf(facts) };
    if (target !== undefined) host.access(process, target, values);
    else host.event(process, 'ProcessAccess', { ...values, targetTgid: targetTgid ?? 0 });
  },
};

/** Kinds that have no acting process, or that make one. */
const WITHOUT_PROCESS: Readonly<Record<string, (event: GivenEvent, stage: Stage, processes: Processes) => void>> = {
  exec: (event, _, processes) => processes.exec(event),
  fork: (event, _, processes) => processes.fork(event),
  finding: ({ fields }, stage) => {
    const facts = new Facts(fields);
    const text = (name: string): string => facts.text(`integrity.${name}`) ?? '';
    stage.begin('written');
    stage.host.finding(text('check'), text('subject'), text('detail'), text('list'));
  },
  throttled: ({ fields }, stage) => throttle(stage, new Facts(fields)),
  gap: ({ fields }, stage) => loseEvents(stage, new Facts(fields)),
  // An agent that stops reports it with its last tick.
  tick: (_, stage) => {
    stage.begin('written');
    stage.host.tick(0, true);
  },
};

/** Adds the written event, and before it what the event takes for granted. */
export function play(event: GivenEvent, kind: string, stage: Stage, processes: Processes): void {
  const playEvent = WITHOUT_PROCESS[kind];
  if (playEvent !== undefined) {
    playEvent(event, stage, processes);
    return;
  }
  const { host } = stage;
  const facts = new Facts(event.fields);
  const process = processes.of(event);
  const target = processes.target(event);
  stage.begin('written');
  const playCall = PLAYS[kind];
  if (playCall !== undefined) {
    playCall({ host, process, target, facts });
    return;
  }
  const values = bodyValues(kind, facts);
  const usual = values['result'] ?? (kind === 'attempt' ? -constants.errno.EPERM : 0);
  host.event(process, kindNamed(kind), { ...values, result: resultOf(facts, Number(usual)) });
}

function kindNamed(name: string): KindName {
  const layout = layouts[eventKinds.names.indexOf(name)];
  if (layout === undefined) throw new TypeError(`there is no kind '${name}'`);
  return layout.name;
}

/** Returns what the call returned. @param success the result of a call that succeeds */
function resultOf(facts: Facts, success = 0): number {
  const given = facts.number('event.result');
  if (given !== undefined) return given;
  const error = facts.text('error.code');
  if (error !== undefined) return -(constants.errno[error as keyof typeof constants.errno] ?? constants.errno.EPERM);
  return facts.text('event.outcome') === 'failure' ? -constants.errno.EACCES : success;
}

const modeOf = (facts: Facts): number =>
  (FILE_TYPES[facts.text('file.type') ?? 'file'] ?? 0) | (facts.number('file.mode') ?? 0o644);

function openFlags(facts: Facts): number {
  const given = facts.number('file.open.flags');
  if (given !== undefined) return given;
  const write = facts.bool('file.open.write') === true;
  let flags: number = write ? (facts.bool('file.open.read') === true ? O.RDWR : O.WRONLY) : O.RDONLY;
  const truncates = facts.bool('file.open.truncate') === true;
  if (truncates) flags |= O.TRUNC;
  if (facts.bool('file.open.append') === true) flags |= O.APPEND;
  // A program that empties a file creates it, as `>` of a shell does.
  return (facts.bool('file.open.create') ?? truncates) ? flags | O.CREAT : flags;
}

function changeCredentials({ host, process, facts }: Scene): void {
  const before = process.credentials;
  const uid = facts.number('user.changes.id') ?? before.uid;
  const euid = facts.number('user.changes.effective.id') ?? facts.number('user.changes.id') ?? before.euid;
  host.credentials(process, { ...credentialsOf(euid, before.egid), uid, gid: facts.number('group.id') ?? before.gid });
}

function changeFile({ host, process, facts }: Scene): void {
  const operation = (facts.text('event.action') ?? 'rename').toUpperCase() as Parameters<SyntheticHost['change']>[1];
  const [uid, gid, inode] = [facts.number('file.uid'), facts.number('file.gid'), facts.text('file.inode')];
  const type = facts.text('file.type');
  host.change(process, operation, facts.text('file.path') ?? '/file', {
    target: facts.text('file.target_path') ?? facts.text('file.xattr') ?? '',
    rawPath: facts.text('file.raw_path') ?? '',
    rawTarget: facts.text('file.raw_target_path') ?? '',
    mode: (type === undefined ? 0 : (FILE_TYPES[type] ?? 0)) | (facts.number('file.mode') ?? 0),
    result: resultOf(facts),
    ...(uid === undefined ? {} : { uid }),
    ...(gid === undefined ? {} : { gid }),
    ...(inode === undefined ? {} : { inode: BigInt(inode) }),
  });
}

function changeMounts({ host, process, facts }: Scene): void {
  const action = facts.text('event.action') ?? 'mount';
  const flags = (operation: number, leaf: string, field: string): number =>
    Number(bits(facts, { kind: 'MountChange', leaf, field, beside: { operation }, candidates: BITS }));
  const setAttributes = 8;
  host.mountChange(process, action.toUpperCase() as Parameters<SyntheticHost['mountChange']>[1], {
    source: facts.text('mount.source') ?? '',
    target: facts.text('mount.target') ?? '',
    filesystem: facts.text('mount.filesystem') ?? '',
    options: facts.text('mount.options') ?? '',
    result: resultOf(facts),
    flags:
      action === 'mount'
        ? flags(1, 'flags', 'mount.flags')
        : action === 'umount'
          ? flags(UMOUNT, 'flags', 'mount.flags')
          : 0,
    attributes: action === 'mount' || action === 'umount' ? 0 : flags(setAttributes, 'attributes', 'mount.flags'),
    cleared: flags(setAttributes, 'cleared', 'mount.cleared'),
  });
}

function connect({ host, process, facts }: Scene): void {
  const path = facts.text('network.unix.path');
  const protocol = facts.text('network.transport') === 'udp' ? { protocol: 17, type: 2 } : {};
  const localAddress = facts.text('source.ip');
  host.connect(
    process,
    path ?? bytesOf(facts.text('destination.ip') ?? '127.0.0.1'),
    facts.number('destination.port') ?? 0,
    {
      ...protocol,
      ...(localAddress === undefined
        ? {}
        : { localAddress: bytesOf(localAddress), localPort: facts.number('source.port') ?? 40_000 }),
      duration: Math.round((facts.number('event.duration') ?? 0) / 1000),
      result: resultOf(facts),
    },
  );
}

function throttle(stage: Stage, facts: Facts): void {
  const count = facts.number('event.count') ?? 1;
  stage.begin('written');
  stage.host.throttled({
    ofLane: LANE[(facts.text('throttled.lane') ?? 'security') as keyof typeof LANE],
    ofKind: facts.text('throttled.kind') ?? 'exec',
    count,
    cause: facts.text('throttled.reason') ?? 'throttled',
    path: facts.text('throttled.cgroup') ?? '',
    total: facts.number('throttled.total') ?? count,
    over: facts.bool('throttled.over') ?? false,
  });
}

/** Loses records of a lane. The enricher reports the gap with the second tick after a record of that lane. */
function loseEvents(stage: Stage, facts: Facts): void {
  const { host } = stage;
  const lane = LANE[(facts.text('gap.lane') ?? 'security') as keyof typeof LANE];
  const reason = facts.text('gap.reason') ?? 'ring_full';
  stage.begin('background');
  host.drop(lane, facts.number('event.count') ?? 1, reason === 'unknown' ? '' : reason);
  host.exit(host.fork());
  host.open(host.init, '/etc/hostname');
  stage.begin('written');
  for (let tick = 0; tick < 2; tick++) host.tick();
}
