import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { rsyslogMissing, startRsyslog, startVictoriaLogs, victoriaLogsMissing } from '@ringfence/dev-servers';

export interface FarSide {
  readonly name: string;
  /** Ids of the records that arrived */
  ids(): Promise<readonly string[]>;
}

/** Returns the reason why the far sides can't be started. */
export const farSidesMissing = (): string | undefined => rsyslogMissing() ?? victoriaLogsMissing();

/** Starts rsyslog and VictoriaLogs, and writes a sink for each into a folder that exists. */
export async function startFarSides(stack: AsyncDisposableStack, folder: string): Promise<readonly FarSide[]> {
  const rsyslog = stack.use(await startRsyslog());
  const logs = stack.use(await startVictoriaLogs());
  const write = (name: string, text: string): void => writeFileSync(join(folder, name), text, { mode: 0o600 });
  const token = join(folder, 'token');
  writeFileSync(token, 'a-token-of-the-test', { mode: 0o600 });
  // CEF is short: a server's limit on messages cuts the JSON of a whole incident.
  write('soc.yaml', `{sink: soc, type: syslog, url: 'relp://127.0.0.1:${rsyslog.ports.relp}', format: cef}`);
  write('logs.yaml', `{sink: logs, type: splunk, url: '${logs.url}', token: 'file:${token}'}`);
  return [
    {
      name: 'rsyslog',
      ids: async () => rsyslog.messages().flatMap(({ msg = '' }) => /externalId=(\S+)/.exec(msg)?.[1] ?? []),
    },
    { name: 'VictoriaLogs', ids: async () => (await logs.query('*')).map(idOf) },
  ];
}

const idOf = (entry: Readonly<Record<string, string>>): string =>
  entry['ringfence.id'] ?? entry['event.ringfence.id'] ?? '';
