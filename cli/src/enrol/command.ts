import { hostname } from 'node:os';
import { defined, OperatorError } from '@ringfence/base';
import { socketOf } from '@ringfence/config';
import { enrol, parseRoles } from '@ringfence/identity';
import { loadHostId } from '@ringfence/identity/local';
import { roleOf } from '@ringfence/runtime/fleet';
import type { Command } from 'commander';
import { DESCRIPTIONS } from '../descriptions.ts';
import { clientOf, print, printJson, settingsOf, several, withSettings } from '../shared/context.ts';
import { counted } from '../shared/counted.ts';

interface EnrolFlags {
  readonly token?: string;
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
    .requiredOption('--role <roles>', 'agent, or services of one process: enricher,detector')
    .option('--subject <name>', 'only for this one: the id of a host, or the name of a service')
    .option('--host <name>', 'DNS name or address that it will serve under (repeatable)', several)
    .option('--ttl <minutes>', 'how long it can be used', '60')
    .option('--json', 'print it as a JSON object')
    .addHelpText(
      'after',
      '\nExamples:\n  ringfence token --role agent\n  ringfence token --role responder --host responder-1.example.org',
    );
  withSettings(token).action(async (_, self: Command) => {
    const { role, subject, host, ttl, json } = self.opts<TokenFlags>();
    const query = new URLSearchParams({ role, ttl, ...defined({ subject }) });
    for (const one of host ?? []) query.append('host', one);
    const answer = await askRegistrar<{ token: string }>(self, `/token?${query}`);
    if (json) printJson(answer);
    else print(answer.token);
  });
  const revoke = program
    .command('revoke')
    .argument('<subject>', 'the id of a host, or the name of a service')
    .description(DESCRIPTIONS.revoke);
  withSettings(revoke).action(async (subject: string, _, self: Command) => {
    const query = new URLSearchParams({ subject });
    const { keys } = await askRegistrar<{ keys: number }>(self, `/revoke?${query}`);
    print(`${subject}: ${counted(keys, 'key is', 'keys are')} out of force`);
  });
  const join = program
    .command('enrol')
    .description(DESCRIPTIONS.enrol)
    .requiredOption('--token <token>', 'the token that `ringfence token` printed')
    .option('--registrar <url>', 'https://host:port (default: identity.registrar)')
    .option('--role <roles>', 'agent, or services of this process (default: by `services`)')
    .option('--subject <name>', 'name to enrol as (default: for an agent the id of this host, else its host name)')
    .addHelpText(
      'after',
      '\nExamples:\n  ringfence enrol --token rft1.… --registrar https://registrar.example.org:7443 --role agent',
    );
  withSettings(join, '--only', '--state-dir').action((_, self: Command) => enrolHere(self));
}

/** Of the registrar that runs here. Throws OperatorError. */
async function askRegistrar<T>(self: Command, path: string): Promise<T> {
  const config = settingsOf(self);
  try {
    return await clientOf(config).json<T>(path);
  } catch (cause) {
    if (!(cause instanceof OperatorError) || cause.code !== 'ERR_NOT_RUNNING') throw cause;
    throw new OperatorError(
      `no registrar runs here (${socketOf(config)}): start it with "ringfence up --only registrar", or give the settings that it runs with (--config, runDir)`,
      { cause, code: cause.code },
    );
  }
}

async function enrolHere(self: Command): Promise<void> {
  const config = settingsOf(self);
  const { token = '', registrar = config.identity.registrar, role, subject } = self.opts<EnrolFlags>();
  if (registrar === '')
    throw new OperatorError('which registrar? give --registrar https://host:port, or set identity.registrar');
  const ofServices = config.services.map(roleOf);
  if (role === undefined && ofServices.includes('agent') && ofServices.length > 1)
    throw new OperatorError(
      'as what? give --role agent, or --role enricher,… for services, or set "services" to what runs here',
    );
  const roles = parseRoles(role ?? ofServices.join(','));
  const name = roles.includes('agent') ? loadHostId(config.stateDir) : hostname().toLowerCase();
  const identity = await enrol({ token, registrar, subject: subject ?? name, roles, directory: config.identity.path });
  const until = new Date(identity.notAfter).toISOString().slice(0, 10);
  print(
    `enrolled as ${identity.subject} (${identity.roles.join(', ')}), until ${until}; kept in ${config.identity.path}`,
  );
}
