import { readFileSync, statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import type { ConnectionOptions } from 'node:tls';
import { defined } from '@ringfence/base';
import type { KafkaSasl, KafkaTls } from '../options.ts';
import { WireError } from './wire.ts';

/** Reads PEM files again when they have changed, so that connections after a rotation use the new files. */
export class TlsMaterial {
  readonly #tls: KafkaTls;
  readonly #files: Map<string, { readonly mtimeMs: number; readonly text: string }> = new Map();

  constructor(tls: KafkaTls) {
    this.#tls = tls;
  }

  /** Returns the TLS options of the next connection. Throws WireError when a file can't be read. */
  current(host?: string): ConnectionOptions {
    const { ca, cert, key, serverName } = this.#tls;
    const name = serverName ?? (host === undefined || isIP(host) !== 0 ? undefined : host);
    return {
      ...(ca === undefined ? {} : { ca: this.#read(ca) }),
      ...(cert === undefined ? {} : { cert: this.#read(cert) }),
      ...(key === undefined ? {} : { key: this.#read(key) }),
      ...defined({ servername: name }),
    };
  }

  #read(path: string): string {
    try {
      const { mtimeMs } = statSync(path);
      const known = this.#files.get(path);
      if (known?.mtimeMs === mtimeMs) return known.text;
      const text = readFileSync(path, 'utf8');
      this.#files.set(path, { mtimeMs, text });
      return text;
    } catch (error) {
      throw new WireError('AUTHENTICATION', `${path} can't be read: ${(error as Error).message}`, { cause: error });
    }
  }
}

const MAX_TOKEN_BYTES = 64 * 1024;

/** Returns the current bearer token. Rejects with WireError when there is none. */
export async function tokenOf({ token }: KafkaSasl): Promise<string> {
  if (typeof token === 'function') return token();
  if (token === undefined) throw new WireError('AUTHENTICATION', 'oauthbearer needs a token: name its file');
  const text = (await readFile(token, 'utf8')).trim();
  if (text === '' || text.length > MAX_TOKEN_BYTES)
    throw new WireError('AUTHENTICATION', `${token} holds no token, or one of more than ${MAX_TOKEN_BYTES} bytes`);
  return text;
}
