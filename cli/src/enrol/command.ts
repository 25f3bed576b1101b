import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { defined, messageOf, OperatorError } from '@ringfence/base';
import { socketOf } from '@ringfence/config';
import { enrol, isHostId, LEAVE_GRACE_MS, parseRoles } from '@ringfence/identity';
import { loadHostId } from '@ringfence/identity/local';
import { roleOf } from '@ringfence/runtime/fleet';
import { fingerprintOf } from '@ringfence/wire';
import type { Command } from 'commander';
import { DESCRIPTIONS } from '../descriptions.ts';
import {
  actionClientOf,
  print,
  printJson,
  repeatable,
  settingsOf,
  withReason,
  withSettings,
} from '../shared/context.ts';
import { type Revocation, revocationLines } from './view.ts';

interface EnrolFlags {
  readonly token?: string;
  readonly tokenFile?: string;
  readonly registrar?: string;
  readonly role?: string;
  readonly subject?: string;
}

interface TokenFlags {
  readonly role: string;
  readonly subject?: string;
  readonly host?: readonly string[];
  readonly ttl: string;
  readonly json?: boolean;
}

export function addEnrol(program: Command): void {
  const token = program
    .command('token')
    .description(DESCRIPTIONS.token)
    .requiredOption('--role <roles>', 'agent, or the services of one process, such as enricher,detector')
    .option('--subject <name>', 'accept the token only for this host id or service name')
    .option('--host <name>', 'DNS name or address of the server that enrols (repeatable)', repeatable)
    .option('--ttl <minutes>', 'minutes until the token expires', '60')
    .option('--json', 'print one JSON object')
    .addHelpText(
      'after',
      `
Examples:
  ringfence token --role agent
  ringfence token --role responder --host responder-1.example.org`,
    );
  withSettings(withReason(token)).action(async (_, self: Command) => {
    const { role, subject, host, ttl, json } = self.opts<TokenFlags>();
    const query = new URLSearchParams({ role, ttl, ...defined({ subject }) });
    for (const name of host ?? []) query.append('host', name);
    const answer = await requestRegistrar<{ token: string }>(self, `/token?${query}`);
    if (json) printJson(answer);
    else print(answer.token);
  });
  const revoke = program
    .command('revoke')
    .argument('<subject>', 'the id of a host, or the name of a service')
    .description(DESCRIPTIONS.revoke)
    .option('--now', 'remove the access of a service at once, without waiting until it has left its groups')
    .addHelpText(
      'after',
      `
A service is given ${LEAVE_GRACE_MS / 1000} s to leave its consumer groups, so that other members have its partitions at once. Until then
the brokers let it read. Use --now if its keys were stolen.

Examples:
  ringfence revoke detector-2 --reason "taken out of service"
  ringfence revoke responder-1 --now --reason "its keys were stolen"`,
    );
  withSettings(withReason(revoke)).action(async (subject: string, _, self: Command) => {
    const now = self.opts<{ now?: boolean }>().now === true;
    const query = new URLSearchParams({ subject, ...(now ? { now: '1' } : {}) });
    if (!now && !isHostId(subject))
      process.stderr.write(`waiting until it has left its groups, at most ${LEAVE_GRACE_MS / 1000} s\n`);
    print(revocationLines(subject, await requestRegistrar<Revocation>(self, `/revoke?${query}`)).join('\n'));
  });
  const join = program
    .command('enrol')
    .description(DESCRIPTIONS.enrol)
    .option('--token-file <file>', 'file with the token from `ringfence token`; -: standard input')
    .option('--token <token>', 'the token itself, which every user sees in the list of processes')
    .option('--registrar <url>', 'https://host:port of the registrar (default: identity.registrar)')
    .option('--role <roles>', 'agent, or the services of this process (default: from the setting `services`)')
    .option('--subject <name>', 'name to enrol as (default: the host id for an agent, the hostname for services)')
    .addHelpText(
      'after',
      `
Examples:
  ringfence enrol --token-file token --registrar https://registrar.example.org:7443 --role agent
  ssh registrar ringfence token --role agent | ringfence enrol --token-file - --role agent`,
    );
  withSettings(withReason(join), '--only', '--state-dir').action((_, self: Command) => enrolThisMachine(self));
}

/** Sends a request to the registrar on this machine. Throws OperatorError if it is not running. */
async function requestRegistrar<T>(self: Command, path: string): Promise<T> {
  const config = settingsOf(self);
  try {
    return await actionClientOf(self).json<T>(path);
  } catch (cause) {
    if (!(cause instanceof OperatorError) || cause.code !== 'ERR_NOT_RUNNING') throw cause;
    throw new OperatorError(
      `no registrar is running on this machine (${socketOf(config)}): start it with "ringfence up --only registrar", or pass its settings (--config, runDir)`,
      { cause, code: cause.code },
    );
  }
}

/** Throws OperatorError unless exactly one of the two options names a token. */
function tokenOf({ token, tokenFile }: EnrolFlags): string {
  if ((token === undefined) === (tokenFile === undefined))
    throw new OperatorError('give the token with --token-file FILE, or with --token-file - on standard input');
  if (tokenFile === undefined) return token ?? '';
  try {
    return readFileSync(tokenFile === '-' ? 0 : tokenFile, 'utf8').trim();
  } catch (cause) {
    throw new OperatorError(`${tokenFile} cannot be read: ${messageOf(cause)}`, { cause });
  }
}

async function enrolThisMachine(self: Command): Promise<void> {
  const config = settingsOf(self);
  const flags = self.opts<EnrolFlags>();
  const { registrar = config.identity.registrar, role, subject } = flags;
  if (registrar === '')
    throw new OperatorError('no registrar given: pass --registrar https://host:port, or set identity.registrar');
  const configuredRoles = config.services.map(roleOf);
  if (role === undefined && configuredRoles.includes('agent') && configuredRoles.length > 1)
    throw new OperatorError(
      'no role given: pass --role agent, or --role with services such as enricher, or set "services" to those of this process',
    );
  const roles = parseRoles(role ?? configuredRoles.join(','));
  const token = tokenOf(flags);
  const name = roles.includes('agent') ? loadHostId(config.stateDir) : hostname().toLowerCase();
  const identity = await enrol({ token, registrar, subject: subject ?? name, roles, directory: config.identity.path });
  const expiry = new Date(identity.notAfter).toISOString().slice(0, 10);
  print(
    `enrolled as ${identity.subject} (${identity.roles.join(', ')}), until ${expiry}; identity stored in ${config.identity.path}`,
  );
  if (config.identity.rootKey === '')
    print(`to accept no other root key, add to the settings: identity.rootKey: ${fingerprintOf(identity.root)}`);
}
