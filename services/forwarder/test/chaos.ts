/** Breaks the far sides of sinks under load, and counts what arrives. */
import { setTimeout as sleep } from 'node:timers/promises';
import { rsyslogMissing, startRsyslog, startVictoriaLogs, victoriaLogsMissing } from '@ringfence/dev-servers';
import { type Faults, startTcpProxy, type TcpProxy } from '@ringfence/dev-servers/in-process';
import { openTestBus, produceAlerts, startReceiver, startRunner } from './support.ts';

/** A far side that can be broken. */
interface FarSide extends AsyncDisposable {
  readonly name: string;
  /** Settings of the sink */
  readonly yaml: string;
  readonly proxy: TcpProxy;
  /** Ids that arrived, with doubles */
  ids(): string[] | Promise<string[]>;
  kill(): Promise<void>;
  revive(): Promise<void>;
  /** Makes it refuse for lack of space, if it can say so. */
  setFull(full: boolean): void;
}

export interface ChaosResult {
  readonly name: string;
  readonly produced: number;
  readonly distinct: number;
  readonly doubles: number;
  readonly retries: number;
  readonly lost: number;
}

const FAULTS: readonly { readonly name: string; readonly faults: Faults }[] = [
  { name: 'slow', faults: { latencyMs: 150, bytesPerSecond: 200_000 } },
  { name: 'silent', faults: { silent: true } },
  { name: 'refusing', faults: { refuse: true } },
];

/** Ids are 32 hexadecimal digits. */
const ID = /"ringfence\.id":"([0-9a-f]{32})"/g;
const idsIn = (text: string): string[] => [...text.matchAll(ID)].map(([, id = '']) => id);

async function webhookSide(): Promise<FarSide> {
  const stack = new AsyncDisposableStack();
  let isFull = false;
  let isDead = false;
  const kept: string[] = [];
  const receiver = stack.use(
    await startReceiver(({ body }) => {
      if (isFull) return { status: 507, body: 'no space left' };
      kept.push(...idsIn(body));
      // A server that dies after it has kept a request does not answer.
      return { status: isDead ? 500 : 200 };
    }),
  );
  const proxy = stack.use(await startTcpProxy(new URL(receiver.url).host));
  return {
    name: 'webhook',
    yaml: `{sink: webhook, type: webhook, url: 'http://${proxy.address}', timeout: 1s, batch: 50}`,
    proxy,
    ids: () => kept,
    async kill() {
      isDead = true;
      proxy.cut();
    },
    async revive() {
      isDead = false;
    },
    setFull(full) {
      isFull = full;
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

async function syslogSide(scheme: 'relp' | 'tls'): Promise<FarSide> {
  const stack = new AsyncDisposableStack();
  const server = stack.use(await startRsyslog());
  const proxy = stack.use(await startTcpProxy(`127.0.0.1:${server.ports[scheme]}`));
  const ca = scheme === 'tls' ? `, ca: ${server.caFile}` : '';
  return {
    name: `syslog by ${scheme}`,
    yaml: `{sink: ${scheme}, type: syslog, url: '${scheme}://${proxy.address}', timeout: 1s, batch: 50${ca}}`,
    proxy,
    ids: () => server.messages().flatMap(({ msg = '' }) => idsIn(msg).slice(0, 1)),
    kill: () => server.stop('SIGKILL'),
    revive: () => server.start(),
    setFull() {},
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

/** VictoriaLogs keeps five seconds in memory only: it confirms what a SIGKILL would lose. */
async function victoriaSide(type: 'splunk' | 'loki' | 'otlp'): Promise<FarSide> {
  const stack = new AsyncDisposableStack();
  const server = stack.use(await startVictoriaLogs());
  const proxy = stack.use(await startTcpProxy(new URL(server.url).host));
  process.env['RF_TEST_CHAOS'] = 'token';
  const more = { splunk: "', token: env:RF_TEST_CHAOS", loki: "/insert'", otlp: "/insert/opentelemetry'" }[type];
  return {
    name: `${type} to VictoriaLogs`,
    yaml: `{sink: ${type}, type: ${type}, url: 'http://${proxy.address}${more}, timeout: 1s, batch: 50}`,
    proxy,
    async ids() {
      const entries = await server.query('*');
      const names = ['ringfence.id', 'ringfence_id', 'event.ringfence.id'];
      return entries.map((entry) => names.map((name) => entry[name]).find((id) => id !== undefined) ?? '');
    },
    kill: () => server.stop('SIGTERM'),
    revive: () => server.start(),
    setFull() {},
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

/** Runs one far side for `seconds` through all faults, then heals it and waits until the sink has no backlog. */
async function play(open: () => Promise<FarSide>, seconds: number): Promise<ChaosResult> {
  await using side = await open();
  await using test = await openTestBus();
  const runner = await startRunner(test.bus, side.yaml);
  const ids: string[] = [];
  const load = async (ms: number): Promise<void> => {
    for (const until = performance.now() + ms; performance.now() < until; ) {
      ids.push(...(await produceAlerts(test.bus, ids.length, 20)));
      await sleep(20);
    }
  };
  const turn = (seconds * 1000) / (2 * (FAULTS.length + 2));
  for (const { faults } of FAULTS) {
    await side.proxy.set(faults);
    await load(turn);
    await side.proxy.set({});
    await load(turn);
  }
  await side.kill();
  await load(turn);
  await side.revive();
  side.setFull(true);
  await load(turn);
  side.setFull(false);
  while ((await runner.status()).backlog > 0) await sleep(50);
  const { retries, lost } = await runner.status();
  await runner.close();
  // What a protocol without confirmation has sent may still be on its way.
  for (let i = 0; i < 200 && new Set(await side.ids()).size < ids.length; i++) await sleep(50);
  const arrived = await side.ids();
  const distinct = new Set(arrived);
  const found = ids.filter((id) => distinct.has(id)).length;
  return {
    name: side.name,
    produced: ids.length,
    distinct: found,
    doubles: arrived.length - distinct.size,
    retries,
    lost,
  };
}

interface ChaosPlay {
  readonly name: string;
  /** Returns the reason why it can't be played; undefined when it can. */
  readonly missing: () => string | undefined;
  /** Breaks the far side under load for so long: slow, silent, refusing, killed, full. */
  readonly play: (seconds: number) => Promise<ChaosResult>;
}

const playOf = (name: string, missing: () => string | undefined, open: () => Promise<FarSide>): ChaosPlay => ({
  name,
  missing,
  play: (seconds) => play(open, seconds),
});

export const CHAOS: readonly ChaosPlay[] = [
  playOf('webhook', () => undefined, webhookSide),
  ...(['relp', 'tls'] as const).map((scheme) =>
    playOf(`syslog by ${scheme}`, rsyslogMissing, () => syslogSide(scheme)),
  ),
  ...(['splunk', 'loki', 'otlp'] as const).map((type) => playOf(type, victoriaLogsMissing, () => victoriaSide(type))),
];
