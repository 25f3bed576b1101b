import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { makeFolder, OperatorError, writeOutput } from '@ringfence/base';
import { createAuthority, createRequest, openAuthority, parseRoles } from '@ringfence/identity';
import type { Command } from 'commander';
import { DESCRIPTIONS } from '../descriptions.ts';
import { numberOf, print, settingsOf, several, withSettings } from '../shared/context.ts';

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
    .description('make the authority and the root key, if there is none; `ringfence up --only registrar` does so too')
    .addHelpText('after', '\nExamples:\n  ringfence authority init --set registrar.path=/etc/ringfence/authority');
  withSettings(init, '--state-dir').action(async (_, self: Command) => {
    const { path } = settingsOf(self).registrar;
    const made = !existsSync(join(path, 'ca.pem'));
    const { fingerprint } = made ? await createAuthority(path) : await openAuthority(path);
    print(
      `${made ? 'made' : 'there is'} the authority in ${path}; sha256 of its certificate ${fingerprint.toString('hex')}`,
    );
  });
  const issue = authority
    .command('issue')
    .description('issue a certificate for a broker, a store, or whoever enrols by hand')
    .requiredOption('--subject <name>', 'name of its owner')
    .option('--role <roles>', 'what it may run: enricher,detector (default: nothing, as brokers and stores)')
    .option('--host <name>', 'DNS name or address that it serves under (repeatable)', several)
    .option('--days <n>', 'how long it is valid', '365')
    .requiredOption(
      '--out <directory>',
      'where tls.key, tls.pem, ca.pem and keystore.pem (all three, as Kafka wants them) are written',
    )
    .addHelpText(
      'after',
      '\nExamples:\n  ringfence authority issue --subject kafka-1 --host kafka-1.example.org --out /etc/kafka/tls',
    );
  withSettings(issue, '--state-dir').action(async (_, self: Command) =>
    issueTo(settingsOf(self).registrar.path, self.opts<IssueOptions>()),
  );
}

async function issueTo(path: string, options: IssueOptions): Promise<void> {
  const days = numberOf('--days', options.days, 1, 3650);
  if (!existsSync(join(path, 'ca.pem')))
    throw new OperatorError(
      `there is no authority in ${path}: ringfence authority init makes one; where it lies says registrar.path`,
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
