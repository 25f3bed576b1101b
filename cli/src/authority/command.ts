import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { makeFolder, OperatorError, writeOutput } from '@ringfence/base';
import { createAuthority, createRequest, openAuthority, parseRoles } from '@ringfence/identity';
import type { Command } from 'commander';
import { DESCRIPTIONS } from '../descriptions.ts';
import { integerOf, print, repeatable, settingsOf, withReason, withSettings } from '../shared/context.ts';

interface IssueOptions {
  readonly subject: string;
  readonly role?: string;
  readonly host?: readonly string[];
  readonly out: string;
  readonly days: string;
}

export function addAuthority(program: Command): void {
  const authority = program.command('authority').description(DESCRIPTIONS.authority);
  const init = authority
    .command('init')
    .description(
      'create the authority and the root key unless they exist; `ringfence up --only registrar` creates them too',
    )
    .addHelpText('after', '\nExamples:\n  ringfence authority init --set registrar.path=/etc/ringfence/authority');
  withSettings(withReason(init), '--state-dir').action(async (_, self: Command) => {
    const { path } = settingsOf(self).registrar;
    const exists = existsSync(join(path, 'ca.pem'));
    const { fingerprint } = exists ? await openAuthority(path) : await createAuthority(path);
    const outcome = exists ? 'already exists' : 'created';
    print(`authority ${outcome} in ${path}; SHA-256 of its certificate: ${fingerprint.toString('hex')}`);
  });
  const issue = authority
    .command('issue')
    .description('issue a certificate for a broker, a store, or a member that is enrolled by hand')
    .requiredOption('--subject <name>', 'name of the owner')
    .option(
      '--role <roles>',
      'services that the owner may run, such as enricher,detector (default: none, for brokers and stores)',
    )
    .option('--host <name>', 'DNS name or address of the server (repeatable)', repeatable)
    .option('--days <n>', 'days until the certificate expires', '365')
    .requiredOption(
      '--out <directory>',
      'directory for tls.key, tls.pem, ca.pem and keystore.pem (the three others in one file, for Kafka)',
    )
    .addHelpText(
      'after',
      `
Examples:
  ringfence authority issue --subject kafka-1 --host kafka-1.example.org --out /etc/kafka/tls`,
    );
  withSettings(withReason(issue), '--state-dir').action(async (_, self: Command) =>
    issueTo(settingsOf(self).registrar.path, self.opts<IssueOptions>()),
  );
}

async function issueTo(path: string, options: IssueOptions): Promise<void> {
  const days = integerOf('--days', options.days, 1, 3650);
  if (!existsSync(join(path, 'ca.pem')))
    throw new OperatorError(
      `there is no authority in ${path}: create it with ringfence authority init, or set registrar.path to its directory`,
    );
  const authority = await openAuthority(path);
  const { subject, host: hosts = [] } = options;
  const { key, csr } = await createRequest(subject);
  const { certificate, notAfter } = await authority.issue({
    csr,
    subject,
    roles: options.role === undefined ? [] : parseRoles(options.role),
    hosts,
    days,
  });
  const out = resolve(options.out);
  makeFolder(out, 0o700);
  const files = {
    'tls.key': key,
    'tls.pem': certificate,
    'ca.pem': authority.certificate,
    'keystore.pem': [key, certificate, authority.certificate].map((pem) => pem.trim()).join('\n'),
  };
  for (const [name, text] of Object.entries(files)) writeOutput(join(out, name), `${text.trim()}\n`);
  print(`${out}: certificate of ${subject}, valid until ${notAfter.toISOString().slice(0, 10)}`);
}
