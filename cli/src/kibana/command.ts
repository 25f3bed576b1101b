import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeFolder, messageOf, OperatorError, paintFor, writeOutput } from '@ringfence/base';
import {
  type Content,
  type Credentials,
  contentFor,
  dashboardBody,
  detectionRule,
  importLines,
  install,
  Kibana,
  type Plan,
  planInstallation,
  savedObjectsOf,
} from '@ringfence/kibana';
import type { Command } from 'commander';
import { DESCRIPTIONS } from '../descriptions.ts';
import { print, printJson, settingsOf, withReason, withSettings } from '../shared/context.ts';
import { planLines } from './view.ts';

interface ServerFlags {
  readonly url: string;
  readonly apiKeyFile?: string;
  readonly user?: string;
  readonly passwordFile?: string;
  readonly ca?: string;
  readonly json?: boolean;
}

/** Exit code of a difference, as of `topics plan`. */
const DRIFT = 2;

const SECRETS = `
The API key comes from --api-key-file or RINGFENCE_KIBANA_API_KEY, a password from --password-file or
RINGFENCE_KIBANA_PASSWORD; never from an argument, which every user of the machine sees. Without either, the requests are
anonymous.`;

export function addKibana(program: Command): void {
  const kibana = program.command('kibana').description(DESCRIPTIONS.kibana);
  withServer(withReason(kibana.command('install')))
    .description('install the dashboards, or bring them up to date')
    .addHelpText(
      'after',
      `
Asks Kibana for its version, and writes only what differs, under ids that begin with "ringfence-". Kibana 9.4 or newer
takes the dashboards by its Dashboards API, 8.12 or newer as saved objects.
${SECRETS}

Examples:
  ringfence kibana install --url https://kibana.example.org:5601 --api-key-file kibana.key
  ringfence kibana install --url https://kibana.example.org:5601/s/soc --user installer --password-file password`,
    )
    .action(async (_, self: Command) => {
      const { server, content, json } = serverOf(self);
      show(await install(server, content), true, json);
    });
  withServer(kibana.command('plan'))
    .description('show what install would change')
    .addHelpText(
      'after',
      `
Changes nothing. An object that somebody has edited in Kibana shows the places that differ.

Exit codes: 0 no difference, 2 a difference, 1 an error.
${SECRETS}

Examples:
  ringfence kibana plan --url https://kibana.example.org:5601 --api-key-file kibana.key
  ringfence kibana plan --url http://127.0.0.1:5601 --json | jq .objects`,
    )
    .action(async (_, self: Command) => {
      const { server, content, json } = serverOf(self);
      const plan = await planInstallation(server, content);
      show(plan, false, json);
      if (plan.objects.some(({ change }) => change !== 'none')) process.exitCode = DRIFT;
    });
  addExport(kibana);
}

function addExport(kibana: Command): void {
  const command = kibana
    .command('export')
    .argument('<directory>', 'directory to write the files to')
    .description('write the dashboards and the detection rule to files, for other ways to install them')
    .option('--json', 'print the file names as one JSON object')
    .addHelpText(
      'after',
      `
saved-objects.ndjson is for Stack Management → Saved objects → Import of Kibana 8.12 or newer, detection-rule.ndjson for
Security → Rules → Import, and dashboards-api/ID.json are bodies of PUT /api/dashboards/ID of Kibana 9.4 or newer.

Examples:
  ringfence kibana export kibana-files`,
    );
  withSettings(command).action((directory: string, _, self: Command) => {
    const { prefix } = settingsOf(self).auditor.elasticsearch;
    const files = filesFor(prefix).map(({ path, text }) => ({ path: join(directory, path), text }));
    makeFolder(join(directory, 'dashboards-api'));
    for (const { path, text } of files) writeOutput(path, text);
    if (self.opts<{ json?: boolean }>().json) printJson({ files: files.map(({ path }) => path) });
    else for (const { path } of files) print(path);
  });
}

function filesFor(prefix: string): { readonly path: string; readonly text: string }[] {
  const content = contentFor(prefix);
  return [
    { path: 'saved-objects.ndjson', text: importLines(savedObjectsOf(content)) },
    { path: 'detection-rule.ndjson', text: `${JSON.stringify(detectionRule(prefix))}\n` },
    ...content.dashboards.map((dashboard) => ({
      path: `dashboards-api/${dashboard.id}.json`,
      text: `${JSON.stringify(dashboardBody(dashboard), null, 2)}\n`,
    })),
  ];
}

function withServer(command: Command): Command {
  command
    .requiredOption('--url <url>', 'address of Kibana, with /s/NAME for a space')
    .option('--api-key-file <file>', 'file with an API key of Elasticsearch')
    .option('--user <name>', 'user, with --password-file or RINGFENCE_KIBANA_PASSWORD')
    .option('--password-file <file>', "file with the user's password")
    .option('--ca <file>', "PEM file of the authority of Kibana's certificate")
    .option('--json', 'print one JSON object');
  return withSettings(command);
}

function serverOf(command: Command): { readonly server: Kibana; readonly content: Content; readonly json: boolean } {
  const flags = command.opts<ServerFlags>();
  const { prefix } = settingsOf(command).auditor.elasticsearch;
  const ca = flags.ca === undefined ? undefined : readFlagFile('--ca', flags.ca);
  const server = new Kibana({ url: flags.url, credentials: credentialsOf(flags), ca });
  return { server, content: contentFor(prefix), json: flags.json === true };
}

function credentialsOf({ apiKeyFile, user, passwordFile }: ServerFlags): Credentials | undefined {
  const apiKey = secretOf('--api-key-file', apiKeyFile, 'RINGFENCE_KIBANA_API_KEY');
  if (user === undefined) return apiKey === undefined ? undefined : { apiKey };
  const password = secretOf('--password-file', passwordFile, 'RINGFENCE_KIBANA_PASSWORD');
  if (password !== undefined) return { user, password };
  throw new OperatorError('--user needs --password-file or RINGFENCE_KIBANA_PASSWORD', { code: 'ERR_USAGE' });
}

function secretOf(flag: string, path: string | undefined, variable: string): string | undefined {
  const text = path === undefined ? process.env[variable] : readFlagFile(flag, path);
  return text?.trim() || undefined;
}

function readFlagFile(flag: string, path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw new OperatorError(`${flag} ${path} can't be read: ${messageOf(cause)}`, { cause });
  }
}

function show(plan: Plan, isDone: boolean, json: boolean): void {
  if (json) printJson(plan, 2);
  else print(planLines(paintFor(process.stdout), plan, isDone).join('\n'));
}
