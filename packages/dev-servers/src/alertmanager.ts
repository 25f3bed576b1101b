import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { debianMissing, debianPackage } from './debian.ts';
import { reservePorts } from './ports.ts';
import { answersOk } from './probe.ts';
import { findProgram } from './run-tool.ts';
import { type RunningServer, ServerProcess, withControls } from './server-process.ts';
import { createWorkplace, removeWorkplace } from './workplace.ts';

export interface AlertmanagerServer extends RunningServer, AsyncDisposable {
  /** http://127.0.0.1:port */
  readonly url: string;
}

const PACKAGE = 'prometheus-alertmanager';
const CONFIG = 'route: {receiver: nobody}\nreceivers: [{name: nobody}]\n';

/** Debian's program reads a template below /usr/share, where its own mount namespace shows the unpacked one. */
const WITH_SHARE = 'mount -t overlay overlay -o lowerdir="$0":/usr/share /usr/share && exec "$@"';

const installed = (): string | undefined => findProgram('prometheus-alertmanager', 'alertmanager');

/** Returns the reason why Alertmanager can't be started; undefined when it can. */
export function alertmanagerMissing(): string | undefined {
  if (installed() !== undefined) return undefined;
  return process.getuid?.() === 0 ? debianMissing(PACKAGE) : 'no alertmanager: install it, or run the test as root';
}

/** Returns the command that begins the command line of the server. */
async function program(): Promise<string[]> {
  const path = installed();
  if (path !== undefined) return [path];
  const root = await debianPackage(PACKAGE);
  const own = ['unshare', '--mount', 'sh', '-c', WITH_SHARE, join(root, 'usr/share')];
  return [...own, join(root, 'usr/bin/prometheus-alertmanager')];
}

/** Starts Prometheus Alertmanager on a free port of 127.0.0.1, with a receiver that tells nobody. */
export async function startAlertmanager(): Promise<AlertmanagerServer> {
  const command = await program();
  await using undo = new AsyncDisposableStack();
  const port = undo.use(await reservePorts(1)).ports[0]!;
  const directory = undo.adopt(createWorkplace('alertmanager'), removeWorkplace);
  const config = join(directory, 'alertmanager.yml');
  writeFileSync(config, CONFIG);
  const url = `http://127.0.0.1:${port}`;
  const server = new ServerProcess({
    title: 'Alertmanager',
    command: [
      ...command,
      `--config.file=${config}`,
      `--storage.path=${join(directory, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
      '--cluster.listen-address=',
    ],
    log: join(directory, 'log'),
    isReady: () => answersOk(`${url}/-/ready`),
  });
  undo.defer(() => server.remove());
  await server.start();
  const started = undo.move();
  return withControls(server, { url, [Symbol.asyncDispose]: () => started.disposeAsync() });
}
