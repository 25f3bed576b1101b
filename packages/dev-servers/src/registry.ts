import { join } from 'node:path';
import { artifact, artifactMissing } from './class-path.ts';
import { bringJava, javaMissing, temporaryIn } from './java.ts';
import { reservePorts } from './ports.ts';
import { answersOk } from './probe.ts';
import { type RunningServer, ServerProcess, withControls } from './server-process.ts';
import { createWorkplace, removeWorkplace } from './workplace.ts';

export interface RegistryServer extends RunningServer, AsyncDisposable {
  /** URL of the Confluent API: http://127.0.0.1:port/apis/ccompat/v7. */
  readonly url: string;
}

const APICURIO = 'io.apicurio:apicurio-registry-app:3.3.3:tar.gz:all';
const OLDEST_JAVA = 21;
const API = '/apis/ccompat/v7';

/** Returns the reason why the registry cannot be started natively; undefined when it can. */
export function registryMissing(): string | undefined {
  return javaMissing(OLDEST_JAVA) ?? artifactMissing('registry', APICURIO);
}

/** Starts a schema registry (Apicurio) on a free port of 127.0.0.1. Its schemas survive a restart. */
export async function startRegistry(): Promise<RegistryServer> {
  const java = await bringJava(OLDEST_JAVA);
  const program = await artifact('registry', APICURIO, java, 'unpack');
  await using undo = new AsyncDisposableStack();
  const [port, managementPort] = undo.use(await reservePorts(2)).ports;
  const directory = undo.adopt(createWorkplace('registry'), removeWorkplace);
  const url = `http://127.0.0.1:${port}${API}`;
  const settings = {
    'quarkus.http.host': '127.0.0.1',
    'quarkus.http.port': port,
    'quarkus.management.host': '127.0.0.1',
    'quarkus.management.port': managementPort,
    'apicurio.datasource.url': `jdbc:h2:file:${join(directory, 'schemas')}`,
  };
  const properties = Object.entries(settings).map(([key, value]) => `-D${key}=${value}`);
  const flags = [temporaryIn(directory), '-Xmx256m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1'];
  const server = new ServerProcess({
    title: 'Schema registry',
    command: [java.path, ...flags, ...properties, '-jar', join(program, 'quarkus-run.jar')],
    log: join(directory, 'log'),
    isReady: () => answersOk(`${url}/subjects`),
  });
  undo.defer(() => server.remove());
  await server.start();
  const started = undo.move();
  return withControls(server, {
    url,
    [Symbol.asyncDispose]: () => started.disposeAsync(),
  });
}
