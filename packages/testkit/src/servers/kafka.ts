import { randomBytes } from 'node:crypto';
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { javaFlags } from './archive.ts';
import { classPathMissing, jarsOf, projectFile } from './class-path.ts';
import { bringJava, type Java, javaMissing } from './java.ts';
import { type KafkaNode, properties, type Settings } from './kafka-settings.ts';
import { reservePorts } from './ports.ts';
import { runTool } from './run-tool.ts';
import { type RunningServer, ServerProcess } from './server-process.ts';
import { createWorkplace, removeWorkplace } from './workplace.ts';

export interface KafkaOptions {
  /** @default 1; with 3, topics have three replicas and two must have a record before it is acknowledged (acks=all) */
  readonly brokers?: 1 | 3;
  /** MB of Java heap for each broker. @default 256 */
  readonly heapMb?: number;
  /** more of server.properties, for each broker */
  readonly settings?: Settings;
}

export interface KafkaBroker extends RunningServer {
  readonly id: number;
  /** host:port */
  readonly address: string;
}

export interface KafkaCluster extends AsyncDisposable {
  /** host:port of each broker */
  readonly bootstrap: readonly string[];
  readonly brokers: readonly KafkaBroker[];
}

interface Runtime {
  readonly java: Java;
  readonly jars: readonly string[];
  readonly flags: readonly string[];
}

const OLDEST_JAVA = 17;
const DEFAULT_HEAP_MB = 256;
const STARTED = 'Kafka Server started';

/** Why Kafka can't be started natively; undefined when it can. */
export function kafkaMissing(): string | undefined {
  return javaMissing(OLDEST_JAVA) ?? classPathMissing('kafka');
}

/** Arguments of java. The class path is in the environment, where it doesn't fill every list of processes. */
function java(flags: readonly string[], heapMb: number, main: string, ...args: readonly string[]): string[] {
  const log = `-Dlog4j2.configurationFile=${projectFile('kafka', 'log4j2.properties')}`;
  return [`-Xmx${heapMb}m`, ...flags, log, main, ...args];
}

function environment({ jars }: Runtime): Record<string, string> {
  return { CLASSPATH: jars.join(':') };
}

function uuid(): string {
  return randomBytes(16).toString('base64url');
}

/** Makes each node's data directory. What differs between them is in meta.properties, so Kafka's own tool (a Java of its own) runs once. */
async function format(runtime: Runtime, nodes: readonly KafkaNode[]): Promise<void> {
  const [first, ...others] = nodes as [KafkaNode, ...KafkaNode[]];
  const args = ['format', '-t', uuid(), '-c', join(first.directory, 'server.properties')];
  const env = { ...process.env, ...environment(runtime) };
  const flags = ['-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1'];
  await runTool(runtime.java.path, java(flags, 64, 'kafka.tools.StorageTool', ...args), { env });
  const meta = readFileSync(join(first.directory, 'data/meta.properties'), 'utf8');
  for (const { id, directory } of others) {
    cpSync(join(first.directory, 'data'), join(directory, 'data'), { recursive: true });
    const own = meta
      .replace(/^node\.id=.*$/m, `node.id=${id}`)
      .replace(/^directory\.id=.*$/m, `directory.id=${uuid()}`);
    writeFileSync(join(directory, 'data/meta.properties'), own);
  }
}

function brokerOf(node: KafkaNode, runtime: Runtime, heapMb: number): KafkaBroker {
  const server = new ServerProcess({
    title: `Kafka broker ${node.id}`,
    command: [
      runtime.java.path,
      ...java(runtime.flags, heapMb, 'kafka.Kafka', join(node.directory, 'server.properties')),
    ],
    env: environment(runtime),
    log: join(node.directory, 'log'),
    isReady: (printed) => printed.includes(STARTED),
  });
  return {
    id: node.id,
    address: `127.0.0.1:${node.port}`,
    get pid() {
      return server.pid;
    },
    stop: (signal) => server.stop(signal),
    start: () => server.start(),
    signal: (name) => server.signal(name),
  };
}

async function startNodes(runtime: Runtime, options: KafkaOptions): Promise<KafkaCluster> {
  const count = options.brokers ?? 1;
  const reserved = await reservePorts(2 * count);
  const place = createWorkplace('kafka');
  const nodes = Array.from(
    { length: count },
    (_, index): KafkaNode => ({
      id: index + 1,
      port: reserved.ports[2 * index]!,
      controllerPort: reserved.ports[2 * index + 1]!,
      directory: join(place, String(index + 1)),
    }),
  );
  const brokers = nodes.map((node) => brokerOf(node, runtime, options.heapMb ?? DEFAULT_HEAP_MB));
  const dispose = async () => {
    await Promise.all(brokers.map((broker) => broker.stop('SIGKILL')));
    removeWorkplace(place);
    await reserved[Symbol.asyncDispose]();
  };
  try {
    for (const node of nodes) {
      mkdirSync(node.directory);
      writeFileSync(join(node.directory, 'server.properties'), properties(node, nodes, options.settings ?? {}));
    }
    await format(runtime, nodes);
    await Promise.all(brokers.map((broker) => broker.start()));
  } catch (error) {
    await dispose();
    throw error;
  }
  return { bootstrap: brokers.map(({ address }) => address), brokers, [Symbol.asyncDispose]: dispose };
}

async function runtimeOf(): Promise<Runtime> {
  const java = await bringJava(OLDEST_JAVA);
  const jars = await jarsOf('kafka', java);
  const flags = await javaFlags('kafka', java, jars, async (training) => {
    await using cluster = await startNodes({ java, jars, flags: training }, {});
    await cluster.brokers[0]?.stop('SIGTERM');
  });
  return { java, jars, flags };
}

/** A Kafka of one broker or three on free ports of 127.0.0.1 (KRaft, each broker a controller too). */
export async function startKafka(options: KafkaOptions = {}): Promise<KafkaCluster> {
  return startNodes(await runtimeOf(), options);
}
