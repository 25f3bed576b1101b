import { messageOf } from './errors.ts';
import { readText } from './files.ts';
import { checkMaterial, type TlsMaterial } from './identity.ts';

/** Where a TLS end takes its certificate from, and learns that there is a new one. */
export interface TlsSource {
  current(): TlsMaterial;
  onChange(listener: () => void): Disposable;
}

export interface CertificateWatch extends TlsSource, Disposable {
  /** Looks now. */
  check(): void;
}

export interface WatchOptions {
  /** ms between two looks. @default 10 s */
  readonly intervalMs?: number;
  /** told of files that can't be used: the ones before stay in force */
  readonly onError?: (message: string) => void;
}

/**
 * Reads certificate, key and authority from their paths (see `identityPaths`), and again whenever they change: no restart. Looks at the contents, not at
 * file events, which links and mounted secrets don't raise. Throws IdentityError, or what checkMaterial throws, when the first look fails.
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
      const same =
        next.certificate === material.certificate && next.key === material.key && next.authority === material.authority;
      if (same) return;
      // Halfway through a change the key may not be the certificate's: then the next look finds both.
      checkMaterial(next);
      material = next;
    } catch (error) {
      onError?.(`certificates were not taken over from ${paths.certificate}: ${messageOf(error)}`);
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
