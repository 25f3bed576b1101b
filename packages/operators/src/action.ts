import { readFileSync } from 'node:fs';
import { hostname, userInfo } from 'node:os';
import { maskSecrets, type OperatorAction } from '@ringfence/wire';

/** What an operator asks for. */
export interface Action {
  /** Subject and verb, such as `incident.set` */
  readonly action: string;
  /** @default empty: nothing more than the action says */
  readonly target?: string;
  /** @default empty: none was given */
  readonly reason?: string;
  /** Parameters by name */
  readonly details?: Readonly<Record<string, string>>;
}

/** Who asks. What the kernel does not confirm is named as claimed. */
export interface Operator {
  /** -1: unknown */
  readonly uid: number;
  /** -1: unknown */
  readonly pid: number;
  readonly origin: OperatorAction['origin'];
  /** The command line; of a request, as the client claims it */
  readonly command: string;
  /** SUDO_UID, or another claim of the environment; -1: none */
  readonly claimedUid: number;
  readonly claimedUser: string;
}

/** A line of the operator log without its chain and signature: the fields of the record on the bus. */
export type LoggedAction = Omit<OperatorAction, 'id' | 'keyId' | 'signature'>;

/** A process of Ringfence itself: a start, or rules that were reloaded. */
export const SERVICE: Operator = {
  ...{ uid: process.getuid?.() ?? -1, pid: process.pid, origin: 'service' },
  ...{ command: '', claimedUid: -1, claimedUser: '' },
};

const MAX = { action: 64, target: 256, reason: 512, user: 64, command: 1024, details: 16, detail: 256 } as const;
const PASSWD_MAX_BYTES = 4 << 20;

/** The user of this process, with what sudo says about who called it. */
export function operatorOfProcess(
  env: NodeJS.ProcessEnv = process.env,
  argv: readonly string[] = process.argv,
): Operator {
  return { ...claimsOfProcess(env, argv), uid: process.getuid?.() ?? -1, pid: process.pid, origin: 'command' };
}

/** What a client says about itself: the server can't confirm any of it. */
export type Claims = Pick<Operator, 'command' | 'claimedUid' | 'claimedUser'>;

export function claimsOfProcess(env: NodeJS.ProcessEnv = process.env, argv: readonly string[] = process.argv): Claims {
  const sudoUid = env['SUDO_UID'] ?? '';
  return {
    command: ['ringfence', ...argv.slice(2)].join(' '),
    claimedUid: /^\d{1,10}$/.test(sudoUid) ? Number(sudoUid) : -1,
    claimedUser: env['SUDO_USER'] ?? '',
  };
}

/** Parses claims that came from a client, of whatever form. */
export function parseClaims(text: string): Claims & { readonly reason: string } {
  const { command, claimedUid, claimedUser, reason } = objectOf(text);
  const uid = Number(claimedUid);
  return {
    command: String(command ?? ''),
    claimedUid: claimedUid !== undefined && Number.isInteger(uid) && uid >= 0 && uid < 2 ** 32 ? uid : -1,
    claimedUser: String(claimedUser ?? ''),
    reason: String(reason ?? ''),
  };
}

function objectOf(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

/** Returns the fields of the record, each cut to its limit, with Ringfence's own secrets masked. */
export function loggedAction(hostId: string, at: number, action: Action, operator: Operator): LoggedAction {
  const details = Object.entries(action.details ?? {}).slice(0, MAX.details);
  return {
    ...{ at, hostId, hostname: hostname().slice(0, MAX.user) },
    action: cut(action.action, MAX.action),
    target: cut(action.target ?? '', MAX.target),
    reason: cut(action.reason ?? '', MAX.reason),
    uid: operator.uid,
    user: cut(userNameOf(operator.uid), MAX.user),
    claimedUid: operator.claimedUid,
    claimedUser: cut(operator.claimedUser, MAX.user),
    origin: operator.origin,
    command: cut(maskSecrets(maskToken(operator.command)), MAX.command),
    pid: operator.pid,
    details: Object.fromEntries(details.map(([name, value]) => [cut(name, MAX.user), cut(value, MAX.detail)])),
  };
}

const cut = (text: string, max: number): string => text.slice(0, max).toWellFormed();

/** A token of another form than Ringfence's own is a secret, too. */
const maskToken = (command: string): string => command.replace(/(--token[= ])\S+/g, '$1***');

/** Returns the name of a user of this host; empty when it has none. */
function userNameOf(uid: number): string {
  if (uid < 0) return '';
  if (uid === process.getuid?.()) return ownName();
  try {
    const passwd = readFileSync('/etc/passwd', 'utf8').slice(0, PASSWD_MAX_BYTES);
    return new RegExp(`^([^:\\n]*):[^:\\n]*:${uid}:`, 'm').exec(passwd)?.[1] ?? '';
  } catch {
    return '';
  }
}

/** A user of a container may have no entry. */
function ownName(): string {
  try {
    return userInfo().username;
  } catch {
    return '';
  }
}
