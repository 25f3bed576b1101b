import { constants } from 'node:os';
import { defined } from '@ringfence/base';
import { eventKinds } from '@ringfence/fields';
import { O, type TestHost, type TestProcess } from '@ringfence/testkit';
import { IPPROTO, type KindName, layouts, records, SOCK } from '@ringfence/wire';
import type { Facts } from './facts.ts';
import type { Processes } from './processes.ts';

interface Stage {
  readonly host: TestHost;
  readonly processes: Processes;
}

type Play = (stage: Stage, facts: Facts) => void;

/** A rename, a chmod, …: `RF_FILE_RENAME` is rename. */
const operationsOf = (values: Readonly<Record<string, number>>): ReadonlyMap<string, number> =>
  new Map(Object.entries(values).map(([name, value]) => [name.slice(name.indexOf('_') + 1).toLowerCase(), value]));

/** Kinds with several operations that have no play of their own. */
const OPERATIONS: Readonly<Record<string, ReadonlyMap<string, number>>> = {
  memory: operationsOf(records.MemoryOperation),
  process_access: operationsOf(records.AccessOperation),
  isolation: operationsOf(records.IsolationOperation),
  module: operationsOf(records.ModuleOperation),
  system_change: operationsOf(records.SystemOperation),
  socket: operationsOf(records.SocketOperation),
  tampering: operationsOf(records.TamperingOperation),
  attempt: operationsOf(records.AttemptOperation),
};

/** What each kind of event is made of. Of any other kind its operation and result are written; the rest is put on it when it is judged. */
const PLAYS: Readonly<Record<string, Play>> = {
  fork: ({ processes }, facts) => processes.fork(facts),
  exec: ({ processes }, facts) => processes.exec(facts),
  exit: ({ host, processes }, facts) =>
    host.exit(processes.of(facts), facts.number('process.exit_code') ?? 0, facts.number('process.exit_signal') ?? 0),
  credentials: ({ host, processes }, facts) => {
    const process = processes.of(facts);
    const uid = facts.number('user.changes.id') ?? process.credentials.uid;
    const euid = facts.number('user.changes.effective.id') ?? uid;
    host.credentials(process, { uid, euid, suid: euid, fsuid: euid });
  },
  open: ({ host, processes }, facts) =>
    host.open(processes.of(facts), facts.text('file.path') ?? '/file', openFlags(facts), {
      result: resultOf(facts, 3),
    }),
  file_change: ({ host, processes }, facts) => {
    const operation = (facts.text('event.action') ?? 'rename').toUpperCase() as Parameters<TestHost['change']>[1];
    const target = facts.text('file.target_path') ?? facts.text('file.xattr') ?? '';
    const mode = facts.number('file.mode') ?? 0;
    host.change(processes.of(facts), operation, facts.text('file.path') ?? '/file', {
      target,
      mode,
      result: resultOf(facts),
    });
  },
  mount_change: ({ host, processes }, facts) => {
    const operation = (facts.text('event.action') ?? 'mount').toUpperCase() as Parameters<TestHost['mountChange']>[1];
    host.mountChange(processes.of(facts), operation, {
      source: facts.text('mount.source') ?? '',
      target: facts.text('mount.target') ?? '',
      filesystem: facts.text('mount.filesystem') ?? '',
      options: facts.text('mount.options') ?? '',
      result: resultOf(facts),
    });
  },
  connect: ({ host, processes }, facts) => {
    const address = facts.text('network.unix.path') ?? facts.text('destination.ip') ?? '127.0.0.1';
    const protocol = facts.text('network.transport') === 'udp' ? { protocol: IPPROTO.UDP, type: SOCK.DGRAM } : {};
    const port = facts.number('destination.port') ?? 0;
    host.connect(processes.of(facts), bytesOf(address), port, { ...protocol, result: resultOf(facts) });
  },
  accept: ({ host, processes }, facts) => {
    const end = (side: string, port: number) => ({
      address: bytesOf(facts.text(`${side}.ip`) ?? '127.0.0.1'),
      port: facts.number(`${side}.port`) ?? port,
    });
    host.accept(processes.of(facts), end('source', 40_000), end('destination', 80), { result: resultOf(facts, 4) });
  },
};

/** Writes the event as the sensor would, and before it what it takes for granted. */
export function play(kind: string, stage: Stage, facts: Facts): void {
  const own = PLAYS[kind];
  if (own !== undefined) {
    own(stage, facts);
    return;
  }
  const operation = OPERATIONS[kind]?.get(facts.text('event.action') ?? '');
  const process: TestProcess = stage.processes.of(facts);
  stage.host.event(process, kindNamed(kind), {
    result: resultOf(facts),
    ...defined({ operation }),
  });
}

function kindNamed(name: string): KindName {
  const layout = layouts[eventKinds.names.indexOf(name)];
  if (layout === undefined) throw new TypeError(`there is no kind '${name}'`);
  return layout.name;
}

/** What the call returned. */
function resultOf(facts: Facts, success = 0): number {
  const given = facts.number('event.result');
  if (given !== undefined) return given;
  const error = facts.text('error.code');
  if (error !== undefined) return -(constants.errno[error as keyof typeof constants.errno] ?? constants.errno.EPERM);
  return facts.text('event.outcome') === 'failure' ? -constants.errno.EACCES : success;
}

function openFlags(facts: Facts): number {
  const write = facts.bool('file.open.write');
  let flags: number = write ? (facts.bool('file.open.read') ? O.RDWR : O.WRONLY) : O.RDONLY;
  for (const [name, bit] of Object.entries({ create: O.CREAT, truncate: O.TRUNC, append: O.APPEND }))
    if (facts.bool(`file.open.${name}`)) flags |= bit;
  return flags;
}

/** Of IPv6 the bytes; anything else as it is. */
function bytesOf(address: string): string | Buffer {
  if (!address.includes(':') || address.startsWith('/')) return address;
  const [head = '', tail] = address.split('::');
  const words = (text: string): number[] =>
    text === '' ? [] : text.split(':').map((word) => Number.parseInt(word, 16));
  const [before, after] = [words(head), tail === undefined ? [] : words(tail)];
  const all = [...before, ...Array<number>(Math.max(0, 8 - before.length - after.length)).fill(0), ...after].slice(
    0,
    8,
  );
  return Buffer.from(all.flatMap((word) => [word >> 8, word & 0xff]));
}
