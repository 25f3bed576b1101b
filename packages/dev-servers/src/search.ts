import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { javaFlags } from './archive.ts';
import { classPathMissing, jarsOf, projectFile } from './class-path.ts';
import { bringJava, type Java, javaMissing, OPTIMIZED, temporaryIn } from './java.ts';
import { reservePorts } from './ports.ts';
import { answersOk } from './probe.ts';
import { type RunningServer, ServerProcess, withControls } from './server-process.ts';
import { createWorkplace, removeWorkplace } from './workplace.ts';

export interface SearchOptions {
  /** MB of Java heap. @default 512 */
  readonly heapMb?: number;
  /** Full compilation as in production, for benches: a slower start, faster when warm. @default false */
  readonly optimized?: boolean;
}

export interface SearchServer extends RunningServer, AsyncDisposable {
  /** http://127.0.0.1:port. */
  readonly url: string;
}

const OLDEST_JAVA = 21;
const DEFAULT_HEAP_MB = 512;
/** After a restart the shards become available later than the port. */
const HEALTHY = '/_cluster/health?wait_for_status=yellow&wait_for_no_initializing_shards=true&timeout=1s';

/** A Java project. The main classes of all projects take the same arguments. */
interface Kind {
  readonly project: string;
  readonly title: string;
  readonly main: string;
}

const ELASTICSEARCH: Kind = {
  project: 'elasticsearch',
  title: 'Elasticsearch',
  main: 'org.elasticsearch.node.TestNode',
};
const OPENSEARCH: Kind = { project: 'opensearch', title: 'OpenSearch', main: 'org.opensearch.node.TestNode' };

function missing({ project }: Kind): string | undefined {
  return javaMissing(OLDEST_JAVA) ?? classPathMissing(project);
}

/** Returns the reason why Elasticsearch cannot be started natively; undefined when it can. */
export function elasticsearchMissing(): string | undefined {
  return missing(ELASTICSEARCH);
}

/** Returns the reason why OpenSearch cannot be started natively; undefined when it can. */
export function opensearchMissing(): string | undefined {
  return missing(OPENSEARCH);
}

async function startNode(
  kind: Kind,
  java: Java,
  jars: readonly string[],
  flags: readonly string[],
  heapMb: number,
): Promise<SearchServer> {
  await using undo = new AsyncDisposableStack();
  const [port, transportPort] = undo.use(await reservePorts(2)).ports;
  const directory = undo.adopt(createWorkplace(kind.project), removeWorkplace);
  const home = join(directory, 'home');
  mkdirSync(home);
  const url = `http://127.0.0.1:${port}`;
  const log = `-Dlog4j2.configurationFile=${projectFile(kind.project, 'log4j2.properties')}`;
  const needs = [
    temporaryIn(directory),
    '--enable-native-access=ALL-UNNAMED',
    '--add-opens=java.base/java.io=ALL-UNNAMED',
    log,
  ];
  const main = [kind.main, home, String(port), String(transportPort)];
  const server = new ServerProcess({
    title: kind.title,
    command: [java.path, `-Xms${heapMb}m`, `-Xmx${heapMb}m`, ...flags, ...needs, ...main],
    env: { CLASSPATH: jars.join(':') },
    log: join(directory, 'log'),
    isReady: async (printed) => printed.includes('node started') && (await answersOk(`${url}${HEALTHY}`)),
  });
  undo.defer(() => server.remove());
  await server.start();
  const started = undo.move();
  return withControls(server, {
    url,
    [Symbol.asyncDispose]: () => started.disposeAsync(),
  });
}

async function start(kind: Kind, options: SearchOptions): Promise<SearchServer> {
  const java = await bringJava(OLDEST_JAVA);
  const jars = await jarsOf(kind.project, java);
  const heapMb = options.heapMb ?? DEFAULT_HEAP_MB;
  const flags = await javaFlags(kind.project, java, jars, async (training) => {
    await using server = await startNode(kind, java, jars, training, heapMb);
    await server.stop('SIGTERM');
  });
  return startNode(kind, java, jars, options.optimized ? [...flags, ...OPTIMIZED] : flags, heapMb);
}

/** Starts Elasticsearch with one node on a free port of 127.0.0.1, without security. The README lists its limits. */
export function startElasticsearch(options: SearchOptions = {}): Promise<SearchServer> {
  return start(ELASTICSEARCH, options);
}

/** Starts OpenSearch with one node on a free port of 127.0.0.1, without security and plugins. */
export function startOpenSearch(options: SearchOptions = {}): Promise<SearchServer> {
  return start(OPENSEARCH, options);
}
