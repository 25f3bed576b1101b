import { messageOf } from '@ringfence/base';
import { readText } from './files.ts';
import { checkMaterial, type TlsMaterial } from './identity.ts';

/** Provides the current TLS certificate and notifies about a new one. */
export interface TlsSource {
  current(): TlsMaterial;
  onChange(listener: () => void): Disposable;
}

export interface CertificateWatch extends TlsSource, Disposable {
  /** Reads the files now. */
  check(): void;
}

export interface WatchOptions {
  /** Interval between checks, ms. @default 10 s */
  readonly intervalMs?: number;
  /** Called when the files cannot be used; the previous ones stay in use */
  readonly onError?: (message: string) => void;
}

/**
 * Reads certificate, key and authority from their paths (see `identityPaths`), and again when they change, without a
 * restart. Compares contents instead of using file events, which links and mounted secrets do not raise. Throws
 * IdentityError, or the error of checkMaterial, when the first read fails.
 */
export function watchCertificates(paths: TlsMaterial, options: WatchOptions = {}): CertificateWatch {
  const { intervalMs = 10_000, onError } = options;
  const listeners = new Set<() => void>();
  const read = (): TlsMaterial => {
    const { certificate, key, authority } = paths;
    return { certificate: readText(certificate), key: readText(key, true), authority: readText(authority) };
  };
  let material = read();
  checkMaterial(material);

  const check = (): void => {
    try {
      const next = read();
      const unchanged =
        next.certificate === material.certificate && next.key === material.key && next.authority === material.authority;
      if (unchanged) return;
      // During an update the key may not match the certificate yet; the next check then reads both.
      checkMaterial(next);
      material = next;
    } catch (error) {
      onError?.(`cannot use the changed certificate ${paths.certificate}: ${messageOf(error)}`);
      return;
    }
    for (const listener of [...listeners]) listener();
  };
  const timer = setInterval(check, intervalMs).unref();
  return {
    check,
    current: () => material,
    onChange(listener) {
      listeners.add(listener);
      return { [Symbol.dispose]: () => void listeners.delete(listener) };
    },
    [Symbol.dispose]: () => clearInterval(timer),
  };
}
