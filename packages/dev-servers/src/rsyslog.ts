import { once } from 'node:events';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, readSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createTestCa, type TestCa } from './certificates.ts';
import { TestServerError } from './errors.ts';
import { reservePorts } from './ports.ts';
import { findProgram } from './run-tool.ts';
import { type RunningServer, ServerProcess, withControls } from './server-process.ts';
import { createWorkplace, removeWorkplace } from './workplace.ts';

/** An rsyslog that writes each message as one line of JSON. */
export interface RsyslogServer extends RunningServer, AsyncDisposable {
  readonly ports: Readonly<Record<'tcp' | 'tls' | 'relp' | 'relps' | 'udp', number>>;
  readonly ca: TestCa;
  /** PEM file of `ca` */
  readonly caFile: string;
  /** Messages in the order of arrival, as rsyslog parsed them: `msg`, `hostname`, `programname`, `structured-data`. */
  messages(): Record<string, string>[];
  /** Number of messages; reads only what is new */
  received(): number;
}

/** Where `npm run setup` unpacks Debian's packages, outside of the system. */
const UNPACKED = fileURLToPath(new URL('../../../dist/engine/root/', import.meta.url));
const MODULES = ['usr/lib/x86_64-linux-gnu/rsyslog', 'usr/lib/aarch64-linux-gnu/rsyslog'];

interface Installed {
  readonly program: string;
  readonly modules: string;
  /** Folder of the libraries; empty: those of the system */
  readonly libraries: string;
}

function installed(): Installed | undefined {
  const modules = MODULES.map((path) => join(UNPACKED, path)).find((path) => existsSync(join(path, 'imrelp.so')));
  if (modules !== undefined)
    return { program: join(UNPACKED, 'usr/sbin/rsyslogd'), modules, libraries: join(modules, '..') };
  const system = MODULES.map((path) => join('/', path)).find((path) => existsSync(join(path, 'imrelp.so')));
  const program = findProgram('rsyslogd');
  return system === undefined || program === undefined ? undefined : { program, modules: system, libraries: '' };
}

/** Returns the reason why rsyslog cannot be started; undefined when it can. */
export function rsyslogMissing(): string | undefined {
  return installed() === undefined
    ? 'no rsyslog with RELP and TLS: install rsyslog, rsyslog-relp and rsyslog-openssl'
    : undefined;
}

/** Starts rsyslog on free ports of 127.0.0.1: TCP, TLS, RELP, RELP over TLS, and UDP. */
export async function startRsyslog(): Promise<RsyslogServer> {
  const found = installed();
  if (found === undefined)
    throw new TestServerError('ERR_TESTKIT_START', `rsyslog was not started: ${rsyslogMissing()}`);
  await using undo = new AsyncDisposableStack();
  const [tcp = 0, tls = 0, relp = 0, relps = 0, udp = 0] = undo.use(await reservePorts(5)).ports;
  const directory = undo.adopt(createWorkplace('rsyslog'), removeWorkplace);
  mkdirSync(join(directory, 'work'));
  const ca = await createTestCa();
  const { certificate, key } = await ca.issue('localhost');
  const file = (name: string, text: string): string => {
    writeFileSync(join(directory, name), text, { mode: 0o600 });
    return join(directory, name);
  };
  const caFile = file('ca.pem', ca.certificate);
  const output = join(directory, 'messages');
  const config = configOf({
    work: join(directory, 'work'),
    output,
    ca: caFile,
    certificate: file('server.pem', certificate),
    key: file('server.key', key),
    ports: { tcp, tls, relp, relps, udp },
  });
  const { program, modules, libraries } = found;
  const server = new ServerProcess({
    title: 'rsyslog',
    command: [program, '-n', '-C', '-f', file('rsyslog.conf', config), '-i', join(directory, 'pid'), '-M', modules],
    env: libraries === '' ? {} : { LD_LIBRARY_PATH: libraries },
    log: join(directory, 'log'),
    isReady: () => accepts(relp),
  });
  undo.defer(() => server.remove());
  await server.start();
  const started = undo.move();
  return withControls(server, {
    ports: { tcp, tls, relp, relps, udp },
    ca,
    caFile,
    messages: () => (existsSync(output) ? linesOf(readFileSync(output, 'utf8')) : []),
    received: lineCounter(output),
    [Symbol.asyncDispose]: () => started.disposeAsync(),
  });
}

/** Whether something listens on a port of 127.0.0.1. */
async function accepts(port: number): Promise<boolean> {
  const socket = connect({ port, host: '127.0.0.1' });
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

/** Returns a function that counts the lines of a file that grows. */
function lineCounter(path: string): () => number {
  const chunk = Buffer.alloc(1 << 20);
  let [lines, position] = [0, 0];
  return () => {
    if (!existsSync(path)) return 0;
    const file = openSync(path, 'r');
    try {
      for (let read = readSync(file, chunk, 0, chunk.length, position); read > 0; ) {
        position += read;
        for (let at = chunk.indexOf(10); at >= 0 && at < read; at = chunk.indexOf(10, at + 1)) lines++;
        read = readSync(file, chunk, 0, chunk.length, position);
      }
      return lines;
    } finally {
      closeSync(file);
    }
  };
}

/** The last line may be incomplete. */
const linesOf = (text: string): Record<string, string>[] =>
  text
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Record<string, string>);

interface Settings {
  readonly work: string;
  readonly output: string;
  readonly ca: string;
  readonly certificate: string;
  readonly key: string;
  readonly ports: RsyslogServer['ports'];
}

const configOf = ({ work, output, ca, certificate, key, ports: { tcp, tls, relp, relps, udp } }: Settings): string => `
global(workDirectory="${work}" maxMessageSize="1m" parser.escapeControlCharactersOnReceive="off"
  defaultNetstreamDriver="ossl" defaultNetstreamDriverCAFile="${ca}"
  defaultNetstreamDriverCertFile="${certificate}" defaultNetstreamDriverKeyFile="${key}")
# Without a queue in memory, a message is confirmed once it is in the file.
main_queue(queue.type="direct")
module(load="imtcp")
module(load="imudp")
module(load="imrelp" tls.tlslib="openssl")
input(type="imtcp" address="127.0.0.1" port="${tcp}" streamDriver.name="ptcp" streamDriver.mode="0")
input(type="imtcp" address="127.0.0.1" port="${tls}" streamDriver.name="ossl" streamDriver.mode="1" streamDriver.authMode="anon")
input(type="imudp" address="127.0.0.1" port="${udp}")
input(type="imrelp" address="127.0.0.1" port="${relp}" maxDataSize="1m")
input(type="imrelp" address="127.0.0.1" port="${relps}" maxDataSize="1m" tls="on" tls.myCert="${certificate}" tls.myPrivKey="${key}")
template(name="json" type="string" string="%jsonmesg%\\n")
action(type="omfile" file="${output}" template="json" asyncWriting="off" flushOnTXEnd="on")
`;
