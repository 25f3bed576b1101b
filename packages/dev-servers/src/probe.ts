import { connect } from 'node:net';

const PROBE_TIMEOUT_MS = 2000;

/** Sends `request` to a local port. Returns the response up to the close; undefined if empty or after two seconds. */
export function ask(port: number, request: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' });
    const finish = (answer: string | undefined) => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(PROBE_TIMEOUT_MS, () => finish(undefined));
    socket.once('error', () => finish(undefined));
    socket.once('close', () => finish(answer === '' ? undefined : answer));
    socket.once('connect', () => socket.write(request));
    let answer = '';
    socket.on('data', (part) => {
      answer += part;
    });
  });
}

/** Resolves to true if a GET of this URL returns 200. */
export async function answersOk(url: string): Promise<boolean> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(PROBE_TIMEOUT_MS) });
    await response.body?.cancel();
    return response.ok;
  } catch {
    // The server is not up yet. The caller has the deadline.
    return false;
  }
}
