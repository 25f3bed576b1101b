import { randomBytes } from 'node:crypto';
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { javaFlags } from './archive.ts';
import { cached, digest } from './cache.ts';
import type { TestCa } from './certificates.ts';
import { classPathMissing, jarsOf, projectFile } from './class-path.ts';
import { bringJava, type Java, javaMissing, OPTIMIZED, temporaryIn } from './java.ts';
import { type ClusterSecurity, type SecurityOptions, securityOf } from './kafka-security.ts';
import { type KafkaNode, properties, type Settings } from './kafka-settings.ts';
import { reservePorts } from './ports.ts';
import { runTool } from './run-tool.ts';
import { type RunningServer, ServerProcess, withControls } from './server-process.ts';
import { startTcpProxy, type TcpProxy } from './tcp-proxy.ts';
import type { TokenIssuer } from './tokens.ts';
import { createWorkplace, removeWorkplace } from './workplace.ts';

export interface KafkaOptions extends SecurityOptions {
  /** @default 1; with 3, topics have three replicas, and acks=all waits for two of them */
  readonly brokers?: 1 | 3;
  /** MB of Java heap for each broker. @default 256 */
  readonly heapMb?: number;
  /** Full compilation as in production, for benches: a slower start, three times faster when warm. @default false */
  readonly optimized?: boolean;
  /** Clients reach each broker through a proxy that can fail. @default false */
  readonly proxied?: boolean;
  /** Additional server.properties of each broker. */
  readonly settings?: Settings;
}

export interface KafkaBroker extends RunningServer {
  readonly id: number;
  /** host:port for clients. */
  readonly address: string;
  /** The network between this broker and its clients, with `proxied`. */
  readonly proxy: TcpProxy | undefined;
}

export interface KafkaCluster extends AsyncDisposable {
  /** host:port of each broker. */
  readonly bootstrap: readonly string[];
  readonly brokers: readonly KafkaBroker[];
  /** Passwords by name, including `admin` (sasl, sasl-tls). */
  readonly users: Readonly<Record<string, string>>;
  /** Issues the clients' certificates and is trusted by clients (tls, mtls, sasl-tls). */
  readonly ca: TestCa | undefined;
  /** Issuer whose tokens the brokers accept (sasl, sasl-tls). */
  readonly tokens: TokenIssuer;
}

interface Runtime {
  readonly java: Java;
  readonly jars: readonly string[];
  readonly flags: readonly string[];
}

/** Ports of each node: clients, brokers, controllers. */
const PORTS = 3;
const OLDEST_JAVA = 17;
const DEFAULT_HEAP_MB = 256;
const STARTED = 'Kafka Server started';

/** Returns the reason why Kafka cannot be started natively; undefined when it can. */
export function kafkaMissing(): string | undefined {
  return javaMissing(OLDEST_JAVA) ?? classPathMissing('kafka');
}

/** Arguments of java. The class path is in the environment, so that it does not fill every list of processes. */
function java(flags: readonly string[], heapMb: number, main: string, ...args: readonly string[]): string[] {
  const log = `-Dlog4j2.configurationFile=${projectFile('kafka', 'log4j2.properties')}`;
  return [`-Xmx${heapMb}m`, ...flags, log, main, ...args];
}

function environment({ jars }: Runtime): Record<string, string> {
  return { CLASSPATH: jars.join(':') };
}

/** A UUID in Kafka's form. It never starts with a dash, which Kafka's tool would parse as an option. */
function uuid(): string {
  return Buffer.concat([Buffer.of(1), randomBytes(15)]).toString('base64url');
}

/**
 * Returns a formatted data directory, a template for clusters with the same users. Kafka's format tool costs as much as
 * the start of a broker, so its result is cached; only the ids differ.
 */
function formatted({ java: runtime, jars }: Runtime, more: readonly string[]): Promise<string> {
  return cached('kafka-data', digest(runtime.version, ...jars, ...more), async (place) => {
    const settings = join(place, 'server.properties');
    const address = { port: 1, advertised: '127.0.0.1:1', internalPort: 2, controllerPort: 3 };
    const node: KafkaNode = { id: 1, directory: place, ...address };
    writeFileSync(settings, properties(node, [node], 'PLAINTEXT', {}));
    const flags = ['-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1'];
    const args = ['kafka.tools.StorageTool', 'format', '-t', uuid(), '-c', settings, ...more] as const;
    await runTool(runtime.path, java(flags, 64, ...args), { env: { ...process.env, CLASSPATH: jars.join(':') } });
  });
}

/** Creates the data directory of each node. They differ in meta.properties only. */
async function format(runtime: Runtime, nodes: readonly KafkaNode[], more: readonly string[]): Promise<void> {
  const origin = join(await formatted(runtime, more), 'data');
  const meta = readFileSync(join(origin, 'meta.properties'), 'utf8');
  const cluster = uuid();
  for (const { id, directory } of nodes) {
    cpSync(origin, join(directory, 'data'), { recursive: true });
    const nodeMeta = meta
      .replace(/^cluster\.id=.*$/m, `cluster.id=${cluster}`)
      .replace(/^node\.id=.*$/m, `node.id=${id}`)
      .replace(/^directory\.id=.*$/m, `directory.id=${uuid()}`);
    writeFileSync(join(directory, 'data/meta.properties'), nodeMeta);
  }
}

function brokerOf(
  node: KafkaNode,
  proxy: TcpProxy | undefined,
  command: readonly string[],
  runtime: Runtime,
): KafkaBroker {
  const server = new ServerProcess({
    title: `Kafka broker ${node.id}`,
    command: [...command, join(node.directory, 'server.properties')],
    env: environment(runtime),
    log: join(node.directory, 'log'),
    isReady: (printed) => printed.includes(STARTED),
  });
  return withControls(server, { id: node.id, address: node.advertised, proxy });
}

/** Creates the directory of each node with its settings. */
function layOut(place: string, ports: readonly number[], proxies: readonly TcpProxy[]): KafkaNode[] {
  return Array.from({ length: ports.length / PORTS }, (_, index): KafkaNode => {
    const [port, internalPort, controllerPort] = ports.slice(index * PORTS) as [number, number, number];
    const advertised = proxies[index]?.address ?? `127.0.0.1:${port}`;
    const directory = join(place, String(index + 1));
    mkdirSync(directory);
    return { id: index + 1, port, advertised, internalPort, controllerPort, directory };
  });
}

function configure(nodes: readonly KafkaNode[], security: ClusterSecurity, settings: Settings | undefined): void {
  for (const node of nodes) {
    const text = properties(node, nodes, security.protocol, { ...security.settings, ...settings });
    writeFileSync(join(node.directory, 'server.properties'), text, { mode: 0o600 });
  }
}

/** Starts a proxy for each broker. */
async function proxiesOf(ports: readonly number[], undo: AsyncDisposableStack): Promise<TcpProxy[]> {
  const proxies: TcpProxy[] = [];
  for (let at = 0; at < ports.length; at += PORTS) proxies.push(undo.use(await startTcpProxy(ports[at]!)));
  return proxies;
}

async function startNodes(runtime: Runtime, options: KafkaOptions): Promise<KafkaCluster> {
  await using undo = new AsyncDisposableStack();
  const { ports } = undo.use(await reservePorts(PORTS * (options.brokers ?? 1)));
  const place = undo.adopt(createWorkplace('kafka'), removeWorkplace);
  const proxies = options.proxied ? await proxiesOf(ports, undo) : [];
  const nodes = layOut(place, ports, proxies);
  const security = await securityOf(options, place);
  configure(nodes, security, options.settings);
  await format(runtime, nodes, security.formatArguments);
  const properties = [temporaryIn(place), ...security.properties];
  const flags = [...runtime.flags, ...(options.optimized ? OPTIMIZED : []), ...properties];
  const command = [runtime.java.path, ...java(flags, options.heapMb ?? DEFAULT_HEAP_MB, 'kafka.Kafka')];
  const brokers = nodes.map((node, index) => brokerOf(node, proxies[index], command, runtime));
  undo.defer(async () => void (await Promise.all(brokers.map((broker) => broker.stop('SIGKILL')))));
  await Promise.all(brokers.map((broker) => broker.start()));
  const started = undo.move();
  return {
    bootstrap: brokers.map(({ address }) => address),
    brokers,
    users: security.users,
    ca: security.ca,
    tokens: security.tokens,
    [Symbol.asyncDispose]: () => started.disposeAsync(),
  };
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

/** Starts a Kafka of one or three brokers on free ports of 127.0.0.1 (KRaft; each broker is also a controller). */
export async function startKafka(options: KafkaOptions = {}): Promise<KafkaCluster> {
  return startNodes(await runtimeOf(), options);
}

const TOOLS = {
  'kafka-topics.sh': 'org.apache.kafka.tools.TopicCommand',
  'kafka-acls.sh': 'org.apache.kafka.tools.AclCommand',
} as const;

export type KafkaTool = keyof typeof TOOLS;

/** Runs one of Kafka's own commands. Throws ERR_TESTKIT_TOOL with its output. */
export async function runKafkaTool(tool: KafkaTool, args: readonly string[]): Promise<string> {
  const runtime = await runtimeOf();
  const flags = ['-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1'];
  const command = java(flags, 128, TOOLS[tool], ...args);
  return runTool(runtime.java.path, command, { env: { ...process.env, ...environment(runtime) } });
}
