import type { UnixDatagram } from './unix-datagram.ts';

/** Messages to the service manager that has started this process, as of sd_notify(3). */
export class ServiceManager implements Disposable {
  /** Time within which it expects the next `beat`, ms; null: none is expected. */
  readonly watchdogMs: number | null;
  readonly #socket: UnixDatagram;
  #isReady = false;

  constructor(socket: UnixDatagram, watchdogMs: number | null) {
    this.#socket = socket;
    this.watchdogMs = watchdogMs;
  }

  /**
   * Takes NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID from the environment, so that no child process has them.
   * Resolves with null if no service manager waits for messages at a unix socket.
   */
  static async connect(env: NodeJS.ProcessEnv = process.env): Promise<ServiceManager | null> {
    const { NOTIFY_SOCKET: address, WATCHDOG_USEC: usec, WATCHDOG_PID: pid } = env;
    for (const name of ['NOTIFY_SOCKET', 'WATCHDOG_USEC', 'WATCHDOG_PID']) delete env[name];
    if (!address || !/^[@/]./.test(address)) return null;
    const watchdogMs = Number(usec) / 1000;
    const isWatched = watchdogMs > 0 && (!pid || Number(pid) === process.pid);
    // Lazily: most processes have no service manager.
    const { UnixDatagram } = await import('./unix-datagram.ts');
    return new ServiceManager(new UnixDatagram(address), isWatched ? watchdogMs : null);
  }

  /** The process serves, or waits for others to serve. @param status for people */
  ready(status: string): void {
    this.#socket.send(`${this.#isReady ? '' : 'READY=1\n'}STATUS=${status.replaceAll(/\s+/g, ' ')}`);
    this.#isReady = true;
  }

  /** The process works. Without a call for `watchdogMs` it is killed, and started again. */
  beat(): void {
    this.#socket.send('WATCHDOG=1');
  }

  stopping(): void {
    this.#socket.send('STOPPING=1');
  }

  [Symbol.dispose](): void {
    this.#socket[Symbol.dispose]();
  }
}
